"""Once a day: forgetting what has been kept for as long as the settings say."""

import asyncio
from pathlib import Path

import structlog

from gateway.clock import Clock
from gateway.contracts.stores import Store
from gateway.errors import StoreBusy
from gateway.settings import RetentionSettings
from gateway.workspace import erase_old_files

log = structlog.get_logger()

_FIRST_AFTER = 300.0
_EVERY = 86_400.0


class Retention:
    """What waits is kept however old it is."""

    def __init__(
        self, settings: RetentionSettings, store: Store, data_dir: Path, clock: Clock
    ) -> None:
        self._settings = settings
        self._store = store
        self._data_dir = data_dir
        self._clock = clock

    async def run(self) -> None:
        await self._clock.sleep(_FIRST_AFTER)
        while True:
            try:
                await self._forget_old()
            except StoreBusy as error:
                log.warning("store.prune_failed", reason=str(error))
            except Exception:
                # Whatever is wrong with one file or row, tomorrow is another day.
                log.exception("store.prune_failed")
            await self._clock.sleep(_EVERY)

    async def _forget_old(self) -> None:
        now, settings = self._clock.now(), self._settings
        rows = await self._store.prune(now - settings.records)
        counts = {"rows": rows}
        if settings.conversations is not None:
            erased = await self._store.privacy.erase_unused(now - settings.conversations)
            counts["conversations"] = erased
        if settings.usage is not None:
            counts["usage"] = await self._store.usage.drop(now - settings.usage)
        if settings.files is not None:
            before = now - settings.files
            counts["files"] = await asyncio.to_thread(erase_old_files, self._data_dir, before)
        log.info("store.pruned", **counts)
