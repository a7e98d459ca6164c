"""Time as an argument: every wait and every deadline goes through a `Clock`."""

import asyncio
import math
import time
from contextlib import AbstractAsyncContextManager
from typing import Protocol

_LONGEST_MEANT = 86_400.0
"""No server means a longer wait than this; a larger number is an error on its side."""
_LONGEST_GUESS = 300.0


def believed(seconds: float) -> float:
    """Take a server that asks to wait at its word, unless no server can mean it."""
    if math.isnan(seconds) or seconds < 0:
        return 0.0
    return seconds if seconds <= _LONGEST_MEANT else _LONGEST_GUESS


class Clock(Protocol):
    """What the gateway asks of time; tests bring one that they move by hand."""

    def now(self) -> float:
        """Return seconds since 1970, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for measuring spans."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        """Bound the body: past `seconds` it is cancelled and `TimeoutError` raised."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)
