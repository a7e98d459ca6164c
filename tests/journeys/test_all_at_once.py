"""One process on every platform at the same time: nobody's trouble is anybody else's."""

import asyncio
import re

import pytest

from tests.fakes.faults import Answer, Fault, Reset
from tests.fakes.model import Asked
from tests.journeys.on_discord import Discord
from tests.journeys.on_slack import Slack
from tests.journeys.on_telegram import Telegram
from tests.journeys.platform import PATIENCE, Person, Platform
from tests.journeys.world import World

pytestmark = pytest.mark.parametrize("platform", ["telegram"], indirect=True)

PEOPLE = 100


def echo(asked: Asked) -> list[str]:
    """Say the last word again and again, in pieces."""
    marker = asked.user_text.split()[-1]
    return [*(f"{marker} " for _ in range(8)), f"{marker}!"]


@pytest.fixture
def speed() -> float:
    """Return a pace at which a hiccup of a small machine is no second of a rate limit."""
    return 2


def with_limits(world: World) -> None:
    """Have every platform keep its published rates, told in the clock's own seconds."""
    for platform in world.platforms:
        if isinstance(platform, Discord):
            platform.server.rates.enabled = True
            platform.server.rates.speed = 1
        elif isinstance(platform, Slack):
            platform.server.world.rates.enabled = True


@pytest.mark.usefixtures("others")
async def test_t13_three_hundred_conversations_see_only_their_own(world: World) -> None:
    with_limits(world)
    await world.start()
    world.model.brain = echo
    world.model.pace.between = 0.3
    crowd = [
        (platform.person(f"P{number}"), f"canary{number:03}{platform.name}")
        for number in range(PEOPLE)
        for platform in world.platforms
    ]
    for person, marker in crowd:
        person.writes(f"My word is {marker}")
    for person, marker in crowd:
        await person.reads(f"{marker}!")
    for person, marker in crowd:
        person.writes(f"And now it is {marker}2")
    for person, marker in crowd:
        await person.reads(f"{marker}2!")
    for person, marker in crowd:
        whole = f"{' '.join([marker] * 8)} {marker}!"
        assert person.texts() == [whole, whole.replace(marker, f"{marker}2")]
    assert world.model.asked_count == 2 * len(crowd)
    for asked in world.model.asked:
        assert len(set(re.findall(r"canary\d{3}(?:telegram|discord|slack)", asked.prompt))) == 1
    for platform in (Telegram, Discord, Slack):
        (met,) = [one for one in world.platforms if isinstance(one, platform)]
        assert met.server.calls_in_penalty == 0


async def asks(person: Person, text: str, answer: str) -> None:
    async with asyncio.timeout(20):
        await person.asks(text, answer)


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("broken", ["telegram", "discord", "slack"])
async def test_n8_endless_errors_on_one_platform_delay_no_other(world: World, broken: str) -> None:
    await world.start()
    (bad,) = [one for one in world.platforms if one.name == broken]
    assert isinstance(bad, Telegram | Discord | Slack)
    world.pardoned |= {"adapter.failed"}
    world.refusals |= {"500", "Internal"}
    bad.server.faults.add(Answer(500, "oops"))
    lost = bad.person("Lost")
    lost.writes("hello?")
    for platform in world.platforms:
        if platform is not bad:
            await asks(platform.person("Ann"), f"hello {platform.name}", f"hello {platform.name}")
    bad.server.faults.clear()
    await asks(bad.person("Bob"), "are you back?", "are you back?")


def cut_off(platform: Platform) -> Fault:
    """End a platform's connection, and let no new one be made."""
    match platform:
        case Discord():
            fault = platform.server.faults.add(Reset("before"), path="/gateway")
            platform.server.gateway.breaks_off()
        case Slack():
            fault = platform.server.faults.add(Reset("before"), path="apps.connections.open")
            platform.server.sockets.drop()
        case _:
            assert isinstance(platform, Telegram)
            fault = platform.server.faults.add(Reset("before"), path="getUpdates")
    return fault


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("broken", ["telegram", "discord", "slack"])
@pytest.mark.parametrize("speed", [20])
async def test_n8_a_connection_that_cannot_be_made_delays_no_other(
    world: World, broken: str
) -> None:
    """It says what it lacks meanwhile, and is back by itself."""
    await world.start()
    (bad,) = [one for one in world.platforms if one.name == broken]
    assert isinstance(bad, Telegram | Discord | Slack)
    lost = bad.person("Lost")
    await asks(lost, "hello?", "hello?")
    fault = cut_off(bad)
    if isinstance(bad, Telegram):
        lost.writes("what is asked for already")
    await bad.server.until(lambda _: fault.used > 2, timeout=PATIENCE)
    lost.writes("are you there?")
    for platform in world.platforms:
        if platform is not bad:
            await asks(platform.person("Ann"), f"hello {platform.name}", f"hello {platform.name}")
    told = {one["account"]: one for one in (await world.status())["adapters"]}
    assert {name for name, one in told.items() if one["state"] == "troubled"} == {broken}
    assert told[broken]["reason"]
    bad.server.faults.clear()
    await lost.reads("are you there?")
    await asks(lost, "and now?", "and now?")


async def test_a_dead_token_stops_one_account_and_says_why(
    world: World, others: list[Platform]
) -> None:
    world.config["adapters"]["discord"]["token"] = "wrong.token.here"
    world.platforms.remove(others[0])
    world.pardoned |= {"adapter.stopped"}
    await world.start()
    await world.until_logged("adapter.stopped")
    for platform in world.platforms:
        await asks(platform.person("Ann"), f"hello {platform.name}", f"hello {platform.name}")
    told = {one["account"]: one for one in (await world.status())["adapters"]}
    assert told["discord"]["state"] == "stopped"
    assert "token" in told["discord"]["reason"]
    assert {told["telegram"]["state"], told["slack"]["state"]} == {"running"}
