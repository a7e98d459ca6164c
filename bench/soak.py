"""Hours in a row, or as many minutes as are given: `python -m bench.soak [MINUTES]`.

Wave after wave, people on Discord, on Slack and on Telegram ask one gateway, each in a
conversation of their own, and begin a new one now and then. After each wave what the process
holds is noted: memory, open files, threads, and the database's log. After the first third, which
is the warm-up, none of them may grow by more than 5 %.
"""

import argparse
import asyncio
import signal
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from time import perf_counter

import uvloop
from typing_extensions import override

from bench.platforms import configured, start
from bench.subjects import MODEL, Running
from gateway.clock import SystemClock
from tests.fakes.openai import FakeOpenAI
from tests.journeys.on_discord import Discord
from tests.journeys.on_slack import Slack
from tests.journeys.on_telegram import Telegram
from tests.journeys.platform import Person, Platform

_PEOPLE = 10
"""On each platform."""
_PATIENCE = 60.0
_NEW_EVERY = 20
"""Waves after which everybody begins a new conversation: histories would only grow."""
_DRIFT_AT_MOST = 0.05
_TOLD_EVERY = 600.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process holds after a wave."""

    megabytes: float
    files: int
    threads: int
    log_megabytes: float

    def figures(self) -> Mapping[str, float]:
        return {
            "memory, MB": self.megabytes,
            "open files": self.files,
            "threads": self.threads,
            "log, MB": self.log_megabytes,
        }

    @override
    def __str__(self) -> str:
        return ", ".join(f"{name} {figure:.1f}" for name, figure in self.figures().items())


async def soak(minutes: float) -> bool:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model = await stack.enter_async_context(FakeOpenAI(models=[MODEL]))
        platforms: list[Platform] = [
            await stack.enter_async_context(kind(SystemClock(), folder))
            for kind in (Discord, Slack, Telegram)
        ]
        for platform in platforms:
            platform.before_start()
        config = configured(platforms, model, folder)
        process = await start("gateway", "serve", "--config", str(config))
        try:
            for platform in platforms:
                await platform.connected()
            samples, answers = await waves(platforms, process.pid, folder, minutes)
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()
    return report(samples, answers)


async def waves(
    platforms: Sequence[Platform], pid: int, folder: Path, minutes: float
) -> tuple[list[Sample], int]:
    people = [platform.person(f"P{number}") for number in range(_PEOPLE) for platform in platforms]
    samples: list[Sample] = []
    wave, begun = 0, perf_counter()
    told_at = begun
    while perf_counter() < begun + 60 * minutes:
        wave += 1
        await asyncio.gather(*(ask(person, f"wave {wave}") for person in people))
        if wave % _NEW_EVERY == 0:
            await asyncio.gather(*(begin_anew(person) for person in people))
        samples.append(sampled(pid, folder))
        if perf_counter() > told_at + _TOLD_EVERY:
            told_at = perf_counter()
            print(f"{(told_at - begun) / 60:.0f} min, wave {wave}: {samples[-1]}", flush=True)
    return samples, wave * len(people)


async def ask(person: Person, words: str) -> None:
    async with asyncio.timeout(_PATIENCE):
        await person.asks(words, words)


async def begin_anew(person: Person) -> None:
    async with asyncio.timeout(_PATIENCE):
        await person.asks("/new", "A new conversation.")


def sampled(pid: int, folder: Path) -> Sample:
    log = folder / "data" / "parley.db-wal"
    return Sample(
        Running(pid).resident_mb(),
        sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
        sum(1 for _ in Path(f"/proc/{pid}/task").iterdir()),
        log.stat().st_size / 1e6,
    )


def report(samples: Sequence[Sample], answers: int) -> bool:
    """Print how the means of the second and of the last third differ; say whether all is flat."""
    third = len(samples) // 3
    second, last = samples[third : 2 * third], samples[2 * third :]
    print(f"{answers} answers in {len(samples)} waves")
    is_flat = True
    for name in samples[0].figures():
        before, after = (fmean(one.figures()[name] for one in part) for part in (second, last))
        drift = after / before - 1
        is_flat &= drift <= _DRIFT_AT_MOST
        print(f"{name:12} {before:9.2f} {after:9.2f}   {drift:+.1%}")
    return is_flat


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("minutes", type=float, nargs="?", default=120.0)
    if not uvloop.run(soak(options.parse_args().minutes)):
        raise SystemExit("something grows")


if __name__ == "__main__":
    main()
