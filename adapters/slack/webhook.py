"""Being called by Slack: a small server that reads nothing that Slack has not signed."""

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
from gateway.listening import Listener, NotTaken

_MOST_CALLERS = 256
_LONGEST_MOMENT = 12
"""Digits of a time in seconds; far more are no number that can be reckoned with."""

Take = Callable[[str, dict[str, str]], Awaitable[BoltResponse]]
"""Takes the body and the headers of a request that is surely Slack's."""


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
        self._path = settings.path
        self._verifier = SignatureVerifier(secret, _Now(clock))
        self._listener = Listener(
            settings.listen,
            settings.port,
            clock,
            setting=f"adapters.{account}.http.port",
            callers=_MOST_CALLERS,
        )

    @property
    def port(self) -> int:
        return self._listener.port

    @asynccontextmanager
    async def serving(self, take: Take) -> AsyncIterator[None]:
        """Take requests for as long as the context lasts; raises as `Listener.serving`."""
        async with self._listener.serving(partial(self._answer, take)):
            yield

    async def _answer(self, take: Take, request: web.BaseRequest) -> web.Response:
        body = await self._read(request)
        try:
            response = await take(body.decode(), dict(request.headers))
        except (ValueError, TypeError, AttributeError, RecursionError):
            return web.Response(status=HTTPStatus.BAD_REQUEST)
        headers = {name: values[0] for name, values in response.headers.items() if values}
        return web.Response(status=response.status, text=response.body, headers=headers)

    async def _read(self, request: web.BaseRequest) -> bytes:
        if request.path != self._path:
            raise NotTaken(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            raise NotTaken(HTTPStatus.METHOD_NOT_ALLOWED)
        body = await self._listener.read(request)
        if not self._is_signed(request, body):
            raise NotTaken(HTTPStatus.UNAUTHORIZED)
        self._listener.trust(request)
        return body

    def _is_signed(self, request: web.BaseRequest, body: bytes) -> bool:
        """Compare the signature of the bytes as they came, within Slack's five minutes."""
        shown = request.headers.get("X-Slack-Signature", "")
        moment = request.headers.get("X-Slack-Request-Timestamp", "")
        if not (shown.isascii() and moment.isascii() and moment.isdigit()):
            return False
        if len(moment) > _LONGEST_MOMENT:
            return False
        try:
            return self._verifier.is_valid(body, moment, shown)
        except UnicodeDecodeError:
            return False
