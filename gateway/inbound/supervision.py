"""Keeping adapters running; one adapter's failure never reaches its sibling.

An adapter that says nothing of itself is not healthy: its own checks of its connection have
failed too, so it is begun anew.
"""

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
_SILENT_IN_TROUBLE = 1800.0
"""Seconds: longer than any pause that an adapter in trouble makes."""
_GRACE = 5.0
"""Seconds for what has come while the whole process stood still."""


class _Silent(Exception):
    """It was ended because nothing was heard of it."""


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
            await _run(adapter, deliver, health, clock)
        except StoreFailed:
            raise
        except RetryLater as error:
            health.troubled(str(error))
            await clock.sleep(error.after)
        except (AccountRejected, ConfigInvalid) as error:
            health.stopped(str(error))
            log.error("adapter.stopped", account=adapter.name, reason=str(error))  # noqa: TRY400 - the reason says it all; a traceback would hide it
            return False
        except Exception as error:
            is_silent = isinstance(error, _Silent)
            lived_until = health.last_word if is_silent else clock.monotonic()
            if lived_until - started > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            if not is_silent:
                health.troubled("an unexpected error; see the log")
                log.exception("adapter.failed", account=adapter.name, seconds=pause)
            await clock.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads restarts, guards nothing
            pause = min(pause * 2, _LONGEST_PAUSE)
        else:
            health.stopped("its input ended")
            return True


async def _run(adapter: Adapter, deliver: Deliver, health: AccountHealth, clock: Clock) -> None:
    """Run it until it ends or falls silent.

    A cancellation that nobody asked for is a failure like any other.
    """
    running = asyncio.ensure_future(adapter.run(deliver))
    silence = asyncio.ensure_future(_silence(adapter.silent_at_most, health, clock))
    try:
        await asyncio.wait({running, silence}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        is_silent = not running.done()
        running.cancel()
        silence.cancel()
        await asyncio.gather(running, silence, return_exceptions=True)
    if is_silent:
        raise _Silent
    if running.cancelled():
        raise RetryLater("it cancelled itself", _FIRST_PAUSE)
    running.result()


async def _silence(at_most: float | None, health: AccountHealth, clock: Clock) -> None:
    """Return once nothing has been heard of it for too long."""
    health.begun()
    if at_most is None:
        await asyncio.get_running_loop().create_future()
        return
    while True:
        allowed = _SILENT_IN_TROUBLE if health.is_waiting else at_most
        last_word = health.last_word
        await clock.sleep(last_word + allowed - clock.monotonic())
        await clock.sleep(_GRACE)
        if health.last_word == last_word:
            health.silent(clock.monotonic() - last_word)
            return
