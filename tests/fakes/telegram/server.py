"""The HTTP face of the fake Bot API."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Any, ClassVar, Self

from aiohttp import web
from typing_extensions import override

from gateway.clock import Clock
from tests.fakes.faults import Effect, RateLimit
from tests.fakes.telegram import accounts, editing, reactions, sending, signals
from tests.fakes.telegram.calls import Call, CallRecord, read_call
from tests.fakes.telegram.chat import Chat
from tests.fakes.telegram.control import Control
from tests.fakes.telegram.groups import Group, make_group
from tests.fakes.telegram.limits import Rates
from tests.fakes.telegram.parameters import KNOWN, METHODS
from tests.fakes.telegram.people import User
from tests.fakes.telegram.refusal import Refusal, too_many
from tests.fakes.telegram.updates import Updates
from tests.fakes.telegram.webhook import Webhook
from tests.fakes.telegram.world import World
from tests.fakes.web import Apply, FakeServer, Reply, always, json_reply

_HANDLERS: dict[str, Callable[[World, Call], Any]] = {
    "getMe": accounts.get_me,
    "logOut": accounts.log_out,
    "close": accounts.close,
    "setMyCommands": accounts.set_commands,
    "deleteMyCommands": accounts.delete_commands,
    "getMyCommands": accounts.get_commands,
    "getChat": accounts.get_chat,
    "getChatMember": accounts.get_chat_member,
    "getFile": accounts.get_file,
    "sendMessage": sending.send_message,
    "sendPhoto": sending.send_file,
    "sendDocument": sending.send_file,
    "sendAudio": sending.send_file,
    "sendVoice": sending.send_file,
    "sendVideo": sending.send_file,
    "sendAnimation": sending.send_file,
    "sendMediaGroup": sending.send_media_group,
    "editMessageText": editing.edit_text,
    "editMessageCaption": editing.edit_caption,
    "editMessageMedia": editing.edit_media,
    "editMessageReplyMarkup": editing.edit_markup,
    "deleteMessage": editing.delete_message,
    "deleteMessages": editing.delete_messages,
    "sendChatAction": signals.send_chat_action,
    "sendMessageDraft": signals.send_draft,
    "setMessageReaction": reactions.set_reaction,
    "answerCallbackQuery": signals.answer_press,
}


class FakeTelegram(FakeServer):
    """One bot's Telegram; see the package for how to use it."""

    cancels_on_disconnect: ClassVar[bool] = False

    def __init__(
        self,
        *,
        token: str = "123456:TEST-TOKEN",
        username: str = "parley_bot",
        port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(port=port, clock=clock)
        self.token = token
        self.world = World(token, username, self.clock)
        self.watch = self.world.watch
        self.webhook = Webhook(self.world)
        self._control = Control(self.world)
        self._tasks = AsyncExitStack()

    @override
    async def __aenter__(self) -> Self:
        await super().__aenter__()
        group = await self._tasks.enter_async_context(asyncio.TaskGroup())
        posting = group.create_task(self.webhook.deliver())
        self._tasks.callback(posting.cancel)
        return self

    @override
    async def __aexit__(self, *raised: object) -> None:
        await self._tasks.aclose()
        self.updates.end_polls()
        await super().__aexit__(*raised)

    @property
    def chats(self) -> dict[int, Chat]:
        return self.world.chats

    @property
    def updates(self) -> Updates:
        """The queue: `pending`, `conflicts`, `push`, `redeliver`, `is_polled`."""
        return self.world.updates

    @property
    def rates(self) -> Rates:
        """The flood limits: off until `rates.enabled = True`."""
        return self.world.rates

    @property
    def calls_in_penalty(self) -> int:
        return self.world.rates.calls_in_penalty

    @property
    def unknown_parameters(self) -> Counter[tuple[str, str]]:
        return self.world.unknown_parameters

    @property
    def log(self) -> deque[CallRecord]:
        """Every call but getUpdates, oldest first."""
        return self.world.log

    def calls(self, method: str, chat: Chat | None = None) -> list[CallRecord]:
        """Return the logged calls of one method, of one chat if named."""
        return [
            one
            for one in self.log
            if one.method == method and (chat is None or one.chat_id == chat.id)
        ]

    def user(self, user_id: int, name: str = "Ann", **fields: Any) -> User:
        """Meet somebody; `fields` are those of the API's User (`username`, `last_name`)."""
        return User(self.world, user_id, name, **fields)

    def group(self, title: str, members: Iterable[User] = ()) -> Group:
        return make_group(self.world, "group", title, members)

    def supergroup(
        self, title: str, members: Iterable[User] = (), *, is_forum: bool = False
    ) -> Group:
        return make_group(self.world, "supergroup", title, members, is_forum=is_forum)

    def push(self, update: dict[str, Any], update_id: int | None = None) -> int | None:
        """Queue any update, of unknown kind or malformed."""
        return self.updates.push(update, update_id)

    @override
    def summary(self) -> object:
        return {
            chat.id: [(message.who, message.text) for message in chat.shown()]
            for chat in self.chats.values()
        }

    @override
    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        kind, token, rest = _split(request.path)
        if kind == "file":
            return await self._download(request, token, rest)
        refusal = self._wrong_address(kind, token, rest)
        if refusal is not None:
            return await self.perform(request, {}, _refused(refusal))
        try:
            call = await read_call(request, METHODS[rest.lower()], self.clock.now())
        except Refusal as wrong:
            return await self.perform(request, {}, _refused(wrong))
        self._note(call)
        facts = {**call.parameters, "chat_id": call.record.chat_id}

        async def apply() -> Reply:
            return await self._apply(call, request)

        return await self.perform(request, facts, apply)

    def _wrong_address(self, kind: str, token: str, method: str) -> Refusal | None:
        if kind != "bot":
            return Refusal(404, "Not Found")
        if token != self.token:
            return Refusal(401, "Unauthorized") if ":" in token else Refusal(404, "Not Found")
        if self.world.is_logged_out:
            return Refusal(400, "Logged out")
        if method.lower() not in METHODS:
            return Refusal(404, "Not Found: method not found")
        return None

    def _note(self, call: Call) -> None:
        unknown = call.parameters.keys() - KNOWN[call.method]
        self.unknown_parameters.update((call.method, name) for name in unknown)
        if call.method != "getUpdates":
            self.log.append(call.record)
        chat_id = call.record.chat_id
        if chat_id is not None:
            call.record.in_penalty = self.rates.is_in_penalty(chat_id, self.clock.now())

    async def _apply(self, call: Call, request: web.BaseRequest) -> Reply:
        try:
            self._check_rates(call)
            result = await self._result(call, request)
        except Refusal as refusal:
            call.record.refused = refusal.description
            self.watch.changed()
            return json_reply(refusal.envelope(), refusal.code)
        call.record.applied = True
        self.watch.changed()
        return json_reply({"ok": True, "result": result})

    async def _result(self, call: Call, request: web.BaseRequest) -> Any:
        match call.method:
            case "getUpdates":
                return await self._updates(call, request)
            case "setWebhook":
                return self.webhook.set(call)
            case "deleteWebhook":
                return self.webhook.delete(call)
            case "getWebhookInfo":
                return self.webhook.info()
        return _HANDLERS[call.method](self.world, call)

    async def _updates(self, call: Call, request: web.BaseRequest) -> list[dict[str, Any]]:
        self.updates.allow(call.json("allowed_updates"))
        return await self.updates.get(
            offset=call.integer("offset"),
            limit=min(100, max(1, call.integer("limit", 100))),
            wait=call.integer("timeout"),
            is_gone=lambda: request.transport is None or request.transport.is_closing(),
        )

    def _check_rates(self, call: Call) -> None:
        chat = self.chats.get(call.record.chat_id or 0)
        if chat is None:
            return
        media = call.json("media") if call.method == "sendMediaGroup" else None
        count = len(media) if isinstance(media, list) else 1
        seconds = self.rates.refuse(call.method, chat, count, self.clock.now())
        if seconds is not None:
            raise too_many(seconds)

    async def _download(
        self, request: web.BaseRequest, token: str, path: str
    ) -> web.StreamResponse:
        stored = self.world.files.at(path, self.clock.now()) if token == self.token else None
        if stored is None:
            return await self.perform(request, {}, _refused(Refusal(404, "Not Found")))
        self.world.downloads.append((self.clock.now(), path))
        reply = Reply(200, stored.data, {"Content-Type": "application/octet-stream"})
        return await self.perform(request, {"path": path}, always(reply))

    @override
    def error(self, status: int, message: str, *, retry_after: float | str | None = None) -> Reply:
        if status == 429:
            words = f"Too Many Requests: retry after {retry_after}"
            given = None if retry_after is None else {"retry_after": retry_after}
            refusal = Refusal(429, words if given else "Too Many Requests", given)
        else:
            refusal = Refusal(status, message or _WORDS.get(status, "Internal Server Error"))
        return json_reply(refusal.envelope(), status)

    @override
    def befell(self, effect: Effect, facts: Mapping[str, Any]) -> None:
        """Count later calls made before the waiting time that a fault asked for is over."""
        chat_id = facts.get("chat_id")
        if not isinstance(effect, RateLimit) or not isinstance(chat_id, int):
            return
        if isinstance(effect.retry_after, int | float):
            self.rates.open(chat_id, effect.retry_after, self.clock.now(), refuses=False)

    @override
    async def control(self, name: str, body: Any) -> Any:
        if name in self._control.verbs:
            return await self._control.verbs[name](body or {})
        return await super().control(name, body)


_WORDS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot "
    "instance is running",
    502: "Bad Gateway",
    504: "Gateway Timeout",
}


def _split(path: str) -> tuple[str, str, str]:
    """Take `/bot<token>/<method>` or `/file/bot<token>/<path>` apart."""
    kind = "file" if path.startswith("/file/bot") else "bot" if path.startswith("/bot") else ""
    head = path.removeprefix("/file").removeprefix("/bot")
    token, _, rest = head.partition("/")
    return kind, token, rest


def _refused(refusal: Refusal) -> Apply:
    return always(json_reply(refusal.envelope(), refusal.code))
