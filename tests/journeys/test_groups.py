"""Places where several people read: who shares what there, and what stays between two."""

import pytest

from tests.journeys.platform import Platform
from tests.journeys.world import World

pytestmark = pytest.mark.parametrize(
    "platform",
    ["telegram group", "discord server", "discord thread", "slack channel"],
    indirect=True,
)


@pytest.mark.parametrize("speed", [1])  # a name that takes longer than a second is done without
async def test_people_share_a_history_and_are_told_apart(world: World) -> None:
    await world.start()
    ann, bob = world.person("Ann"), world.person("Bob")
    await ann.asks("I bring the cake", "Ann: I bring the cake")
    await bob.asks("Who brings what?", "Bob: Who brings what?")
    await world.stop()
    prompt = world.model.asked[-1].prompt
    assert "Ann: I bring the cake" in prompt
    assert "Bob: Who brings what?" in prompt


async def test_a_place_hears_nothing_of_direct_messages_nor_they_of_it(world: World) -> None:
    await world.start()
    ann = world.person("Ann")
    alone = ann.alone()
    await alone.asks("My secret is heliotrope", "heliotrope")
    await ann.asks("The team's word is magenta", "magenta")
    assert "heliotrope" not in world.model.asked[-1].prompt
    await alone.asks("What do you know?", "What do you know?")
    assert "magenta" not in world.model.asked[-1].prompt
    assert "heliotrope" in world.model.asked[-1].prompt


async def test_a_guest_may_ask_in_an_open_place_but_not_start_anew(world: World) -> None:
    await world.start()
    world.person("Ann")
    bob = world.person("Bob")
    await bob.asks("Remember the milk", "Remember the milk")
    await bob.asks("/new", "/new is not for you here.")
    await bob.asks("And?", "And?")
    assert "Remember the milk" in world.model.asked[-1].prompt


async def test_a_place_is_silent_until_it_is_allowed(world: World, platform: Platform) -> None:
    world.config["access"] = {"direct_messages": "open", "groups": "off"}
    await world.start()
    ann = world.person("Ann")
    ann.writes("hello team")
    await world.until_logged("message.refused")
    (refused,) = world.logged("message.refused")
    await world.stop()
    assert ann.texts() == []
    world.config["access"]["groups"] = [platform.place_name]
    await world.start()
    await ann.asks("hello again", "hello again")
    assert refused["place"] == platform.place_name
