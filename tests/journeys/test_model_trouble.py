"""A model's server in trouble: what people are told, and that their question is not lost."""

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.providers.breaker import REST
from tests.fakes.faults import (
    Answer,
    Effect,
    EndEarly,
    Fault,
    Hang,
    RateLimit,
    Reset,
    Silence,
    StreamError,
)
from tests.fakes.model import call
from tests.journeys.on_telegram import Telegram
from tests.journeys.platform import Person
from tests.journeys.world import World

both_providers = pytest.mark.parametrize("provider", ["openai", "anthropic"])
somewhere = pytest.mark.parametrize("platform", ["telegram", "terminal"], indirect=True)
KEPT = "as soon as the model is back."


def is_in_place(world: World) -> bool:
    """Whether words that put an answer off become the answer."""
    return world.platform.name != "local"


@somewhere
@both_providers
async def test_a_bad_key_is_told_in_words(world: World, ann: Person) -> None:
    world.agent["api_key"] = "sk-wrong-and-secret-0001"
    await world.start()
    told = await ann.asks("How are you?", "must check the agent's api_key.")
    assert "refused the API key" in told.text
    await world.stop()
    assert "sk-wrong-and-secret-0001" not in world.log.getvalue()
    assert len(ann.texts()) == 1


@somewhere
@both_providers
async def test_an_unknown_model_is_told_in_words(world: World, ann: Person) -> None:
    world.agent["model"] = "no-such-model"
    await world.start()
    told = await ann.asks("How are you?", "must check the agent's model and base_url.")
    assert 'does not know the model "no-such-model"' in told.text


@both_providers
async def test_a_question_to_an_overloaded_model_is_kept_and_answered_later(
    world: World, ann: Person
) -> None:
    await world.start()
    down = world.model.faults.add(Answer(529))
    await ann.asks("How are you?", KEPT)
    world.model.faults.clear()
    world.model.say("Well again.")
    await ann.reads("Well again.")
    await world.stop()
    assert down.used  # how often is for tests whose time stands still
    assert ann.texts()[-1] == "Well again."
    assert len(ann.texts()) == (1 if is_in_place(world) else 2)


async def test_a_model_that_cannot_be_reached_is_waited_for(world: World, ann: Person) -> None:
    await world.start()
    await world.model.__aexit__()
    await ann.asks("How are you?", KEPT)
    await world.model.__aenter__()
    world.model.say("Well again.")
    await ann.reads("Well again.")


@pytest.mark.parametrize("platform", ["telegram"], indirect=True)
@both_providers
@pytest.mark.parametrize("speed", [25])
async def test_a_silent_model_is_not_waited_for_forever(world: World, ann: Person) -> None:
    # Of real time, of which half a minute here holds one such wait and begins another.
    world.agent["first_token_timeout"] = 1.0
    await world.start()
    await ann.asks("Are you there?", "Are you there?")  # a client takes time to be loaded
    silent = world.model.faults.add(Hang())
    await ann.asks("How are you?", KEPT)
    assert silent.used >= 2
    world.model.faults.clear()
    world.model.say("Well again.")
    await ann.reads("Well again.")


@pytest.mark.parametrize("platform", ["telegram"], indirect=True)
@both_providers
@pytest.mark.parametrize(
    "effect",
    [Reset("middle", 4), StreamError(4), EndEarly(4), Silence(4)],
    ids=lambda effect: type(effect).__name__,
)
@pytest.mark.fault("lost answer", "models")
async def test_a_stream_that_dies_midway_is_begun_again_and_shown_once(
    world: World, ann: Person, effect: Effect
) -> None:
    world.agent["token_gap_timeout"] = 1.0
    await world.start()
    world.model.faults.add(effect, times=1)
    world.model.brain = lambda _: ["Birds ", "fly ", "south ", "in ", "winter."]
    await ann.asks("Tell me of birds", "winter.")
    await world.stop()
    assert ann.texts() == ["Birds fly south in winter."]
    assert world.model.asked_count == 2


