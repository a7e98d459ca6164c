"""Roles, in order of what they may do."""

from enum import IntEnum


class Role(IntEnum):
    """A greater role may do all that a lesser one may."""

    GUEST = 1
    """Let in because a place or a setting is open; unknown by name."""
    MEMBER = 2
    """Let in by the owner."""
    ADMIN = 3
    """Named in the settings or by the owner, for everywhere or for one place: looks after it."""
    OWNER = 4
    """Named in the settings, or at the process's own terminal."""
