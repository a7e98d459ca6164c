"""Ending what a tool has started."""

import asyncio
import os
import signal
from contextlib import suppress

from gateway.clock import Clock

GRACE = 5.0


async def end_group(process: asyncio.subprocess.Process, clock: Clock) -> None:
    """End a process that leads a group, and all that it started: asked first, then made to.

    Cancelled meanwhile, it asks no longer.
    """
    try:
        _signal(process.pid, signal.SIGTERM)
        async with clock.timeout(GRACE):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        _signal(process.pid, signal.SIGKILL)
        await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
