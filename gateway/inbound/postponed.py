"""Lanes whose oldest message waits for the model to come back."""

import asyncio

from gateway.clock import Clock
from gateway.contracts.inbox import Kept
from gateway.ids import AgentId, Lane

_SOONEST = 5.0
_LATEST = 60.0
_LONGEST_WAIT = 300.0
"""Whatever a server asks for, and whichever way the clock is set."""


class Postponed:
    """Wakes each lane at its time, or at once when its agent's model answers again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[Lane, tuple[Kept, asyncio.Event]] = {}

    def next_try(self, first_try: float, asked: float | None) -> float:
        """Return when to try again: ever later the longer it lasts, as the server asked."""
        now = self._clock.now()
        pause = min(max((now - first_try) / 4, _SOONEST), _LATEST)
        return now + max(pause, asked or 0.0)

    def after(self, seconds: float) -> float:
        """Return when to try again what was asked to wait for so long."""
        return self._clock.now() + seconds

    def expect(self, kept: Kept) -> None:
        """Know of a message that is about to wait, so that it can be released even now."""
        self._waiting[kept.lane] = kept, asyncio.Event()

    async def wait(self, kept: Kept) -> None:
        """Return when the message may be tried: at its time, or when it is released."""
        seconds = min(kept.not_before - self._clock.now(), _LONGEST_WAIT)
        if seconds <= 0:
            self._waiting.pop(kept.lane, None)
            return
        _, woken = self._waiting.setdefault(kept.lane, (kept, asyncio.Event()))
        try:
            async with self._clock.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            pass
        finally:
            del self._waiting[kept.lane]

    def is_waiting(self, lane: Lane) -> bool:
        """Say whether the lane's message waits, or is about to."""
        return lane in self._waiting

    def release_agent(self, agent: AgentId) -> None:
        """The agent's model has answered: whoever waits for it may go."""
        for kept, woken in self._waiting.values():
            if kept.agent == agent:
                woken.set()

    def release_all(self) -> None:
        for _, woken in self._waiting.values():
            woken.set()

    def waiting_in(self, lane: Lane) -> Kept | None:
        """Return what waits in a lane, or is about to; None when nothing does."""
        waiting = self._waiting.get(lane)
        return None if waiting is None else waiting[0]

    def release_lane(self, lane: Lane) -> None:
        """Let what waits in one lane go."""
        if (waiting := self._waiting.get(lane)) is not None:
            waiting[1].set()
