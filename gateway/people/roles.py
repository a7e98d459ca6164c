"""Roles as they are stored and as settings write them."""

from gateway.contracts.roles import Role

__all__ = ["Role", "role_named", "role_set"]


def role_named(name: str) -> Role:
    """Return a stored role; what is more than a member is only ever taken from settings."""
    return Role.MEMBER if name == "member" else Role.GUEST


def role_set(name: str) -> Role:
    """Return a role that the settings give somebody in one place."""
    return Role[name.upper()]
