"""One person on two platforms: linked by a yes of both, and parted again."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.clock import Clock
from tests.journeys.conftest import PLATFORMS
from tests.journeys.platform import Person, Platform, Shown
from tests.journeys.world import World

PAIRS = [("telegram", "terminal"), ("telegram", "slack"), ("slack plain", "telegram")]


@pytest.fixture(params=PAIRS, ids=" to ".join)
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


@pytest.fixture
async def platform(pair: tuple[str, str], clock: Clock, tmp_path: Path) -> AsyncIterator[Platform]:
    async with PLATFORMS[pair[0]](clock, tmp_path) as met:
        yield met


@pytest.fixture
async def other(
    pair: tuple[str, str], world: World, clock: Clock, tmp_path: Path
) -> AsyncIterator[Platform]:
    """Return the second platform, which the gateway serves, too."""
    async with PLATFORMS[pair[1]](clock, tmp_path) as met:
        world.add(met)
        yield met


def code_in(shown: Shown) -> str:
    found = re.search(r"/link ([2-9A-HJ-NP-Z]{8})", shown.text)
    assert found is not None
    return found[1]


async def press(person: Person, label: str) -> None:
    """Press a button once it is there; in a terminal it is a numbered line."""
    listed = re.compile(rf"^\d+\. {re.escape(label)}$", re.MULTILINE)
    await person.until(
        lambda: any(label in one.buttons or listed.search(one.text) for one in person.sees())
    )
    person.presses(label)


async def link(here: Person, there: Person) -> None:
    """Link two accounts, as their owner would."""
    code = code_in(await here.asks("/link", "good for ten minutes"))
    await there.asks(f"/link {code}", "You are about to link this account")
    seen = len(here.sees())
    await press(there, "Yes, link")
    await there.reads("Now say yes on")
    await here.reads("wants to be linked with this account", after=seen)
    await press(here, "Yes, link")
    await here.reads("from your next message on")


async def test_a_question_on_one_platform_is_remembered_on_the_other(
    world: World, other: Platform
) -> None:
    await world.start()
    here, there = world.person("Ann"), other.person("Ann")
    await here.asks("My cat is called Mitzi.", "Mitzi")
    await there.asks("I live in Graz.", "Graz")
    await link(here, there)
    await there.reads("was linked with")
    await there.asks("What is my cat called?", "What is my cat called?")
    assert "Mitzi" in world.model.asked[-1].prompt
    assert "Graz" not in world.model.asked[-1].prompt
    await here.asks("And where do I live?", "And where do I live?")
    assert "What is my cat called?" in world.model.asked[-1].prompt
