"""Waiting for a server in trouble: pauses that grow, and that no two bots share."""

import random
from collections.abc import Mapping
from typing import Any

from adapters.telegram.api import Api
from gateway.contracts.adapter import AdapterKit
from gateway.errors import RetryLater

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


class Patience:
    """Makes calls that have to succeed before anything else can happen."""

    def __init__(self, api: Api, kit: AdapterKit) -> None:
        self._api = api
        self._clock = kit.clock
        self._health = kit.health
        self._pause = _FIRST_PAUSE

    async def call(self, method: str, parameters: Mapping[str, Any]) -> Any:
        """Call until there is an answer; a refusal is one and is raised."""
        while True:
            try:
                answer = await self._api.call(method, parameters)
            except RetryLater as trouble:
                await self.wait(str(trouble), at_least=trouble.after)
            else:
                self._pause = _FIRST_PAUSE
                return answer

    async def wait(self, trouble: str, *, at_least: float = 0.0) -> None:
        """Report trouble and pause, longer with each time in a row."""
        self._health.troubled(trouble)
        longest, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE)
        pause = random.uniform(longest / 2, longest)  # noqa: S311 - spreads load, guards nothing
        await self._clock.sleep(max(pause, at_least))
