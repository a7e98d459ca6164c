"""Signs under messages.

Facts: https://discord.com/developers/docs/resources/message#create-reaction
"""

import re
from typing import Any
from urllib.parse import unquote

from tests.fakes.discord.calls import Call
from tests.fakes.discord.message import Message
from tests.fakes.discord.messages import check_awake
from tests.fakes.discord.permissions import May
from tests.fakes.discord.places import Channel
from tests.fakes.discord.refusal import refused
from tests.fakes.discord.world import World

_GUILD, _DIRECT = 1 << 10, 1 << 13
_EMOJI = re.compile(r"[\u00a9-\U0001faff\ufe0f\u200d\u20e30-9#*]+|\w+:\d+")


def add(world: World, call: Call) -> Any:
    channel, message, emoji = _meant(world, call)
    needs = May.READ_MESSAGE_HISTORY
    if emoji not in message.reactions:
        needs |= May.ADD_REACTIONS
    world.place(channel.id, needs)
    react(world, channel, message, emoji, world.bot_id)


def remove(world: World, call: Call) -> Any:
    channel, message, emoji = _meant(world, call)
    unreact(world, channel, message, emoji, world.bot_id)


def _meant(world: World, call: Call) -> tuple[Channel, Message, str]:
    channel = world.place(call.id("channel"))
    message = world.message(channel, call.id("message"))
    emoji = unquote(call.path["emoji"])
    if not _EMOJI.fullmatch(emoji):
        raise refused(10014)
    check_awake(world, channel)
    return channel, message, emoji


def react(world: World, channel: Channel, message: Message, emoji: str, user_id: int) -> None:
    """Put a sign under a message; one that is there stays."""
    who = message.reactions.setdefault(emoji, [])
    if user_id not in who:
        who.append(user_id)
        _tell(world, "MESSAGE_REACTION_ADD", channel, message, emoji, user_id)
    world.changed(channel)


def unreact(world: World, channel: Channel, message: Message, emoji: str, user_id: int) -> None:
    who = message.reactions.get(emoji, [])
    if user_id in who:
        who.remove(user_id)
        if not who:
            del message.reactions[emoji]
        _tell(world, "MESSAGE_REACTION_REMOVE", channel, message, emoji, user_id)
    world.changed(channel)


def _tell(
    world: World, name: str, channel: Channel, message: Message, emoji: str, user_id: int
) -> None:
    data: dict[str, Any] = {
        "user_id": str(user_id),
        "channel_id": str(channel.id),
        "message_id": str(message.id),
        "message_author_id": message.author["id"],
        "emoji": {"id": None, "name": emoji},
        "burst": False,
        "type": 0,
    }
    if channel.guild is not None:
        data["guild_id"] = str(channel.guild.id)
    if world.bot_sees(channel):
        world.tell(name, _DIRECT if channel.is_direct else _GUILD, data)
