"""Roles as they are stored and as settings write them."""

from gateway.contracts.roles import Role
from gateway.settings import AccessSettings

__all__ = ["STORED", "Role", "Roles", "role_named", "role_set"]

STORED = ("guest", "member", "admin")
"""What may be given and kept; owners are only ever named in the settings."""


def role_named(name: str) -> Role:
    """Return a stored role; whatever else stands there is worth nothing."""
    return Role[name.upper()] if name in STORED else Role.GUEST


def role_set(name: str) -> Role:
    """Return a role that the settings give somebody in one place."""
    return Role[name.upper()]


class Roles:
    """What accounts are everywhere; a place may give them another role there."""

    def __init__(self, settings: AccessSettings) -> None:
        self._owners = frozenset(settings.owners)
        self._admins = frozenset(settings.admins)
        self._allowlist = frozenset(settings.allowlist)

    def is_owner(self, identity: str) -> bool:
        return identity in self._owners

    def everywhere(self, identity: str, stored: str | None) -> Role:
        """Return what the settings or the store give, whichever is more."""
        given = Role.GUEST if stored is None else role_named(stored)
        return max(given, self.by_settings(identity))

    def by_settings(self, identity: str) -> Role:
        if identity in self._owners:
            return Role.OWNER
        if identity in self._admins:
            return Role.ADMIN
        return Role.MEMBER if identity in self._allowlist else Role.GUEST
