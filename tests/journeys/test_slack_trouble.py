"""Slack in trouble: nothing is lost, nothing shown twice, and no stream is left broken."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gateway.clock import Clock
from tests.fakes.faults import Answer, Drop, Effect, Fault, RateLimit, Reset, Truncate
from tests.fakes.model import call
from tests.fakes.slack import FakeSlack, Message
from tests.journeys.on_slack import Slack, SlackChannel, SlackPerson
from tests.journeys.on_telegram import Telegram
from tests.journeys.platform import PATIENCE
from tests.journeys.test_conversation import long_answer, markers
from tests.journeys.world import World

where_it_streams = pytest.mark.parametrize("platform", ["slack", "slack channel"], indirect=True)
_NOT_STREAMING = "message_not_in_streaming_state"
_STILL_STREAMING = "streaming_state_conflict"


@pytest.fixture
def speed() -> float:
    return 20  # seconds are counted here


@pytest.fixture
async def telegram_too(world: World, clock: Clock) -> AsyncIterator[Telegram]:
    """Have the gateway serve Telegram as well."""
    async with Telegram(clock, world.folder) as telegram:
        world.add(telegram)
        yield telegram
        await world.stop()


def breaks(slack: Slack, effect: Effect, method: str, person: SlackPerson, **more: Any) -> Fault:
    """Have calls of a method fail in a person's conversation."""
    place = person.place.id
    return slack.server.faults.add(
        effect, path=f"/{method}", when=lambda facts: facts.get("channel") == place, **more
    )


async def used(slack: Slack, fault: Fault, times: int = 1) -> None:
    await slack.server.until(lambda _: fault.used >= times, timeout=PATIENCE)


def answers(person: SlackPerson) -> list[Message]:
    return [one for one in person.place.shown() if one.is_from_bot]


@pytest.mark.parametrize(
    ("platform", "method"),
    [
        ("slack", "chat.startStream"),
        ("slack", "chat.appendStream"),
        ("slack", "chat.stopStream"),
        ("slack", "assistant.threads.setStatus"),
        ("slack plain", "chat.postMessage"),
        ("slack plain", "chat.update"),
    ],
    indirect=["platform"],
)
async def test_r11_lesson_16_no_call_is_made_in_a_penalty_and_nobody_else_waits(
    world: World, slack: Slack, method: str
) -> None:
    """That no call was inside is looked at after every journey."""
    await world.start()
    ann, bob = slack.person("Ann"), slack.person("Bob")
    penalty = breaks(slack, RateLimit(20), method, ann, nth=1)
    gate = asyncio.Event()
    world.model.say("Slowly ", gate, "it grows.", when="story")
    world.model.pace.between = 1.0
    ann.writes("Tell me a story")
    if method not in {"chat.startStream", "assistant.threads.setStatus", "chat.postMessage"}:
        await slack.server.until(lambda _: bool(ann.texts()), timeout=PATIENCE)
        gate.set()
    await used(slack, penalty)
    refused_at = world.clock.now()
    gate.set()
    if method in {"chat.startStream", "assistant.threads.setStatus", "chat.postMessage"}:
        await bob.asks("Are you free?", "Are you free?")
        assert world.clock.now() - refused_at < 20
    await ann.reads("it grows.")
    await world.stop()
    assert ann.texts() == ["Slowly it grows."]


@pytest.mark.parametrize(
    ("platform", "method"),
    [("slack", "chat.startStream"), ("slack plain", "chat.postMessage")],
    indirect=["platform"],
)
@pytest.mark.parametrize(
    "effect",
    [Answer(500), Reset("before"), Drop(), Reset("after"), Truncate(), RateLimit("soon")],
    ids=repr,
)
async def test_r6_n2_n3_a_first_send_that_fails_shows_one_answer(
    world: World, slack: Slack, method: str, effect: Effect
) -> None:
    """What was sent all the same is found in the history."""
    await world.start()
    ann = slack.person("Ann")
    breaks(slack, effect, method, ann, nth=1)
    world.model.brain = lambda _: ["Hello ", "there, ", "this is ", "it."]
    await ann.asks("hi", "this is it.")
    await world.stop()
    assert ann.texts() == ["Hello there, this is it."]
    assert not any(one.is_broken for one in answers(ann))
    world.refusals.add(_STILL_STREAMING)  # as nobody knew that it had begun


