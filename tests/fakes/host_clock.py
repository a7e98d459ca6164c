"""The clock of a machine that goes wrong, while everybody else's goes right."""

from contextlib import AbstractAsyncContextManager

from gateway.clock import Clock


class HostClock:
    """Begins like the clock it is made from; `wall` and `span` are by how much it is off."""

    def __init__(self, right: Clock) -> None:
        self._right = right
        self.wall = 0.0
        self.span = 0.0

    def now(self) -> float:
        return self._right.now() + self.wall

    def monotonic(self) -> float:
        return self._right.monotonic() + self.span

    async def sleep(self, seconds: float) -> None:
        await self._right.sleep(seconds)

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        return self._right.timeout(seconds)
