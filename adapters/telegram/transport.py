"""The connection: python-telegram-bot's `Bot` over an HTTP client much lighter than its own.

Says of every failure the one thing that matters: whether the request can have arrived.
"""

import json
import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from urllib.request import getproxies

import aiohttp
from telegram import Bot
from telegram.error import NetworkError, TelegramError
from telegram.request import BaseRequest, RequestData
from typing_extensions import override

for _name in ("telegram", "httpx", "httpcore"):
    # They log addresses with the token in them, and what people write.
    logging.getLogger(_name).setLevel(logging.WARNING)

_CONNECT_SECONDS = 10.0
_SLOW_ANSWER_SECONDS = 10.0
"""Beyond the longest silence, for an answer that comes in drips."""
_KEEP_ALIVE_SECONDS = 30.0
_LONGEST_ANSWER = 32_000_000
_IN_A_HEADER = {ord('"'): "'", ord("\\"): "_", **dict.fromkeys(range(32), " ")}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class NotSent(NetworkError):
    """The request certainly did not reach the server."""


class MaybeSent(NetworkError):
    """The request may have been carried out; its answer is not known."""


class TooLarge(TelegramError):
    """The file has more bytes than were asked for."""


class ServerSaidNo(TelegramError):
    """The server answered, and it was not success."""

    def __init__(self, code: int, answer: bytes) -> None:
        told = _read_refusal(answer)
        self.code = code
        self.description = str(told.get("description") or f"HTTP {code}")
        parameters = told.get("parameters")
        self.parameters: dict[str, Any] = parameters if isinstance(parameters, dict) else {}
        super().__init__(self.description)


def _read_refusal(answer: bytes) -> dict[str, Any]:
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


class Connections(BaseRequest):
    """As many connections as there are requests at once, kept for the next ones."""

    def __init__(self, longest_silence: float) -> None:
        self._longest_silence = longest_silence
        self._session: aiohttp.ClientSession | None = None

    @property
    @override
    def read_timeout(self) -> float:
        return self._longest_silence

    @override
    async def initialize(self) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=bool(getproxies()),
            )

    @override
    async def shutdown(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @override
    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,
        connect_timeout: object = BaseRequest.DEFAULT_NONE,
        pool_timeout: object = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Exchange one request; `read_timeout` bounds upload and answer together."""
        silence = self._longest_silence
        if isinstance(read_timeout, int | float):
            silence = read_timeout
        code, answer = await self._exchange(
            method, url, silence, silence, _LONGEST_ANSWER, **_encode(request_data)
        )
        if code != HTTPStatus.OK:
            raise ServerSaidNo(code, answer)
        return code, answer

    async def download(self, url: str, *, within: float, limit: int) -> bytes:
        code, data = await self._exchange("GET", url, self._longest_silence, within, limit)
        if code != HTTPStatus.OK:
            raise ServerSaidNo(code, data)
        return data

    async def _exchange(
        self, method: str, url: str, silence: float, within: float, limit: int, **body: Any
    ) -> tuple[int, bytes]:
        if self._session is None:
            raise NotSent("the connection is closed")
        timeout = aiohttp.ClientTimeout(
            total=_CONNECT_SECONDS + within + _SLOW_ANSWER_SECONDS,
            connect=_CONNECT_SECONDS,
            sock_read=silence,
        )
        try:
            async with self._session.request(
                method, url, timeout=timeout, allow_redirects=False, **body
            ) as response:
                return response.status, await _read(response, limit)
        except aiohttp.ClientConnectorError as error:
            raise NotSent(str(error)) from error
        except (aiohttp.ClientHttpProxyError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(f"cannot connect ({type(error).__name__})") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Without its cause, which may name the address with the token in it.
            raise MaybeSent(f"no answer ({type(error).__name__})") from None

    @staticmethod
    @override
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read an answer; one that cannot be read is not written to the log."""
        try:
            answer = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise MaybeSent("the answer cannot be read") from error
        if not isinstance(answer, dict) or "result" not in answer:
            raise MaybeSent("the answer holds no result")
        return answer


def _encode(data: RequestData | None) -> dict[str, Any]:
    if data is None:
        return {}
    if not data.contains_files:
        return {"data": urlencode(data.json_parameters).encode(), "headers": _FORM}
    form = aiohttp.MultipartWriter("form-data")
    for field, value in data.json_parameters.items():
        form.append(value, {"Content-Disposition": f'form-data; name="{field}"'})
    for field, (name, content, mime) in data.multipart_data.items():
        # Telegram reads a name as it is written, not percent-encoded and not `filename*`.
        written = name.translate(_IN_A_HEADER)
        place = f'form-data; name="{field}"; filename="{written}"'
        form.append(content, {"Content-Disposition": place, "Content-Type": mime})
    return {"data": form}


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    pieces: list[bytes] = []
    room = limit
    async for piece in response.content.iter_any():
        room -= len(piece)
        if room < 0:
            raise TooLarge(f"more than {limit} bytes")
        pieces.append(piece)
    return b"".join(pieces)


class PlainBot(Bot):
    """Gives answers as the dictionaries they came as.

    Making objects of them would cost as much CPU as the whole exchange.
    """

    async def call(self, method: str, parameters: dict[str, Any], within: float | None) -> Any:
        if within is None:
            return await self._do_post(method, parameters)
        return await self._do_post(method, parameters, read_timeout=within)
