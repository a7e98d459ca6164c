"""Stopping turns: what `/stop` does, whatever the turn is busy with."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from gateway.clock import Clock
from gateway.contracts.inbox import Kept
from gateway.errors import TurnStopped
from gateway.ids import AgentId, ExternalUser, Lane, PlatformName, SessionId
from gateway.inbound.postponed import Postponed
from gateway.pools.pool import Pool

T = TypeVar("T")

_PATIENCE = 10.0
"""Seconds for which a stop waits for what it ends."""


class Stops:
    """Knows which lanes have a turn at work, and which of these are to stop."""

    def __init__(
        self,
        pool_of: Callable[[AgentId], Pool | None],
        postponed: Postponed,
        lanes_of: Callable[[str], Awaitable[Sequence[Lane]]],
        clock: Clock,
    ) -> None:
        self._pool_of = pool_of
        self._lanes_of = lanes_of
        self._clock = clock
        self._postponed = postponed
        self._working: dict[Lane, Kept] = {}
        self._over: dict[Lane, asyncio.Event] = {}
        self._ending: dict[str, dict[Lane, asyncio.Event]] = {}
        """By session key: turns that were asked to stop, until who asked has seen them over."""
        self._tasks: dict[Lane, asyncio.Task[Any]] = {}
        """Work that is cut short by a stop, as no pool has it."""
        self._sessions: dict[Lane, SessionId] = {}
        self._asked: dict[Lane, int] = {}
        """Numbers of messages; one that is put off meanwhile is stopped when it is next tried."""

    async def stop(self, by: Kept) -> bool:
        """Have the turn of its key end that a message is meant to stop; False when there is none.

        What was asked after it is not meant, though it is at work when a kill has this done again.
        """
        key = by.session_key
        # A turn that began before its session had this key is in a lane of another name.
        lanes = {Lane(key), *await self._lanes_of(key)}
        stopped = [lane for lane in lanes if await self._stop_lane(lane, before=by.number)]
        self._ending[key] = {lane: self._over[lane] for lane in stopped if lane in self._over}
        return bool(stopped)

    async def see_over(self, kept: Kept) -> None:
        """Return once the turn that this message stopped, if it did, has ended.

        Until then only this process knows of the stop: a message that is not done is taken
        again after a kill, and stops it again. A turn that cannot deliver its last words is
        not waited for.
        """
        ending = self._ending.get(kept.session_key, {})
        if kept.lane in ending:
            return
        self._ending.pop(kept.session_key, None)
        with suppress(TimeoutError):
            async with self._clock.timeout(_PATIENCE):
                for over in ending.values():
                    await over.wait()

    async def release(self, session_key: str) -> None:
        """Let the key's message go that waits for a model."""
        for lane in {Lane(session_key), *await self._lanes_of(session_key)}:
            self._postponed.release_lane(lane)

    async def stop_sender(self, platform: PlatformName, user: ExternalUser) -> None:
        """Have every turn end that somebody began directly: their standing has changed."""
        for lane, kept in list(self._working.items()):
            address = kept.message.address
            is_theirs = (address.platform, address.external_user) == (platform, user)
            if is_theirs and address.place.is_direct and lane == kept.session_key:
                await self._stop_lane(lane, before=None)

    def are_at_work_for(self, accounts: Collection[str]) -> bool:
        """Say whether a turn is at work that one of these accounts (`platform:user`) began."""
        return any(kept.message.address.identity in accounts for kept in self._working.values())

    async def _stop_lane(self, lane: Lane, *, before: int | None) -> bool:
        kept = self._working.get(lane) or self._postponed.waiting_in(lane)
        if kept is None or (before is not None and kept.number > before):
            return False
        self._postponed.release_lane(lane)
        self._asked[lane] = kept.number
        if (task := self._tasks.get(lane)) is not None:
            task.cancel()
        session, pool = self._sessions.get(lane), self._pool_of(kept.agent)
        if pool is not None and session is not None:
            await pool.stop(session)
        return True

    def is_in(self, kept: Kept, session: SessionId) -> None:
        """Know the session of a turn that is about to be its pool's."""
        self._sessions[kept.lane] = session

    @contextmanager
    def working(self, kept: Kept) -> Iterator[None]:
        """Mark a turn as stoppable while the body runs.

        That it was asked to stop is forgotten with its end: it may be asked again by `/retry`.
        """
        self._working[kept.lane] = kept
        over = self._over[kept.lane] = asyncio.Event()
        if not self.is_asked(kept):
            self._asked.pop(kept.lane, None)
        try:
            yield
            if self.is_asked(kept) and not self._postponed.is_waiting(kept.lane):
                del self._asked[kept.lane]
        finally:
            del self._working[kept.lane], self._over[kept.lane]
            over.set()
            self._sessions.pop(kept.lane, None)

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
