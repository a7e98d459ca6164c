"""Payloads as Slack delivers them, read into the gateway's messages. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapters.slack.contents import read_files, shared_files, shared_message
from adapters.slack.wording import Wording, read_wording
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
)

PLATFORM = PlatformName("slack")
CHOICE = "choice:"
"""Begins the `action_id` of every button of ours."""
_SAID = {None, "file_share", "thread_broadcast", "me_message", "bot_message"}
"""Kinds of message that say something; the others are notices of Slack's own."""
_COMMAND = "command:"

Json = Mapping[str, Any]


def message_id_of(channel: str, answer: Any) -> MessageId:
    """Name a message by what Slack said of posting it."""
    with reading(SendUncertain("Slack's answer names no message")):
        shown_in = answer.get("channel") or channel
        float(answer["ts"])
        return encode_message_id(str(shown_in), str(answer["ts"]))


def encode_message_id(channel: str, ts: str, *more: str) -> MessageId:
    """Name a message; `more` tells apart what happened to one message several times."""
    return MessageId(":".join([channel, ts, *more]))


def decode_message_id(message: MessageId) -> tuple[str, str]:
    channel, _, rest = message.partition(":")
    return channel, rest.partition(":")[0]


def is_command_id(message: MessageId | None) -> bool:
    """Say whether it names a slash command, which is no message that could be answered."""
    return message is not None and message.startswith(_COMMAND)


