"""A clock that tests move by hand."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_SETTLE_ROUNDS = 50


class FakeClock:
    """Starts at a fixed moment; `advance` wakes sleepers in order of their time."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start
        self._start = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._watchers: list[asyncio.Future[None]] = []

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now - self._start

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake = asyncio.get_running_loop().create_future()
        self._add(seconds, wake)
        await wake

    @asynccontextmanager
    async def timeout(self, seconds: float | None) -> AsyncIterator[None]:
        """Cancel the body and raise `TimeoutError` once the clock is moved past `seconds`."""
        if seconds is None:
            yield
            return
        async with asyncio.timeout(None) as scope:
            loop = asyncio.get_running_loop()
            wake: asyncio.Future[None] = loop.create_future()
            is_over = False
            wake.add_done_callback(
                lambda done: None if is_over or done.cancelled() else scope.reschedule(loop.time())
            )
            self._add(seconds, wake)
            try:
                yield
            finally:
                is_over = True
                wake.cancel()

    @property
    def sleeping(self) -> int:
        """Count those who wait for this clock."""
        return sum(not wake.done() for _, _, wake in self._sleepers)

    async def until_sleeping(self, count: int = 1) -> None:
        """Wait until so many wait for this clock: then it can be moved on."""
        while self.sleeping < count:
            watcher = asyncio.get_running_loop().create_future()
            self._watchers.append(watcher)
            await watcher

    async def advance(self, seconds: float) -> None:
        """Move time on, stopping at each sleeper's moment, and let everyone run."""
        until = self._now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            self._now, _, wake = heapq.heappop(self._sleepers)
            if not wake.done():
                wake.set_result(None)
                await self.settle()
        self._now = until
        await self.settle()

    def _add(self, seconds: float, wake: "asyncio.Future[None]") -> None:
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), wake))
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    async def settle(self) -> None:
        """Let ready tasks run; real sockets and threads need a wait on their own result."""
        for _ in range(_SETTLE_ROUNDS):
            await asyncio.sleep(0)
