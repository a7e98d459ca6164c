"""What a tool has started is ended, with all that this started."""

import asyncio
import os
import signal
import sys
from contextlib import suppress

import pytest

from gateway.tools.processes import GRACE, end_group
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.promise("R16")

_STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if child := os.fork():
    print(child, flush=True)
time.sleep(600)
"""
_POLITE = "import time; print(0, flush=True); time.sleep(600)"


async def started(program: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), stdout=asyncio.subprocess.PIPE, start_new_session=True
    )


async def said(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    return int(await process.stdout.readline())


async def test_a_process_that_listens_is_only_asked() -> None:
    process = await started(_POLITE)
    await said(process)
    await end_group(process, FakeClock())
    assert process.returncode == -signal.SIGTERM


async def test_one_that_does_not_is_made_to_end_with_its_children() -> None:
    clock, process = FakeClock(), await started(_STUBBORN)
    child = await said(process)
    ending = asyncio.create_task(end_group(process, clock))
    await clock.until_sleeping()
    await clock.advance(GRACE - 0.1)
    assert not ending.done()
    await clock.advance(0.2)
    await ending
    assert process.returncode == -signal.SIGKILL
    assert process.stdout is not None
    assert await process.stdout.read() == b""  # nobody is left who could write
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


async def test_cut_off_it_does_not_wait() -> None:
    clock, process = FakeClock(), await started(_STUBBORN)
    await said(process)
    ending = asyncio.create_task(end_group(process, clock))
    await clock.until_sleeping()
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert process.returncode == -signal.SIGKILL


async def test_one_that_has_ended_already_is_no_trouble() -> None:
    process = await started("")
    await process.wait()
    await end_group(process, FakeClock())
    assert process.returncode == 0
