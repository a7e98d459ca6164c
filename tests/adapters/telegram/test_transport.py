"""The connection itself, against servers that speak no Bot API or no HTTP at all."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from telegram.request import RequestData

from adapters.telegram.transport import Connections, MaybeSent, NotSent, PlainBot, ServerSaidNo

TOKEN = "123456:SECRET-TOKEN"


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """Serve these very bytes to whoever connects."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def call(address: str) -> object:
    connections = Connections(5.0)
    bot = PlainBot(TOKEN, f"{address}/bot", request=connections, get_updates_request=connections)
    await connections.initialize()
    try:
        return await bot.call("sendMessage", {"chat_id": 1, "text": "private words"}, None)
    finally:
        await connections.shutdown()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 20_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    ],
    ids=lambda answer: repr(answer[:40]),
)
async def test_t45_a_broken_answer_is_uncertain_and_shows_no_token(answer: bytes) -> None:
    async with answering(answer) as address:
        with pytest.raises(MaybeSent) as raised:
            await call(address)
    told = "".join(traceback.format_exception(raised.value))
    assert TOKEN not in told
    assert "private words" not in str(raised.value)


async def test_t45_a_server_that_is_not_there_is_named_without_the_token() -> None:
    async with answering(b"") as address:
        pass
    with pytest.raises(NotSent, match=r"127\.0\.0\.1") as raised:
        await call(address)
    assert TOKEN not in "".join(traceback.format_exception(raised.value))


async def test_a_redirect_is_not_followed_with_the_token_in_hand() -> None:
    elsewhere = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    async with answering(elsewhere) as address:
        with pytest.raises(ServerSaidNo) as raised:
            await call(address)
    assert raised.value.code == 302


async def test_a_closed_connection_sends_nothing() -> None:
    with pytest.raises(NotSent):
        await Connections(5.0).do_request("http://127.0.0.1:1", "POST", RequestData())


def test_t45_libraries_that_log_addresses_are_quiet() -> None:
    for name in ("telegram.Bot", "httpx", "httpcore.http11"):
        assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING
