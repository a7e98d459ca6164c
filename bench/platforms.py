"""One process on all platforms at once: `python -m bench.platforms [--quick]`.

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

_WORDS = 600
_A_SECOND = 30
_PATIENCE = 180.0


@dataclass(frozen=True, slots=True)
class Talker:
    """Somebody whose answer is known by its words."""

    platform: Platform
    person: Person
    word: str

    async def answered(self, begun: float) -> float:
        async with asyncio.timeout(_PATIENCE):
            await self.person.reads(f"{self.word}!")
        return perf_counter() - begun

    def is_right(self) -> bool:
        shown = " ".join(self.person.texts()).split()
        return Counter(word.strip("!") for word in shown) == {self.word: _WORDS + 1}


def answer(asked: Asked) -> list[str]:
    word = asked.user_text.split()[-1]
    return [*(f"{word} " for _ in range(_WORDS)), f"{word}!"]


async def measure(people: int) -> None:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model = await stack.enter_async_context(FakeOpenAI(models=[MODEL]))
        model.brain, model.pace = answer, Pace(between=1 / _A_SECOND)
        platforms: list[Platform] = [
            await stack.enter_async_context(kind(SystemClock(), folder))
            for kind in (Discord, Slack, Telegram)
        ]
        await talk(platforms, model, folder, people)


async def talk(platforms: list[Platform], model: FakeOpenAI, folder: Path, people: int) -> None:
    for platform in platforms:
        platform.before_start()
    process = await start(platforms, model, folder)
    try:
        for platform in platforms:
            await platform.connected()
        await asyncio.sleep(1.0)  # the end of the start is not what is measured
        os.kill(process.pid, signal.SIGUSR1)
        bot = Running(process.pid)
        before = bot.cpu_seconds()
        talkers = [
            Talker(platform, platform.person(f"P{number}"), f"w{number}{platform.name}")
            for number in range(people)
            for platform in platforms
        ]
        begun = perf_counter()
        for talker in talkers:
            talker.person.writes(f"Say {talker.word}")
        waits = await asyncio.gather(*(talker.answered(begun) for talker in talkers))
        spent, resident = bot.cpu_seconds() - before, bot.resident_mb()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
    report(talkers, waits, spent, resident, json.loads((folder / "lag.json").read_text()))


async def start(
    platforms: list[Platform], model: FakeOpenAI, folder: Path
) -> asyncio.subprocess.Process:
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
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.sampled", str(config), str(folder / "lag.json")),
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
    )


def report(
    talkers: list[Talker],
    waits: list[float],
    spent: float,
    resident: float,
    lag: dict[str, float],
) -> None:
    print(f"{len(talkers)} answers of {_WORDS / _A_SECOND:.0f} s, all at once")
    for platform in dict.fromkeys(talker.platform for talker in talkers):
        own = [
            wait for talker, wait in zip(talkers, waits, strict=True) if talker.platform is platform
        ]
        wrong = sum(not one.is_right() for one in talkers if one.platform is platform)
        calls = calls_made(platform)
        complaints = [one for one in platform.complaints() if "not modified" not in one]
        print(
            f"{platform.name:10} last word after {max(own):6.2f} s, {wrong} wrong, "
            f"{calls} calls, {len(complaints)} refused or inside a penalty"
        )
    calls = sum(map(calls_made, {talker.platform for talker in talkers}))
    print(f"{len(talkers) / max(waits):.1f} replies/s, {calls / max(waits):.0f} calls/s")
    milliseconds = "  ".join(f"{name} {1_000 * value:.1f}" for name, value in lag.items())
    print(f"loop late by, ms: {milliseconds}")
    print(f"CPU {1_000 * spent / len(talkers):.1f} ms a message, memory {resident:.0f} MB")


def calls_made(platform: Platform) -> int:
    assert isinstance(platform, Discord | Slack | Telegram)
    return len(platform.server.log)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true", help="20 people on each, not 100")
    uvloop.run(measure(20 if options.parse_args().quick else 100))


if __name__ == "__main__":
    main()
