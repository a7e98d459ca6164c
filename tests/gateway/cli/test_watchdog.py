"""A loop that stands still is noticed, and where it stood is told."""

import asyncio
import threading
import time

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from gateway.cli.watchdog import Watchdog, stacks, watching
from gateway.clock import SystemClock
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.promise("R16")


async def test_a_stall_is_told_once_and_so_is_its_end() -> None:
    clock = FakeClock()
    watchdog = Watchdog(clock)
    with capture_logs() as logs:
        await clock.advance(5.0)
        watchdog.look()
        assert logs == []
        await clock.advance(0.5)
        watchdog.look()
        await clock.advance(60.0)
        watchdog.look()
        watchdog.loop_runs()
        watchdog.look()
        watchdog.loop_runs()
    assert [(line["event"], line["seconds"]) for line in logs] == [
        ("loop.stalled", 5.5),
        ("loop.resumed", 65.5),
    ]


async def test_each_stall_is_told() -> None:
    clock = FakeClock()
    watchdog = Watchdog(clock)
    with capture_logs() as logs:
        for _ in range(2):
            await clock.advance(6.0)
            watchdog.look()
            watchdog.loop_runs()
    assert [line["event"] for line in logs] == ["loop.stalled", "loop.resumed"] * 2


async def test_a_real_loop_that_is_held_up_is_found_where_it_hangs() -> None:
    stalled = threading.Event()

    class Told(Watchdog):
        @override
        def look(self) -> None:
            super().look()
            if self._is_stalled:
                stalled.set()

    def hold_up(password: str) -> None:
        assert password
        assert stalled.wait(20.0)

    with capture_logs() as logs, watching(Told(SystemClock(), 0.2), every=0.02):
        hold_up("hunter22")
        while len(logs) < 2:
            await asyncio.sleep(0.01)
    first, last = logs
    assert (first["event"], last["event"]) == ("loop.stalled", "loop.resumed")
    (main,) = [line for line in first["stacks"] if line.startswith("MainThread: ")]
    assert " < hold_up (test_watchdog.py:" in main
    assert "hunter22" not in repr(logs)


async def test_a_loop_that_runs_is_left_in_peace() -> None:
    with capture_logs() as logs, watching(Watchdog(SystemClock(), 20.0), every=0.005):
        began = time.monotonic()
        while time.monotonic() - began < 0.1:
            await asyncio.sleep(0.01)
    assert logs == []
    assert not any(thread.name == "watchdog" for thread in threading.enumerate())


def test_stacks_tell_of_every_thread() -> None:
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait, name="sleeper")
    thread.start()
    try:
        assert any(line.startswith("sleeper: wait (threading.py:") for line in stacks())
    finally:
        gate.set()
        thread.join()
