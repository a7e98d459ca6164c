"""A gateway that also measures how late its own loop is: `python -m bench.sampled CONFIG OUT`.

`parley serve` in all that matters; what is added is one task that sleeps for ten milliseconds
again and again, and notes by how much it woke late.
"""

import asyncio
import json
import signal
import statistics
import sys
from pathlib import Path

import uvloop

from gateway.app import run_gateway
from gateway.cli.running import collect_seldom
from gateway.config import load_settings
from gateway.logs import configure_logs

_EVERY = 0.01


async def sample(lags: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _EVERY
        await asyncio.sleep(_EVERY)
        lags.append(max(0.0, loop.time() - due))


async def serve(config: Path) -> list[float]:
    loaded = load_settings(config, {})
    configure_logs(loaded.settings.log, loaded.secrets, sys.stderr)
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, until.set)
    lags: list[float] = []
    # What is imported and opened at the start makes nobody wait.
    loop.add_signal_handler(signal.SIGUSR1, lags.clear)
    async with asyncio.TaskGroup() as tasks:
        sampling = tasks.create_task(sample(lags))
        await run_gateway(loaded.settings, until=until, on_ready=collect_seldom)
        sampling.cancel()
    return lags


def main() -> None:
    lags = uvloop.run(serve(Path(sys.argv[1])))
    cut = statistics.quantiles(lags, n=100)
    told = {"p50": cut[49], "p99": cut[98], "max": max(lags)}
    Path(sys.argv[2]).write_text(json.dumps(told))


if __name__ == "__main__":
    main()
