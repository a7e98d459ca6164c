"""The machine's clock, so many times faster: for whole gateways, whose waits are real."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager


class FastClock:
    """Share one between a gateway and the servers it talks to, so that they agree on seconds."""

    def __init__(self, speed: float = 10.0) -> None:
        self.speed = speed
        self._wall = time.time()
        self._began = time.monotonic()

    def now(self) -> float:
        return self._wall + self.monotonic()

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * self.speed

    def leap(self, seconds: float) -> None:
        """Let so much time have passed for all who ask; those who sleep sleep on."""
        self._began -= seconds / self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(None if seconds is None else seconds / self.speed)
