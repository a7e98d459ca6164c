"""Servers and their channels: who is in them, who may do what, and what they show now."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord.message import Message
from tests.fakes.discord.permissions import ORDINARY, May, Overwrite, in_channel
from tests.fakes.discord.times import iso
from tests.fakes.watch import Watch

TEXT, DM, CATEGORY, NEWS, FORUM = 0, 1, 4, 5, 15
NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD = 10, 11, 12
THREADS = frozenset({NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD})
TYPING_SECONDS = 10.0


@dataclass(slots=True)
class Role:
    """Permissions with a name; the role with the server's own id is everybody's."""

    id: int
    name: str
    permissions: int = 0
    is_mentionable: bool = False

    def payload(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "name": self.name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": 0,
            "permissions": str(int(self.permissions)),
            "managed": False,
            "mentionable": self.is_mentionable,
            "flags": 0,
        }


@dataclass(slots=True)
class Member:
    """Somebody in a server."""

    user: dict[str, Any]
    joined_at: float
    nick: str | None = None
    roles: list[int] = field(default_factory=list)

    def payload(self) -> dict[str, Any]:
        """Write the member without the user, as messages do."""
        return {
            "roles": [str(role) for role in self.roles],
            "joined_at": iso(self.joined_at),
            "nick": self.nick,
            "avatar": None,
            "deaf": False,
            "mute": False,
            "pending": False,
            "flags": 0,
            "premium_since": None,
            "communication_disabled_until": None,
        }


class Guild:
    """A server with roles, members and channels."""

    def __init__(self, guild_id: int, name: str, owner_id: int) -> None:
        self.id = guild_id
        self.name = name
        self.owner_id = owner_id
        self.roles = {guild_id: Role(guild_id, "@everyone", ORDINARY)}
        self.members: dict[int, Member] = {}
        self.channels: dict[int, Channel] = {}
        """Threads too."""

    @property
    def everyone(self) -> Role:
        return self.roles[self.id]

    @property
    def threads(self) -> list["Channel"]:
        """The active threads."""
        return [
            one
            for one in self.channels.values()
            if one.thread is not None and not one.thread.archived
        ]

    def permissions(self, user_id: int) -> int:
        """What a member may do where no channel says otherwise."""
        member = self.members.get(user_id)
        if member is None:
            return 0
        if user_id == self.owner_id:
            return May.ADMINISTRATOR
        total = int(self.everyone.permissions)
        for role in member.roles:
            total |= self.roles[role].permissions
        return total


@dataclass(slots=True)
class ThreadState:
    """What a thread is, beyond a channel."""

    owner_id: int
    made_at: float
    archived_at: float
    archived: bool = False
    locked: bool = False
    auto_archive: int = 1440
    members: set[int] = field(default_factory=set)

    def payload(self) -> dict[str, Any]:
        return {
            "archived": self.archived,
            "auto_archive_duration": self.auto_archive,
            "archive_timestamp": iso(self.archived_at),
            "locked": self.locked,
            "create_timestamp": iso(self.made_at),
        }


class Channel:
    """A channel, thread or direct conversation; `shown()` is what people see in it."""

    def __init__(
        self,
        channel_id: int,
        kind: int,
        *,
        name: str = "",
        guild: Guild | None = None,
        parent: "Channel | None" = None,
        recipient: dict[str, Any] | None = None,
        thread: ThreadState | None = None,
        clock_now: Callable[[], float],
    ) -> None:
        self.id = channel_id
        self.kind = kind
        self.name = name
        self.guild = guild
        self.parent = parent
        self.recipient = recipient
        """The other one in a direct conversation."""
        self.thread = thread
        self.overwrites: dict[int, Overwrite] = {}
        self.messages: dict[int, Message] = {}
        self.typing: list[float] = []
        """When the bot showed that it is at work."""
        self.is_reachable = True
        """Whether the bot may write in this direct conversation."""
        self.watch = Watch()
        self.now = clock_now

    @property
    def is_direct(self) -> bool:
        return self.kind == DM

    def shown(self, viewer: int | None = None) -> list[Message]:
        """Return the visible messages in order; with a viewer, also those for them alone."""
        return [
            one
            for one in self.messages.values()
            if not one.is_deleted and one.is_talk and one.seen_by in {None, viewer}
        ]

    def bot_texts(self, viewer: int | None = None) -> list[str]:
        """Return the texts of the bot's visible messages, in order."""
        return [one.text for one in self.shown(viewer) if one.is_from_bot]

    def is_typing(self) -> bool:
        """Whether people see the bot at work now."""
        if not self.typing or self.now() - self.typing[-1] >= TYPING_SECONDS:
            return False
        last = self.typing[-1]
        return not any(one.is_from_bot and one.at >= last for one in self.messages.values())

    async def until(
        self,
        holds: Callable[[list[Message]], bool],
        *,
        timeout: float = 15.0,  # noqa: ASYNC109 - the wait is what the caller asks for
    ) -> list[Message]:
        """Wait until `holds(shown)`, woken by each change of this channel; return `shown()`."""
        await self.watch.until(
            lambda: holds(self.shown()),
            timeout=timeout,
            now=lambda: [(one.who, one.text) for one in self.shown()],
        )
        return self.shown()

    def permissions(self, user_id: int) -> May:
        """What somebody may do here; a thread asks its parent."""
        if self.guild is None:
            return ORDINARY
        if self.parent is not None and self.thread is not None:
            return self.parent.permissions(user_id)
        base = self.guild.permissions(user_id)
        member = self.guild.members.get(user_id)
        roles = member.roles if member else []
        return in_channel(base, self.guild.id, roles, user_id, self.overwrites)

    @property
    def last_message_id(self) -> int | None:
        return next(reversed(self.messages), None)
