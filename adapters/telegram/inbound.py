"""Updates as Telegram delivers them, read into the gateway's messages. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.telegram.addressing import Me, read_wording
from adapters.telegram.choices import STOP
from adapters.telegram.contents import Contents, read_contents
from gateway.chat_text import clean
from gateway.errors import SendUncertain, reading
from gateway.ids import AccountName, EventKey, ExternalUser, MessageId, PlatformName
from gateway.messages import Address, Inbound, Message, Origin, Place, PlaceMoved, Quote

PLATFORM = PlatformName("telegram")
UPDATES = (
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "stopped_message_generation",
)
_GENERAL_TOPIC = 1
"""Its messages carry no topic, and sending to it by number is refused."""

Json = Mapping[str, Any]


def message_id_of(sent: Any) -> MessageId:
    """Name a message by what Telegram said of sending it."""
    with reading(SendUncertain("Telegram's answer names no message")):
        return encode_message_id(int(sent["chat"]["id"]), int(sent["message_id"]))


def encode_message_id(chat: int, message: int, *more: str) -> MessageId:
    """Name a message; `more` tells apart what happened to one message several times."""
    return MessageId(":".join([str(chat), str(message), *more]))


def decode_message_id(message: MessageId) -> tuple[int, int]:
    """Return chat and message; the message is 0 where there is none to answer."""
    chat, number, *_ = message.split(":")
    return int(chat), int(number)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what one account receives."""

    account: AccountName
    me: Me

    def read(self, update: Json, now: float) -> Inbound | None:
        """Read an update; None for one that says nothing to us.

        Raises what indexing and arithmetic raise when it is not formed as documented.
        """
        if "message" in update:
            return self._read_message(update["update_id"], update["message"])
        if "edited_message" in update:
            return self._read_edit(update["update_id"], update["edited_message"])
        if "callback_query" in update:
            return self._read_press(update["update_id"], update["callback_query"], now)
        if "stopped_message_generation" in update:
            stopped = update["stopped_message_generation"]
            return self._read_stop(update["update_id"], stopped, now)
        return None

    def _read_edit(self, update: int, message: Json) -> Inbound | None:
        if "location" in message:  # somebody moves while they share where they are
            return None
        return self._read_message(update, message)

    def _read_message(self, update: int, message: Json) -> Inbound | None:
        moved = self._read_move(update, message)
        if moved is not None:
            return moved
        contents = read_contents(message)
        if contents is None or _is_post(message):
            return None
        return self._message(update, message, contents)

    def _message(self, update: int, message: Json, contents: Contents) -> Message:
        chat, number = message["chat"]["id"], message["message_id"]
        place = _place(message)
        edited = message.get("edit_date")
        wording = read_wording(
            contents.text, contents.entities, self.me, is_typed=contents.is_typed
        )
        quote = self._quote(message)
        answers_us = quote is not None and quote.is_ours
        sender = message.get("sender_chat") or message["from"]
        return Message(
            event_key=EventKey(f"{update}:{chat}:{number}:{edited or 0}"),
            message_id=encode_message_id(chat, number),
            address=self._address(sender["id"], place),
            sender_name=_name(sender),
            text=clean(wording.text),
            sent_at=float(message["date"]),
            attachments=contents.attachments,
            quote=quote,
            forwarded_from=_origin(message.get("forward_origin")),
            is_addressed=place.is_direct
            or wording.calls_us
            or (answers_us and not wording.calls_another),
            is_from_bot="sender_chat" not in message and bool(sender.get("is_bot")),
            album=message.get("media_group_id"),
            edited_at=None if edited is None else float(edited),
        )

    def _read_move(self, update: int, message: Json) -> PlaceMoved | None:
        chat = message["chat"]["id"]
        old = message.get("migrate_from_chat_id", chat)
        new = message.get("migrate_to_chat_id", chat)
        if old == new:
            return None
        return PlaceMoved(
            event_key=EventKey(f"{update}:{chat}:{message['message_id']}:moved"),
            account=self.account,
            platform=PLATFORM,
            old=Place(str(old)),
            new=Place(str(new)),
        )

    def _read_press(self, update: int, press: Json, now: float) -> Message | None:
        message = press.get("message")
        if message is None or "data" not in press or message["chat"]["type"] == "channel":
            return None
        chat, number = message["chat"]["id"], message["message_id"]
        return Message(
            event_key=EventKey(f"{update}:{chat}:{number}:pressed"),
            message_id=encode_message_id(chat, number, press["id"]),
            address=self._address(press["from"]["id"], _place(message)),
            sender_name=_name(press["from"]),
            text=clean(press["data"]),
            sent_at=now,
            origin=Origin.PRESSED,
            pressed_on=encode_message_id(chat, number),
        )

    def _read_stop(self, update: int, stopped: Json, now: float) -> Message:
        """Read the press of the Stop button under a draft, which only its one user sees."""
        chat = stopped["chat"]
        thread = stopped.get("message_thread_id")
        place = Place(str(chat["id"]), None if thread is None else str(thread), is_direct=True)
        return Message(
            event_key=EventKey(f"{update}:{chat['id']}:{stopped['draft_id']}:stopped"),
            message_id=encode_message_id(chat["id"], 0, f"stop{update}"),
            address=self._address(chat["id"], place),
            sender_name=_name(chat),
            text=STOP,
            sent_at=now,
            origin=Origin.PRESSED,
        )

    def _address(self, user: int, place: Place) -> Address:
        return Address(PLATFORM, self.account, ExternalUser(str(user)), place)

    def _quote(self, message: Json) -> Quote | None:
        cited = clean(message.get("quote", {}).get("text", ""))
        answered = message.get("reply_to_message")
        if answered is not None and "forum_topic_created" not in answered:
            author = answered.get("sender_chat") or answered.get("from", {})
            is_ours = author.get("id") == self.me.id
            return Quote(_name(author), cited or _gist(answered), is_ours)
        elsewhere = message.get("external_reply")
        if elsewhere is not None:
            author_name = _origin(elsewhere["origin"]) or ""
            return Quote(author_name, cited or _gist(elsewhere))
        return None


def _is_post(message: Json) -> bool:
    return message["chat"]["type"] == "channel" or bool(message.get("is_automatic_forward"))


def _place(message: Json) -> Place:
    chat = message["chat"]
    thread = message.get("message_thread_id") if message.get("is_topic_message") else None
    return Place(
        conversation=str(chat["id"]),
        thread=None if thread in {None, _GENERAL_TOPIC} else str(thread),
        is_direct=chat["type"] == "private",
    )


def _name(sender: Json) -> str:
    parts = (sender.get("title"), sender.get("first_name"), sender.get("last_name"))
    return clean(" ".join(part for part in parts if part))


def _origin(origin: Json | None) -> str | None:
    """Name who wrote a message that was forwarded or cited from another chat."""
    if origin is None:
        return None
    known = origin.get("sender_user") or origin.get("sender_chat") or origin.get("chat")
    return _name(known) if known else clean(origin.get("sender_user_name", ""))


def _gist(message: Json) -> str:
    contents = read_contents(message)
    if contents is None:
        return ""
    names = (f"[{attachment.name}]" for attachment in contents.attachments)
    return clean(contents.text) or " ".join(names)
