"""Being told of updates: a small server that says 200 only once an update is kept."""

import asyncio
import hmac
import json
import math
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from adapters.telegram.polling import Take
from adapters.telegram.settings import WebhookSettings
from gateway.clock import Clock
from gateway.errors import ConfigInvalid, RetryLater

_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
_MOST_BYTES = 1_000_000
_DEEPEST = 64
_MOST_CALLERS = 128
"""Telegram itself opens at most 100 connections."""
_TO_SHOW_THE_SECRET = 10.0
_TO_SEND_AN_UPDATE = 10.0
_TO_ANSWER_AT_THE_END = 5.0
_TO_HEAR_WHY = 0.5
"""Seconds in which a caller that is turned away may go on sending, to read the answer."""


class _NotTakenError(Exception):
    """A request that is answered without being taken."""

    def __init__(self, status: int) -> None:
        self.status = status


class WebhookServer:
    """Listens for one bot's updates. What a caller without the secret says is not read."""

    def __init__(self, account: str, settings: WebhookSettings, clock: Clock) -> None:
        self._account = account
        self._settings = settings
        self._clock = clock
        self._path = settings.path or urlsplit(settings.url).path or "/"
        self.secret = (
            settings.secret.get_secret_value() if settings.secret else secrets.token_urlsafe(32)
        )
        self.port = settings.port
        """The port in use: the system chooses one when the settings say 0."""
        self._unproven: set[web.RequestHandler] = set()

    @asynccontextmanager
    async def serving(self, take: Take) -> AsyncIterator[None]:
        """Take updates for as long as the context lasts.

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
                f"adapters.{self._account}.webhook.port",
                f"cannot listen on {where.listen}:{where.port} ({error.strerror})",
            ) from error

    async def _cut_off(self, caller: web.RequestHandler, server: web.Server) -> None:
        """End a connection that shows no secret in time, or is one too many."""
        others = [one for one in server.connections if one is not caller]
        await self._clock.sleep(_TO_SHOW_THE_SECRET if len(others) < _MOST_CALLERS else 0)
        if caller in self._unproven:
            self._unproven.discard(caller)
            caller.force_close()

    async def _answer(self, take: Take, request: web.BaseRequest) -> web.Response:
        try:
            self._check(request)
            await take(await self._read(request))
        except _NotTakenError as refusal:
            answer = web.Response(status=refusal.status)
            answer.force_close()
            return answer
        except RetryLater as trouble:
            wait = str(math.ceil(trouble.after))
            return web.Response(
                status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": wait}
            )
        return web.Response()

    def _check(self, request: web.BaseRequest) -> None:
        shown = request.headers.get(_SECRET_HEADER, "")
        if not hmac.compare_digest(shown.encode("utf-8", "replace"), self.secret.encode()):
            raise _NotTakenError(HTTPStatus.UNAUTHORIZED)
        self._unproven.discard(request.protocol)
        if request.path != self._path:
            raise _NotTakenError(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            raise _NotTakenError(HTTPStatus.METHOD_NOT_ALLOWED)

    async def _read(self, request: web.BaseRequest) -> dict[str, Any]:
        if (request.content_length or 0) > _MOST_BYTES:
            raise _NotTakenError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            async with self._clock.timeout(_TO_SEND_AN_UPDATE):
                update = json.loads(await request.read())
        except TimeoutError as error:
            raise _NotTakenError(HTTPStatus.REQUEST_TIMEOUT) from error
        except (ValueError, RecursionError) as error:
            raise _NotTakenError(HTTPStatus.BAD_REQUEST) from error
        if not isinstance(update, dict) or _is_deeper(update, _DEEPEST):
            raise _NotTakenError(HTTPStatus.BAD_REQUEST)
        return update


def _is_deeper(value: object, depth: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return depth == 0 or any(_is_deeper(part, depth - 1) for part in value)