@dataclass(frozen=True, slots=True)
class Me:
    """The app, as Slack knows it in its workspace."""

    team: str
    user: str
    bot: str
    name: str
    is_agent: bool = False

    def wrote(self, message: Json) -> bool:
        return message.get("user") == self.user or (
            bool(self.bot) and message.get("bot_id") == self.bot
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what one account receives."""

    account: AccountName
    me: Me
    commands: Collection[str] = ()
    """Names that make commands of the first word after the slash command."""
    reply_in_thread: bool = True
    follow_threads: bool = True
    is_followed: Callable[[str, str], bool] = lambda *thread: not thread
    """Whether the bot takes part in a thread of a channel."""

    def read_event(self, event: Json) -> Inbound | None:
        """Read an event; None for one that says nothing to us.

        Raises what indexing and arithmetic raise when it is not formed as documented.
        """
        match event.get("type"):
            case "app_mention":
                return self.read_message(event["channel"], event)
            case "message":
                return self._read_by_kind(event)
            case "agent_session_stopped":
                return self._read_stop(event)
            case _:
                return None

    def _read_by_kind(self, event: Json) -> Inbound | None:
        match event.get("subtype"):
            case "message_changed":
                return self._read_edit(event)
            case "message_deleted":
                return self._read_deletion(event)
            case _:
                return self.read_message(event["channel"], event)

    def read_message(self, channel: str, message: Json) -> Message | None:
        """Read a message, whether it has just come or stands in a channel's history."""
        if message.get("subtype") not in _SAID or self.me.wrote(message):
            return None
        sender = message.get("user") or message.get("bot_id")
        if sender is None:
            return None
        place = self._place(channel, message["ts"], message.get("thread_ts"))
        wording = read_wording(message, self.me.user, self.me.name)
        found = Message(
            event_key=self._key(channel, message["ts"]),
            message_id=encode_message_id(channel, message["ts"]),
            address=self._address(team_of(message) or self.me.team, sender, place),
            sender_name=_name(message) or clean(sender),
            text=wording.text,
            sent_at=float(message["ts"]),
            attachments=read_files(message),
            is_addressed=place.is_direct or self._is_meant(channel, message, wording),
            is_from_bot=_is_bot(message),
        )
        return self._with_shared(found, message)

    def _with_shared(self, found: Message, message: Json) -> Message:
        quote = shared_message(message, self.me.user, self.me.name)
        if quote is None:
            return found
        if found.text.strip():
            return replace(found, quote=quote)
        files = shared_files(message)
        return replace(
            found,
            text=quote.text,
            forwarded_from=quote.author,
            attachments=(*found.attachments, *files),
        )

    def _is_meant(self, channel: str, message: Json, wording: Wording) -> bool:
        if wording.calls_us or message.get("type") == "app_mention":
            return True
        thread = message.get("thread_ts")
        if not (thread and self.follow_threads) or wording.calls_another:
            return False
        return message.get("parent_user_id") == self.me.user or self.is_followed(channel, thread)

    def _read_edit(self, event: Json) -> Inbound | None:
        message, before = event["message"], event.get("previous_message") or {}
        channel, edited = event["channel"], message.get("edited")
        if message.get("subtype") == "tombstone":
            return self._deletion(channel, message["ts"])
        was = before.get("edited") or {}
        if not edited or edited["ts"] == was.get("ts") or _same_words(message, before):
            return None
        found = self.read_message(channel, message)
        if found is None:
            return None
        key = EventKey(f"{found.event_key}:{edited['ts']}")
        return replace(found, event_key=key, edited_at=float(edited["ts"]))

    def _read_deletion(self, event: Json) -> MessageDeleted | None:
        if self.me.wrote(event.get("previous_message") or {}):
            return None
        return self._deletion(event["channel"], event["deleted_ts"])

    def _deletion(self, channel: str, ts: str) -> MessageDeleted:
        return MessageDeleted(
            event_key=EventKey(f"{self._key(channel, ts)}:deleted"),
            account=self.account,
            message_id=encode_message_id(channel, ts),
        )

    def _read_stop(self, event: Json) -> Message:
        """Read the press of Slack's own Stop button, beside an answer under way."""
        channel, user, at = event["channel"], event["user"], event["event_ts"]
        streams = event.get("streaming_message_ts") or ()
        place = self._place(channel, event.get("thread_ts"), event.get("thread_ts"))
        return Message(
            event_key=EventKey(f"{self.me.team}:{channel}:{at}:stopped"),
            message_id=encode_message_id(channel, at, "stop"),
            address=self._address(event.get("user_team") or self.me.team, user, place),
            sender_name=clean(user),
            text="/stop",
            sent_at=float(at),
            origin=Origin.PRESSED,
            pressed_on=encode_message_id(channel, streams[0]) if streams else None,
        )

    def read_command(self, command: Json, now: float) -> Message:
        """Read a slash command; its first word may be the name of one of the gateway's."""
        channel, user = command["channel_id"], command["user_id"]
        place = self._place(channel, None, command.get("thread_ts"))
        team = command.get("user_team_id") or command.get("team_id") or self.me.team
        name = MessageId(f"{_COMMAND}{command['trigger_id']}")
        words = clean(command.get("text") or "").strip() or "help"
        first = words.split(maxsplit=1)[0].lower().removeprefix("/")
        if first in self.commands:
            words = "/" + words.removeprefix("/")
        return Message(
            event_key=EventKey(name),
            message_id=name,
            address=self._address(team, user, place),
            sender_name=clean(command.get("user_name") or user),
            text=words,
            sent_at=now,
            origin=Origin.INVOKED,
        )

    def read_press(self, press: Json) -> Message | None:
        """Read the press of a button; None for one that is not ours."""
        action = press["actions"][0]
        if not action["action_id"].startswith(CHOICE):
            return None
        where = press["container"]
        channel, ts = where["channel_id"], where["message_ts"]
        thread = where.get("thread_ts") or press.get("message", {}).get("thread_ts")
        user, at = press["user"], action["action_ts"]
        team = user.get("team_id") or press.get("team", {}).get("id") or self.me.team
        return Message(
            event_key=EventKey(f"{self._key(channel, ts)}:{user['id']}:{at}"),
            message_id=encode_message_id(channel, ts, f"press{at}"),
            address=self._address(team, user["id"], self._place(channel, None, thread)),
            sender_name=clean(user.get("name") or user.get("username") or user["id"]),
            text=clean(action["value"]),
            sent_at=float(at),
            origin=Origin.PRESSED,
            pressed_on=encode_message_id(channel, ts),
        )

    def _key(self, channel: str, ts: str) -> EventKey:
        return EventKey(f"{self.me.team}:{channel}:{ts}")

    def _address(self, team: str, user: str, place: Place) -> Address:
        return Address(PLATFORM, self.account, ExternalUser(f"{team}:{user}"), place)

    def _place(self, channel: str, ts: str | None, thread: str | None) -> Place:
        """Say where answers go: under the message, beside it, or in its thread."""
        if is_direct(channel):
            own = ts if self.me.is_agent else None
            return Place(channel, is_direct=True, anchor=thread or own)
        own = ts if self.reply_in_thread else None
        return Place(channel, thread=thread or own, space=self.me.team)


def is_direct(channel: str) -> bool:
    return channel.startswith("D")


def team_of(message: Json) -> str | None:
    """Name the workspace of who wrote; that of somebody else's where a channel is shared."""
    return message.get("user_team") or message.get("source_team") or message.get("team")


def _is_bot(message: Json) -> bool:
    return (
        bool(message.get("bot_id") or message.get("app_id"))
        or message.get("subtype") == "bot_message"
    )


def _name(message: Json) -> str:
    profile = message.get("user_profile") or {}
    name = profile.get("display_name") or profile.get("real_name") or message.get("username")
    return clean(name or "")


def _same_words(message: Json, before: Json) -> bool:
    return message.get("text") == before.get("text") and message.get("blocks") == before.get(
        "blocks"
    )
