"""What is known of servers, channels and threads, from what the gateway tells of them."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

Json = Mapping[str, Any]

THREADS = frozenset({10, 11, 12})
_WITH_TEXT = frozenset({0, 2, 5, 13, *THREADS})
"""Channel types that hold messages: https://discord.com/developers/docs/resources/channel"""
_SPOTS_AT_MOST = 80_000
"""A hundred servers with all the channels that one can have, and many threads in each."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A channel of a server, or a thread in one."""

    id: str
    guild: str
    kind: int
    name: str
    parent: str | None
    """The channel of a thread, the category of a channel."""
    owner: str | None
    """Who began a thread."""
    last_message: str | None

    @property
    def is_thread(self) -> bool:
        return self.kind in THREADS


@dataclass(frozen=True, slots=True)
class Known:
    """All of it at one moment, to be written down."""

    spots: Sequence[Spot]
    roles: Mapping[str, frozenset[str]]
    role_names: Mapping[str, str]


class Places:
    """Servers and what is in them; the spots that were used least recently are forgotten."""

    def __init__(self) -> None:
        self.changes = 0
        """How often something has become known that is to outlive the process."""
        self._spots: OrderedDict[str, Spot] = OrderedDict()
        self._roles: dict[str, frozenset[str]] = {}
        self._role_names: dict[str, str] = {}

    @property
    def servers(self) -> int:
        return len(self._roles)

    def note_guild(self, guild: Json, us: str) -> None:
        """Take in a server as GUILD_CREATE describes it."""
        roles = guild.get("roles") or ()
        self._roles[guild["id"]] = frozenset(
            role["id"] for role in roles if (role.get("tags") or {}).get("bot_id") == us
        )
        self._role_names |= {role["id"]: role["name"] for role in roles}
        self.changes += 1
        for channel in [*(guild.get("channels") or ()), *(guild.get("threads") or ())]:
            self.note_channel(channel, guild["id"])

    def note_channel(self, channel: Json, guild: str | None = None) -> None:
        known_in = channel.get("guild_id") or guild
        if known_in is None:
            return
        before = self._spots.get(channel["id"])
        spot = self._spots[channel["id"]] = Spot(
            id=channel["id"],
            guild=known_in,
            kind=channel["type"],
            name=channel.get("name") or "",
            parent=channel.get("parent_id"),
            owner=channel.get("owner_id"),
            last_message=channel.get("last_message_id"),
        )
        if before is None or replace(before, last_message=spot.last_message) != spot:
            self.changes += 1
        self._spots.move_to_end(channel["id"])
        if len(self._spots) > _SPOTS_AT_MOST:
            self._spots.popitem(last=False)

    def note_message(self, channel: str, message: str) -> None:
        spot = self._spots.get(channel)
        if spot is not None:
            self._spots[channel] = replace(spot, last_message=message)

    def forget_channel(self, channel: str) -> None:
        if self._spots.pop(channel, None) is not None:
            self.changes += 1

    def forget_guild(self, guild: str) -> None:
        self._roles.pop(guild, None)
        self.changes += 1
        for spot in [one for one in self._spots.values() if one.guild == guild]:
            del self._spots[spot.id]

    def find(self, channel: str) -> Spot | None:
        return self._spots.get(channel)

    def with_text(self) -> Sequence[Spot]:
        return [spot for spot in self._spots.values() if spot.kind in _WITH_TEXT]

    def our_roles(self, guild: str) -> frozenset[str]:
        """Return the roles that came with the bot: to name one of them is to name the bot."""
        return self._roles.get(guild, frozenset())

    def role_name(self, role: str) -> str | None:
        return self._role_names.get(role)

    @property
    def known(self) -> Known:
        return Known(list(self._spots.values()), dict(self._roles), dict(self._role_names))

    def recall(self, known: Known) -> None:
        """Know this, and nothing else."""
        self._spots = OrderedDict((spot.id, spot) for spot in known.spots)
        self._roles, self._role_names = dict(known.roles), dict(known.role_names)
