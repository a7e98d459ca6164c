"""One model call comes through failures, or ends in the one that could not be helped."""

from pathlib import Path

import pytest

from gateway.contracts.provider import EndPart, TextPart, ToolCallPart
from gateway.errors import ProviderFailed, ProviderUnavailable
from gateway.events import EntryRecorded, TextDelta, TextRestarted
from gateway.transcript import AssistantEntry
from tests.fakes.provider import USAGE, Gate, calls, says
from tests.fakes.tools import make_tool
from tests.gateway.runners.stage import SETTINGS, Stage, shown

ALONE = SETTINGS.model_copy(update={"fallback_models": ()})


def down(after: float | None = None) -> ProviderUnavailable:
    return ProviderUnavailable("overloaded", after=after)


async def test_r11_a_failure_before_the_first_word_is_tried_again_unseen(tmp_path: Path) -> None:
    stage = Stage(tmp_path, [down()], [down()], says("here"))
    events = await stage.chat_in_time(2.0)
    assert events[:-1] == [TextDelta(text="here")]
    assert len(stage.provider.requests) == 3
    assert stage.clock.monotonic() == pytest.approx(1.5, abs=0.2)


async def test_r11_nobody_is_asked_before_the_time_the_server_named(tmp_path: Path) -> None:
    stage = Stage(tmp_path, [down(after=12.0)], says("here"))
    chatting = await stage.begin()
    await stage.clock.advance(11.9)
    assert len(stage.provider.requests) == 1
    await stage.clock.advance(0.2)
    assert shown(await chatting) == "here"


async def test_r15_fallback_models_answer_when_the_first_does_not(tmp_path: Path) -> None:
    stage = Stage(tmp_path, [down(after=60.0)], [down(after=60.0)], says("here"))
    events = await stage.chat()
    assert [one.model for one in stage.provider.requests] == ["big", "small", "tiny"]
    assert events[-1] == EntryRecorded(entry=AssistantEntry("here"), usage=USAGE, model="tiny")
    first, *others = stage.provider.requests
    assert all(one.entries == first.entries for one in others)


async def test_r15_a_model_that_failed_is_not_asked_again_in_the_turn(tmp_path: Path) -> None:
    script = [[down(after=60.0)], calls(("c1", "look", {})), says("here")]
    stage = Stage(tmp_path, *script, tools=[make_tool("look")])
    await stage.chat()
    assert [one.model for one in stage.provider.requests] == ["big", "small", "small"]


async def test_r15_when_nobody_answers_the_turn_can_be_put_off(tmp_path: Path) -> None:
    stage = Stage(tmp_path, *[[down()]] * 9)
    with pytest.raises(ProviderUnavailable, match="overloaded"):
        await stage.chat_in_time(30.0)
    assert stage.kept == []


async def test_a_refused_request_is_not_repeated(tmp_path: Path) -> None:
    stage = Stage(tmp_path, [ProviderFailed("The key is wrong.")])
    with pytest.raises(ProviderFailed, match="key is wrong"):
        await stage.chat()
    assert len(stage.provider.requests) == 1


async def test_text_that_broke_off_is_made_void_and_told_anew(tmp_path: Path) -> None:
    stage = Stage(tmp_path, [TextPart("Good mo"), down()], says("Good morning"))
    events = await stage.chat_in_time(1.0)
    assert events == [
        TextDelta(text="Good mo"),
        TextRestarted(),
        TextDelta(text="Good morning"),
        EntryRecorded(entry=AssistantEntry("Good morning"), usage=USAGE, model="big"),
    ]


async def test_n2_text_is_never_doubled(tmp_path: Path) -> None:
    stage = Stage(tmp_path, [TextPart("Hello "), down()], says("Hello ", "world"))
    assert shown(await stage.chat_in_time(1.0)) == "Hello world"
    assert stage.kept == [AssistantEntry("Hello world")]


async def test_r15_no_other_model_goes_on_with_visible_text(tmp_path: Path) -> None:
    stage = Stage(tmp_path, [TextPart("a"), down()], [TextPart("b"), down()])
    with pytest.raises(ProviderUnavailable):
        await stage.chat_in_time(10.0)
    assert [one.model for one in stage.provider.requests] == ["big", "big"]


async def test_a_call_before_a_failure_is_forgotten(tmp_path: Path) -> None:
    look = make_tool("look")
    stage = Stage(tmp_path, [ToolCallPart("c1", "look", {}), down()], says("here"), tools=[look])
    await stage.chat_in_time(1.0)
    assert look.runs == []
    assert stage.kept == [AssistantEntry("here")]


async def test_a_stream_that_just_ends_has_broken_off(tmp_path: Path) -> None:
    stage = Stage(tmp_path, [TextPart("Good mo")], says("Good morning"))
    assert shown(await stage.chat_in_time(1.0)) == "Good morning"
    stage = Stage(tmp_path, *[[]] * 3, settings=ALONE)
    with pytest.raises(ProviderUnavailable, match="broke off"):
        await stage.chat_in_time(2.0)


async def test_usage_of_a_failed_try_is_not_that_of_the_answer(tmp_path: Path) -> None:
    stage = Stage(tmp_path, [EndPart("finished", USAGE), down()], says("here"))
    events = await stage.chat_in_time(1.0)
    assert sum(isinstance(event, EntryRecorded) for event in events) == 1


async def test_every_stream_is_closed_before_the_next(tmp_path: Path) -> None:
    gate = Gate()
    stage = Stage(tmp_path, [TextPart("a"), down()], [gate, *says("b")])
    chatting = await stage.begin()
    await stage.clock.advance(1.0)
    await gate.reached.wait()
    assert stage.provider.streaming == 1
    gate.open()
    await chatting
    assert stage.provider.streaming == 0
