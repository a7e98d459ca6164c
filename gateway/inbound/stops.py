"""Stopping turns: what `/stop` does, whatever the turn is busy with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.contracts.stores import Kept
from gateway.errors import TurnStopped
from gateway.ids import AgentId, Lane
from gateway.inbound.postponed import Postponed
from gateway.pools.pool import Pool


class Stops:
    """Knows which lanes have a turn at work, and which of these are to stop."""

    def __init__(self, pool_of: Callable[[AgentId], Pool | None], postponed: Postponed) -> None:
        self._pool_of = pool_of
        self._postponed = postponed
        self._working: dict[Lane, AgentId] = {}
        self._asked: set[Lane] = set()

    async def stop(self, session_key: str) -> bool:
        """Have the key's turn end; False when there is none."""
        lane = Lane(session_key)
        if lane in self._working:
            self._asked.add(lane)
            await self._stop_in_pool(session_key, self._working[lane])
            return True
        if self._postponed.release_lane(lane):
            self._asked.add(lane)
            return True
        return False

    async def _stop_in_pool(self, session_key: str, agent: AgentId) -> None:
        pool = self._pool_of(agent)
        session = None if pool is None else await pool.active_session(session_key)
        if pool is not None and session is not None:
            await pool.stop(session.id)

    @contextmanager
    def working(self, kept: Kept) -> Iterator[None]:
        """Mark a turn as stoppable while the body runs."""
        self._working[kept.lane] = kept.agent
        try:
            yield
        finally:
            del self._working[kept.lane]
            self._asked.discard(kept.lane)

    def heed(self, kept: Kept) -> None:
        """Raise `TurnStopped` if the turn was asked to stop before the pool knew of it."""
        if self.is_asked(kept):
            raise TurnStopped

    def is_asked(self, kept: Kept) -> bool:
        return kept.lane in self._asked
