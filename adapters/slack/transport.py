"""The connections: HTTP for calls and files, and one line of Socket Mode at a time.

The SDK does the talking. What it would do by itself about a broken connection, which is to
try for ever in the background, is left to `receiving.py`.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.request import getproxies

import aiohttp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient
from typing_extensions import override

from gateway.clock import Clock

for _name in ("slack_sdk", "slack_bolt"):
    # They log what people write, and addresses with tickets in them.
    logging.getLogger(_name).setLevel(logging.WARNING)

QUIET = logging.getLogger("adapters.slack.sdk")
"""For the parts of the SDK whose warnings hold whole payloads or tickets."""
QUIET.setLevel(logging.CRITICAL + 1)

ANSWER_SECONDS = 20.0
_LONGEST_ANSWER = 32_000_000
_CONNECT_SECONDS = 10.0
_PING_EVERY = 5.0
_PONGS_MISSED = 3
_GOODBYE_SECONDS = 1.0

Handle = Callable[[SocketModeRequest], Awaitable[dict[str, Any] | None]]
"""Takes one envelope; returns the payload of its acknowledgement, or None for none."""


def web_client(token: str, base: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Make the SDK's client: one attempt a call, as waiting is the gateway's business."""
    client = AsyncWebClient(
        token=token, base_url=base, session=session, retry_handlers=[], logger=QUIET
    )
    client.proxy = None  # the session knows the proxies, and where they are not to be used
    return client


class _Answer(aiohttp.ClientResponse):
    """As the SDK reads it: as a whole, and so with a limit."""

    @override
    async def read(self) -> bytes:
        if self._body is None:
            pieces: list[bytes] = []
            room = _LONGEST_ANSWER
            async for piece in self.content.iter_any():
                room -= len(piece)
                if room < 0:
                    self.close()
                    raise aiohttp.ClientPayloadError("the answer is too long")
                pieces.append(piece)
            self._body = b"".join(pieces)
        return self._body


class Connections:
    """As many connections as there are requests at once, kept for the next ones."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise aiohttp.ClientConnectionError("the connection is closed")
        return self._session

    async def open(self) -> None:
        if self._session is None:
            self._session = new_session()

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def new_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30.0),
        cookie_jar=aiohttp.DummyCookieJar(),
        response_class=_Answer,
        timeout=aiohttp.ClientTimeout(
            total=_CONNECT_SECONDS + ANSWER_SECONDS, connect=_CONNECT_SECONDS
        ),
        trust_env=bool(getproxies()),
    )


class Line(SocketModeClient):
    """One connection of Socket Mode, from `connect` until it `is_over`.

    Each envelope is handled in a task of `tasks`, begun in the order of arrival.
    """

    def __init__(
        self,
        address: str,
        client: AsyncWebClient,
        tasks: asyncio.TaskGroup,
        clock: Clock,
        alive: Callable[[], None],
    ) -> None:
        super().__init__(
            app_token="", logger=QUIET, web_client=client, auto_reconnect_enabled=False
        )
        self.proxy = None
        self.wss_uri = address
        self.is_over = asyncio.Event()
        """Set once another line is wanted: this one is lost, or Slack is about to end it."""
        self.is_lost = False
        self.is_ready = asyncio.Event()
        """Set once Slack has said hello: from now on it sends."""
        self._tasks = tasks
        self._clock = clock
        self._alive = alive
        self._handling: set[asyncio.Task[None]] = set()
        self._last_sign = clock.monotonic()

        async def closed(_: aiohttp.WSMessage) -> None:
            self._lose()

        self.on_close_listeners.append(closed)
        self.on_error_listeners.append(closed)

    def handle_with(self, handle: Handle) -> None:
        async def listen(_: object, request: SocketModeRequest) -> None:
            payload = await handle(request)
            if payload is not None:
                answer: dict[str, Any] = {"envelope_id": request.envelope_id}
                await self.send_socket_mode_response(
                    answer | {"payload": payload} if payload else answer
                )

        self.socket_mode_request_listeners.append(listen)

    @override
    async def connect(self) -> None:
        """Connect once; raises what aiohttp raises."""
        own, self.aiohttp_client_session = self.aiohttp_client_session, new_session()
        await own.close()
        async with self._clock.timeout(_CONNECT_SECONDS):
            self.current_session = await self.aiohttp_client_session.ws_connect(
                self.wss_uri or "",
                autoping=False,
                timeout=aiohttp.ClientWSTimeout(ws_close=_GOODBYE_SECONDS),
                max_msg_size=0,
            )
        self._note_sign()
        self.current_session_monitor = asyncio.ensure_future(self.monitor_current_session())
        self.message_receiver = asyncio.ensure_future(self.receive_messages())

    @override
    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Ask for another line instead: Slack will end this one soon."""
        self.is_over.set()

    @override
    async def monitor_current_session(self) -> None:
        """Ping, and give the line up when nothing has come back for a while."""
        while self.current_session is not None and not self.current_session.closed:
            try:
                await self.current_session.ping(f"sdk-ping-pong:{time.time()}".encode())
            except (ConnectionError, aiohttp.ClientError):
                break
            await self._clock.sleep(_PING_EVERY)
            if self._clock.monotonic() - self._last_sign > _PONGS_MISSED * _PING_EVERY:
                break
        self._lose()

    @override
    async def receive_messages(self) -> None:
        """Take what comes until the connection ends."""
        session = self.current_session
        while session is not None and not session.closed:
            message = await session.receive()
            if message.type in _END_OF_LINE:
                break
            self._note_sign()
            if message.type is aiohttp.WSMsgType.PING:
                await session.pong(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                await self.enqueue_message(message.data)
        self._lose()

    @override
    async def process_message(self) -> None:
        raw: str = await self.message_queue.get()
        message = json.loads(raw)
        if message.get("type") == "hello":
            self.is_ready.set()
        task = self._tasks.create_task(self.run_message_listeners(message, raw))
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)

    async def end(self, *, grace: float = 0.0) -> None:
        """Close, after what is being handled has been acknowledged or the grace is over."""
        if self._handling and grace:
            await asyncio.wait(self._handling, timeout=grace)
        await self.close()  # type: ignore[no-untyped-call] # the SDK does not say
        tasks = (self.message_processor, self.current_session_monitor, self.message_receiver)
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)

    def _lose(self) -> None:
        self.is_lost = True
        self.is_over.set()

    def _note_sign(self) -> None:
        self._last_sign = self._clock.monotonic()
        self._alive()


_END_OF_LINE = (
    aiohttp.WSMsgType.CLOSE,
    aiohttp.WSMsgType.CLOSING,
    aiohttp.WSMsgType.CLOSED,
    aiohttp.WSMsgType.ERROR,
)
