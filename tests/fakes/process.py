"""Running a fake in a process of its own, for benchmarks and kill tests."""

import argparse
import asyncio
import signal
import sys
from typing import Protocol

import uvloop

from tests.fakes.model import FakeModelServer, Pace
from tests.fakes.web import FakeServer


class MakeModelServer(Protocol):
    """A fake model server's class."""

    def __call__(self, *, key: str, port: int, pieces: int) -> FakeModelServer: ...


def run_model_server(make: MakeModelServer) -> None:
    """Serve until SIGTERM; the first line of output is the address."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--key", default="sk-test")
    options.add_argument("--pieces", type=int, default=4, help="pieces of one answer")
    options.add_argument("--latency", type=float, default=0.0, help="seconds to the first piece")
    options.add_argument("--between", type=float, default=0.0, help="seconds between pieces")
    given = options.parse_args()
    server = make(key=given.key, port=given.port, pieces=given.pieces)
    server.pace = Pace(given.latency, given.between)
    run(server)


def run(server: FakeServer) -> None:
    """Serve until SIGTERM or SIGINT; print the address once it answers."""
    uvloop.run(_serve(server))


async def _serve(server: FakeServer) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await stop.wait()