async def test_a_stream_that_keeps_dying_is_put_off_and_ends_whole(
    world: World, ann: Person
) -> None:
    """A4: what it said is not lost with it."""
    await world.start()
    world.model.faults.add(StreamError(4))
    world.model.brain = lambda _: ["Birds ", "fly ", "south ", "in ", "winter."]
    await ann.asks("Tell me of birds", KEPT)
    world.model.faults.clear()
    await ann.reads("winter.")
    await world.stop()
    assert ann.texts()[-1] == "Birds fly south in winter."
    assert len(ann.texts()) == (1 if is_in_place(world) else 2)


@somewhere
@both_providers
async def test_another_model_answers_in_place_of_one_that_is_down(
    world: World, ann: Person
) -> None:
    other = world.model.models[0]
    world.agent["fallback_models"] = [other]
    await world.start()
    world.model.faults.add(Answer(503), when=lambda body: body.get("model") == "test-model")
    await ann.asks("How are you?", "How are you?")
    assert world.model.asked[-1].body["model"] == other
    await world.stop()
    assert len(ann.texts()) == 1


@somewhere
@both_providers
@pytest.mark.fault("penalty", "models")
async def test_a_model_that_asks_to_wait_is_left_alone_so_long(world: World, ann: Person) -> None:
    await world.start()
    times: list[float] = []

    def note(_: Mapping[str, Any]) -> bool:
        times.append(world.clock.now())
        return True

    world.model.faults.add(RateLimit(7), when=note, times=1)
    await ann.asks("How are you?", "How are you?")
    assert len(times) == 2
    assert times[1] - times[0] >= 7


@somewhere
@both_providers
async def test_a_conversation_that_is_too_long_is_told_with_its_cure(
    world: World, ann: Person
) -> None:
    await world.start()
    world.model.faults.add(Answer(400, message="prompt is too long: 300000 tokens"), times=1)
    told = await ann.asks("How are you?", "/new starts afresh.")
    assert "/compact" in told.text


@somewhere
async def test_a_tool_that_fails_is_told_to_the_model_which_goes_on(
    world: World, ann: Person
) -> None:
    await world.start()
    world.model.say("Let me look.", call("read_file", path="../../etc/passwd"))
    world.model.say("I cannot see that.")
    await ann.asks("What is in it?", "I cannot see that.")
    await world.stop()
    (text,) = ann.texts()
    assert "read_file (failed)" in text
    assert "root:" not in world.model.asked[-1].prompt


@somewhere
@pytest.mark.promise("R16")
async def test_a_search_without_end_holds_no_session(world: World, ann: Person) -> None:
    await world.start()
    world.model.say(call("write_file", path="a.txt", content="a" * 60 + "!"))
    world.model.say(call("search_files", pattern="(a+)+$", regex=True))
    world.model.say("That took too long.")
    ann.writes("Search")
    await ann.reads("That took too long.")
    assert "takes too long to match" in world.model.asked[-1].prompt
    await ann.asks("And now?", "And now?")


@somewhere
async def test_a_model_without_end_is_stopped(world: World, ann: Person) -> None:
    world.agent["max_steps"] = 5
    await world.start()
    world.model.brain = lambda _: [call("now")]
    await ann.asks("Go", "I stopped after 5 steps.")
    assert world.model.asked_count == 5
    world.model.brain = lambda _: "Gone on."
    await ann.asks("Go on", "Gone on.")


@somewhere
async def test_a_turn_beyond_its_time_keeps_what_it_said(world: World, ann: Person) -> None:
    world.agent["chat_timeout"] = "25s"
    world.agent["token_gap_timeout"] = 30
    await world.start()
    world.model.faults.add(Silence(3), times=1)
    world.model.say("Once ", "upon ", "a time.")
    told = await ann.asks("Tell me a story", "Send a message to go on.")
    assert told.text.startswith("Once")
    world.model.say("The end.")
    await ann.asks("Go on", "The end.")
    assert "Once" in world.model.asked[-1].prompt


