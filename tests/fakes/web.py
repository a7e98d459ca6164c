"""What the fake servers share: a loopback socket, faults on the way out, a control path."""

import asyncio
import json
import socket
import struct
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import RequestHandler

from gateway.clock import Clock, SystemClock
from tests.fakes.faults import (
    Answer,
    Delay,
    Drip,
    Drop,
    Effect,
    EndEarly,
    EndlessLine,
    Faults,
    Hang,
    Hold,
    RateLimit,
    Reset,
    Silence,
    StreamError,
    Truncate,
)
from tests.fakes.watch import Watch

_MOST_BYTES = 120_000_000
_SEGMENT = 65_536


@dataclass(slots=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Stream:
    """An answer in pieces; an empty piece asks that what was said so far go out now."""

    pieces: AsyncGenerator[bytes, None]
    headers: Mapping[str, str]
    error_event: Callable[[str], bytes]


Apply = Callable[[], Awaitable[Reply | Stream]]


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps(value, separators=(",", ":")).encode()
    return Reply(status, body, {"Content-Type": "application/json", **(headers or {})})


def always(reply: Reply) -> Apply:
    """Make a call that only gives this answer."""

    async def apply() -> Reply:
        return reply

    return apply


class FakeServer(ABC):
    """A server on 127.0.0.1 for the length of an `async with`.

    `url` is its address, `faults` its rules, `clock` the time it lives by.
    """

    cancels_on_disconnect: ClassVar[bool] = True
    """Whether work for a client that has left is dropped at its next wait."""

    def __init__(self, *, port: int = 0, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.faults = Faults()
        self.watch = Watch()
        self._port = port
        self._runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        server = web.Server(
            self._serve,
            request_factory=_make_request,
            handler_cancellation=self.cancels_on_disconnect,
            access_log=None,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def until(
        self,
        holds: Callable[[Self], bool],
        *,
        timeout: float = 15.0,  # noqa: ASYNC109 - the wait is what the caller asks for
    ) -> None:
        """Wait until `holds(server)`, woken by each change of state."""
        await self.watch.until(lambda: holds(self), timeout=timeout, now=self.summary)

    def summary(self) -> object:
        """Say what to show when `until` gives up."""
        return self

    @abstractmethod
    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""

    @abstractmethod
    def error(self, status: int, message: str, *, retry_after: float | str | None = None) -> Reply:
        """Build the platform's own form of an error."""

    def befell(self, effect: Effect, facts: Mapping[str, Any]) -> None:
        """Take note of a fault that is about to befall a call."""
        return

    async def control(self, name: str, body: Any) -> Any:
        """Answer `/_control/<name>`; JSON in, JSON out."""
        if name == "faults":
            self.faults.clear()
            return len([self.faults.add_json(rule) for rule in body or []])
        raise LookupError(name)

    async def perform(
        self, request: web.BaseRequest, facts: Mapping[str, Any], apply: Apply
    ) -> web.StreamResponse:
        """Do the call and answer it, unless a fault befalls it."""
        effect = self.faults.take(request.method, request.path, facts)
        if effect is None:
            return await _send(request, await apply())
        self.befell(effect, facts)
        self.watch.changed()
        early = await self._before(request, effect, apply)
        if early is not None:
            return early
        return await _Mangled(self.clock, request, effect).send(await apply())

    async def _before(
        self, request: web.BaseRequest, effect: Effect, apply: Apply
    ) -> web.StreamResponse | None:
        match effect:
            case Answer():
                return await _send(request, self._answered(effect))
            case RateLimit(retry_after):
                return await _send(request, self.error(429, "", retry_after=retry_after))
            case Reset("before"):
                return _break_off(request)
            case Drop():
                await _use_up(await apply())
                return _break_off(request)
            case Hang(applies):
                if applies:
                    await _use_up(await apply())
                await asyncio.get_running_loop().create_future()
            case Delay(seconds):
                await self.clock.sleep(seconds)
            case Hold(gate):
                await gate.wait()
        return None

    def _answered(self, answer: Answer) -> Reply:
        body = answer.body
        if body is None:
            reply = self.error(answer.status, answer.message)
            return Reply(reply.status, reply.body, {**reply.headers, **answer.headers})
        if not isinstance(body, str | bytes):
            return json_reply(body, answer.status, answer.headers)
        raw = body.encode() if isinstance(body, str) else body
        return Reply(answer.status, raw, {"Content-Type": "application/json", **answer.headers})

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if not request.path.startswith("/_control/"):
            return await self.handle(request)
        raw = await request.read()
        try:
            value = await self.control(request.path[10:], json.loads(raw) if raw else None)
        except LookupError as missing:
            return await _send(request, json_reply({"error": str(missing)}, 404))
        return await _send(request, json_reply(value))


class _Mangled:
    """Sends an answer the way a fault asks for."""

    def __init__(self, clock: Clock, request: web.BaseRequest, effect: Effect) -> None:
        self._clock = clock
        self._request = request
        self._effect = effect

    async def send(self, reply: Reply | Stream) -> web.StreamResponse:
        if isinstance(self._effect, EndlessLine):
            await _use_up(reply)
            return await self._endless(self._effect.size)
        if isinstance(reply, Stream):
            return await self._stream(reply)
        return await self._whole(reply)

    async def _whole(self, reply: Reply) -> web.StreamResponse:
        match self._effect:
            case Truncate(keep):
                cut = reply.body[: int(len(reply.body) * keep)]
                return await _send(self._request, Reply(reply.status, cut, reply.headers))
            case Reset("middle"):
                return await self._cut(reply, len(reply.body) // 2)
            case Reset("after"):
                return await self._cut(reply, len(reply.body))
            case Drip(size, every):
                return await self._drip(reply, size, every)
        return await _send(self._request, reply)

    async def _open(self, reply: Reply) -> web.StreamResponse:
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        response.content_length = len(reply.body)
        await response.prepare(self._request)
        return response

    async def _cut(self, reply: Reply, length: int) -> web.StreamResponse:
        response = await self._open(reply)
        await response.write(reply.body[:length])
        return _break_off(self._request)

    async def _drip(self, reply: Reply, size: int, every: float) -> web.StreamResponse:
        response = await self._open(reply)
        for start in range(0, len(reply.body), size):
            await response.write(reply.body[start : start + size])
            await self._clock.sleep(every)
        return response

    async def _endless(self, size: int) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(self._request)
        await response.write(b'data: {"')
        for _ in range(0, size, _SEGMENT):
            await response.write(b"a" * _SEGMENT)
        return response

    async def _stream(self, stream: Stream) -> web.StreamResponse:
        response = web.StreamResponse(headers=stream.headers)
        await response.prepare(self._request)
        sent = 0
        async with aclosing(stream.pieces) as pieces:
            async for piece in pieces:
                if not piece:
                    continue
                await self._piece(response, piece)
                sent += 1
                if await self._stops(response, stream, sent):
                    return response
        if isinstance(self._effect, Reset):
            return _break_off(self._request)
        return response

    async def _piece(self, response: web.StreamResponse, piece: bytes) -> None:
        if not isinstance(self._effect, Drip):
            await response.write(piece)
            return
        size = self._effect.size
        for start in range(0, len(piece), size):
            await response.write(piece[start : start + size])
            await self._clock.sleep(self._effect.every)

    async def _stops(self, response: web.StreamResponse, stream: Stream, sent: int) -> bool:
        match self._effect:
            case Silence(pieces) if sent >= pieces:
                await asyncio.get_running_loop().create_future()
            case EndEarly(pieces) if sent >= pieces:
                return True
            case StreamError(pieces, message) if sent >= pieces:
                await response.write(stream.error_event(message))
                return True
            case Reset("middle", pieces) if sent >= pieces:
                _break_off(self._request)
                return True
        return False


async def _send(request: web.BaseRequest, reply: Reply | Stream) -> web.StreamResponse:
    if isinstance(reply, Reply):
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
    response = web.StreamResponse(headers=reply.headers)
    await response.prepare(request)
    gathered: list[bytes] = []
    async with aclosing(reply.pieces) as pieces:
        async for piece in pieces:
            if piece:
                gathered.append(piece)
            elif gathered:
                await response.write(b"".join(gathered))
                gathered.clear()
    if gathered:
        await response.write(b"".join(gathered))
    return response


async def _use_up(reply: Reply | Stream) -> None:
    if isinstance(reply, Stream):
        async with aclosing(reply.pieces) as pieces:
            async for _ in pieces:
                pass


def _break_off(request: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection; the response returned goes nowhere."""
    transport = request.transport
    if transport is not None:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


def _make_request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: "asyncio.Task[None]",
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(
        message, payload, protocol, writer, task, loop, client_max_size=_MOST_BYTES
    )
