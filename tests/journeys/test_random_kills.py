"""Layer C: `kill -9` at any moment, with people on all platforms in the midst of asking.

In each wave everybody asks once or twice, two processes die one after the other, and a third one
brings everything to its end. No more of them die, as a turn that dies three times is given up.
"""

import asyncio
import random
import re
from collections import Counter

import pytest

from gateway.clock import SystemClock
from tests.fakes.fast_clock import FastClock
from tests.fakes.model import Asked, Piece
from tests.journeys.platform import Person
from tests.journeys.world import World

pytestmark = [
    pytest.mark.parametrize("platform", ["telegram"], indirect=True),
    pytest.mark.usefixtures("others"),
    pytest.mark.promise("R1"),
    pytest.mark.promise("R3"),
    pytest.mark.promise("R6"),
    pytest.mark.timeout(900),
]

PEOPLE = 4
"""On each platform."""
WAVES = 10
_LIVES_AT_MOST = 1.5
_DOUBTS_SETTLED_WITHIN = 90.0
_PIECES = 12
_REFUSED_AFTER_A_KILL = {"message is not modified", "streaming_state_conflict"}


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def brain(asked: Asked) -> list[Piece]:
    (name,) = re.findall(r"Q-(\w+)", asked.user_text)[-1:]
    return [f"A-{name} begins, ", *(f"{number} " for number in range(_PIECES)), f"A-{name} ends."]


class Asker:
    """Somebody who asks in every wave, and is to see each answer once, in order."""

    def __init__(self, person: Person, platform: str) -> None:
        self.person = person
        self.platform = platform
        person.patience = _DOUBTS_SETTLED_WITHIN
        self.asked: list[str] = []

    def asks(self) -> None:
        name = f"{self.person.identity.replace(':', '')}x{len(self.asked)}"
        self.asked.append(name)
        self.person.writes(f"Q-{name}")

    async def is_answered(self) -> None:
        await self.person.until(lambda: self.whole()[-1:] == self.asked[-1:])

    def whole(self) -> list[str]:
        return [name for text in self._texts() for name in re.findall(r"A-(\w+) ends\.", text)]

    def stubs(self) -> int:
        """Count what was left behind of sends of which nobody knows whether they arrived."""
        return sum("ends." not in text for text in self._texts())

    def _texts(self) -> list[str]:
        return self.person.texts()


async def meet(world: World, askers: list[Asker]) -> None:
    """Have everybody answered once: Discord tells nobody of a first direct message anew, unless
    the session in which it came was already written down.
    """
    await world.start()
    for asker in askers:
        asker.asks()
    for asker in askers:
        await asker.is_answered()
    await world.stop()


async def wave(world: World, askers: list[Asker], chance: random.Random) -> None:
    for death in range(2):
        async with world.process() as process:
            for asker in askers:
                if chance.random() < (0.9 if death == 0 else 0.3):
                    asker.asks()
            await asyncio.sleep(chance.uniform(0.0, _LIVES_AT_MOST))
            process.kill()
            await process.wait()
    world.clock = FastClock(20)  # what is in doubt is waited for at length
    await world.start()
    for asker in askers:
        await asker.is_answered()
    await world.until_waiting(0)
    await world.stop()


async def suffer(world: World, seed: int, waves: int, seen: Counter[str]) -> None:
    world.model.brain = brain
    world.model.pace.between = 0.05
    world.refusals |= _REFUSED_AFTER_A_KILL
    chance = random.Random(seed)
    askers = [
        Asker(platform.person(f"P{number}"), platform.name)
        for number in range(PEOPLE)
        for platform in world.platforms
    ]
    await meet(world, askers)
    for _ in range(waves):
        await wave(world, askers, chance)
    await world.start()  # and whoever comes after them finds nothing left to do
    for asker in askers:
        assert asker.whole() == asker.asked
        assert asker.person.preview() == ""
        seen["questions"] += len(asker.asked)
        seen[f"stubs on {asker.platform}"] += asker.stubs()
    seen["kills"] += 2 * waves
    assert seen["stubs on discord"] == seen["stubs on slack"] == 0
    assert seen["stubs on telegram"] <= PEOPLE * seen["kills"]


async def test_r1_r3_r6_kills_at_any_moment_lose_and_double_nothing(
    world: World, seen: Counter[str]
) -> None:
    await suffer(world, 1_000, 1, seen)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50))
async def test_r1_r3_r6_a_thousand_kills_lose_and_double_nothing(
    world: World, seed: int, seen: Counter[str]
) -> None:
    await suffer(world, seed, WAVES, seen)
