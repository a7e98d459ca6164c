"""Who may do what where, as Discord computes it from roles and a channel's overwrites.

Facts: https://discord.com/developers/docs/topics/permissions
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Any


class May(IntFlag):
    """The permissions that the fake knows."""

    ADD_REACTIONS = 1 << 6
    ADMINISTRATOR = 1 << 3
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    SEND_VOICE_MESSAGES = 1 << 46


EVERYTHING = May((1 << 50) - 1)
ORDINARY = (
    May.ADD_REACTIONS
    | May.VIEW_CHANNEL
    | May.SEND_MESSAGES
    | May.EMBED_LINKS
    | May.ATTACH_FILES
    | May.READ_MESSAGE_HISTORY
    | May.MENTION_EVERYONE
    | May.USE_EXTERNAL_EMOJIS
    | May.USE_APPLICATION_COMMANDS
    | May.CREATE_PUBLIC_THREADS
    | May.CREATE_PRIVATE_THREADS
    | May.SEND_MESSAGES_IN_THREADS
    | May.SEND_VOICE_MESSAGES
)
"""What everybody may do in a new server; also, with mentions, what a bot is usually given."""


@dataclass(slots=True)
class Overwrite:
    """What one role or member is allowed or denied in one channel."""

    is_member: bool
    allow: int = 0
    deny: int = 0

    def payload(self, target: int) -> dict[str, Any]:
        return {
            "id": str(target),
            "type": int(self.is_member),
            "allow": str(int(self.allow)),
            "deny": str(int(self.deny)),
        }


def in_channel(
    base: int, everyone: int, roles: Iterable[int], member: int, given: Mapping[int, Overwrite]
) -> May:
    """Apply a channel's overwrites to what a member's roles permit, in Discord's order."""
    if base & May.ADMINISTRATOR:
        return EVERYTHING
    result = _apply(base, given.get(everyone))
    allow = deny = 0
    for role in roles:
        if role in given and role != everyone:
            allow |= given[role].allow
            deny |= given[role].deny
    result = (result & ~deny) | allow
    result = _apply(result, given.get(member))
    return May(result) if result & May.VIEW_CHANNEL else May(0)


def _apply(permissions: int, overwrite: Overwrite | None) -> int:
    if overwrite is None:
        return permissions
    return (permissions & ~overwrite.deny) | overwrite.allow
