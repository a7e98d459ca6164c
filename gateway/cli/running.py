"""Running the gateway in this process, from the first signal to the last."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from gateway.app import run_gateway
from gateway.cli.watchdog import Watchdog, watching
from gateway.clock import SystemClock
from gateway.settings import GatewaySettings

log = structlog.get_logger()

_OBJECTS_BETWEEN_COLLECTIONS = (20_000, 20, 100)
_BETWEEN_THREADS = 0.0005
"""Seconds after which a busy loop lets the store's threads have a turn; they need many, short."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_to_the_end(settings: GatewaySettings) -> None:
    """Serve until a signal or the end of all input."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(_run(settings))


async def _run(settings: GatewaySettings) -> None:
    until = asyncio.Event()
    with _stopping_on_signals(until), watching(Watchdog(SystemClock())):
        await run_gateway(settings, until=until, on_ready=tune)


def tune() -> None:
    """Set the interpreter up for one loop that serves many people at once.

    The garbage collector walks everything that lives, which takes a tenth of a second with
    hundreds of conversations: it does so less often, and leaves out what was there at the
    start, which lives as long as the process. While the loop is busy, each statement of the
    store's threads waits for its turn, and every message for some of those.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_OBJECTS_BETWEEN_COLLECTIONS)
    sys.setswitchinterval(_BETWEEN_THREADS)


@contextmanager
def _stopping_on_signals(until: asyncio.Event) -> Iterator[None]:
    """Set `until` at the first signal; leave at once at the second."""

    def stop(number: int) -> None:
        if until.is_set():
            # Safe at any moment: what was accepted is on disk, as after a crash.
            log.warning("gateway.aborted")
            os._exit(128 + number)
        until.set()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
