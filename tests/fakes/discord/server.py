"""The HTTP face of the fake Discord: REST, the CDN, and the way to the gateway."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from aiohttp import web
from typing_extensions import override

from gateway.clock import Clock
from tests.fakes.discord.calls import Call, CallRecord, read_body
from tests.fakes.discord.control import Control
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.limits import Rates, Standing, penalty_headers
from tests.fakes.discord.mentions import Ping
from tests.fakes.discord.people import User
from tests.fakes.discord.places import Channel
from tests.fakes.discord.refusal import Refusal, plain
from tests.fakes.discord.routes import Route, find, is_known
from tests.fakes.discord.servers import Guild, make_guild
from tests.fakes.discord.world import World
from tests.fakes.faults import Effect, RateLimit
from tests.fakes.web import Apply, FakeServer, Reply, always, json_reply

TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAwMQ.GtEsTs.a-secret-that-nobody-may-see"
_API = "/api/v10"
_UNLIMITED: dict[str, str] = {}


class FakeDiscord(FakeServer):
    """One bot's Discord; see the package for how to use it."""

    cancels_on_disconnect: ClassVar[bool] = False

    def __init__(
        self,
        *,
        token: str = TOKEN,
        username: str = "parley",
        port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(port=port, clock=clock)
        self.token = token
        self.world = World(token, username, self.clock)
        self.watch = self.world.watch
        self._control = Control(self.world)

    @override
    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.world.files.address = self.url
        self.world.gateway_url = self.gateway_url
        return self

    @override
    async def __aexit__(self, *raised: object) -> None:
        self.gateway.closes(1001)
        await super().__aexit__(*raised)

    @property
    def api_base(self) -> str:
        return f"{self.url}{_API}"

    @property
    def gateway_url(self) -> str:
        return f"ws{self.url.removeprefix('http')}/gateway"

    @property
    def gateway(self) -> Gateway:
        """The websocket side: who is connected, and what can go wrong with it."""
        return self.world.gateway

    @property
    def mention(self) -> str:
        """What people write to call the bot."""
        return f"<@{self.world.bot_id}>"

    @property
    def channels(self) -> dict[int, Channel]:
        return self.world.channels

    @property
    def rates(self) -> Rates:
        """The rate limits: off until `rates.enabled = True`."""
        return self.world.rates

    @property
    def calls_in_penalty(self) -> int:
        return self.world.rates.calls_in_penalty

    @property
    def pings(self) -> list[Ping]:
        """Whom the bot's messages have called."""
        return self.world.pings

    @property
    def unknown_fields(self) -> Counter[tuple[str, str]]:
        """Fields and query parameters that a call does not have, by the call's name."""
        return self.world.unknown_fields

    @property
    def log(self) -> deque[CallRecord]:
        return self.world.log

    def resets_token(self, token: str) -> None:
        """Do what *Reset Token* does in the Developer Portal."""
        self.token = self.world.token = token
        self.gateway.resets_token(token)

    def calls(self, name: str, channel: Channel | None = None) -> list[CallRecord]:
        """Return the logged calls of one name (`routes.py`), of one channel if given."""
        return [
            one
            for one in self.log
            if one.name == name and (channel is None or one.channel_id == channel.id)
        ]

    def user(self, user_id: int, name: str = "Ann", **fields: Any) -> User:
        """Meet somebody; `is_bot=True` makes another bot."""
        return User(self.world, user_id, name, **fields)

    def guild(self, name: str, members: Iterable[User] = ()) -> Guild:
        """Make a server with the bot and these people in it."""
        return make_guild(self.world, name, [one.id for one in members])

    @override
    def summary(self) -> object:
        return {
            channel.id: [(one.who, one.text) for one in channel.shown()]
            for channel in self.channels.values()
        }

    @override
    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.rstrip("/") == "/gateway":
            return await self._gateway(request)
        if request.path.startswith("/attachments/"):
            return await self._download(request)
        path = request.path.removeprefix(_API)
        found = find(request.method, path) if request.path.startswith(_API) else None
        if found is None:
            wrong = (405, "Method Not Allowed") if is_known(path) else (404, "Not Found")
            return await self.perform(request, {}, _refused(plain(*wrong)))
        return await self._call(request, *found)

    async def _call(
        self, request: web.BaseRequest, route: Route, named: dict[str, str]
    ) -> web.StreamResponse:
        place = named.get("channel")
        record = CallRecord(
            at=self.clock.now(),
            name=route.name,
            method=request.method,
            path=request.path,
            channel_id=int(place) if place else None,
        )
        self.log.append(record)
        if route.needs_token and request.headers.get("Authorization") != f"Bot {self.token}":
            record.status, record.refused = 401, "Unauthorized"
            return await self.perform(request, {}, _refused(plain(401, "Unauthorized")))
        try:
            body = await read_body(request)
        except Refusal as wrong:
            record.status, record.refused = wrong.status, str(wrong)
            return await self.perform(request, {}, _refused(wrong))
        record.body = body.value
        call = Call(named, dict(request.query), body.value, body.files, record)
        self._note(route, call)
        facts = body.value if isinstance(body.value, dict) else {}

        async def apply() -> Reply:
            return self._apply(route, call)

        return await self.perform(
            request, {**facts, "channel_id": record.channel_id, "route": route.name}, apply
        )

    def _note(self, route: Route, call: Call) -> None:
        """Count what the call says and has no meaning, and whether it comes too early."""
        if route.bucket is not None:
            early = self.rates.note(route.bucket, _major(call), self.clock.now())
            call.record.in_penalty = early
        names = set(call.query) - route.query
        if isinstance(call.body, dict):
            names |= call.body.keys() - route.fields
        self.unknown_fields.update((route.name, name) for name in names)

    def _apply(self, route: Route, call: Call) -> Reply:
        record, standing = call.record, self._standing(route, call)
        headers = standing.headers() if standing is not None else _UNLIMITED
        if standing is not None and standing.retry_after is not None:
            record.status, record.refused = 429, "rate limited"
            return json_reply(_penalty(standing), 429, headers)
        try:
            result = route.handle(self.world, call)
        except Refusal as refusal:
            record.status, record.refused = refusal.status, str(refusal)
            self.watch.changed()
            return json_reply(refusal.body(), refusal.status, headers)
        record.applied = True
        self.watch.changed()
        if result is None:
            record.status = 204
            return Reply(204, b"", headers)
        record.status = 200 if route.status == 204 else route.status
        return json_reply(result, record.status, headers)

    def _standing(self, route: Route, call: Call) -> Standing | None:
        if route.bucket is None:
            return None
        return self.rates.take(route.bucket, _major(call), self.clock.now())

    async def _gateway(self, request: web.BaseRequest) -> web.StreamResponse:
        async def nothing() -> Reply:
            return self.error(400, "")

        if request.headers.get("Upgrade", "").lower() != "websocket":
            return await self.perform(request, {}, nothing)
        effect = self.faults.take(request.method, request.path, {})
        if effect is not None:
            self.watch.changed()
            early = await self._before(request, effect, nothing)
            if early is not None:
                return early
        return await self.gateway.serve(request)

    async def _download(self, request: web.BaseRequest) -> web.StreamResponse:
        stored = self.world.files.at(request.path, request.query, self.clock.now())
        if stored is None:
            gone = Reply(404, b"This content is no longer available.", _PLAIN)
            return await self.perform(request, {}, always(gone))
        self.world.downloads.append((self.clock.now(), request.path))
        reply = Reply(200, stored.data, {"Content-Type": stored.mime})
        return await self.perform(request, {"name": stored.name}, always(reply))

    @override
    def error(self, status: int, message: str, *, retry_after: float | str | None = None) -> Reply:
        if status != 429:
            words = message or f"{status}: {_WORDS.get(status, 'Internal Server Error')}"
            return json_reply({"message": words, "code": 0}, status)
        body: dict[str, Any] = {"message": _LIMITED, "global": False}
        headers = {"Via": "1.1 google"}
        if retry_after is not None:
            body["retry_after"] = retry_after
        if isinstance(retry_after, int | float):
            headers = penalty_headers(retry_after)
        return json_reply(body, 429, headers)

    @override
    def befell(self, effect: Effect, facts: Mapping[str, Any]) -> None:
        """Count later calls made before the waiting time that a fault asked for is over."""
        if isinstance(effect, RateLimit) and isinstance(effect.retry_after, int | float):
            major = facts.get("channel_id") or 0
            name = str(facts.get("route"))
            self.rates.open(name, major, effect.retry_after, self.clock.now())

    @override
    async def control(self, name: str, body: Any) -> Any:
        if name in self._control.verbs:
            return await self._control.verbs[name](body or {})
        return await super().control(name, body)


_LIMITED = "You are being rate limited."
_PLAIN = {"Content-Type": "text/plain"}
_WORDS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def _refused(refusal: Refusal) -> Apply:
    return always(json_reply(refusal.body(), refusal.status))


def _penalty(standing: Standing) -> dict[str, Any]:
    return {
        "message": _LIMITED,
        "retry_after": standing.retry_after,
        "global": standing.is_global,
    }


def _major(call: Call) -> int:
    """Return what a bucket belongs to: a channel, a server or an interaction's token."""
    for name in ("channel", "guild"):
        if name in call.path:
            return int(call.path[name])
    return hash(call.path.get("token", ""))
