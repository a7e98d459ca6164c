"""`kill -9` around the moment at which two accounts become one person."""

import asyncio
import sqlite3

import pytest

from gateway.clock import SystemClock
from tests.journeys.platform import PATIENCE, Person
from tests.journeys.test_linking import code_in, press
from tests.journeys.world import World


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def trail(world: World) -> list[str]:
    connection = sqlite3.connect(world.data / "parley.db")
    try:
        return [row[0] for row in connection.execute("select action from audit")]
    finally:
        connection.close()


async def until_committed(world: World, action: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while action not in trail(world):
            await asyncio.sleep(0.001)


async def asked_both(world: World) -> tuple[Person, Person]:
    """Bring a link to its last yes, while both sides have a message in work and one in line."""
    ann, other = world.person("Ann"), world.person("Ann")
    code = code_in(await ann.asks("/link", "good for ten minutes"))
    await other.asks(f"/link {code}", "say no.")
    await press(other, "Yes, link")
    await ann.reads("somebody has learnt your code.")
    for person, letter in ((ann, "a"), (other, "b")):
        person.writes(f"held {letter}1")
        person.writes(f"free {letter}2")
    await world.model.until(lambda model: model.asked_count == 2, timeout=PATIENCE)
    return ann, other


@pytest.mark.parametrize("platform", ["telegram"], indirect=True)
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_r1_r6_t8_a_kill_around_the_link_loses_and_doubles_nothing(
    world: World, moment: str
) -> None:
    gate = asyncio.Event()
    world.model.brain = lambda asked: (
        [gate, f"Answer {asked.user_text.split()[-1]}."]
        if "held" in asked.user_text
        else [f"Answer {asked.user_text.split()[-1]}."]
    )
    async with world.process() as process:
        ann, other = await asked_both(world)
        await press(ann, "Yes, link")
        if moment == "after":
            await until_committed(world, "link.made")
        process.kill()
        await process.wait()
    gate.set()
    await world.start()
    await ann.reads("from your next message on")
    for person, letter in ((ann, "a"), (other, "b")):
        await person.reads(f"Answer {letter}1.")
        await person.reads(f"Answer {letter}2.")
        await person.reads("was linked with")
    await other.asks("free last", "Answer last.")
    prompt = world.model.asked[-1].prompt
    assert "a1" in prompt
    assert "a2" in prompt
    assert trail(world).count("link.made") == 1
    for person, letter in ((ann, "a"), (other, "b")):
        answers = [text for text in person.texts() if text.startswith("Answer")]
        expected = [f"Answer {letter}1.", f"Answer {letter}2."]
        assert answers[:2] == expected, answers
        assert sum("was linked with" in text for text in person.texts()) <= 2
