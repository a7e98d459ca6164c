"""Watching over one turn: it ends when it is done, stopped, left or out of time."""

import asyncio
from asyncio import FIRST_COMPLETED, CancelledError
from contextlib import suppress
from typing import Any

import structlog

from gateway.clock import Clock
from gateway.errors import (
    ChatTimeout,
    LaneLost,
    ProviderUnavailable,
    RetryLater,
    TurnStopped,
)
from gateway.pools.stream import TurnStream
from gateway.pools.work import TurnWork

log = structlog.get_logger()

_GRACE = 5.0
"""How long work that is to end may take to clean up before it is left to itself."""
_TRIED_AGAIN = (CancelledError, RetryLater, ProviderUnavailable, LaneLost)
"""Ends after which the same turn is gone on with: they leave no half-said text behind."""


class _Left(Exception):
    """The reader closed the stream."""


class RunningTurn:
    """One turn at work. However it ends, the session is free before the reader knows."""

    def __init__(self, work: TurnWork, clock: Clock, time_limit: float) -> None:
        self.stream = TurnStream(self._leave)
        self._work = work
        self._clock = clock
        self._time_limit = time_limit
        self._asked: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        """Resolved with the reason, once the turn is asked to end."""
        self._task: asyncio.Task[BaseException | None] | None = None

    def start(self, tasks: asyncio.TaskGroup) -> "asyncio.Task[BaseException | None]":
        self._task = tasks.create_task(self._watch())
        return self._task

    async def stop(self) -> None:
        """End the turn for its user; return once its text is kept."""
        self._ask_end(TurnStopped())
        await self.ended()

    def interrupt(self) -> None:
        """Begin to end the turn as a crash would: it can be gone on with."""
        self._ask_end(CancelledError())

    async def ended(self) -> None:
        """Return once the turn has ended, however it does."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _leave(self) -> None:
        reader = asyncio.current_task()
        is_cancelled = reader is not None and reader.cancelling() > 0
        self._ask_end(CancelledError() if is_cancelled else _Left())
        await self.ended()

    def _ask_end(self, reason: BaseException) -> None:
        if not self._asked.done():
            self._asked.set_result(reason)

    async def _watch(self) -> BaseException | None:
        """Return the error that ended the turn, once the text that goes with it is kept."""
        work = asyncio.create_task(self._work.run(self.stream.put))
        try:
            error = await self._end_of(work)
        except CancelledError:
            await self._halt(work)
            raise
        if not isinstance(error, _TRIED_AGAIN):
            try:
                await self._work.keep_partial()
            except Exception as lost:  # noqa: BLE001 - the reader is told instead
                return lost
        return error

    async def _end_of(self, work: "asyncio.Task[None]") -> BaseException | None:
        either: set[asyncio.Future[Any]] = {work, self._asked}
        try:
            async with self._clock.timeout(self._time_limit):
                await asyncio.wait(either, return_when=FIRST_COMPLETED)
        except TimeoutError:
            await self._halt(work)
            return ChatTimeout(f"the turn took longer than {self._time_limit:g} seconds")
        if not work.done():
            await self._halt(work)
            return self._asked.result()
        if work.cancelled():
            return RuntimeError("the runner cancelled its own turn")
        return work.exception()

    async def _halt(self, work: "asyncio.Task[None]") -> None:
        work.add_done_callback(_note_failure)
        self._work.halt(work)
        with suppress(TimeoutError):
            async with self._clock.timeout(_GRACE):
                await asyncio.wait({work})
        if not work.done():
            work.cancel()
            log.error("turn.abandoned", seconds=_GRACE)


def _note_failure(work: "asyncio.Task[None]") -> None:
    if not work.cancelled() and (error := work.exception()) is not None:
        log.warning("turn.cleanup_failed", exc_info=error)
