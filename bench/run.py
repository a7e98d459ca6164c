"""Measures the gateway beside the floor: `python -m bench.run [--quick]`.

Both bots talk over loopback to the same fake servers, which live in this process. Figures
are for comparison within one run: the ratio is what counts.
"""

import argparse
import platform
import sqlite3
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from bench.load import People, all_at_once, one_at_a_time
from bench.subjects import MODEL, Running, World, running
from tests.fakes.model import Pace
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram

SUBJECTS = ("floor", "parley")
_SLOW_MODEL = Pace(first=2.0)


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    starts: int = 3
    single_users: int = 20
    single_messages: int = 10
    chats: int = 200
    messages: int = 5
    crowd: int = 1_000


QUICK = Size(starts=1, single_users=5, single_messages=5, chats=50, messages=3, crowd=200)


@dataclass(slots=True)
class Figures:
    """Measured values of one bot by name, with the unit in the name."""

    values: dict[str, float] = field(default_factory=dict)

    def note(self, name: str, value: float) -> None:
        self.values[name] = value


async def measure(subject: str, size: Size) -> Figures:
    figures = Figures()
    async with FakeTelegram() as telegram, FakeOpenAI(models=[MODEL], pieces=20) as model:
        world = World(telegram, model)
        starts = [await _cold_start(subject, world) for _ in range(size.starts - 1)]
        with tempfile.TemporaryDirectory() as folder:
            async with running(subject, world, Path(folder)) as (bot, start):
                figures.note("cold start to first poll, s", statistics.median([*starts, start]))
                await _measure_running(world, bot, size, figures)
    return figures


async def _cold_start(subject: str, world: World) -> float:
    with tempfile.TemporaryDirectory() as folder:
        async with running(subject, world, Path(folder)) as (_, seconds):
            return seconds


async def _measure_running(world: World, bot: Running, size: Size, figures: Figures) -> None:
    people = People(world)
    await one_at_a_time(people, 2, 5)  # warms both sides up
    idle = bot.resident_mb()
    figures.note("memory idle, MB", idle)
    single = await one_at_a_time(people, size.single_users, size.single_messages)
    figures.note("one user, p50 ms", single.percentile(50) * 1_000)
    figures.note("one user, p99 ms", single.percentile(99) * 1_000)
    before = bot.cpu_seconds()
    many = await all_at_once(people, size.chats, size.messages)
    spent = bot.cpu_seconds() - before
    name = f"{size.chats} chats x {size.messages}"
    figures.note(f"{name}, replies/s", many.per_second)
    figures.note(f"{name}, p99 ms", many.percentile(99) * 1_000)
    figures.note(f"{name}, CPU ms a message", spent * 1_000 / len(many.waits))
    loaded = bot.resident_mb()
    world.model.pace = _SLOW_MODEL
    crowd = await all_at_once(people, size.crowd, 1)
    figures.note(f"{size.crowd} chats, 2 s model, p50 s", crowd.percentile(50))
    figures.note(f"{size.crowd} chats, 2 s model, p99 s", crowd.percentile(99))
    figures.note("answers lost", single.lost + many.lost + crowd.lost)
    grown = (bot.resident_mb() - loaded) * 1_000 / size.crowd
    figures.note("memory for 1,000 more sessions, MB", grown)
    figures.note("memory at the end, MB", bot.resident_mb())


def table(floor: Figures, parley: Figures) -> str:
    lines = [f"{'':44}{'floor':>10}{'parley':>10}{'ratio':>8}"]
    for name, base in floor.values.items():
        ours = parley.values[name]
        ratio = f"{ours / base:8.2f}" if base > 0 else f"{'-':>8}"
        lines.append(f"{name:44}{base:10.2f}{ours:10.2f}{ratio}")
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true", help="a minute instead of several")
    size = QUICK if options.parse_args().quick else Size()
    measured = {name: uvloop.run(measure(name, size)) for name in SUBJECTS}
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    print(table(measured["floor"], measured["parley"]))


if __name__ == "__main__":
    main()
