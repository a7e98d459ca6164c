"""The in-process dispatcher: one task for each lane that has work."""

import asyncio
from collections.abc import Sequence

import structlog

from gateway.clock import Clock
from gateway.errors import AccountRejected, RetryLater, StoreFailed
from gateway.ids import Lane
from gateway.inbound.drain import Drain
from gateway.inbound.postponed import Postponed

log = structlog.get_logger()

_AFTER_A_BUG = 5.0


class Dispatcher:
    """Wakes lanes; two wakes of one lane never drain it twice at once."""

    def __init__(self, drain: Drain, tasks: asyncio.TaskGroup, clock: Clock) -> None:
        self._drain = drain
        self._tasks = tasks
        self._clock = clock
        self._working: dict[Lane, asyncio.Task[None]] = {}
        self._woken: set[Lane] = set()
        self._is_closing = False

    def wake(self, lane: Lane) -> None:
        """Have the lane drained, now or again when its present drain ends."""
        if self._is_closing:
            return
        if lane in self._working:
            self._woken.add(lane)
        else:
            self._working[lane] = self._tasks.create_task(self._work(lane))

    async def _work(self, lane: Lane) -> None:
        try:
            while True:
                self._woken.discard(lane)
                await self._drain_once(lane)
                if lane not in self._woken:
                    return
        finally:
            del self._working[lane]

    async def _drain_once(self, lane: Lane) -> None:
        """Drain, and survive what goes wrong: a lane's trouble is no other lane's."""
        try:
            await self._drain.drain(lane)
        except StoreFailed:
            raise
        except AccountRejected as rejection:
            # What waits is answered once the account is mended and the gateway restarted.
            log.warning("lane.left", reason=str(rejection))
        except RetryLater as pause:
            log.warning("lane.paused", reason=str(pause), seconds=pause.after)
            await self._pause(lane, pause.after)
        except Exception:
            log.exception("lane.failed")
            await self._pause(lane, _AFTER_A_BUG)

    async def _pause(self, lane: Lane, seconds: float) -> None:
        self._woken.add(lane)
        await self._clock.sleep(seconds)

    async def idle(self) -> None:
        """Return once no lane has work."""
        while self._working:
            await asyncio.wait(list(self._working.values()))

    async def idle_but_for(self, postponed: Postponed, patience: float) -> None:
        """Return once no lane has work, or all that is left has waited so long for a model."""
        while self._working:
            try:
                async with self._clock.timeout(patience):
                    await self.idle()
            except TimeoutError:
                if all(map(postponed.is_waiting, self._working)):
                    return

    async def close(self, patience: float) -> Sequence[Lane]:
        """Start no more drains, give running ones time, then interrupt; return the cut."""
        self._is_closing = True
        self._drain.stop()
        try:
            async with self._clock.timeout(patience):
                await self.idle()
        except TimeoutError:
            pass
        cut = list(self._working.items())
        for _, task in cut:
            task.cancel()
        await asyncio.gather(*(task for _, task in cut), return_exceptions=True)
        return [lane for lane, _ in cut]