@pytest.mark.parametrize("speed", [10])
@pytest.mark.timeout(180)
async def test_a_thousand_messages_wait_for_the_model_and_are_answered_in_order(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    down: Fault = world.model.faults.add(Answer(503))
    crowd = [telegram.person(f"P{number}") for number in range(100)]
    for number in range(10):
        for person in crowd:
            person.writes(f"{person.user.id}-{number}")
    await world.until_waiting(1_000)
    for person in crowd:
        await person.reads(KEPT)
    assert world.model.asked_count == 0
    world.model.faults.clear()
    for person in crowd:
        await person.reads(f"{person.user.id}-9")
    await world.stop()
    for person in crowd:
        assert person.texts() == [f"{person.user.id}-{number}" for number in range(10)]
    assert world.model.asked_count == 1_000
    assert down.used


@pytest.mark.promise("R15")
@pytest.mark.fault("trouble", "models")
async def test_a_dead_model_is_left_alone_and_asked_again_by_one(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    down = world.model.faults.add(Answer(500))
    few = [telegram.person(f"P{number}") for number in range(4)]
    for person in few:
        await person.asks("How are you?", KEPT)
    await world.until_logged("breaker.opened")
    (model,) = (await world.status())["models"]
    assert (model["model"], model["agents"]) == ("test-model", ["main"])
    assert model["state"] != "closed"
    shown = await world.parley("status")
    assert "test-model  openai    main" in shown.out
    late, asked, began = telegram.person("Late"), down.used, world.clock.now()
    await late.asks("And me?", KEPT)
    # Nobody was asked for them but by a probe, one at a time.
    assert down.used <= asked + 1 + (world.clock.now() - began) // REST
    world.model.faults.clear()
    for person in [*few, late]:
        await person.reads("me?" if person is late else "How are you?")
    await world.until_logged("breaker.closed")
    await world.stop()
    assert len(world.logged("breaker.opened")) == len(world.logged("breaker.closed")) == 1


@pytest.mark.promise("R15")
@pytest.mark.parametrize("speed", [25])
async def test_while_one_model_is_silent_the_next_answers_without_waiting_for_it(
    world: World, telegram: Telegram
) -> None:
    other = world.model.models[0]
    world.agent["fallback_models"] = [other]
    world.agent["first_token_timeout"] = 1.4  # of real time: 35 s for the breaker
    await world.start()
    silent = world.model.faults.add(Hang(), when=lambda body: body.get("model") == "test-model")
    ann, bob, cid = (telegram.person(name) for name in ("Ann", "Bob", "Cid"))
    ann.writes("One")
    bob.writes("Two")
    await ann.reads("One")
    await bob.reads("Two")
    assert silent.used == 2
    began = world.clock.now()
    await cid.asks("Three", "Three")
    assert silent.used == 2
    assert world.clock.now() - began < REST


async def test_what_waits_for_the_model_survives_a_restart(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    world.model.faults.add(Answer(503))
    ann = telegram.person("Ann")
    ann.writes("one")
    ann.writes("two")
    await ann.reads(KEPT)
    await world.restart()
    ann.writes("three")
    await world.until_waiting(3)
    world.model.faults.clear()
    await ann.reads("three")
    await world.stop()
    assert ann.texts() == ["one", "two", "three"]


async def test_stop_ends_the_wait_for_the_model(world: World, ann: Person) -> None:
    await world.start()
    world.model.faults.add(Answer(503))
    await ann.asks("How are you?", KEPT)
    ann.writes("/stop")
    await ann.reads("Stopped.")
    world.model.faults.clear()
    await ann.asks("And now?", "And now?")


@pytest.mark.promise("R10")
async def test_l13_too_many_waiting_messages_are_refused_in_words(
    world: World, telegram: Telegram
) -> None:
    world.config["queues"] = {"per_session": 5}
    await world.start()
    world.model.faults.add(Answer(503))
    ann = telegram.person("Ann")
    for number in range(8):
        ann.writes(f"message {number}")
    await ann.reads("once I have caught up.")
    world.model.faults.clear()
    await ann.reads("message 4")
    await world.stop()
    answers = [text for text in ann.texts() if text.startswith("message")]
    assert answers == [f"message {number}" for number in range(5)]
    assert sum("Too many messages" in text for text in ann.texts()) == 1
