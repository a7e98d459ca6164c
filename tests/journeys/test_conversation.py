"""What every conversation is like, whatever the platform."""

import asyncio
import base64
import re

import pytest

from gateway.providers.demo_picture import picture_base64
from tests.fakes.faults import Answer
from tests.fakes.model import Call, call
from tests.journeys.platform import PATIENCE, Person
from tests.journeys.world import World

PICTURE = base64.b64decode(picture_base64())
BAD_KEY = Answer(401)
NOT_THE_TERMINAL = ["telegram", "telegram without drafts", "telegram group", "discord", "slack"]


async def test_a_question_gets_its_answer_once(world: World, ann: Person) -> None:
    await world.start()
    world.model.say("The sky is blue because of ", "how air scatters light.")
    await ann.asks("Why is the sky blue?", "scatters light.")
    await world.stop()
    assert ann.texts() == ["The sky is blue because of how air scatters light."]
    assert "Why is the sky blue?" in world.model.asked[-1].user_text
    assert world.model.asked_count == 1


@pytest.mark.parametrize("platform", NOT_THE_TERMINAL, indirect=True)
async def test_an_answer_is_seen_while_it_grows(world: World, ann: Person) -> None:
    await world.start()
    middle, end = asyncio.Event(), asyncio.Event()
    world.model.say("First the sun rises. ", middle, "Then it sets. ", end, "Then it is night.")
    ann.writes("Tell me of the day")
    await ann.until(lambda: ann.preview() == "First the sun rises.")
    middle.set()
    await ann.until(lambda: ann.preview() == "First the sun rises. Then it sets.")
    end.set()
    await ann.reads("it is night.")
    await world.stop()
    assert ann.texts() == ["First the sun rises. Then it sets. Then it is night."]
    assert ann.preview() == ""


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_a_tour_with_a_tool_a_picture_and_a_file(world: World, ann: Person) -> None:
    await world.start()
    model = world.model
    model.say("I look at the clock.", call("now"))
    model.say(
        "I write both.",
        call("write_file", path="sun.png", content_base64=picture_base64()),
        call("write_file", path="notes.md", content="# Notes\n\nOf the journey.\n"),
    )
    model.say(
        "I send both.",
        call("send_image", path="sun.png", caption="A sunrise"),
        call("send_file", path="notes.md", caption="My notes"),
    )
    model.say("That was **all** I can do.")
    await ann.asks("Show me what you can do", "all")
    await world.stop()
    seen = ann.sees()
    files = [one for one in seen if one.file is not None]
    assert [(one.text, one.is_picture) for one in files] == [
        ("A sunrise", True),
        ("My notes", False),
    ]
    assert [one.file for one in files] == [PICTURE, b"# Notes\n\nOf the journey.\n"]
    (answer,) = [one for one in seen if one.file is None]
    steps = ["I look at the clock.", "I write both.", "I send both.", "That was"]
    assert sorted(steps, key=answer.text.index) == steps
    if answer.tasks:
        tools = ["now", "write_file", "write_file", "send_image", "send_file"]
        assert [re.split(r"\W", task)[0] for task in answer.tasks] == tools
        assert "🔧" not in answer.text
    else:
        assert "🔧 now" in answer.text
        assert "write_file \u00d72" in answer.text
    assert not any(one.buttons for one in seen)
    assert model.unsaid == 0
    assert model.asked_count == 4
    await world.start()
    await ann.asks("What did you do?", "What did you do?")
    for words in ("I look at the clock.", "I write both.", "I send both.", "can do."):
        assert model.asked[-1].prompt.count(words) == 1


async def test_what_was_said_is_remembered_until_new(world: World, ann: Person) -> None:
    await world.start()
    world.model.say("Hello, captain!")
    await ann.asks("Call me captain from now on", "captain!")
    world.model.say("Aye.")
    await ann.asks("Who am I?", "Aye.")
    assert "Call me captain" in world.model.asked[-1].prompt
    await ann.asks("/new", "no longer have the old one in mind")
    world.model.say("I do not know.")
    await ann.asks("And who am I now?", "not know.")
    assert "captain" not in world.model.asked[-1].prompt


