"""What comes from Discord's gateway, as messages. Pure.

Facts: https://discord.com/developers/docs/resources/message and
https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.discord.choices import value_of
from adapters.discord.contents import read_attachments, read_others, snapshots
from adapters.discord.places import Places, Spot
from adapters.discord.wording import Calling
from gateway.chat_text import clean
from gateway.errors import SendUncertain, reading
from gateway.ids import AccountName, EventKey, ExternalUser, MessageId, PlatformName
from gateway.messages import (
    Address,
    Inbound,
    Message,
    MessageDeleted,
    Origin,
    Place,
    Quote,
)

PLATFORM = PlatformName("discord")
_SAID = frozenset({0, 19, 20, 23})
"""Message types in which somebody speaks; the others are notices of Discord itself."""
_PARTS = (
    *("content", "attachments", "embeds", "components"),
    *("sticker_items", "poll", "message_snapshots"),
)
"""What a message may consist of; without the Message Content Intent most of it may be withheld:
https://discord.com/developers/docs/events/gateway#message-content-intent"""
_GROUP_DM = 3
_COMMAND, _COMPONENT = 2, 3
_CHAT_INPUT = 1
_INTERACTION = "interaction:"

Json = Mapping[str, Any]


def message_id_of(channel: str, sent: Any) -> MessageId:
    """Name a message by what Discord said of sending it."""
    with reading(SendUncertain("Discord's answer names no message")):
        return encode_message_id(channel, str(int(sent["id"])))


def encode_message_id(channel: str, message: str) -> MessageId:
    return MessageId(f"{channel}:{message}")


def decode_message_id(message: MessageId) -> tuple[str, str]:
    channel, _, number = message.partition(":")
    return channel, number


def interaction_id(message: MessageId | None) -> str | None:
    """Return the interaction that a message was, if it was one."""
    if message is None or not message.startswith(_INTERACTION):
        return None
    return message.removeprefix(_INTERACTION)