@pytest.mark.parametrize("platform", ["slack", "slack plain"], indirect=True)
@pytest.mark.parametrize("effect", [Answer(500), Drop(), RateLimit(2)], ids=repr)
async def test_lesson_20_the_final_text_comes_though_every_third_call_fails(
    world: World, slack: Slack, effect: Effect
) -> None:
    await world.start()
    people = [slack.person(name) for name in ("Ann", "Bob", "Eve")]
    slack.server.faults.add(effect, path="/api/chat.", every=3)
    world.model.pace.between = 1.0
    pieces = [f"Sentence {number}. " for number in range(8)]
    world.model.brain = lambda _: [*pieces, "The end."]
    for person in people:
        person.writes("hi")
    for person in people:
        await person.reads("The end.")
    await world.stop()
    assert [person.texts() for person in people] == [["".join(pieces) + "The end."]] * 3
    # Beginnings and ends that were heard, and whose answers were lost.
    world.refusals |= {_NOT_STREAMING, _STILL_STREAMING}


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("effect", [Answer(500), Drop(), RateLimit(2)], ids=repr)
async def test_n4_n5_a_late_part_that_fails_repeats_no_other(
    world: World, slack: Slack, effect: Effect, page: int
) -> None:
    await world.start()
    ann = slack.person("Ann")
    breaks(slack, effect, "chat.postMessage", ann, nth=page)
    answer = long_answer(6_000)
    world.model.say(answer)
    await ann.asks("Tell me everything", "The very end.")
    await world.stop()
    assert len(ann.texts()) >= 3
    assert markers("\n".join(ann.texts())) == markers(answer)


@pytest.mark.parametrize("step", ["getUploadURLExternal", "/upload/", "completeUploadExternal"])
@pytest.mark.parametrize("effect", [Answer(500), Drop(), RateLimit(3)], ids=repr)
async def test_r6_lesson_13_a_file_that_fails_to_go_is_there_once_or_told(
    world: World, slack: Slack, effect: Effect, step: str
) -> None:
    await world.start()
    ann = slack.person("Ann")
    slack.server.faults.add(effect, path=step, nth=1)
    world.model.say(call("write_file", path="a.txt", content="hello"))
    world.model.say(call("send_file", path="a.txt"))
    world.model.say("There you are.")
    await ann.asks("Write it down", "There you are.")
    await world.stop()
    files = [one.file for one in ann.sees() if one.file is not None]
    assert files in ([], [b"hello"])
    assert files or "A file may be missing: a.txt" in ann.texts()[-1]


async def leave_half_open(server: FakeSlack) -> None:
    server.sockets.go_silent()


async def drop(server: FakeSlack) -> None:
    server.sockets.drop()


async def warn(server: FakeSlack) -> None:
    await server.sockets.disconnect("warning")
    await server.sockets.close()


@pytest.mark.parametrize(
    "trouble",
    [
        drop,
        leave_half_open,
        warn,
        lambda server: server.sockets.close(),
        lambda server: server.sockets.disconnect("refresh_requested"),
    ],
    ids=["dropped", "half open", "warning", "closed", "refresh"],
)
@where_it_streams
async def test_r8_a_socket_that_ends_amid_an_answer_loses_nothing(
    world: World, slack: Slack, trouble: Callable[[FakeSlack], Any]
) -> None:
    await world.start()
    ann = slack.person("Ann")
    gate = asyncio.Event()
    world.model.say("Half ", gate, "a word.", when="one")
    ann.writes("one")
    await ann.until(lambda: ann.preview() == "Half")
    opened = slack.server.sockets.opened
    await trouble(slack.server)
    ann.writes("two")
    ann.writes("three")
    gate.set()
    await ann.reads("three")
    await slack.server.until(lambda it: it.sockets.opened > opened, timeout=PATIENCE)
    await world.stop()
    told = [text.rpartition(": ")[2] for text in ann.texts()]
    assert told == ["Half a word.", "two", "three"]
    assert world.model.asked_count == 3