async def test_stop_keeps_what_was_written_and_the_next_message_runs(
    world: World, ann: Person
) -> None:
    await world.start()
    never = asyncio.Event()
    world.model.say("Once upon a time ", "there was a king. ", never, "The end.", when="story")
    world.model.say("Four.", when="two and two")
    ann.writes("Tell me a story")
    await world.model.until(lambda model: model.asked_count == 1)
    ann.writes("What is two and two?")
    await world.until_waiting(2)
    if world.platform.name != "local":
        await ann.until(lambda: "there was a king." in ann.preview())
    ann.writes("/stop")
    await ann.reads("Four.")
    await world.stop()
    texts = ann.texts()
    if world.platform.name != "local":
        assert texts[0].startswith("Once upon a time there was a king.")
    assert "Stopped." in texts[0]
    assert texts[1:] == ["Four."]
    prompt = world.model.asked[-1].prompt
    assert "there was a king" in prompt
    assert "The end." not in prompt
    assert [asked.outcome for asked in world.model.asked] == ["abandoned", "answered"]


def markers(text: str) -> list[str]:
    return re.findall(r"\b[a-z]\d{4}\b", text)


def long_answer(length: int = 1_000) -> str:
    """Write so many words and 3,000 characters; every word is known by its number."""
    words = [f"w{number:04}" for number in range(length)]
    prose = [" ".join(words[start : start + 50]) + "." for start in range(0, length, 50)]
    rows = [f"| t{number:04} | **b{number:04}** | `c{number:04}` |" for number in range(40)]
    table = "\n".join(["| One | Two | Three |", "|---|:-:|--:|", *rows])
    inner = "\n".join(f"    print('i{number:04}')" for number in range(60))
    fences = f"````markdown\nAn example:\n\n```python\ndef f():\n{inner}\n```\n\ne0001\n````"
    items = "\n".join(f"- l{number:04}\n  - m{number:04}" for number in range(30))
    return "\n\n".join([
        "# h0001",
        *prose[:5],
        table,
        *prose[5:10],
        fences,
        items,
        *prose[10:],
        "The very end.",
    ])


async def test_a_long_answer_comes_whole_in_several_messages(world: World, ann: Person) -> None:
    await world.start()
    answer = long_answer(3_000 if world.platform.name == "slack" else 1_000)
    assert len(answer) > 9_000
    world.model.pieces = 200
    world.model.say(answer)
    await ann.asks("Tell me everything", "The very end.")
    await world.stop()
    assert markers("\n".join(ann.texts())) == markers(answer)
    if world.platform.name != "local":
        assert 2 <= len(ann.texts()) <= 8


async def test_a_first_piece_beyond_the_limit_comes_whole(world: World, ann: Person) -> None:
    """N6, A1: a fast model's first piece is longer than a message may be."""
    await world.start()
    answer = long_answer()
    world.model.say(answer, " And more.")
    await ann.asks("Tell me everything, fast", "And more.")
    await world.stop()
    assert markers("\n".join(ann.texts())) == markers(answer)


async def test_n23_lesson_24_an_endless_line_of_code_comes_whole(world: World, ann: Person) -> None:
    await world.start()
    words = [f"c{number:04}" for number in range(3_000)]
    world.model.say(f"```python\n{' '.join(words)}\n```\nThe very end.")
    await ann.asks("Write code", "The very end.")
    await world.stop()
    assert markers("\n".join(ann.texts())) == words


async def test_a_model_that_calls_tools_badly_is_told_and_goes_on(
    world: World, ann: Person
) -> None:
    await world.start()
    world.model.say(Call("write_file", {}, raw='{"path": "a.txt", "content'))
    world.model.say(Call("no_such_tool", {}), Call("now", {"unknown": 1}), Call("read_file", {}))
    world.model.say("Now I know better.")
    await ann.asks("Do it", "Now I know better.")
    await world.stop()
    results = [one for one in world.model.asked[-1].messages if one["role"] == "tool"]
    assert len(results) == 4
    assert len(ann.texts()) == 1


async def test_commands_answer_before_anything_was_said(world: World, ann: Person) -> None:
    await world.start()
    await ann.asks("/start", "Hello!")
    await ann.asks("/help", "/compact")
    await ann.asks("/whoami", ann.identity if world.platform.name != "local" else "owner")
    await ann.asks("/usage", "nothing")
    await ann.asks("/compact", "nothing to summarise")
    await ann.asks("/retry", "nothing to try again")
    await ann.asks("/stop", "Nothing is being written")
    await ann.asks("/status", "not started yet")
    assert world.model.asked_count == 0


