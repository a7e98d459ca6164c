"""One person floods while others ask: `python -m bench.flood [--others N] [--flood N]`.

On Telegram people ask all at once, each in a conversation of their own, and a model takes two
seconds for each answer: first alone, then behind somebody who has just written thousands of
messages. The others may wait at most twice as long as alone; whoever floods is told so.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

import uvloop

from bench.load import Load, People, all_at_once, one_at_a_time
from bench.subjects import MODEL, Running, World, running
from tests.fakes.model import Pace
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram, User

_MODEL = Pace(first=2.0)


async def measure(others: int, flood: int) -> tuple[Load, float, list[str]]:
    """Return how the others fared, the gateway's memory, and what the flooder was told."""
    async with FakeTelegram() as telegram, FakeOpenAI(models=[MODEL], pieces=20) as model:
        world = World(telegram, model)
        people = People(world)
        with tempfile.TemporaryDirectory() as folder:
            async with running("parley", world, Path(folder)) as (bot, _):
                await one_at_a_time(people, 2, 5)  # warms both sides up
                model.pace = _MODEL
                (flooder,) = people.meet(1)
                for number in range(flood):
                    flooder.writes(f"flood {number}")
                load = await all_at_once(people, others, 1)
                return load, Running(bot.pid).resident_mb(), told(flooder)


def told(flooder: User) -> list[str]:
    return [one.text for one in flooder.chat.shown() if one.is_from_bot]


async def compare(others: int, flood: int) -> None:
    alone, _, _ = await measure(others, 0)
    beside, memory, answers = await measure(others, flood)
    print(f"{others} people ask at once{'':15}{'alone':>10}{'behind':>10}{'ratio':>8}")
    for name, was, now in (
        ("p50, s", alone.percentile(50), beside.percentile(50)),
        ("p99, s", alone.percentile(99), beside.percentile(99)),
        ("longest, s", max(alone.waits), max(beside.waits)),
    ):
        print(f"{name:38}{was:10.2f}{now:10.2f}{now / was:8.2f}")
    print(f"answers lost: {alone.lost}, {beside.lost}; memory {memory:.0f} MB")
    notices = [one for one in answers if not one.startswith("flood ")]
    print(f"who wrote {flood} messages has {len(answers) - len(notices)} answers by then, and:")
    for notice in dict.fromkeys(notices):
        print(f"  {notices.count(notice)} x {notice}")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--others", type=int, default=500)
    options.add_argument("--flood", type=int, default=4_000)
    asked = options.parse_args()
    uvloop.run(asyncio.wait_for(compare(asked.others, asked.flood), 900))


if __name__ == "__main__":
    main()
