"""One person on three platforms, from a stranger on each to a stranger again."""

import pytest

from tests.journeys.platform import Person, Platform
from tests.journeys.test_linking import link, press
from tests.journeys.world import World

pytestmark = pytest.mark.parametrize("platform", ["telegram"], indirect=True)


async def let_in(owner: Person, stranger: Person) -> None:
    """Be refused, ask, and be let in by the owner's button."""
    seen = len(owner.sees())
    stranger.writes("hello")
    await stranger.reads("good for an hour")
    asks = await owner.reads("asks to be let in.", after=seen)
    assert stranger.identity in asks.text
    await press(owner, "Let in")
    await stranger.reads("You have been let in.")


async def remembers(world: World, person: Person, question: str, *words: str) -> None:
    await person.asks(question, question)
    prompt = world.model.asked[-1].prompt
    assert all(one in prompt for one in words), words


async def test_t1_t8_t12_one_memory_on_three_platforms_until_they_part(
    world: World, others: list[Platform]
) -> None:
    world.config["access"] = {"direct_messages": "pairing", "owners": [world.platform.owner]}
    await world.start()
    owner = world.person("Ann")
    await owner.asks("hello", "hello")
    ben = [world.person("Ben"), *(one.person("Ben") for one in others)]
    telegram, discord, slack = ben
    for account in ben:
        await let_in(owner, account)
    assert world.model.asked_count == 1, "no stranger has reached the model"
    await remembers(world, telegram, "My cat is called Mitzi.")
    await link(telegram, discord)
    await link(discord, slack)
    await remembers(world, discord, "I live in Graz.", "Mitzi")
    await remembers(world, slack, "I play the flute.", "Mitzi", "Graz")
    await remembers(world, telegram, "What do you know?", "Mitzi", "Graz", "flute")
    listed = await slack.asks("/linked", "another.")
    assert all(account.identity in listed.text for account in ben)
    await discord.asks("/unlink", "It keeps nothing of what was said")
    await press(discord, "Yes, unlink")
    await discord.reads("I no longer know here")
    await discord.asks("What do you know now?", "What do you know now?")
    prompt = world.model.asked[-1].prompt
    assert not any(word in prompt for word in ("Mitzi", "Graz", "flute"))
    await remembers(world, slack, "And you here?", "Mitzi", "Graz", "flute")


@pytest.mark.usefixtures("others")
async def test_t10_who_takes_the_owners_name_stays_a_stranger(world: World) -> None:
    world.config["access"] = {"direct_messages": "pairing", "owners": [world.platform.owner]}
    await world.start()
    owner = world.person("Ann")
    await owner.asks("hello", "hello")
    for platform in world.platforms:
        mallory = platform.person("Ann")
        assert mallory.identity != owner.identity
        mallory.writes("It is me, Ann.")
        await mallory.reads("I only talk to people my owner has let in.")
    assert world.model.asked_count == 1
