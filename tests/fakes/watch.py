"""Waiting for a state, woken by its changes: no polling, no sleeping for luck."""

import asyncio
from collections.abc import Callable


class Watch:
    """Tells waiters that something changed."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def changed(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def next(self) -> None:
        """Return after the next change."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    async def until(
        self,
        holds: Callable[[], bool],
        *,
        timeout: float,  # noqa: ASYNC109 - the wait is what the caller asks for
        now: Callable[[], object],
    ) -> None:
        """Wait until `holds()`; fail after `timeout` real seconds, showing `now()`."""
        try:
            async with asyncio.timeout(timeout):
                while not holds():
                    await self.next()
        except TimeoutError:
            raise AssertionError(f"not so after {timeout} s; now: {now()!r}") from None
