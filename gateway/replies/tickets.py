"""So many calls in so many seconds, each counted from its end."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.clock import Clock

_BUSY = 0.2


class Tickets:
    """For servers that punish one call too many: they count arrivals, which nobody here sees.

    A call arrives between its beginning and its end. As a ticket is good again only some
    time after its call has ended, no span of that time holds more arrivals than there are
    tickets, however late the loop is and however slow the network.
    """

    def __init__(self, calls: float, seconds: float, clock: Clock) -> None:
        self._most = max(1, int(calls))
        self._seconds = seconds * self._most / calls
        self._clock = clock
        self._good_from = deque([-math.inf] * self._most)
        """When each ticket that is not in use is good again, soonest first."""
        self._in_hand = asyncio.Semaphore(self._most)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Lend a ticket for one call, in the order of asking."""
        async with self._in_hand:
            wait = self._good_from.popleft() - self._clock.monotonic()
            try:
                if wait > 0:
                    await self._clock.sleep(wait)
                yield
            finally:
                self._good_from.append(self._clock.monotonic() + self._seconds)

    def delay(self, part: float) -> float:
        """Return how long a call should wait that leaves the rest of the tickets to others."""
        left = self._most - max(1, int(self._most * part))
        if len(self._good_from) <= left:
            return _BUSY
        return max(0.0, self._good_from[left] - self._clock.monotonic())