@pytest.mark.parametrize("how", ["token", "socket"])
async def test_an_account_that_is_refused_stops_and_says_why(
    world: World, slack: Slack, telegram_too: Telegram, how: str
) -> None:
    world.pardoned.add("adapter.stopped")
    world.refusals |= {"token_revoked", "invalid_auth"}
    world.config["drain_timeout"] = 3
    await world.start()
    ann = slack.person("Ann")
    await ann.asks("one", "one")
    if how == "token":
        slack.server.world.token_refusal = "token_revoked"
        ann.writes("two")
    else:
        slack.server.sockets.refuses = "invalid_auth"
    slack.server.sockets.drop()
    await world.until_logged("adapter.stopped")
    await telegram_too.person("Ann").asks("and here?", "and here?")
    told = {one["account"]: one for one in (await world.status())["adapters"]}
    assert told["slack"]["state"] == "stopped"
    assert "token" in told["slack"]["reason"]
    assert told["telegram"]["state"] == "running"
    assert told["slack"]["reason"][:30] in " ".join((await world.parley("status")).out.split())


@where_it_streams
@pytest.mark.parametrize("speed", [100])
async def test_an_answer_longer_than_five_minutes_stays_one_whole_message(
    world: World, slack: Slack
) -> None:
    world.agent["chat_timeout"] = 1_000
    await world.start()
    ann = slack.person("Ann")
    world.model.pace.between = 20.0
    pieces = [f"Word{number} " for number in range(20)]
    world.model.say(*pieces, "the end.")
    ann.writes("Take your time")
    await ann.reads("the end.")
    await world.stop()
    (answer,) = answers(ann)
    assert answer.shown == "".join(pieces) + "the end."
    assert not answer.is_broken
    assert answer.stream is not None
    assert answer.stream.ended is not None
    assert answer.stream.ended - answer.stream.began < 300
    assert answer.labels == []


@where_it_streams
async def test_a_stream_that_died_is_mended(world: World, slack: Slack) -> None:
    await world.start()
    ann = slack.person("Ann")
    gate = asyncio.Event()
    world.model.say("Half ", gate, "a word.")
    ann.writes("hi")
    await ann.until(lambda: ann.preview() == "Half")
    (half,) = answers(ann)
    assert half.stream is not None
    half.stream.began -= 300
    assert ann.place.streaming() == []
    assert half.is_broken
    gate.set()
    await ann.reads("Half a word.")
    await world.stop()
    assert answers(ann) == [half]
    assert half.shown == "Half a word."
    assert not half.is_broken
    world.refusals.add(_NOT_STREAMING)


async def test_a_server_that_goes_away_and_comes_back_finds_the_app_there(
    world: World, slack: Slack
) -> None:
    await world.start()
    ann = slack.person("Ann")
    gate = asyncio.Event()
    world.model.say("Before ", gate, "and after.")
    ann.writes("one")
    await ann.until(lambda: ann.preview() == "Before")
    away = slack.server.faults.add(Reset("before"))
    slack.server.sockets.drop()
    gate.set()
    await used(slack, away, 5)
    ann.writes("two")
    slack.server.faults.clear()
    await ann.reads("and after.")
    await ann.reads("two")
    await world.stop()
    assert ann.texts() == ["Before and after.", "two"]
    world.refusals.add(_NOT_STREAMING)


async def test_l9_a_server_that_is_away_at_the_start_is_waited_for(
    world: World, slack: Slack
) -> None:
    slack.server.faults.add(Answer(500), path="auth.test", times=2)
    slack.server.faults.add(Reset("before"), path="apps.connections.open", times=2)
    await world.start()
    await slack.person("Ann").asks("one", "one")


@pytest.mark.parametrize("platform", ["slack", "slack plain", "slack channel"], indirect=True)
async def test_lesson_17_a_burst_within_slacks_own_limits_meets_no_refusal(
    world: World, slack: Slack
) -> None:
    """Thirty at once are more than the streams of a minute; the rest grow by edits, or wait."""
    await world.start()
    slack.server.world.rates.enabled = True
    is_shared = isinstance(slack, SlackChannel)
    people = [slack.person(f"P{number}") for number in range(5 if is_shared else 30)]
    world.model.pace.between = 0.2
    pieces = [f"Word{number} " for number in range(40)]
    world.model.brain = lambda _: [*pieces, "the end."]
    for person in people:
        person.writes("hi")
    for person in people:
        await have_read(person, "".join(pieces) + "the end.", len(people) if is_shared else 1)


async def have_read(person: SlackPerson, text: str, times: int) -> None:
    await person.until(lambda: person.texts() == [text] * times)
