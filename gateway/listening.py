"""A small web server for platforms that call, and for nobody else who does.

Whoever does not prove in time who they are is hung up on, and so is one caller too many. A
body is read up to a limit, and within a time.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus

import structlog
from aiohttp import web

from gateway.clock import Clock
from gateway.errors import ConfigInvalid

log = structlog.get_logger()

_MOST_BYTES = 1_000_000
_TO_PROVE_ITSELF = 10.0
_TO_SEND_A_BODY = 10.0
_TO_ANSWER_AT_THE_END = 5.0
_TO_HEAR_WHY = 0.5
"""Seconds in which a caller that is turned away may go on sending, to read the answer."""

_UNHEARD = logging.getLogger(f"{__name__}.callers")
"""The library writes a traceback for whatever anybody sends that is no request."""
_UNHEARD.setLevel(logging.CRITICAL + 1)

Answer = Callable[[web.BaseRequest], Awaitable[web.Response]]


class NotTaken(Exception):
    """A request that is answered with this status, without being taken."""

    def __init__(self, status: int) -> None:
        self.status = status


class Listener:
    """Listens on one port; an answer may raise `NotTaken`."""

    def __init__(self, listen: str, port: int, clock: Clock, *, setting: str, callers: int) -> None:
        self._listen = listen
        self._clock = clock
        self._setting = setting
        """What an error about the port names."""
        self._callers = callers
        """Connections at most: more than the platform itself opens."""
        self.port = port
        """The port in use: the system chooses one when 0 is asked for."""
        self._unproven: set[web.RequestHandler] = set()

    @asynccontextmanager
    async def serving(self, answer: Answer) -> AsyncIterator[None]:
        """Answer requests for as long as the context lasts.

        Raises:
            ConfigInvalid: the port cannot be had.
        """
        server = web.Server(
            partial(self._answer, answer),
            access_log=None,
            logger=_UNHEARD,
            lingering_time=_TO_HEAR_WHY,
        )
        async with asyncio.TaskGroup() as watches:

            def connect() -> web.RequestHandler:
                caller = server()
                self._unproven.add(caller)
                watches.create_task(self._cut_off(caller, server))
                return caller

            listener = await self._open(connect)
            self.port = listener.sockets[0].getsockname()[1]
            try:
                yield
            finally:
                listener.close()
                server.pre_shutdown()
                await server.shutdown(_TO_ANSWER_AT_THE_END)

    def trust(self, request: web.BaseRequest) -> None:
        """Let the caller stay: it has proved who it is."""
        self._unproven.discard(request.protocol)

    async def read(self, request: web.BaseRequest) -> bytes:
        """Return a request's body; raise `NotTaken` for one that is too large or too slow."""
        if (request.content_length or 0) > _MOST_BYTES:
            raise NotTaken(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            async with self._clock.timeout(_TO_SEND_A_BODY):
                return await request.read()
        except TimeoutError as error:
            raise NotTaken(HTTPStatus.REQUEST_TIMEOUT) from error
        except web.RequestPayloadError as error:
            raise NotTaken(HTTPStatus.BAD_REQUEST) from error

    async def _open(self, connect: Callable[[], web.RequestHandler]) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_server(connect, self._listen, self.port)
        except OSError as error:
            words = f"cannot listen on {self._listen}:{self.port} ({error.strerror})"
            raise ConfigInvalid(self._setting, words) from error

    async def _cut_off(self, caller: web.RequestHandler, server: web.Server) -> None:
        """End a connection that proves nothing in time, or is one too many."""
        others = [one for one in server.connections if one is not caller]
        await self._clock.sleep(_TO_PROVE_ITSELF if len(others) < self._callers else 0)
        if caller in self._unproven:
            self._unproven.discard(caller)
            caller.force_close()

    async def _answer(self, answer: Answer, request: web.BaseRequest) -> web.Response:
        try:
            return await answer(request)
        except NotTaken as refusal:
            response = web.Response(status=refusal.status)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception:
            log.exception("request.failed")
            response = web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        response.force_close()
        return response
