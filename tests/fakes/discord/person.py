"""Somebody with an account: what they do that is neither talking nor pressing."""

from typing import Any

from tests.fakes.discord import threads
from tests.fakes.discord.message import Message
from tests.fakes.discord.messages import take_away
from tests.fakes.discord.payloads import member_payload
from tests.fakes.discord.places import PUBLIC_THREAD, Channel
from tests.fakes.discord.reactions import react, unreact
from tests.fakes.discord.world import World, user_payload

_GUILD_TYPING, _DIRECT_TYPING = 1 << 11, 1 << 14


class Person:
    """Everything done becomes an event for the bot, if it asks for such events."""

    def __init__(
        self, world: World, user_id: int, name: str, *, is_bot: bool = False, **fields: Any
    ) -> None:
        self.world = world
        self.id = user_id
        self.name = name
        self.payload = user_payload(user_id, name, is_bot=is_bot, **fields)
        world.users[user_id] = self.payload

    @property
    def dm(self) -> Channel:
        """The conversation with the bot; it begins when it is first used."""
        return self.world.direct(self.id)

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    def deletes(self, message: Message) -> None:
        take_away(self.world, self.world.channels[message.channel_id], message)

    def reacts(self, message: Message, emoji: str) -> None:
        react(self.world, self.world.channels[message.channel_id], message, emoji, self.id)

    def unreacts(self, message: Message, emoji: str) -> None:
        unreact(self.world, self.world.channels[message.channel_id], message, emoji, self.id)

    def types(self, channel: Channel | None = None) -> None:
        """Begin to write."""
        place = channel or self.dm
        data: dict[str, Any] = {
            "channel_id": str(place.id),
            "user_id": str(self.id),
            "timestamp": int(self.world.now()),
        }
        if place.guild is not None:
            data["guild_id"] = str(place.guild.id)
            data["member"] = member_payload(place.guild, self.id)
        needs = _DIRECT_TYPING if place.is_direct else _GUILD_TYPING
        self.world.tell("TYPING_START", needs, data)

    def opens_thread(
        self, channel: Channel, name: str, *, on: Message | None = None, kind: int = PUBLIC_THREAD
    ) -> Channel:
        """Open a thread, on a message or on its own."""
        if on is not None:
            return threads.begin_on(self.world, channel, on, name, self.id, {})
        return threads.begin_alone(self.world, channel, name, self.id, kind, {})

    def archives(self, thread: Channel, *, locks: bool = False) -> None:
        assert thread.thread is not None
        thread.thread.locked = locks
        threads.archive(self.world, thread)

    def blocks(self) -> None:
        """Take no more messages from the bot."""
        self.dm.is_reachable = False

    def unblocks(self) -> None:
        self.dm.is_reachable = True
