"""What people do to a bot while it is measured."""

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from bench.subjects import World
from tests.fakes.telegram import User

_PATIENCE = 60.0
_WORDS = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt"


@dataclass(frozen=True, slots=True)
class Load:
    """How long people waited for the whole of each answer, and how long it took in all."""

    waits: list[float]
    lost: int
    """Answers that had not come after a minute."""
    seconds: float
    """Until the last answer that came."""

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


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and when its whole answer was there, if ever."""

    begun: float
    ended: float | None


async def ask(user: User, number: int) -> Asked:
    """Have one question answered with its own words."""
    question = f"{user.id}-{number} {_WORDS}"
    begun = perf_counter()
    user.writes(question)
    try:
        async with asyncio.timeout(_PATIENCE):
            await user.chat.until(
                lambda shown: any(one.is_from_bot and one.text == question for one in shown),
                timeout=2 * _PATIENCE,
            )
    except TimeoutError:
        return Asked(begun, None)
    return Asked(begun, perf_counter())


async def converse(user: User, messages: int) -> list[Asked]:
    return [await ask(user, number) for number in range(messages)]


async def one_at_a_time(people: People, users: int, messages: int) -> Load:
    """Have one conversation after the other, nothing else going on."""
    asked: list[Asked] = []
    for user in people.meet(users):
        asked += await converse(user, messages)
    return load_of(asked)


async def all_at_once(people: People, users: int, messages: int) -> Load:
    """Have all conversations side by side, each asking on when it was answered."""
    async with asyncio.TaskGroup() as tasks:
        talks = [tasks.create_task(converse(user, messages)) for user in people.meet(users)]
    return load_of([one for talk in talks for one in talk.result()])


def load_of(asked: Sequence[Asked]) -> Load:
    answered = [(one.begun, one.ended) for one in asked if one.ended is not None]
    waits = [ended - begun for begun, ended in answered]
    begun, ended = min(one.begun for one in asked), max(ended for _, ended in answered)
    return Load(waits, len(asked) - len(waits), ended - begun)
