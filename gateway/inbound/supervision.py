"""Keeping adapters running; one adapter's failure never reaches its sibling."""

import random

import structlog

from gateway.clock import Clock
from gateway.contracts.adapter import Adapter, Deliver
from gateway.errors import AccountRejected, ConfigInvalid, RetryLater
from gateway.inbound.health import AccountHealth

log = structlog.get_logger()

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


async def keep_running(
    adapter: Adapter, deliver: Deliver, health: AccountHealth, clock: Clock
) -> bool:
    """Restart one adapter until its input ends (True) or its account is rejected (False)."""
    pause = _FIRST_PAUSE
    while True:
        started = clock.monotonic()
        try:
            await adapter.run(deliver)
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
