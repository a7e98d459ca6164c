"""Reads many answers at once less often each, so that the loop keeps up with all of them."""

from typing_extensions import override

from gateway.clock import Clock
from gateway.providers.exchange import OpenAnswer

_READS_A_SECOND = 4_000
"""Of all answers of a provider together. A read wakes a task through all layers."""
_NOT_WORTH_IT = 0.01
_LONGEST = 0.5
"""Seconds; a message that grows is edited about once a second."""


class Gathering:
    """The answers that arrive at once; the more there are, the longer each lets bytes gather."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = 0

    def joined(self, arriving: OpenAnswer) -> OpenAnswer:
        """Count an answer until it is closed."""
        self._count += 1
        return _Gathered(arriving, self)

    async def pause(self) -> None:
        pause = min(self._count / _READS_A_SECOND, _LONGEST)
        if pause > _NOT_WORTH_IT:
            await self._clock.sleep(pause)

    def leave(self) -> None:
        self._count -= 1


class _Gathered(OpenAnswer):
    """An answer that is read at once at first, and then in its turn."""

    def __init__(self, arriving: OpenAnswer, company: Gathering) -> None:
        self.is_stream = arriving.is_stream
        self._arriving = arriving
        self._company = company
        self._has_begun = False

    @override
    async def read(self) -> bytes | None:
        if self._has_begun:
            await self._company.pause()
        self._has_begun = True
        return await self._arriving.read()

    @override
    async def close(self) -> None:
        self._company.leave()
        await self._arriving.close()
