"""What the network may do to a conversation: each question is answered once, where it was asked.

What it may do to one call is in tests/adapters/test_network_faults.py.
"""

import asyncio
import random

import pytest

from tests.fakes.fast_clock import FastClock
from tests.fakes.faults import Answer, Faults
from tests.fakes.host_clock import HostClock
from tests.journeys.network import (
    faults_of,
    has_told,
    hold_back,
    let_through,
    tell_again,
    tell_nonsense,
)
from tests.journeys.platform import Person, Platform
from tests.journeys.world import World

ALL_WAYS = ("telegram", "telegram webhook", "discord", "slack", "slack http")
by_all_ways = pytest.mark.parametrize("platform", ALL_WAYS, indirect=True)
on_each_platform = pytest.mark.parametrize(
    "platform", ["telegram", "discord", "slack"], indirect=True
)
WINDOW = 50


@pytest.fixture
def speed(request: pytest.FixtureRequest) -> float:
    """Return a pace at which what Slack gives three seconds for can be done in that time."""
    if "slack" not in request.node.callspec.params["platform"]:
        return 50
    return 20 if "is_solid" in request.node.callspec.params else 10


async def ask_all(people: list[Person], *questions: str) -> None:
    """Have everybody ask all of it at once, and read the last answer."""
    for question in questions:
        for person in people:
            person.writes(question)
    for person in people:
        await person.reads(questions[-1])


@pytest.mark.fault("trouble", "telegram", "discord", "slack", "models")
@pytest.mark.promise("R11")
@on_each_platform
@pytest.mark.parametrize("of_model", [False, True], ids=["the platform", "the model"])
@pytest.mark.parametrize(
    ("status", "is_solid"),
    [(502, False), (503, True)],
    ids=["one call in three", "all for a minute"],
)
async def test_r11_what_a_server_in_trouble_refuses_is_said_later_and_once(
    world: World, platform: Platform, status: int, *, of_model: bool, is_solid: bool
) -> None:
    if of_model and platform.name != "telegram":
        pytest.skip("the model's trouble is the same everywhere")
    await world.start()
    people = [world.person(name) for name in ("Ann", "Bob", "Eve")]
    broken: Faults = world.model.faults if of_model else faults_of(platform)
    # Slack is also asked what it shows: every third of all calls would hit one kind alone.
    path = "/api/chat." if platform.name == "slack" and not (is_solid or of_model) else ""
    fault = broken.add(Answer(status), path=path, every=1 if is_solid else 3)
    for number in ("one", "two", "three"):
        for person in people:
            person.writes(number)
    if is_solid:
        await world.clock.sleep(60)
        broken.clear()
    for person in people:
        await person.reads("three")
    await world.stop()
    assert fault.used
    for person in people:
        assert person.texts() == ["one", "two", "three"]


@pytest.mark.fault(
    "repeats",
    "telegram polling",
    "telegram webhook",
    "discord gateway",
    "slack socket",
    "slack http",
)
@pytest.mark.promise("R2")
@by_all_ways
async def test_r2_whatever_is_told_again_and_again_is_answered_once(
    world: World, platform: Platform
) -> None:
    await world.start()
    people = [world.person(name) for name in ("Ann", "Bob")]
    await ask_all(people, "one", "two")
    for times in (1, 2, 3, 4, 5):
        await tell_again(platform, times)
    await ask_all(people, "three")
    await world.until_waiting(0)
    assert isinstance(world.clock, FastClock)
    world.clock.leap(360)
    await tell_again(platform, 1)
    await ask_all(people, "four")
    await world.restart()
    await tell_again(platform, 1)
    await ask_all(people, "five")
    await world.stop()
    for person in people:
        assert person.texts() == ["one", "two", "three", "four", "five"]
    assert world.model.asked_count == 10


@pytest.mark.fault(
    "disorder",
    "telegram polling",
    "telegram webhook",
    "discord gateway",
    "slack socket",
    "slack http",
)
@pytest.mark.promise("R3")
@by_all_ways
@pytest.mark.parametrize("seed", [1, 2])
async def test_r3_what_comes_in_another_order_is_answered_once_and_an_edit_for_its_message(
    world: World, platform: Platform, seed: int
) -> None:
    await world.start()
    people = [world.person(f"P{number}") for number in range(5)]
    for person in people:
        await person.asks("hello", "hello")
    hold_back(platform)
    for number in range(WINDOW // (2 * len(people))):
        for person in people:
            person.writes(f"draft {number}")
            person.edits(f"question {number}")
    let_through(platform, random.Random(seed))
    await has_told(platform)
    await world.until_waiting(0)
    for person in people:
        await person.asks("the end", "the end")
    await world.stop()
    asked = [f"question {number}" for number in range(WINDOW // (2 * len(people)))]
    for person in people:
        first, *between, last = person.texts()
        assert (first, last) == ("hello", "the end")
        answered = [text.replace("draft", "question") for text in between]
        assert sorted(answered) == asked
    assert world.model.asked_count == len(people) * (2 + len(asked))


@pytest.mark.fault(
    "garbage",
    "telegram polling",
    "telegram webhook",
    "discord gateway",
    "slack socket",
    "slack http",
)
@by_all_ways
async def test_what_has_nothing_right_in_it_is_left_out_and_all_else_goes_on(
    world: World, platform: Platform
) -> None:
    await world.start()
    ann = world.person("Ann")
    await ann.asks("one", "one")
    tell_nonsense(platform)
    await ann.asks("two", "two")
    assert [one["state"] for one in (await world.status())["adapters"]] == ["running"]
    await world.restart()
    await ann.asks("three", "three")
    await world.stop()
    assert ann.texts() == ["one", "two", "three"]
    assert world.model.asked_count == 3
    world.refusals.add("query is too old")


@pytest.mark.fault("clock", "host")
@pytest.mark.promise("R14")
@on_each_platform
@pytest.mark.parametrize(
    ("wall", "span"),
    [(3_600, 0), (-3_600, 0), (600, 600)],
    ids=["an hour fast", "an hour slow", "asleep for ten minutes"],
)
async def test_r14_a_clock_that_jumps_amid_an_answer_changes_nothing(
    world: World, wall: float, span: float
) -> None:
    """The platform's own clock goes right all the time."""
    host = HostClock(world.clock)
    world.clock = host
    await world.start()
    ann = world.person("Ann")
    gate = asyncio.Event()
    world.model.say("Half ", gate, "a word.", when="one")
    ann.writes("one")
    await ann.until(lambda: ann.preview() == "Half")
    ann.writes("two")
    await world.until_waiting(2)
    host.wall += wall
    host.span += span
    gate.set()
    await ann.reads("two")
    await ann.asks("three", "three")
    await world.restart()
    await ann.asks("four", "four")
    await world.stop()
    assert ann.texts() == ["Half a word.", "two", "three", "four"]
    assert world.model.asked_count == 4