@dataclass(frozen=True, slots=True)
class Me:
    """The bot, as Discord knows it."""

    id: str
    application: str
    name: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what one account receives."""

    account: AccountName
    me: Me
    places: Places
    makes_threads: bool

    def read(self, event: str, payload: Json, now: float) -> Inbound | None:
        """Read an event; None for one that says nothing to us.

        Raises what indexing and arithmetic raise when it is not formed as documented.
        """
        match event:
            case "MESSAGE_CREATE":
                return self._read_message(payload)
            case "MESSAGE_UPDATE":
                return self._read_edit(payload)
            case "MESSAGE_DELETE":
                return self._read_deletion(payload)
            case "INTERACTION_CREATE":
                return self._read_interaction(payload, now)
        return None

    def _read_edit(self, message: Json) -> Message | None:
        """Read an edit; Discord also tells of previews it has added, and of parts alone."""
        if not message.get("edited_timestamp") or "author" not in message:
            return None
        return self._read_message(message)

    def _read_deletion(self, message: Json) -> MessageDeleted:
        return MessageDeleted(
            event_key=EventKey(f"deleted:{message['id']}"),
            account=self.account,
            message_id=encode_message_id(message["channel_id"], message["id"]),
        )

    def _read_message(self, message: Json) -> Message | None:
        author = message["author"]
        if author["id"] == self.me.id or message.get("type", 0) not in _SAID:
            return None
        if not any(message.get(part) for part in _PARTS):
            return None  # withheld: nobody can write a message of nothing
        content = message.get("content") or ""
        place = self._place(message)
        calling = self._calling(message, place)
        answered = message.get("referenced_message")
        answers_us = answered is not None and answered["author"]["id"] == self.me.id
        is_addressed = (
            place.is_direct
            or answers_us
            or calling.calls_us(content)
            or self._is_ours(message["channel_id"])
        )
        edited = message.get("edited_timestamp")
        passed_on = snapshots(message)
        words = [calling.read(content), *(clean(one.get("content") or "") for one in passed_on)]
        return Message(
            event_key=EventKey(f"{message['id']}:{edited}" if edited else message["id"]),
            message_id=encode_message_id(message["channel_id"], message["id"]),
            address=self._address(author["id"], self._in_thread(place, message, is_addressed)),
            sender_name=_name(author, message.get("member")),
            text="\n\n".join(filter(None, [*words, read_others(message)])),
            sent_at=_seconds(message["timestamp"]),
            attachments=read_attachments(message, message["channel_id"]),
            quote=None if passed_on else self._quote(answered, calling),
            forwarded_from="another conversation" if passed_on else None,
            is_addressed=is_addressed,
            is_from_bot=bool(author.get("bot")) or "webhook_id" in message,
            edited_at=_seconds(edited) if edited else None,
        )

    def _read_interaction(self, interaction: Json, now: float) -> Message | None:
        kind, data = interaction["type"], interaction.get("data") or {}
        member = interaction.get("member")
        user = member["user"] if member else interaction["user"]
        pressed_on = None
        if kind == _COMMAND and data.get("type", _CHAT_INPUT) == _CHAT_INPUT:
            text, origin = _command_text(data), Origin.INVOKED
        elif kind == _COMPONENT:
            values = data.get("values")
            text, origin = values[0] if values else value_of(data["custom_id"]), Origin.PRESSED
            pressed_on = encode_message_id(interaction["channel_id"], interaction["message"]["id"])
        else:
            return None
        number = interaction["id"]
        return Message(
            event_key=EventKey(f"{_INTERACTION}{number}"),
            message_id=MessageId(f"{_INTERACTION}{number}"),
            address=self._address(user["id"], self._place(interaction)),
            sender_name=_name(user, member),
            text=clean(text),
            sent_at=now,
            is_from_bot=bool(user.get("bot")),
            origin=origin,
            pressed_on=pressed_on,
        )

    def _address(self, user: str, place: Place) -> Address:
        return Address(PLATFORM, self.account, ExternalUser(user), place)

    def _place(self, event: Json) -> Place:
        channel, guild = event["channel_id"], event.get("guild_id")
        told = event.get("channel") or {}
        if guild is None:
            return Place(conversation=channel, is_direct=told.get("type") != _GROUP_DM)
        spot = self.places.find(channel)
        if spot is None and told:
            self.places.note_channel(told, guild)
            spot = self.places.find(channel)
        if spot is not None and spot.is_thread and spot.parent is not None:
            return Place(conversation=spot.parent, thread=channel, space=guild)
        return Place(conversation=channel, space=guild)

    def _in_thread(self, place: Place, message: Json, is_addressed: bool) -> Place:
        """Place a mention in the thread that its answer will make: it bears the message's id."""
        if place.is_direct or place.thread is not None or not self.makes_threads:
            return place
        if not is_addressed or not _takes_threads(self.places.find(place.conversation)):
            return place
        return Place(place.conversation, message["id"], space=place.space)

    def _is_ours(self, channel: str) -> bool:
        spot = self.places.find(channel)
        return spot is not None and spot.is_thread and spot.owner == self.me.id

    def _calling(self, message: Json, place: Place) -> Calling:
        people = {one["id"]: _name(one, one.get("member")) for one in message.get("mentions") or ()}
        roles = self.places.our_roles(place.space) if place.space else frozenset[str]()
        return Calling(self.me.id, roles, people, self.places)

    def _quote(self, answered: Json | None, calling: Calling) -> Quote | None:
        if not answered:
            return None
        author = answered["author"]
        return Quote(
            author=_name(author, None),
            text=calling.read(answered.get("content") or ""),
            is_ours=author["id"] == self.me.id,
        )


def _takes_threads(spot: Spot | None) -> bool:
    """Say whether a thread can be made from a message there: in text and news channels."""
    return spot is None or spot.kind in {0, 5}


def _command_text(data: Json) -> str:
    values = (str(option["value"]) for option in data.get("options") or () if "value" in option)
    return " ".join([f"/{data['name']}", *values])


def _name(user: Json, member: Json | None) -> str:
    nick = (member or {}).get("nick")
    return clean(nick or user.get("global_name") or user.get("username") or user["id"])


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()
