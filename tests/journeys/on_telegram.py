"""Telegram as people meet it: in a direct chat with drafts or without, and in a group."""

import mimetypes
import socket
from collections.abc import Callable
from typing import Any, ClassVar, Self

from typing_extensions import override

from tests.fakes.telegram import Chat, FakeTelegram, Message, Press, User
from tests.journeys.platform import PATIENCE, Person, Platform, Shown

_OWNER = 42


class TelegramPerson(Person):
    """Somebody in one chat, and in one topic of it if it has any."""

    def __init__(
        self, server: FakeTelegram, user: User, chat: Chat, thread: int | None = None
    ) -> None:
        self.server = server
        self.user = user
        self.chat = chat
        self.thread = thread
        self.name = user.name
        self.identity = f"telegram:{user.id}"
        self._written: Message | None = None
        self._presses: list[Press] = []

    @override
    def writes(self, text: str, **more: Any) -> Message:
        words = text if text.startswith("/") else self._addressed(text)
        self._written = self.user.writes(words, chat=self.chat, thread=self.thread, **more)
        return self._written

    @override
    def edits(self, text: str) -> None:
        assert self._written is not None
        self.user.edits(self._written, self._addressed(text), chat=self.chat)

    @override
    def sends(self, name: str, data: bytes, words: str = "") -> Message:
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        kind = "photo" if mime.startswith("image/") else "document"
        more: dict[str, Any] = {"name": name, "mime": mime} if kind == "document" else {}
        return self.user.sends(
            kind, data, caption=self._addressed(words), chat=self.chat, thread=self.thread, **more
        )

    @override
    def alone(self) -> "TelegramPerson":
        return TelegramPerson(self.server, self.user, self.user.chat)

    @override
    def presses(self, label: str) -> None:
        self._presses.append(self.user.presses(label, chat=self.chat))

    @override
    def signs(self) -> list[str]:
        assert self._written is not None
        return [emoji for who, emoji in self._written.reacted.items() if who == "bot"]

    @override
    def asides(self) -> list[str]:
        return [press.answer for press in self._presses if press.answer]

    @override
    def sees(self) -> list[Shown]:
        return [_shown(one) for one in self.chat.shown(self.thread) if one.is_from_bot]

    @override
    def preview(self) -> str:
        draft = self.chat.draft(self.thread)
        if draft is not None:
            return draft.text
        growing = [one.text for one in self.sees() if "Stop" in one.buttons]
        return growing[-1] if growing else ""

    @override
    async def until(self, holds: Callable[[], bool]) -> None:
        await self.chat.watch.until(holds, timeout=self.patience, now=self.sees)

    def _addressed(self, text: str) -> str:
        if self.chat.kind == "private":
            return text
        return f"@{self.server.world.bot['username']} {text}"


class Telegram(Platform):
    """A bot's Telegram. Everybody is in a direct chat of their own."""

    name: ClassVar[str] = "telegram"
    owner: ClassVar[str] = f"telegram:{_OWNER}"
    server: FakeTelegram
    token = "123456:TEST-TOKEN"
    people = 0

    @override
    async def __aenter__(self) -> Self:
        server = FakeTelegram(token=self.token, clock=self.clock)
        self.server = await self._stack.enter_async_context(server)
        self._receiving = 0
        return self

    @property
    @override
    def entry(self) -> dict[str, Any]:
        return {"token": self.server.token, "api_base": self.server.url}

    @property
    @override
    def secrets(self) -> list[str]:
        return [self.server.token, self.server.token.partition(":")[2]]

    @override
    def person(self, name: str = "Ann") -> TelegramPerson:
        user = self.new_user(name)
        return TelegramPerson(self.server, user, user.chat)

    def new_user(self, name: str) -> User:
        self.people += 1
        return self.server.user(_OWNER + self.people - 1, name)

    @override
    def said(self) -> list[str]:
        return [
            message.text
            for chat in self.server.chats.values()
            for message in chat.messages.values()
            if not message.is_from_bot
        ]

    @override
    def before_start(self) -> None:
        self._receiving = self._signs_of_receiving()

    @override
    async def connected(self) -> None:
        await self.server.until(
            lambda _: self._signs_of_receiving() > self._receiving, timeout=PATIENCE
        )

    def _signs_of_receiving(self) -> int:
        return self.server.updates.polls + len(self.server.calls("setWebhook"))

    @override
    def pings(self) -> list[str]:
        return [
            entity["type"]
            for chat in self.server.chats.values()
            for message in chat.messages.values()
            for entity in message.entities
            if message.is_from_bot
            and (entity["type"] == "text_mention" or "tg://user" in entity.get("url", ""))
        ]

    @override
    def complaints(self) -> list[str]:
        refused = [f"{call.method}: {call.refused}" for call in self.server.log if call.refused]
        unknown = [f"{method} has no {name}" for method, name in self.server.unknown_parameters]
        penalties = self.server.calls_in_penalty
        return [*refused, *unknown, *(["a call in a penalty"] * penalties)]


class TelegramWithoutDrafts(Telegram):
    """An older server of one's own, that knows no drafts."""

    @override
    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.server.world.has_drafts = False
        return self

    @override
    def complaints(self) -> list[str]:
        return [
            one
            for one in super().complaints()
            if one != "sendMessageDraft: Not Found: method not found"
        ]


class TelegramWebhook(Telegram):
    """A bot that is told by webhook."""

    @override
    async def __aenter__(self) -> Self:
        await super().__aenter__()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        return self

    @property
    @override
    def entry(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/hook"
        return {
            **super().entry,
            "mode": "webhook",
            "webhook": {"url": url, "port": self.port},
        }


class TelegramGroup(Telegram):
    """Everybody is in one group."""

    @override
    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.group = self.server.supergroup("Team")
        return self

    @property
    @override
    def place_name(self) -> str:
        return f"telegram:{self.group.id}"

    @override
    def person(self, name: str = "Ann") -> TelegramPerson:
        user = self.new_user(name)
        self.group.members.add(user.id)
        return TelegramPerson(self.server, user, self.group)


def _shown(message: Message) -> Shown:
    media = message.media
    return Shown(
        text=message.text,
        buttons=tuple(message.labels),
        file=media.data if media else None,
        is_picture=media is not None and media.kind == "photo",
    )
