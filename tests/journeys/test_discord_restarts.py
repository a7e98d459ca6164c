"""A gateway that ends and comes back is, to Discord, the same that it was."""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest

from gateway.clock import Clock, SystemClock
from tests.fakes.fast_clock import FastClock
from tests.fakes.model import Asked, Piece
from tests.journeys.on_discord import Discord, DiscordPerson
from tests.journeys.platform import PATIENCE
from tests.journeys.world import World

RESTARTS = 10


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> Clock:
    return SystemClock() if "kill" in request.node.name else FastClock(20)


def only_the_words(asked: Asked) -> Sequence[Piece]:
    """Say what was said, without the name of who did."""
    return [asked.user_text.rpartition(": ")[2]]


async def session_is_saved(world: World) -> None:
    """Wait until the next process can go on with the session."""
    async with asyncio.timeout(PATIENCE):
        while not _saved(world):
            await asyncio.sleep(0.05)  # a file tells nobody that it has changed


def _saved(world: World) -> bool:
    with closing(sqlite3.connect(world.data / "parley.db")) as store:
        told = store.execute("SELECT position FROM cursors WHERE name = 'account discord'")
        return any(json.loads(position).get("session") for (position,) in told)


@pytest.mark.promise("R1", "R8")
@pytest.mark.parametrize("platform", ["discord", "discord server"], indirect=True)
async def test_r1_r8_a_killed_gateway_goes_on_with_its_session_and_answers_each_once(
    world: World, discord: Discord
) -> None:
    """Whoever writes directly for the first time meanwhile can be found in no history."""
    world.model.brain = only_the_words
    ann = discord.person("Ann")
    async with world.process() as process:
        await ann.asks("one", "one")
        await session_is_saved(world)
        await ann.asks("two", "two")
        process.kill()
        await process.wait()
    user = discord.new_user("Bob")
    bob = DiscordPerson(discord.server, user, user.dm)
    ann.writes("three")
    bob.writes("Is anybody there?")
    ann.writes("four")
    async with world.process():
        await ann.reads("four")
        await bob.reads("Is anybody there?")
        await world.until_waiting(0)
    assert sorted(bob.texts()) == ["Is anybody there?"]
    assert ann.texts() == ["one", "two", "three", "four"]
    gateway = discord.server.gateway
    assert (gateway.identifies, gateway.resumes) == (1, 1)


@pytest.mark.promise("R1", "R8", "R12")
@pytest.mark.parametrize("platform", ["discord", "discord server"], indirect=True)
async def test_r1_r8_r12_ten_restarts_under_load_lose_nothing_double_nothing_identify_once(
    world: World, discord: Discord
) -> None:
    world.model.brain = only_the_words
    world.config["queues"] = {"per_session": 100}
    await world.start()
    people = [discord.person(name) for name in ("Ann", "Bob", "Eve")]
    for person in people:
        await person.asks(f"{person.name} 0.", f"{person.name} 0.")
    await session_is_saved(world)
    said = [f"{person.name} 0." for person in people]
    for number in range(1, RESTARTS + 1):
        for person in people:
            person.writes(f"{person.name} {number}.")
        await world.stop()
        for person in people:
            person.writes(f"{person.name} {number} and a half.")
        await world.start()
        said += [f"{one.name} {number}{rest}" for one in people for rest in (".", " and a half.")]
    for person in people:
        await person.reads(f"{person.name} {RESTARTS} and a half.")
    await world.until_waiting(0)
    await world.stop()
    meeting = {person.channel.id: person for person in people}
    answers = [text for person in meeting.values() for text in person.texts()]
    assert sorted(answers) == sorted(said)
    for person in people:
        of_them = [text for text in answers if text.startswith(person.name)]
        assert of_them == [text for text in said if text.startswith(person.name)]
    gateway = discord.server.gateway
    assert (gateway.identifies, gateway.resumes) == (1, RESTARTS)
