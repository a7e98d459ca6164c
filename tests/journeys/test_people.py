"""What people may do, by role and place; what they are asked, and what they may spend."""

import re

import pytest

from tests.fakes.model import call
from tests.journeys.on_telegram import TelegramGroup
from tests.journeys.platform import Person
from tests.journeys.world import World

GROUPS = ["telegram group", "discord server", "slack channel"]
in_groups = pytest.mark.parametrize("platform", GROUPS, indirect=True)
WRITE = call("write_file", path="data/note.txt", content="hello")


def written(world: World) -> list[str]:
    return [path.read_text() for path in world.data.glob("workspaces/**/note.txt")]


def offered(world: World) -> list[set[str]]:
    """Return the tools that each request to the model told of."""
    return [
        {tool["function"]["name"] for tool in asked.body.get("tools", [])}
        for asked in world.model.asked
    ]


async def place_of(world: World, person: Person) -> str:
    """Ask the bot how settings name this place, and leave the gateway stopped."""
    await world.start()
    shown = await person.asks("/whoami", "Place: ")
    await world.stop()
    found = re.search(r"Place: `?([^\s`]+)", shown.text)
    assert found is not None
    return found[1]


@in_groups
async def test_t15_t22_tools_follow_the_role_of_who_speaks(world: World) -> None:
    ann, bob, eve = (world.person(name) for name in ("Ann", "Bob", "Eve"))
    place = await place_of(world, ann)
    world.config["access"]["groups"] = {place: {"roles": {bob.identity: "member"}}}
    world.agent["tools_for"] = {"member": ["now", "write_file"]}
    await world.start()
    for person in (ann, bob, eve):
        await person.asks(f"hello from {person.name}", f"hello from {person.name}")
    owners, members, guests = offered(world)
    assert {"send_file", "edit_file"} < owners
    assert members == {"now", "write_file"}
    assert guests == {"now", "list_files", "read_file", "search_files"}


@in_groups
async def test_t16_an_admin_looks_after_a_group_and_a_member_does_not(world: World) -> None:
    world.person("Ann")
    bob, eve = world.person("Bob"), world.person("Eve")
    world.config["access"]["admins"] = [bob.identity]
    await world.start()
    await eve.asks("hello", "hello")
    await eve.asks("/new", "/new is not for you here.")
    await bob.asks("/whoami", "Role: admin")
    await bob.asks("/new", "A new conversation.")


@pytest.mark.parametrize("platform", [*GROUPS, "telegram", "discord", "slack"], indirect=True)
@pytest.mark.parametrize("button", ["Allow", "Deny"])
async def test_t18_a_tool_runs_once_its_person_has_pressed_allow(world: World, button: str) -> None:
    ann, bob = world.person("Ann"), world.person("Bob")
    world.agent["approvals"] = ["write_file"]
    await world.start()
    world.model.say(WRITE)
    world.model.say("That is that.")
    ann.writes("write it down")
    asked = await ann.reads("May I run write_file with this?")
    assert asked.buttons == ("Allow", "Deny")
    assert written(world) == []
    if ann.sees() == bob.sees():
        # By the time of this answer it is written down whom the question is for.
        await bob.asks("/status", "Queue: ")
        bob.presses("Allow")
        await world.until_logged("message.refused")
    ann.presses(button)
    await ann.reads("That is that.")
    assert written(world) == (["hello"] if button == "Allow" else [])


@pytest.mark.parametrize("platform", ["telegram group"], indirect=True)
async def test_a_group_lets_the_bot_hear_what_is_said_near_it(world: World) -> None:
    telegram = _group(world)
    place = f"telegram:{telegram.group.id}"
    world.config["access"]["groups"] = {place: {"context": 3, "prompt": "You keep our diary."}}
    ann, bob = telegram.person("Ann"), telegram.person("Bob")
    await world.start()
    for number in range(5):
        bob.user.writes(f"remark {number}", chat=telegram.group)
    await ann.asks("what was said?", "what was said?")
    (asked,) = world.model.asked
    assert asked.system.startswith("You keep our diary.")
    heard = [number for number in range(5) if f"Bob: remark {number}" in asked.user_text]
    assert heard == [2, 3, 4]


@pytest.mark.parametrize("platform", ["telegram"], indirect=True)
async def test_t66_who_has_spent_their_budget_is_told_when_it_opens(world: World) -> None:
    world.agent |= {"max_output_tokens": 500, "tools": []}
    world.config["budgets"] = {"per_person_day": {"tokens": 3_000}}
    ann, bob = world.person("Ann"), world.person("Bob")
    await world.start()
    world.model.say("A dear answer.", usage=(1_500, 900))
    await ann.asks("tell me all", "A dear answer.")
    await ann.asks("and more?", "Your budget for today does not allow another answer.")
    assert "It opens again on " in ann.texts()[-1]
    await ann.asks("/usage", "Your budget for today: 600 of 3,000 tokens left")
    await bob.asks("and I?", "and I?")
    assert world.model.asked_count == 2


@pytest.mark.parametrize("platform", ["telegram"], indirect=True)
async def test_t67_a_flood_gets_one_word_and_ten_answers(world: World) -> None:
    del world.config["rate_limits"]
    await world.start()
    world.person("Ann")
    mallory = world.person("Mallory")
    for number in range(40):
        mallory.writes(f"spam {number}")
    await world.until_logged("message.shed", 30)
    await mallory.until(lambda: len(mallory.texts()) == 11)
    told = [text for text in mallory.texts() if "You write faster than I may answer" in text]
    assert len(told) == 1
    assert world.model.asked_count == 10


def _group(world: World) -> TelegramGroup:
    assert isinstance(world.platform, TelegramGroup)
    return world.platform
