"""Session keys: who shares one history, as a value with one written form."""

from dataclasses import dataclass
from urllib.parse import quote, unquote

_RESERVED = ("user", "group")
_LENGTHS = (3, 4)
"""Parts of a group's key, and of every other."""


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Names one conversation; equal keys share one history."""

    agent: str
    owner: tuple[str, ...]
    """`(platform, external_user)`, `("user", person)` or `("group",)`."""
    channel_context: str

    @property
    def is_group(self) -> bool:
        return self.owner == ("group",)

    def encode(self) -> str:
        """Write the key; parts are quoted, so two keys never share a written form."""
        names = (quote(part, safe="") for part in (self.agent, *self.owner))
        return ":".join([*names, quote(self.channel_context, safe="/")])

    @classmethod
    def decode(cls, written: str) -> "SessionKey":
        """Read what `encode` wrote.

        Raises:
            ValueError: `written` is not a session key.
        """
        parts = [unquote(part) for part in written.split(":")]
        if len(parts) not in _LENGTHS:
            raise ValueError(f"not a session key: {written!r}")
        key = cls(parts[0], tuple(parts[1:-1]), parts[-1])
        if key.encode() != written or (len(parts) == min(_LENGTHS) and not key.is_group):
            raise ValueError(f"not a session key: {written!r}")
        return key


def build_session_key(
    agent: str, platform: str, external_user: str, channel_context: str
) -> SessionKey:
    """Key of a person known on one platform only: `{agent}:{platform}:{user}:{context}`."""
    if platform in _RESERVED:
        raise ValueError(f"a platform cannot be named {platform!r}")
    return SessionKey(agent, (platform, external_user), channel_context)


def build_user_session_key(agent: str, person: str, channel_context: str) -> SessionKey:
    """Key of a person with linked accounts: `{agent}:user:{person}:{context}`."""
    return SessionKey(agent, ("user", person), channel_context)


def build_group_session_key(agent: str, channel_context: str) -> SessionKey:
    """Key of a place that its members share: `{agent}:group:{context}`."""
    return SessionKey(agent, ("group",), channel_context)
