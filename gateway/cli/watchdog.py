"""Notices, from a thread of its own, when the event loop stands still, and says where."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import structlog

from gateway.clock import Clock

log = structlog.get_logger()

_LONGEST = 5.0
_EVERY = 1.0
_FRAMES = 25
"""Of each thread, the innermost."""


class Watchdog:
    """Is told each time that the loop runs; complains once for each time that it does not."""

    def __init__(self, clock: Clock, longest: float = _LONGEST) -> None:
        self._clock = clock
        self._longest = longest
        self._ran_at = clock.monotonic()
        self._is_stalled = False

    def loop_runs(self) -> None:
        now = self._clock.monotonic()
        if self._is_stalled:
            self._is_stalled = False
            log.warning("loop.resumed", seconds=round(now - self._ran_at, 1))
        self._ran_at = now

    def look(self) -> None:
        """Complain if the loop has not run for too long."""
        seconds = self._clock.monotonic() - self._ran_at
        if seconds > self._longest and not self._is_stalled:
            self._is_stalled = True
            log.error("loop.stalled", seconds=round(seconds, 1), stacks=stacks())


@contextmanager
def watching(watchdog: Watchdog, every: float = _EVERY) -> Iterator[None]:
    """Have the running loop watched while the body runs."""
    loop, is_over = asyncio.get_running_loop(), threading.Event()

    def watch() -> None:
        while not is_over.wait(every):
            watchdog.look()
            loop.call_soon_threadsafe(watchdog.loop_runs)

    thread = threading.Thread(target=watch, name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def stacks() -> list[str]:
    """Tell where each thread is, innermost first; no values and no lines of source."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return [
        f"{names.get(ident, ident)}: {' < '.join(_places(frame))}"
        for ident, frame in sys._current_frames().items()  # noqa: SLF001 - the only way to them
    ]


def _places(frame: FrameType | None) -> list[str]:
    places: list[str] = []
    while frame is not None and len(places) < _FRAMES:
        code = frame.f_code
        places.append(f"{code.co_name} ({Path(code.co_filename).name}:{frame.f_lineno})")
        frame = frame.f_back
    return places
