"""The connection to Discord's API; each call is made once.

The SDK's own calls queue and sleep through penalties by themselves, for as long as these take;
here a penalty is told at once, so that the gateway's pace knows of it.
"""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from urllib.request import getproxies

import aiohttp
import discord

from adapters.discord.penalties import Penalties
from gateway.clock import Clock
from gateway.errors import (
    AccountRejected,
    GatewayError,
    RetryLater,
    SendRefused,
    SendUncertain,
)

logging.getLogger("discord").setLevel(logging.ERROR)  # what matters of it is told as `health`

USER_AGENT = f"DiscordBot (https://github.com/Rapptz/discord.py {discord.__version__})"
CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0
_SOON = 1.0
_LONGEST_ANSWER = 32_000_000
WRONG_TOKEN = (
    "Discord refuses the bot's token: copy it anew from discord.com/developers, "  # noqa: S105 - words about one
    "your application, Bot, Reset Token"
)
_TOKEN_OF_AN_INTERACTION = 50027
"""It has run out; the bot's own is as good as before."""
_WORDS = {
    10003: "the channel no longer exists, or the bot may not see it",
    10008: "the message no longer exists",
    40005: "the file is larger than Discord takes here",
    50001: "the bot has no access to this channel or server",
    50005: "the message is not the bot's own",
    50007: "the person takes no direct messages from the bot",
    50013: "the bot lacks a permission here",
    50083: "the thread is archived",
}
"""By Discord's codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes"""
_GONE = {10003, 50007}

Json = Mapping[str, Any]


class SaidNo(SendRefused):
    """Discord refused one call for good."""

    def __init__(self, status: int, code: int, told: str) -> None:
        self.status = status
        self.code = code
        words = _WORDS.get(code, f"Discord refused it: {told or status} ({code})")
        super().__init__(words, is_gone=code in _GONE)


class Rest:
    """One bot's calls. None is made while a penalty for it lasts."""

    def __init__(self, base: str, token: str, clock: Clock) -> None:
        self._base = base
        self._headers = {
            "Authorization": f"Bot {token}",
            "User-Agent": USER_AGENT,
        }
        self._penalties = Penalties(clock)
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RetryLater("the connection is closed", _SOON)
        return self._session

    async def open(self) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30.0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=CONNECT_SECONDS + _ANSWER_SECONDS, connect=CONNECT_SECONDS
                ),
                trust_env=bool(getproxies()),
                # It closes with a code that lets the session be resumed.
                ws_response_class=vars(discord.http)["DiscordClientWebSocketResponse"],
            )

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        form: Callable[[], aiohttp.FormData] | None = None,
        is_repeatable: bool = True,
        **parameters: str,
    ) -> Any:
        """Make one call; `parameters` fill the path, or what follows it.

        Raises `RetryLater`, `SaidNo` and `AccountRejected`; for a call that must not be made
        twice also `SendUncertain`.
        """
        route = f"{method} {path}"
        self._penalties.check(route, parameters)
        filled, query = _filled(path, parameters)
        sent: dict[str, Any] = {"json": body} if body is not None else {}
        if form is not None:
            sent = {"data": form()}
        try:
            async with self.session.request(
                method, self._base + filled, params=query, headers=self._headers, **sent
            ) as answer:
                self._penalties.note(route, parameters, answer.headers)
                return await self._read(route, parameters, answer, is_repeatable=is_repeatable)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Without its cause, which may hold the request with the token in it.
            raise failure(error, is_repeatable=is_repeatable) from None

    async def _read(
        self,
        route: str,
        parameters: Mapping[str, str],
        answer: aiohttp.ClientResponse,
        *,
        is_repeatable: bool,
    ) -> Any:
        if answer.status == HTTPStatus.NO_CONTENT:
            return None
        told = await _json(answer)
        if answer.status < HTTPStatus.BAD_REQUEST and isinstance(told, dict | list):
            return told
        details = told if isinstance(told, dict) else {}
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = self._penalties.refused(route, parameters, answer.headers, details)
            raise RetryLater("Discord asks to wait", seconds)
        code = details.get("code")
        code = code if isinstance(code, int) else 0
        if answer.status == HTTPStatus.UNAUTHORIZED and code != _TOKEN_OF_AN_INTERACTION:
            raise AccountRejected(WRONG_TOKEN)
        is_odd = answer.status < HTTPStatus.BAD_REQUEST or told is _UNREADABLE
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or is_odd:
            raise in_doubt(f"Discord is in trouble ({answer.status})", is_repeatable=is_repeatable)
        raise SaidNo(answer.status, code, str(details.get("message") or ""))


_UNREADABLE = object()


async def _json(answer: aiohttp.ClientResponse) -> Any:
    pieces: list[bytes] = []
    room = _LONGEST_ANSWER
    async for piece in answer.content.iter_any():
        room -= len(piece)
        if room < 0:
            return _UNREADABLE
        pieces.append(piece)
    try:
        return discord.utils._from_json(b"".join(pieces).decode())  # noqa: SLF001 - as the SDK reads it
    except (ValueError, RecursionError):
        return _UNREADABLE


def _filled(path: str, parameters: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    named = {name for name in parameters if f"{{{name}}}" in path}
    quoted = {name: quote(parameters[name], safe="@") for name in named}
    return path.format_map(quoted), {
        name: value for name, value in parameters.items() if name not in named
    }


def failure(error: Exception, *, is_repeatable: bool) -> GatewayError:
    """Tell what a request that got no answer means: whether it can have arrived."""
    if isinstance(
        error,
        aiohttp.ClientConnectorError
        | aiohttp.ClientHttpProxyError
        | aiohttp.ConnectionTimeoutError,
    ):
        return RetryLater(f"Discord cannot be reached ({type(error).__name__})", _SOON)
    words = f"no answer from Discord ({type(error).__name__})"
    return in_doubt(words, is_repeatable=is_repeatable)


def unreadable() -> RetryLater:
    """Tell what an answer of another form than documented means where nothing is changed."""
    return RetryLater("Discord's answer cannot be read", _SOON)


def in_doubt(words: str, *, is_repeatable: bool) -> GatewayError:
    return RetryLater(words, _SOON) if is_repeatable else SendUncertain(words)
