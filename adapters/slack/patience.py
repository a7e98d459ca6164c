"""Waiting for a server in trouble: pauses that grow, and that no two apps share."""

import random

from gateway.contracts.adapter import AdapterKit

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


class Patience:
    """Knows how often in a row something has failed."""

    def __init__(self, kit: AdapterKit) -> None:
        self._clock = kit.clock
        self._health = kit.health
        self._pause = _FIRST_PAUSE

    def rewarded(self) -> None:
        """Begin with short pauses again."""
        self._pause = _FIRST_PAUSE

    async def wait(self, trouble: str, *, at_least: float = 0.0) -> None:
        """Report trouble and pause, longer with each time in a row."""
        self._health.troubled(trouble)
        longest, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE)
        pause = random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, guards nothing
        await self._clock.sleep(max(pause, at_least))
