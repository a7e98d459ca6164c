"""Roles, in order of what they may do."""

from enum import IntEnum


class Role(IntEnum):
    """A greater role may do all that a lesser one may."""

    GUEST = 1
    """Let in because a place or a setting is open; unknown by name."""
    MEMBER = 2
    """Let in by the owner."""
    OWNER = 3
    """Named in the configuration, or at the process's own terminal."""


def role_named(name: str) -> Role:
    """Return a stored role; `owner` is never taken from the store, only from settings."""
    return Role.MEMBER if name == "member" else Role.GUEST
