"""Everything the fake knows: people, places, messages, sessions, who was called."""

import base64
import binascii
import itertools
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from gateway.clock import Clock
from tests.fakes.discord.calls import CallRecord
from tests.fakes.discord.files import Files
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interaction import Interaction
from tests.fakes.discord.limits import Rates
from tests.fakes.discord.mentions import Ping
from tests.fakes.discord.message import Message
from tests.fakes.discord.payloads import (
    MessageWriter,
    channel_payload,
    guild_create_payload,
    member_payload,
)
from tests.fakes.discord.permissions import May
from tests.fakes.discord.places import DM, Channel, Guild
from tests.fakes.discord.refusal import refused
from tests.fakes.discord.session import Event, Intent, Session
from tests.fakes.discord.times import Snowflakes
from tests.fakes.watch import Watch

_CALLS_KEPT = 100_000
_OTHER_BOT = 1_000_000_000_000_000_001
MIB = 1024 * 1024


class World:
    """The state behind one bot token; no HTTP here."""

    def __init__(self, token: str, username: str, clock: Clock) -> None:
        self.token = token
        self.clock = clock
        self.snowflakes = Snowflakes()
        self.bot_id = _bot_id(token)
        self.application_id = self.bot_id + 7
        """Not the bot's id: they differ in older applications."""
        self.bot = user_payload(self.bot_id, username, is_bot=True)
        self.file_bytes = 10 * MIB
        """The largest file."""
        self.nonce_seconds = 300.0
        """How long a nonce is remembered."""
        self.answer_seconds = 3.0
        """How long an interaction waits for its first answer."""
        self.token_seconds = 900.0
        """How long an interaction's token is good for."""
        self.users: dict[int, dict[str, Any]] = {self.bot_id: self.bot}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.directs: dict[int, Channel] = {}
        """Direct conversations by the other one's id."""
        self.files = Files()
        self.writer = MessageWriter(self.files, self.bot_id)
        self.commands: dict[int | None, list[dict[str, Any]]] = {}
        """Slash commands, global (`None`) and by server."""
        self.interactions: dict[int, Interaction] = {}
        self.nonces: dict[str, tuple[float, Message]] = {}
        """Messages of our bot by nonce, with their time."""
        self.pings: list[Ping] = []
        self.log: deque[CallRecord] = deque(maxlen=_CALLS_KEPT)
        self.unknown_fields: Counter[tuple[str, str]] = Counter()
        self.downloads: list[tuple[float, str]] = []
        self.rates = Rates()
        self.watch = Watch()
        self.gateway = Gateway(
            token=token,
            now=clock.now,
            welcome=self._welcome,
            members=self._members,
            changed=self.watch.changed,
        )
        self.gateway_url = ""
        self._numbers = itertools.count(1)

    def now(self) -> float:
        return self.clock.now()

    def next_id(self) -> int:
        return self.snowflakes.next(self.now())

    def reads_content(self) -> bool:
        """Whether REST shows contents, which goes by the application's switch."""
        return bool(self.gateway.allowed & Intent.MESSAGE_CONTENT)

    # Places.

    def direct(self, user_id: int) -> Channel:
        """Return the conversation with somebody; it begins when it is first used."""
        if user_id not in self.users or user_id == self.bot_id:
            raise refused(50007)
        if user_id not in self.directs:
            recipient = self.users[user_id]
            channel = Channel(self.next_id(), DM, recipient=recipient, clock_now=self.now)
            self.directs[user_id] = self.channels[channel.id] = channel
        return self.directs[user_id]

    def add_channel(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        if channel.guild is not None:
            channel.guild.channels[channel.id] = channel
        return channel

    def place(self, channel_id: int, needs: int = 0) -> Channel:
        """Find a channel in which the bot may do this."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise refused(10003)
        permitted = channel.permissions(self.bot_id)
        if not permitted & May.VIEW_CHANNEL:
            raise refused(50001)
        if needs & ~permitted:
            raise refused(50013)
        return channel

    def message(self, channel: Channel, message_id: int) -> Message:
        """Find a message that all in a channel can see."""
        found = channel.messages.get(message_id)
        if found is None or found.is_deleted or found.seen_by is not None:
            raise refused(10008)
        return found

    def visible(self, channel: Channel) -> Iterator[Message]:
        return (
            one for one in channel.messages.values() if not one.is_deleted and one.seen_by is None
        )

    # Telling.

    def tell(self, name: str, needs: int, data: Any) -> None:
        self.gateway.tell(Event(name, needs, lambda _: data))

    def tell_message(self, name: str, channel: Channel, message: Message) -> None:
        """Tell of a message, with its nonce if it is new; nobody is told of ephemeral ones."""
        if message.seen_by is not None:
            return
        nonce = {} if message.nonce is None else {"nonce": message.nonce}

        def write(reads_content: bool) -> dict[str, Any]:
            shown = self.writer.write_event(
                channel, message, self.now(), reads_content=reads_content
            )
            return shown | (nonce if name == "MESSAGE_CREATE" else {})

        needs = Intent.DIRECT_MESSAGES if channel.is_direct else Intent.GUILD_MESSAGES
        if self.bot_sees(channel):
            self.gateway.tell(Event(name, needs, write))

    def bot_sees(self, channel: Channel) -> bool:
        return bool(channel.permissions(self.bot_id) & May.VIEW_CHANNEL)

    def tell_channel(self, name: str, channel: Channel, **extra: Any) -> None:
        if self.bot_sees(channel):
            self.tell(name, Intent.GUILDS, {**channel_payload(channel), **extra})

    def changed(self, channel: Channel) -> None:
        channel.watch.changed()
        self.watch.changed()

    def add(self, channel: Channel, message: Message) -> None:
        """Put a message at the end of a channel and tell of it."""
        channel.messages[message.id] = message
        self.tell_message("MESSAGE_CREATE", channel, message)
        self.changed(channel)

    def _welcome(self, session: Session) -> None:
        session.tell_raw(
            "READY",
            {
                "v": 10,
                "user": {**self.bot, "verified": True, "mfa_enabled": False, "email": None},
                "guilds": [{"id": str(one), "unavailable": True} for one in self.guilds],
                "session_id": session.id,
                "session_type": "normal",
                "resume_gateway_url": self.gateway_url,
                "application": {"id": str(self.application_id), "flags": self.flags()},
                "user_settings": {},
                "relationships": [],
                "private_channels": [],
                "presences": [],
                "guild_join_requests": [],
                "geo_ordered_rtc_regions": [],
            },
        )
        for guild in self.guilds.values():
            data = {**guild_create_payload(guild, self.bot_id), "unavailable": False}
            if session.intents & Intent.GUILDS:
                session.tell_raw("GUILD_CREATE", data)

    def _members(self, guild_id: int) -> list[dict[str, Any]]:
        guild = self.guilds[guild_id]
        return [member_payload(guild, user_id) for user_id in guild.members]

    def flags(self) -> int:
        """Say with the application's flags which privileged intents it may use."""
        pairs = ((Intent.PRESENCES, 13), (Intent.MEMBERS, 15), (Intent.MESSAGE_CONTENT, 19))
        return sum(1 << bit for intent, bit in pairs if self.gateway.allowed & intent)


def user_payload(user_id: int, name: str, *, is_bot: bool = False, **fields: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": str(user_id),
        "username": name.lower(),
        "global_name": None if is_bot else name,
        "discriminator": "0",
        "avatar": None,
        "public_flags": 0,
    }
    return {**shown, **({"bot": True} if is_bot else {}), **fields}


def _bot_id(token: str) -> int:
    """Read the bot's id from its token, where the first part tells it."""
    first = token.partition(".")[0]
    try:
        return int(base64.b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, binascii.Error):
        return _OTHER_BOT
