"""Everybody at once on every platform, half of them on their way to being one person there."""

import asyncio

import pytest

from tests.journeys.crowd import Crowd
from tests.journeys.world import World

pytestmark = pytest.mark.parametrize("platform", ["telegram"], indirect=True)


@pytest.fixture
def speed() -> float:
    """Return a pace at which what Slack and Discord give three seconds for can be done."""
    return 4


@pytest.mark.usefixtures("others")
@pytest.mark.promise("R3")
@pytest.mark.threat("T12")
@pytest.mark.threat("T13")
@pytest.mark.parametrize(
    "people",
    [80, pytest.param(1_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])],
)
async def test_t12_t13_r3_nobody_knows_what_is_anothers(world: World, people: int) -> None:
    world.agent["tools"] = []
    world.config["log"]["level"] = "warning"
    # In such a crowd a press waits longer than Telegram and Discord let it be answered.
    world.refusals |= {"query is too old", "Unknown interaction"}
    # Said again by the next process, as the receipt was cut off.
    world.refusals.add("message is not modified")
    crowd = Crowd(people, world.platforms)
    world.model.brain = crowd.think
    await world.start()
    for soul in crowd.souls:
        soul.talk()
    await world.model.until(lambda model: model.asked_count >= people // 2, timeout=60)
    await world.restart()
    for soul in crowd.souls:
        soul.talk()
    async with asyncio.TaskGroup() as everybody:
        for soul in crowd.souls:
            everybody.create_task(crowd.lives(soul))
    # Whatever was not done would be done now, and shown a second time.
    await world.restart()
    crowd.look()
    print(crowd.figures)  # noqa: T201 - what was measured, where somebody asks for it
    assert crowd.wrong == []
    assert crowd.links == sum(len(soul.accounts) - 1 for soul in crowd.souls if soul.links)
    assert crowd.prompts >= sum(len(one.asked) for one in crowd.accounts.values())
