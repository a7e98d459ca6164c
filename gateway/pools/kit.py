"""What an agent's turns are made with, replaced as a whole when its settings change."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from gateway.contracts.provider import Provider
from gateway.contracts.runner import MakeRunner
from gateway.pools.models import allowed_models
from gateway.sessions.compaction import Compactor
from gateway.settings import AgentSettings

log = structlog.get_logger()


class AgentKit:
    """A provider and all that works with it; retired, it closes once nobody uses it."""

    def __init__(
        self,
        settings: AgentSettings,
        provider: Provider,
        make_runner: MakeRunner,
        compactor: Compactor,
    ) -> None:
        self.settings = settings
        self.models = allowed_models(settings, provider.default_model)
        """What sessions may use; the first is the default."""
        self.make_runner = make_runner
        self.compactor = compactor
        self._provider = provider
        self._users = 0
        self._is_retired = False

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """Keep the provider open while the body runs."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            await self._close_if_done()

    async def warm_up(self) -> None:
        """Load what the first request would have to wait for."""
        async with self.in_use():
            await self._provider.warm_up()

    async def retire(self) -> None:
        """Close the provider now, or when its last user is done."""
        self._is_retired = True
        await self._close_if_done()

    async def _close_if_done(self) -> None:
        if self._is_retired and self._users == 0:
            try:
                await self._provider.close()
            except Exception:
                log.exception("provider.close_failed")


MakeKit = Callable[[AgentSettings], AgentKit]
