"""Keeping adapters running; one adapter's failure never reaches its sibling."""

import asyncio
import random

import structlog

from gateway.clock import Clock
from gateway.contracts.adapter import Adapter, Deliver
from gateway.errors import AccountRejected, ConfigInvalid, RetryLater, StoreFailed
from gateway.inbound.health import AccountHealth

log = structlog.get_logger()

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


async def keep_running(
    adapter: Adapter, deliver: Deliver, health: AccountHealth, clock: Clock, *, is_open: bool
) -> bool:
    """Restart one adapter until its input ends (True) or its account is rejected (False)."""
    pause = _FIRST_PAUSE
    while True:
        started = clock.monotonic()
        try:
            if not is_open:
                await adapter.open()
                is_open = True
            await _run(adapter, deliver)
        except StoreFailed:
            raise
        except RetryLater as error:
            health.troubled(str(error))
            await clock.sleep(error.after)
        except (AccountRejected, ConfigInvalid) as error:
            health.stopped(str(error))
            log.error("adapter.stopped", account=adapter.name, reason=str(error))  # noqa: TRY400 - the reason says it all; a traceback would hide it
            return False
        except Exception:
            if clock.monotonic() - started > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            health.troubled("an unexpected error; see the log")
            log.exception("adapter.failed", account=adapter.name, seconds=pause)
            await clock.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads restarts, guards nothing
            pause = min(pause * 2, _LONGEST_PAUSE)
        else:
            health.stopped("its input ended")
            return True


async def _run(adapter: Adapter, deliver: Deliver) -> None:
    """Run it; a cancellation that nobody asked for is a failure like any other."""
    try:
        await adapter.run(deliver)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise RetryLater("it cancelled itself", _FIRST_PAUSE) from None
