"""The HTTP and websocket face of the fake Slack."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Any, ClassVar, Self

from aiohttp import web
from typing_extensions import override

from gateway.clock import Clock
from tests.fakes.faults import Effect, RateLimit
from tests.fakes.slack import posting, uploads
from tests.fakes.slack.arguments import ANYWHERE, METHODS
from tests.fakes.slack.calls import Call, CallRecord, read_call
from tests.fakes.slack.control import Control
from tests.fakes.slack.conversation import Conversation
from tests.fakes.slack.deliveries import Delivery
from tests.fakes.slack.events import tell
from tests.fakes.slack.files import LOGIN_PAGE
from tests.fakes.slack.methods import Methods
from tests.fakes.slack.people import OtherBot, User
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.requests import Requests
from tests.fakes.slack.sockets import Sockets
from tests.fakes.slack.world import Ping, World
from tests.fakes.web import Apply, FakeServer, Reply, always, json_reply


class FakeSlack(FakeServer):
    """One app in one workspace; see the package for how to use it."""

    cancels_on_disconnect: ClassVar[bool] = False

    def __init__(
        self,
        *,
        bot_token: str = "xoxb-test-bot-token",
        app_token: str = "xapp-test-app-token",
        signing_secret: str = "test-signing-secret",
        port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(port=port, clock=clock)
        self.world = World(
            self.clock, bot_token=bot_token, app_token=app_token, signing=signing_secret
        )
        self.watch = self.world.watch
        self.sockets = Sockets(self.world)
        self.requests: Requests | None = None
        """The posts to the app, once it was told where to (`posts_to`)."""
        self.world.deliveries.transport = self.sockets
        self._methods = Methods(self.world, self.sockets)
        self._control = Control(self.world)
        self._tasks = AsyncExitStack()

    @override
    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.world.files.base = self._methods.base = self.url
        group = await self._tasks.enter_async_context(asyncio.TaskGroup())
        self.world.errands.begin(group)
        return self

    @override
    async def __aexit__(self, *raised: object) -> None:
        self.world.errands.end()
        await self._tasks.aclose()
        await self.sockets.close()
        await super().__aexit__(*raised)

    # Who and what there is.

    @property
    def mention(self) -> str:
        """How people address the app in a channel."""
        return f"<@{self.world.bot_user}>"

    def user(self, user: str, name: str = "Ann", *, team: str = "", **fields: Any) -> User:
        """Meet somebody; `team` is that of a guest from another workspace."""
        return User(self.world, user, name, team=team, **fields)

    def bot(self, name: str = "Other") -> OtherBot:
        return OtherBot(User(self.world, self.world.next_name("UB"), name, is_bot=True))

    def channel(
        self, name: str, members: Iterable[User] = (), *, kind: str = "channel"
    ) -> Conversation:
        """Make a channel (`channel`), private channel (`group`) or group of people (`mpim`)."""
        people = list(members)
        place = self.world.open(kind, [one.id for one in people], name=name)
        place.is_shared = any(one.team != self.world.team["id"] for one in people)
        return place

    def posts_to(self, events: str, interactivity: str = "", commands: str = "") -> Requests:
        """Use signed HTTP from now on instead of Socket Mode."""
        self.requests = Requests(self.world, events, interactivity, commands)
        self.world.deliveries.transport = self.requests
        return self.requests

    def push(self, event: dict[str, Any], *, lane: str = "any") -> Delivery | None:
        """Tell the app of any event, of unknown kind or malformed."""
        self.world.subscriptions.add(event["type"])
        return tell(self.world, event, lane=lane)

    # What happened.

    @property
    def conversations(self) -> dict[str, Conversation]:
        return self.world.conversations

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything that the app was told, oldest first."""
        return self.world.deliveries.log

    @property
    def pending(self) -> list[Delivery]:
        return self.world.deliveries.pending

    @property
    def pings(self) -> list[Ping]:
        """What the app said that notifies or names somebody."""
        return self.world.pings

    @property
    def unfurls(self) -> list[CallRecord]:
        """Calls with links that were left to unfold."""
        return self.world.unfurls

    @property
    def calls_in_penalty(self) -> int:
        return self.world.rates.calls_in_penalty

    @property
    def unknown_arguments(self) -> Counter[tuple[str, str]]:
        return self.world.unknown_arguments

    @property
    def log(self) -> deque[CallRecord]:
        """Every call, oldest first."""
        return self.world.log

    def calls(self, method: str, place: Conversation | None = None) -> list[CallRecord]:
        """Return the logged calls of one method, of one conversation if named."""
        return [
            one
            for one in self.log
            if one.method == method and (place is None or one.channel == place.id)
        ]

    @override
    def summary(self) -> object:
        return {
            place.id: [(one.who, one.thread_ts, one.shown) for one in place.shown()]
            for place in self.conversations.values()
        }

    # Requests.

    @override
    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        match parts:
            case ["api", method]:
                return await self._api(request, method)
            case ["link"]:
                return await self.sockets.serve(request)
            case ["upload", "v1", file_id]:
                return await self._upload(request, file_id)
            case ["files-pri", *_]:
                return await self._download(request)
            case ["actions", token]:
                return await self._respond(request, token)
        return await self.perform(request, {}, always(Reply(404, b"", {})))

    async def _api(self, request: web.BaseRequest, method: str) -> web.StreamResponse:
        if method not in METHODS:
            return await self.perform(request, {}, _refused(Refusal("unknown_method")))
        try:
            call = await read_call(request, method, self.clock.now())
        except Refusal as wrong:
            return await self.perform(request, {}, _refused(wrong))
        unknown = call.arguments.keys() - METHODS[method].arguments - ANYWHERE
        self.unknown_arguments.update((method, name) for name in unknown)
        self._note(call)

        async def apply() -> Reply:
            return self._apply(call, lambda: self._methods.answer(call))

        facts = {**call.arguments, "channel": call.channel, "method": method}
        return await self.perform(request, facts, apply)

    def _note(self, call: Call) -> None:
        self.log.append(call.record)
        now = self.clock.now()
        call.record.in_penalty = self.world.rates.is_in_penalty(call.method, call.channel, now)

    def _apply(self, call: Call, work: Callable[[], Any]) -> Reply:
        try:
            result = work()
        except Refusal as refusal:
            call.record.refused = str(refusal)
            self.watch.changed()
            return _said_no(refusal)
        call.record.applied = True
        self.watch.changed()
        scopes = ",".join(sorted(self.world.scopes))
        return json_reply({"ok": True, **(result or {})}, headers={"x-oauth-scopes": scopes})

    async def _upload(self, request: web.BaseRequest, file_id: str) -> web.StreamResponse:
        data = await _posted_bytes(request)

        async def apply() -> Reply:
            try:
                stored = uploads.receive(self.world, file_id, data)
            except Refusal as wrong:
                return Reply(400, wrong.error.encode(), {"Content-Type": "text/plain"})
            said = f"OK - {stored.size}".encode()
            return Reply(200, said, {"Content-Type": "text/plain"})

        return await self.perform(request, {"file": file_id}, apply)

    async def _download(self, request: web.BaseRequest) -> web.StreamResponse:
        """Give a file to who shows a token that may read files, and a login page to others."""
        stored = self.world.files.at(request.path)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        may = token == self.world.bot_token and "files:read" in self.world.scopes
        if not may or self.world.token_refusal:
            page = Reply(200, LOGIN_PAGE, {"Content-Type": "text/html; charset=utf-8"})
            return await self.perform(request, {}, always(page))
        if stored is None or stored.is_deleted:
            return await self.perform(request, {}, always(Reply(404, b"", {})))
        self.world.downloads.append((self.clock.now(), request.path))
        reply = Reply(200, stored.data, {"Content-Type": stored.mime})
        return await self.perform(request, {"path": request.path}, always(reply))

    async def _respond(self, request: web.BaseRequest, token: str) -> web.StreamResponse:
        try:
            call = await read_call(request, "response_url", self.clock.now())
        except Refusal as wrong:
            return await self.perform(request, {}, _refused(wrong))
        self._note(call)

        async def apply() -> Reply:
            reply = self._apply(call, lambda: posting.respond(self.world, token, call))
            if call.record.refused is None:
                return Reply(200, b"ok", {"Content-Type": "text/plain"})
            return Reply(404, reply.body, reply.headers)

        return await self.perform(request, {**call.arguments, "method": call.method}, apply)

    @override
    def error(self, status: int, message: str, *, retry_after: float | str | None = None) -> Reply:
        if status == 429:
            return _said_no(Refusal("ratelimited", retry_after=retry_after or 1))
        return json_reply({"ok": False, "error": message or "internal_error"}, status)

    @override
    def befell(self, effect: Effect, facts: Mapping[str, Any]) -> None:
        """Count later calls made before the waiting time that a fault asked for is over.

        Where files go and come from is no method of the API.
        """
        seconds = effect.retry_after if isinstance(effect, RateLimit) else None
        if isinstance(seconds, int | float) and "method" in facts:
            self.world.rates.open(
                facts["method"],
                str(facts.get("channel", "")),
                seconds,
                self.clock.now(),
                refuses=False,
            )

    @override
    async def control(self, name: str, body: Any) -> Any:
        if name in self._control.verbs:
            return await self._control.verbs[name](body or {})
        return await super().control(name, body)


def _said_no(refusal: Refusal) -> Reply:
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    return json_reply(refusal.envelope(), refusal.status, headers)


def _refused(refusal: Refusal) -> Apply:
    return always(_said_no(refusal))


async def _posted_bytes(request: web.BaseRequest) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            with value.file:
                return value.file.read()
    return b""
