"""Stopping turns: what `/stop` does, whatever the turn is busy with."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from gateway.contracts.inbox import Kept
from gateway.errors import TurnStopped
from gateway.ids import AgentId, Lane
from gateway.inbound.postponed import Postponed
from gateway.pools.pool import Pool

T = TypeVar("T")


class Stops:
    """Knows which lanes have a turn at work, and which of these are to stop."""

    def __init__(self, pool_of: Callable[[AgentId], Pool | None], postponed: Postponed) -> None:
        self._pool_of = pool_of
        self._postponed = postponed
        self._working: dict[Lane, Kept] = {}
        self._tasks: dict[Lane, asyncio.Task[Any]] = {}
        """Work that is cut short by a stop, as no pool has it."""
        self._asked: dict[Lane, int] = {}
        """Numbers of messages; one that is put off meanwhile is stopped when it is next tried."""

    async def stop(self, session_key: str) -> bool:
        """Have the key's turn end; False when there is none."""
        lane = Lane(session_key)
        put_off = self._postponed.release_lane(lane)
        kept = self._working.get(lane) or put_off
        if kept is None:
            return False
        self._asked[lane] = kept.number
        if (task := self._tasks.get(lane)) is not None:
            task.cancel()
        await self._stop_in_pool(session_key, kept.agent)
        return True

    async def _stop_in_pool(self, session_key: str, agent: AgentId) -> None:
        pool = self._pool_of(agent)
        session = None if pool is None else await pool.active_session(session_key)
        if pool is not None and session is not None:
            await pool.stop(session.id)

    @contextmanager
    def working(self, kept: Kept) -> Iterator[None]:
        """Mark a turn as stoppable while the body runs."""
        self._working[kept.lane] = kept
        if not self.is_asked(kept):
            self._asked.pop(kept.lane, None)
        try:
            yield
        finally:
            del self._working[kept.lane]

    async def stoppable(self, kept: Kept, work: Coroutine[Any, Any, T]) -> T:
        """Do work of a turn outside its pool; raise `TurnStopped` if the turn is to stop."""
        task = asyncio.create_task(work)
        if self.is_asked(kept):
            task.cancel()
        self._tasks[kept.lane] = task
        try:
            await asyncio.wait({task})
        finally:
            del self._tasks[kept.lane]
            task.cancel()
            await asyncio.wait({task})
        if task.cancelled():
            self.heed(kept)
        return task.result()

    def heed(self, kept: Kept) -> None:
        """Raise `TurnStopped` if the turn was asked to stop before the pool knew of it."""
        if self.is_asked(kept):
            raise TurnStopped

    def is_asked(self, kept: Kept) -> bool:
        return self._asked.get(kept.lane) == kept.number
