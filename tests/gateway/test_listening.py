"""The web server for platforms that call: what strangers may have written to the log."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.listening import Listener
from tests.fakes.clock import FakeClock

_POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
_GARBAGE = {
    "no version": b"GET / HTTP/9.9\r\n\r\n",
    "no length": _POST + b"Content-Length: zz\r\n\r\n",
    "two lengths": _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no chunk": _POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "no gzip": _POST + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    "a long line": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
    "no web at all": b"\x16\x03\x01\r\n\r\n",
}


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    clock = FakeClock()
    made = Listener("127.0.0.1", 0, clock, setting="port", callers=10)

    async def answer(request: web.BaseRequest) -> web.Response:
        if await made.read(request) == b"fault":
            raise RuntimeError("a fault of ours")
        return web.Response()

    async with made.serving(answer):
        yield made
        await clock.advance(11)  # nobody has proved anything: all are hung up on


async def answered(listener: Listener, request: bytes) -> bytes:
    """Send bytes, and return how the status line of the answer goes on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(request)
    await writer.drain()
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line.split(b" ")[1]


@pytest.mark.threat("T55")
@pytest.mark.parametrize("garbage", _GARBAGE.values(), ids=_GARBAGE)
async def test_t55_what_is_no_request_is_refused_and_leaves_nothing_in_the_log(
    listener: Listener, caplog: pytest.LogCaptureFixture, garbage: bytes
) -> None:
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        assert await answered(listener, garbage) == b"400"
    assert [one for one in caplog.records if one.levelno >= logging.INFO] == []
    assert logs == []


async def test_a_fault_of_ours_is_in_the_log(listener: Listener) -> None:
    with capture_logs() as logs:
        assert await answered(listener, _POST + b"Content-Length: 5\r\n\r\nfault") == b"500"
    assert [line["event"] for line in logs] == ["request.failed"]
    assert await answered(listener, _POST + b"Content-Length: 2\r\n\r\nok") == b"200"
