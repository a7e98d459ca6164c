"""Everything the fake knows: people, chats, files, updates, what was pressed and answered."""

import itertools
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from gateway.clock import Clock
from tests.fakes.telegram.calls import Call, CallRecord
from tests.fakes.telegram.chat import Chat, Message
from tests.fakes.telegram.files import Files
from tests.fakes.telegram.limits import Rates
from tests.fakes.telegram.payloads import message_payload, private_chat
from tests.fakes.telegram.refusal import bad_request, forbidden
from tests.fakes.telegram.updates import Updates
from tests.fakes.watch import Watch

_CALLS_KEPT = 100_000


@dataclass(slots=True)
class Press:
    """A pressed button, and what the bot answered: seen by nobody but the presser."""

    press_id: str
    data: str
    message: Message
    at: float
    is_answered: bool = False
    answer: str = ""
    is_alert: bool = False


class World:
    """The state behind one bot token; no sockets here."""

    def __init__(self, token: str, username: str, clock: Clock) -> None:
        self.token = token
        self.clock = clock
        self.bot: dict[str, Any] = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Parley",
            "username": username,
        }
        self.reads_all_groups = True
        """Privacy mode off; when it is on, groups deliver only what is meant for the bot."""
        self.has_topics_in_private = False
        self.has_drafts = True
        """Whether the server knows `sendMessageDraft` (older ones do not)."""
        self.is_logged_out = False
        self.users: dict[int, dict[str, Any]] = {}
        self.chats: dict[int, Chat] = {}
        self.files = Files()
        self.watch = Watch()
        self.updates = Updates(clock, self.watch.changed)
        self.rates = Rates()
        self.presses: dict[str, Press] = {}
        self.commands: dict[tuple[str, str], list[dict[str, str]]] = {}
        """Command menus by scope (as JSON) and language."""
        self.log: deque[CallRecord] = deque(maxlen=_CALLS_KEPT)
        self.unknown_parameters: Counter[tuple[str, str]] = Counter()
        self.downloads: list[tuple[float, str]] = []
        """Files fetched by the bot: when, and the path."""
        self._message_ids = itertools.count(1)
        self._names = itertools.count(1)

    def now(self) -> float:
        return self.clock.now()

    def next_name(self, prefix: str) -> str:
        return f"{prefix}{next(self._names)}"

    def next_message_id(self, chat: Chat) -> int:
        """Number messages as Telegram does: supergroups on their own, all others together."""
        if chat.kind != "supergroup":
            return next(self._message_ids)
        chat.next_own_id += 1
        return chat.next_own_id - 1

    def add_chat(self, chat_id: int, kind: str, **fields: Any) -> Chat:
        chat = Chat(chat_id, kind, clock_now=self.now, **fields)
        self.chats[chat_id] = chat
        return chat

    def chat_of(self, call: Call) -> Chat:
        """Find the chat a call is meant for, if the bot may act there."""
        if not call.has("chat_id"):
            raise bad_request("chat_id is empty")
        chat = self.chats.get(call.record.chat_id or 0)
        if chat is None:
            if call.record.chat_id in self.users:
                raise forbidden("bot can't initiate conversation with a user")
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            raise bad_request(
                "group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to
            )
        if not chat.is_reachable:
            raise forbidden(chat.unreachable_because)
        return chat

    def post(self, chat: Chat, call: Call, **fields: Any) -> Message:
        """Add a message of the bot."""
        message = Message(
            message_id=self.next_message_id(chat),
            who="bot",
            user=self.bot,
            at=self.now(),
            **fields,
        )
        chat.add(message)
        call.record.message_ids = (*call.record.message_ids, message.message_id)
        return message

    def payload(self, chat: Chat, message: Message) -> dict[str, Any]:
        shown = message_payload(chat, message)
        if chat.kind == "private":
            shown["chat"] = private_chat(self.users[chat.id])
        return shown

    def chat_payload(self, chat: Chat) -> dict[str, Any]:
        return private_chat(self.users[chat.id]) if chat.kind == "private" else chat.payload()

    def changed(self, chat: Chat) -> None:
        chat.watch.changed()
        self.watch.changed()