async def test_commands_tell_of_the_conversation_and_fold_it(world: World, ann: Person) -> None:
    world.agent["compaction"] = {"keep_tail": 1}
    await world.start()
    world.model.brain = lambda asked: "Sure." if asked.body.get("tools") else "They greeted."
    await ann.asks("/unknown is chat", "Sure.")
    await ann.asks("and this too", "Sure.")
    await world.until_waiting(0)
    await ann.asks("/status", "nothing is waiting")
    await ann.asks("/usage", "test-model")
    await ann.asks("/compact", "into a summary")
    await ann.asks("go on", "Sure.")
    assert "They greeted." in world.model.asked[-1].prompt
    assert "/unknown is chat" not in world.model.asked[-1].prompt


async def test_the_model_is_chosen_by_a_button(world: World, ann: Person) -> None:
    world.agent["models"] = ["gpt-4.1-mini"]
    await world.start()
    await ann.asks("/model", "gpt-4.1-mini")
    ann.presses("gpt-4.1-mini")
    await ann.reads("From the next message on I use gpt-4.1-mini.")
    await ann.asks("hello", "hello")
    assert world.model.asked[-1].body["model"] == "gpt-4.1-mini"
    await ann.asks("/model nonsense", 'I cannot use "nonsense" here')
    await ann.asks("/status", "gpt-4.1-mini")


async def test_retry_asks_again_after_a_failure(world: World, ann: Person) -> None:
    await world.start()
    gone = world.model.faults.add(BAD_KEY, times=1)
    await ann.asks("How are you?", "refused the API key")
    assert gone.used == 1
    world.model.say("Fine again.")
    await ann.asks("/retry", "Fine again.")
    await world.stop()
    assert "How are you?" in world.model.asked[-1].user_text
    assert world.model.asked[-1].prompt.count("How are you?") == 1


async def test_memory_outlives_a_restart(world: World, ann: Person) -> None:
    await world.start()
    await ann.asks("My cat is called Tom", "My cat is called Tom")
    await world.restart()
    world.model.say("Tom it is.")
    await ann.asks("What is my cat called?", "Tom it is.")
    assert "My cat is called Tom" in world.model.asked[-1].prompt
    assert len(ann.texts()) == 2


async def asked(world: World, times: int) -> None:
    await world.model.until(lambda model: model.asked_count >= times, timeout=PATIENCE)


@pytest.mark.parametrize("platform", ["telegram", "terminal", "discord", "slack"], indirect=True)
async def test_r12_what_an_orderly_end_cuts_goes_on_at_the_next_start(
    world: World, ann: Person
) -> None:
    """More often than a message may be interrupted by kills."""
    world.config["drain_timeout"] = 0.5
    gate = asyncio.Event()
    world.model.brain = lambda _: ["Half ", gate, "a word."]
    await world.start()
    ann.writes("Tell me")
    for times in range(1, 6):
        await asked(world, times)
        await world.restart()
    gate.set()
    await ann.reads("Half a word.")
    await world.stop()
    assert ann.texts() == ["Half a word."]
    world.refusals.add("streaming_state_conflict")  # Slack alone still takes it for streaming


async def test_messages_are_answered_in_order_each_knowing_those_before(
    world: World, ann: Person
) -> None:
    await world.start()
    gate = asyncio.Event()
    world.model.say("One, ", gate, "said slowly.")
    world.model.say("Two.")
    world.model.say("Three.")
    for question in ("first?", "second?", "third?"):
        ann.writes(question)
    await world.until_waiting(3)
    await asked(world, 1)
    gate.set()
    await ann.reads("Three.")
    await world.stop()
    assert ann.texts() == ["One, said slowly.", "Two.", "Three."]
    prompt = world.model.asked[-1].prompt
    said = ["first?", "said slowly.", "second?", "Two.", "third?"]
    assert sorted(said, key=prompt.index) == said


@pytest.mark.parametrize("platform", ["telegram"], indirect=True)
async def test_a_turn_longer_than_the_idle_timeout_is_not_cut(world: World, ann: Person) -> None:
    world.agent["idle_timeout"] = 3
    await world.start()
    gate = asyncio.Event()
    world.model.say("Slow ", gate, "and steady.")
    ann.writes("hello")
    await asked(world, 1)
    await world.clock.sleep(15)
    gate.set()
    await ann.reads("and steady.")
    await world.clock.sleep(15)
    await ann.asks("Still there?", "Still there?")
    assert "and steady." in world.model.asked[-1].prompt


async def test_new_sent_twice_forgets_once(world: World, ann: Person) -> None:
    await world.start()
    await ann.asks("My secret is heliotrope", "heliotrope")
    ann.writes("/new")
    ann.writes("/new")
    ann.writes("What is my secret?")
    await ann.reads("What is my secret?")
    assert "heliotrope" not in world.model.asked[-1].prompt
    await world.stop()
    assert len(ann.texts()) == 4
