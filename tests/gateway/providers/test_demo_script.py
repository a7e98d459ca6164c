"""What the demo does for each word."""

from typing import Any

import jsonschema
import pytest

from gateway.contracts.provider import ModelRequest, ToolSpec
from gateway.providers.demo_picture import picture_base64
from gateway.providers.demo_script import Step, next_step
from gateway.tools.now import now_tools
from gateway.tools.sending import sending_tools
from gateway.tools.workspace import workspace_tools
from gateway.transcript import (
    AssistantEntry,
    Entry,
    FileBlock,
    SummaryEntry,
    ToolCall,
    ToolResultEntry,
    UserEntry,
)
from tests.fakes.served import no_file

NAMES = ("now", "write_file", "send_file", "send_image")


def step(*entries: Entry, tools: tuple[str, ...] = NAMES, system: str = "") -> Step:
    specs = tuple(ToolSpec(name, "", {"type": "object"}) for name in tools)
    return next_step(ModelRequest("demo", system, entries, specs, no_file, "ses_1"))


def play(words: str, tools: tuple[str, ...] = NAMES, **gives: str) -> list[Step]:
    """Run a whole turn; every tool gives what the test says, or `ok`."""
    entries: list[Entry] = [UserEntry(words)]
    steps: list[Step] = []
    while not steps or steps[-1].calls:
        steps.append(step(*entries, tools=tools))
        calls = [ToolCall(f"{len(entries)}_{tool}", tool, given) for tool, given in steps[-1].calls]
        entries.append(AssistantEntry(steps[-1].text, tuple(calls)))
        entries += [
            ToolResultEntry(call.call_id, call.tool, gives.get(call.tool, "ok")) for call in calls
        ]
    return steps


def calls_of(steps: list[Step]) -> list[tuple[str, dict[str, Any]]]:
    return [call for one in steps for call in one.calls]


def test_the_tour_shows_every_kind_of_event() -> None:
    steps = play("tour", now="noon")
    assert [tool for tool, _ in calls_of(steps)] == [
        *("now", "write_file", "write_file", "send_image", "send_file"),
    ]
    assert steps[0].thought
    assert "noon" in steps[1].text
    assert "|" in steps[-1].text
    assert "```" in steps[-1].text


def test_the_time_is_the_tools() -> None:
    assert play("what time is it?", now="Friday noon")[-1].text == "The clock says: Friday noon."


@pytest.mark.parametrize(("word", "tool"), [("file", "send_file"), ("picture", "send_image")])
def test_what_is_sent_was_written_before(word: str, tool: str) -> None:
    (write, written), (send, sent) = calls_of(play(f"Send me a {word}!"))
    assert (write, send) == ("write_file", tool)
    assert written["path"] == sent["path"]


def test_an_image_is_a_picture() -> None:
    assert calls_of(play("image")) == calls_of(play("picture"))


def test_no_tool_is_asked_for_that_is_not_offered() -> None:
    assert calls_of(play("tour", tools=("now",))) == [("now", {})]
    assert calls_of(play("tour", tools=())) == []
    assert "no tool" in play("file", tools=())[-1].text
    assert "no clock" in play("time", tools=())[-1].text


def test_the_builtin_tools_take_what_the_demo_asks() -> None:
    tools = {tool.name: tool for tool in [*workspace_tools(), *sending_tools(), *now_tools()]}
    calls = calls_of([*play("tour"), *play("file"), *play("picture"), *play("time")])
    assert {name for name, _ in calls} == set(NAMES)
    for name, arguments in calls:
        jsonschema.validate(arguments, tools[name].parameters)


def test_a_tool_that_fails_is_told() -> None:
    history = (
        UserEntry("file"),
        AssistantEntry("", (ToolCall("1", "write_file", {}),)),
        ToolResultEntry("1", "write_file", "the disk is full", is_error=True),
        AssistantEntry("", (ToolCall("2", "send_file", {}),)),
        ToolResultEntry("2", "send_file", "there is no such file", is_error=True),
    )
    assert "the disk is full" in step(*history).text


def test_a_long_answer_is_long_and_holds_what_is_hard_to_split() -> None:
    text = step(UserEntry("long")).text
    assert len(text) > 9_000
    assert "````markdown" in text
    assert "|---:|" in text


@pytest.mark.parametrize("word", ["tour", "time", "file", "picture", "table", "code", "long"])
def test_help_names_every_word(word: str) -> None:
    assert f"`{word}`" in step(UserEntry("HELP")).text


def test_talk_is_repeated_with_what_is_remembered() -> None:
    assert "first message" in step(UserEntry("hello")).text
    later = step(UserEntry("one"), AssistantEntry("x"), UserEntry("two"), UserEntry("hello\nyou"))
    assert "> hello\n> you" in later.text
    assert "2 earlier messages" in later.text
    assert "1 earlier message." in step(UserEntry("a"), UserEntry("b")).text
    folded = step(SummaryEntry("They met."), UserEntry("hello"))
    assert "summary" in folded.text


def test_words_in_a_long_sentence_are_talk() -> None:
    words = "I wonder whether the file you sent me at that time was the right one"
    assert calls_of([step(UserEntry(words))]) == []


def test_files_are_noticed() -> None:
    cat = FileBlock("in/cat.png", "cat.png", "image/png", 24)
    assert "`cat.png` (image/png, 24 bytes)" in step(UserEntry((cat,))).text


def test_nothing_said_is_answered_too() -> None:
    assert "without words" in step(UserEntry("")).text
    assert step().text


def test_compaction_gets_a_summary() -> None:
    told = step(UserEntry("User: hi\nAssistant: hello"), tools=(), system="Summarise it.")
    assert told.text.endswith("User: hi\nAssistant: hello")


def test_the_picture_is_a_png() -> None:
    assert picture_base64().startswith("iVBORw0KGgo")
