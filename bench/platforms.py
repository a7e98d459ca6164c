"""One process on all platforms at once: `python -m bench.platforms [--people N]`.

People on Discord, on Slack and on Telegram ask at the same moment, and a model streams each
answer for some seconds. What is shown at the end must be right; what is measured is how late
the gateway's loop gets, and what it costs. The fakes and the model live in this process.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import uvloop
import yaml

from bench.subjects import MODEL, ROOT, Running
from gateway.clock import SystemClock
from tests.fakes.model import Asked, Pace
from tests.fakes.openai import FakeOpenAI
from tests.journeys.on_discord import Discord
from tests.journeys.on_slack import Slack
from tests.journeys.on_telegram import Telegram
from tests.journeys.platform import Person, Platform

_A_SECOND = 30
"""Words of the model."""
_PARAGRAPH = 80
"""Words, as models write them."""
_PATIENCE = 180.0


@dataclass(frozen=True, slots=True)
class Load:
    """How many people ask, and what they get."""

    people: int
    """On each platform."""
    over: float
    """Seconds within which they all begin."""
    seconds: int
    """How long the model speaks to each."""
    piece: int
    """Words in each piece of the model's stream."""

    @property
    def words(self) -> int:
        return self.seconds * _A_SECOND


@dataclass(frozen=True, slots=True)
class Talker:
    """Somebody whose answer is known by its words."""

    platform: Platform
    person: Person
    word: str

    async def asks(self, after: float) -> float:
        """Return how long it takes until the last word is there."""
        await asyncio.sleep(after)
        begun = perf_counter()
        self.person.writes(f"Say {self.word}")
        async with asyncio.timeout(_PATIENCE):
            await self.person.reads(f"{self.word}!")
        return perf_counter() - begun

    def is_right(self, words: int) -> bool:
        shown = " ".join(self.person.texts()).split()
        return Counter(word.strip("!") for word in shown) == {self.word: words + 1}


async def measure(load: Load) -> None:
    def answer(asked: Asked) -> list[str]:
        word = asked.user_text.split()[-1]
        pieces = [f"{word} " * load.piece for _ in range(load.words // load.piece)]
        every = max(_PARAGRAPH // load.piece, 1)
        pieces[every::every] = [f"\n\n{piece}" for piece in pieces[every::every]]
        return [*pieces, f"{word}!"]

    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model = await stack.enter_async_context(FakeOpenAI(models=[MODEL]))
        model.brain, model.pace = answer, Pace(between=load.piece / _A_SECOND)
        platforms: list[Platform] = [
            await stack.enter_async_context(kind(SystemClock(), folder))
            for kind in (Discord, Slack, Telegram)
        ]
        await talk(platforms, model, folder, load)


async def talk(platforms: list[Platform], model: FakeOpenAI, folder: Path, load: Load) -> None:
    for platform in platforms:
        platform.before_start()
    config = configured(platforms, model, folder)
    process = await start("bench.sampled", str(config), str(folder / "lateness.json"))
    try:
        for platform in platforms:
            await platform.connected()
        await asyncio.sleep(1.0)  # the end of the start is not what is measured
        os.kill(process.pid, signal.SIGUSR1)
        bot = Running(process.pid)
        before = bot.cpu_seconds()
        talkers = [
            Talker(platform, platform.person(f"P{number}"), f"w{number}{platform.name}")
            for number in range(load.people)
            for platform in platforms
        ]
        for talker in talkers:
            talker.person.patience = _PATIENCE
        pause = load.over / len(talkers)
        begun = perf_counter()
        waits = await asyncio.gather(
            *(talker.asks(pause * number) for number, talker in enumerate(talkers))
        )
        lasted = perf_counter() - begun
        spent, resident = bot.cpu_seconds() - before, bot.resident_mb()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
    report(
        load,
        talkers,
        waits,
        lasted,
        spent,
        resident,
        json.loads((folder / "lateness.json").read_text()),
    )


def configured(platforms: Sequence[Platform], model: FakeOpenAI, folder: Path) -> Path:
    agent = {"provider": "openai", "model": MODEL, "base_url": model.base_url}
    config = folder / "parley.yaml"
    config.write_text(
        yaml.safe_dump({
            "data_dir": str(folder / "data"),
            "agents": {"main": {**agent, "api_key": model.key}},
            "adapters": {platform.name: platform.entry for platform in platforms},
            "access": {"direct_messages": "open"},
            "rate_limits": {"guest": None},
            "log": {"level": "warning"},
        })
    )
    return config


async def start(module: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
    )


def report(
    load: Load,
    talkers: list[Talker],
    waits: list[float],
    lasted: float,
    spent: float,
    resident: float,
    lateness: dict[str, dict[str, float]],
) -> None:
    print(f"{len(talkers)} answers of {load.seconds} s, begun within {load.over:.0f} s")
    for platform in dict.fromkeys(talker.platform for talker in talkers):
        own = [
            wait for talker, wait in zip(talkers, waits, strict=True) if talker.platform is platform
        ]
        wrong = sum(not one.is_right(load.words) for one in talkers if one.platform is platform)
        calls = calls_made(platform)
        complaints = [one for one in platform.complaints() if "not modified" not in one]
        print(
            f"{platform.name:10} last word after {max(own):6.2f} s, {wrong} wrong, "
            f"{calls} calls, {len(complaints)} refused or inside a penalty"
        )
    calls = sum(map(calls_made, {talker.platform for talker in talkers}))
    print(f"{len(talkers) / lasted:.1f} replies/s, {calls / lasted:.0f} calls/s")
    for what, figures in lateness.items():
        told = "  ".join(f"{name} {1_000 * value:.1f}" for name, value in figures.items())
        print(f"{what}, ms: {told}")
    print(f"CPU {1_000 * spent / len(talkers):.1f} ms a message, memory {resident:.0f} MB")


def calls_made(platform: Platform) -> int:
    assert isinstance(platform, Discord | Slack | Telegram)
    return len(platform.server.log)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--people", type=int, default=100, help="on each platform")
    options.add_argument("--over", type=float, default=0.0, help="seconds within which all begin")
    options.add_argument("--seconds", type=int, default=20, help="that the model speaks to each")
    options.add_argument("--piece", type=int, default=1, help="words in each piece of its stream")
    uvloop.run(measure(Load(**vars(options.parse_args()))))


if __name__ == "__main__":
    main()
