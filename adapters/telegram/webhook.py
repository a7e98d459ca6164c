"""Being told of updates: a small server that says 200 only once an update is kept."""

import hmac
import json
import math
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from adapters.telegram.polling import Take
from adapters.telegram.settings import WebhookSettings
from gateway.clock import Clock
from gateway.errors import RetryLater
from gateway.listening import Listener, NotTaken

log = structlog.get_logger()

_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
_DEEPEST = 64
_MOST_CALLERS = 128
"""Telegram itself opens at most 100 connections."""


class WebhookServer:
    """Listens for one bot's updates. What a caller without the secret says is not read."""

    def __init__(self, account: str, settings: WebhookSettings, clock: Clock) -> None:
        self._path = settings.path or urlsplit(settings.url).path or "/"
        self.secret = (
            settings.secret.get_secret_value() if settings.secret else secrets.token_urlsafe(32)
        )
        self._listener = Listener(
            settings.listen,
            settings.port,
            clock,
            setting=f"adapters.{account}.webhook.port",
            callers=_MOST_CALLERS,
        )

    @property
    def port(self) -> int:
        return self._listener.port

    @asynccontextmanager
    async def serving(self, take: Take) -> AsyncIterator[None]:
        """Take updates for as long as the context lasts; raises as `Listener.serving`."""
        async with self._listener.serving(partial(self._answer, take)):
            yield

    async def _answer(self, take: Take, request: web.BaseRequest) -> web.Response:
        self._check(request)
        update = _update(await self._listener.read(request))
        if update is None:
            log.warning("update.skipped", error="TooDeep")
            return web.Response()
        try:
            await take([update])
        except RetryLater as trouble:
            wait = str(math.ceil(trouble.after))
            return web.Response(
                status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": wait}
            )
        return web.Response()

    def _check(self, request: web.BaseRequest) -> None:
        shown = request.headers.get(_SECRET_HEADER, "")
        if not hmac.compare_digest(shown.encode("utf-8", "replace"), self.secret.encode()):
            raise NotTaken(HTTPStatus.UNAUTHORIZED)
        self._listener.trust(request)
        if request.path != self._path:
            raise NotTaken(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            raise NotTaken(HTTPStatus.METHOD_NOT_ALLOWED)


def _update(body: bytes) -> dict[str, Any] | None:
    """Read an update; one that is too deep is none, and is not to be told again."""
    try:
        update = json.loads(body)
    except RecursionError:
        return None
    except ValueError as error:
        raise NotTaken(HTTPStatus.BAD_REQUEST) from error
    if not isinstance(update, dict):
        raise NotTaken(HTTPStatus.BAD_REQUEST)
    return None if _is_deeper(update, _DEEPEST) else update


def _is_deeper(value: object, depth: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return depth == 0 or any(_is_deeper(part, depth - 1) for part in value)
