"""A gateway that also measures how late its own loop is: `python -m bench.sampled CONFIG OUT`.

`parley serve` in all that matters; what is added is one task that sleeps for ten milliseconds
again and again, and notes by how much it woke late, and a clock at the gate, which notes how
long a message waits until it is safely kept.
"""

import asyncio
import json
import signal
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import uvloop

from gateway.app import run_gateway
from gateway.cli.running import tune
from gateway.config import load_settings
from gateway.inbound.gate import Gate
from gateway.logs import configure_logs
from gateway.messages import Inbound, Receipt

_EVERY = 0.01


async def sample(lags: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _EVERY
        await asyncio.sleep(_EVERY)
        lags.append(max(0.0, loop.time() - due))


@contextmanager
def timed_gate(waits: list[float]) -> Iterator[None]:
    """Note how long each message takes through the gate."""
    accept = Gate.accept

    async def timed(gate: Gate, inbound: Inbound) -> Receipt:
        begun = perf_counter()
        try:
            return await accept(gate, inbound)
        finally:
            waits.append(perf_counter() - begun)

    Gate.accept = timed  # type: ignore[method-assign, assignment] # put back below
    try:
        yield
    finally:
        Gate.accept = accept  # type: ignore[method-assign] # as it was


async def serve(config: Path) -> dict[str, list[float]]:
    loaded = load_settings(config, {})
    configure_logs(loaded.settings.log, loaded.secrets, sys.stderr)
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, until.set)
    lags: list[float] = []
    waits: list[float] = []
    # What is imported and opened at the start makes nobody wait.
    loop.add_signal_handler(signal.SIGUSR1, lags.clear)
    async with asyncio.TaskGroup() as tasks:
        sampling = tasks.create_task(sample(lags))
        with timed_gate(waits):
            await run_gateway(loaded.settings, until=until, on_ready=tune)
        sampling.cancel()
    return {"loop late by": lags, "kept after": waits}


def main() -> None:
    noted = uvloop.run(serve(Path(sys.argv[1])))
    Path(sys.argv[2]).write_text(json.dumps({what: figures(all_) for what, all_ in noted.items()}))


def figures(seconds: Sequence[float]) -> dict[str, float]:
    cut = statistics.quantiles(seconds, n=100)
    return {"p50": cut[49], "p99": cut[98], "max": max(seconds)}


if __name__ == "__main__":
    main()
