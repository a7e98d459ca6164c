"""What people do to a bot while it is measured."""

import asyncio
import statistics
from dataclasses import dataclass
from time import perf_counter

from bench.subjects import World
from tests.fakes.telegram import User

_PATIENCE = 120.0
_WORDS = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt"


@dataclass(frozen=True, slots=True)
class Load:
    """How long people waited for the whole of each answer, and how long it took in all."""

    waits: list[float]
    seconds: float

    @property
    def per_second(self) -> float:
        return len(self.waits) / self.seconds

    def percentile(self, percent: int) -> float:
        if len(self.waits) == 1:
            return self.waits[0]
        return statistics.quantiles(self.waits, n=100, method="inclusive")[percent - 1]


class People:
    """Users that no earlier measurement has used: every conversation starts empty."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._next = 1_000

    def meet(self, count: int) -> list[User]:
        first, self._next = self._next, self._next + count
        return [
            self._world.telegram.user(number, f"U{number}")
            for number in range(first, first + count)
        ]


async def ask(user: User, number: int) -> float:
    """Have one question answered with its own words; return the seconds that took."""
    question = f"{user.id}-{number} {_WORDS}"
    begun = perf_counter()
    user.writes(question)
    await user.chat.until(
        lambda shown: shown[-1].is_from_bot and shown[-1].text == question, timeout=_PATIENCE
    )
    return perf_counter() - begun


async def converse(user: User, messages: int) -> list[float]:
    return [await ask(user, number) for number in range(messages)]


async def one_at_a_time(people: People, users: int, messages: int) -> Load:
    """Have one conversation after the other, nothing else going on."""
    begun = perf_counter()
    waits: list[float] = []
    for user in people.meet(users):
        waits += await converse(user, messages)
    return Load(waits, perf_counter() - begun)


async def all_at_once(people: People, users: int, messages: int) -> Load:
    """Have all conversations side by side, each asking on when it was answered."""
    begun = perf_counter()
    async with asyncio.TaskGroup() as tasks:
        talks = [tasks.create_task(converse(user, messages)) for user in people.meet(users)]
    return Load([wait for talk in talks for wait in talk.result()], perf_counter() - begun)
