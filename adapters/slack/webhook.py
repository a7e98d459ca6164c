"""Being called by Slack: a small server that reads nothing that Slack has not signed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus

from aiohttp import web
from slack_bolt.response import BoltResponse
from slack_sdk.signature import Clock as SignatureClock
from slack_sdk.signature import SignatureVerifier
from typing_extensions import override

from adapters.slack.settings import HttpSettings
from gateway.clock import Clock
from gateway.errors import ConfigInvalid

_MOST_BYTES = 1_000_000
_MOST_CALLERS = 256
_TO_SHOW_A_SIGNATURE = 10.0
_TO_ANSWER_AT_THE_END = 5.0
_TO_HEAR_WHY = 0.5
"""Seconds in which a caller that is turned away may go on sending, to read the answer."""

Take = Callable[[str, dict[str, str]], Awaitable[BoltResponse]]
"""Takes the body and the headers of a request that is surely Slack's."""


class _NotTakenError(Exception):
    """A request that is answered without being taken."""

    def __init__(self, status: int) -> None:
        self.status = status


class _Now(SignatureClock):
    """The gateway's clock, as the SDK asks for one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @override
    def now(self) -> float:
        return self._clock.now()


class EventServer:
    """Listens for one app's events, commands and presses."""

    def __init__(self, account: str, settings: HttpSettings, secret: str, clock: Clock) -> None:
        self._account = account
        self._settings = settings
        self._clock = clock
        self._verifier = SignatureVerifier(secret, _Now(clock))
        self.port = settings.port
        """The port in use: the system chooses one when the settings say 0."""
        self._unproven: set[web.RequestHandler] = set()

    @asynccontextmanager
    async def serving(self, take: Take) -> AsyncIterator[None]:
        """Take requests for as long as the context lasts.

        Raises:
            ConfigInvalid: the port cannot be had.
        """
        server = web.Server(
            partial(self._answer, take), access_log=None, lingering_time=_TO_HEAR_WHY
        )
        async with asyncio.TaskGroup() as watches:

            def connect() -> web.RequestHandler:
                caller = server()
                self._unproven.add(caller)
                watches.create_task(self._cut_off(caller, server))
                return caller

            listener = await self._listen(connect)
            self.port = listener.sockets[0].getsockname()[1]
            try:
                yield
            finally:
                listener.close()
                server.pre_shutdown()
                await server.shutdown(_TO_ANSWER_AT_THE_END)

    async def _listen(self, connect: Callable[[], web.RequestHandler]) -> asyncio.Server:
        where = self._settings
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_server(connect, where.listen, where.port)
        except OSError as error:
            raise ConfigInvalid(
                f"adapters.{self._account}.http.port",
                f"cannot listen on {where.listen}:{where.port} ({error.strerror})",
            ) from error

    async def _cut_off(self, caller: web.RequestHandler, server: web.Server) -> None:
        """End a connection that shows no signature in time, or is one too many."""
        others = [one for one in server.connections if one is not caller]
        await self._clock.sleep(_TO_SHOW_A_SIGNATURE if len(others) < _MOST_CALLERS else 0)
        if caller in self._unproven:
            self._unproven.discard(caller)
            caller.force_close()

    async def _answer(self, take: Take, request: web.BaseRequest) -> web.Response:
        try:
            body = await self._read(request)
            response = await take(body, dict(request.headers))
        except _NotTakenError as refusal:
            answer = web.Response(status=refusal.status)
            answer.force_close()
            return answer
        except (ValueError, TypeError, AttributeError, RecursionError):
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        headers = {name: values[0] for name, values in response.headers.items() if values}
        return web.Response(status=response.status, text=response.body, headers=headers)

    async def _read(self, request: web.BaseRequest) -> str:
        if request.path != self._settings.path:
            raise _NotTakenError(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            raise _NotTakenError(HTTPStatus.METHOD_NOT_ALLOWED)
        if (request.content_length or 0) > _MOST_BYTES:
            raise _NotTakenError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            async with self._clock.timeout(_TO_SHOW_A_SIGNATURE):
                body = await request.read()
        except TimeoutError as error:
            raise _NotTakenError(HTTPStatus.REQUEST_TIMEOUT) from error
        if not self._is_signed(request, body):
            raise _NotTakenError(HTTPStatus.UNAUTHORIZED)
        self._unproven.discard(request.protocol)
        return body.decode()

    def _is_signed(self, request: web.BaseRequest, body: bytes) -> bool:
        """Compare the signature of the bytes as they came, within Slack's five minutes."""
        shown = request.headers.get("X-Slack-Signature", "")
        moment = request.headers.get("X-Slack-Request-Timestamp", "")
        if not (shown.isascii() and moment.isascii() and moment.isdigit()):
            return False
        try:
            return self._verifier.is_valid(body, moment, shown)
        except UnicodeDecodeError:
            return False
