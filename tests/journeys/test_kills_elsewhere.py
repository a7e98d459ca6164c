"""`kill -9` in the middle of everything, on Discord and on Slack; see `test_kills.py`."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.clock import SystemClock
from tests.fakes.fast_clock import FastClock
from tests.fakes.faults import Hang
from tests.fakes.model import call
from tests.journeys.on_discord import Discord, DiscordPerson
from tests.journeys.on_slack import Slack, SlackPerson
from tests.journeys.platform import PATIENCE, Person, Platform
from tests.journeys.test_kills import Brain
from tests.journeys.world import World

wherever_it_grows = pytest.mark.parametrize(
    "platform", ["discord", "slack", "slack plain"], indirect=True
)
PEOPLE = 12
_FIRST_SENDS = {
    "discord": ("/messages", "POST"),
    "slack": ("chat.startStream", ""),
    "slack plain": ("chat.postMessage", ""),
}
_LAST_STEPS = {
    "discord": ("/messages", "POST", 2),
    "slack": ("completeUploadExternal", "", 1),
}


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def ids(person: Person) -> list[str]:
    """Name the bot's messages that a person sees."""
    if isinstance(person, DiscordPerson):
        return [str(one.id) for one in person.channel.shown() if one.is_from_bot]
    assert isinstance(person, SlackPerson)
    return [one.ts for one in person.place.shown(person.thread) if one.is_from_bot]


async def are_answered(people: Sequence[Person]) -> None:
    async with asyncio.timeout(PATIENCE):
        for person in people:
            await person.reads("and it ends here.")


async def start_in_haste(world: World) -> None:
    """Start the next life by a clock that runs fast: what is in doubt is waited for at length."""
    world.clock = FastClock(20)
    await world.start()


async def previewed(person: Person) -> None:
    await person.until(lambda: person.preview() != "")


async def kill(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


@pytest.mark.parametrize("platform", ["discord", "slack"], indirect=True)
async def test_r1_r6_a_kill_amid_many_turns_loses_nothing_and_doubles_nothing(
    world: World,
) -> None:
    brain = Brain()
    world.model.brain = brain
    async with world.process() as process:
        people = [world.person(f"P{number}") for number in range(PEOPLE)]
        for number, person in enumerate(people):
            person.writes(f"held {('early', 'middle', 'tool')[number % 3]} {person.name}")
        for number, person in enumerate(people):
            if number % 3:
                await previewed(person)
        before = [ids(person) for person in people]
        await kill(process)
    brain.gate.set()
    await start_in_haste(world)
    await are_answered(people)
    await world.until_waiting(0)
    await world.stop()
    for person, had in zip(people, before, strict=True):
        (text,) = person.texts()
        assert f"This is the whole answer for {person.name}, and it ends here." in text
        assert ids(person)[: len(had)] == had
        assert person.preview() == ""
    world.refusals.add("streaming_state_conflict")  # Slack alone still takes it for streaming


@wherever_it_grows
async def test_r7_a_half_grown_answer_goes_on_in_the_same_message(world: World) -> None:
    brain = Brain()
    world.model.brain = brain
    async with world.process() as process:
        ann = world.person("Ann")
        ann.writes("held middle Ann")
        await ann.until(lambda: "This is the whole answer" in ann.preview())
        half = ids(ann)
        await kill(process)
    ann.writes("held early Ann")  # nobody listens
    brain.gate.set()
    await start_in_haste(world)
    await ann.until(lambda: len(ann.texts()) == 2 and ann.preview() == "")
    await world.stop()
    answers = [text for text in ann.texts() if "Ann, and it ends here." in text]
    assert len(answers) == 2
    assert ids(ann)[:1] == half
    world.refusals.add("streaming_state_conflict")


@pytest.mark.parametrize("platform", list(_FIRST_SENDS), indirect=True)
async def test_r6_a_first_send_that_a_kill_cut_off_is_shown_once(
    world: World, platform: Platform, request: pytest.FixtureRequest
) -> None:
    """Discord gives back the first of a nonce; at Slack it is found in the history."""
    assert isinstance(platform, Discord | Slack)
    path, method = _FIRST_SENDS[request.node.callspec.params["platform"]]
    lost = platform.server.faults.add(Hang(applies=True), path=path, method=method)
    brain = Brain()
    world.model.brain = brain
    async with world.process() as process:
        ann = world.person("Ann")
        ann.writes("held middle Ann")
        await ann.until(lambda: lost.used > 0 and bool(ids(ann)))
        half = ids(ann)
        await kill(process)
    platform.server.faults.clear()
    brain.gate.set()
    await start_in_haste(world)
    await are_answered([ann])
    await world.stop()
    assert ann.texts() == ["This is the whole answer for Ann, and it ends here."]
    assert ids(ann) == half
    world.refusals.add("streaming_state_conflict")


@pytest.mark.parametrize("platform", list(_LAST_STEPS), indirect=True)
@pytest.mark.parametrize("has_arrived", [True, False])
async def test_r6_a_file_that_a_kill_cut_off_is_there_once_or_told(
    world: World, platform: Platform, *, has_arrived: bool
) -> None:
    assert isinstance(platform, Discord | Slack)
    path, method, number = _LAST_STEPS[platform.name]
    lost = platform.server.faults.add(
        Hang(applies=has_arrived), path=path, method=method, nth=number
    )
    world.model.say(call("write_file", path="a.txt", content="hello"))
    world.model.say(call("send_file", path="a.txt"))
    world.model.say("There ", asyncio.Event(), "you are.")
    async with world.process() as process:
        ann = world.person("Ann")
        ann.writes("Write it down")
        await platform.server.until(lambda _: lost.used > 0, timeout=PATIENCE)
        if has_arrived:
            await ann.until(lambda: any(one.file for one in ann.sees()))
        await kill(process)
    platform.server.faults.clear()
    world.model.say("There you are, after all.")
    await start_in_haste(world)
    await ann.reads("after all.")
    await world.stop()
    files = [one.file for one in ann.sees() if one.file is not None]
    assert files in ([], [b"hello"])
    assert files or "A file may be missing: a.txt" in ann.texts()[-1]
    world.refusals.add("streaming_state_conflict")
