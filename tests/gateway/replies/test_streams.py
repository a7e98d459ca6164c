"""Answers on a platform that streams: what is added to a message, and what its tools look like."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.errors import NotSupported, RetryLater, SendRefused
from gateway.events import (
    FileReady,
    NoticeAdded,
    TextDelta,
    TextRestarted,
    ToolFailed,
    ToolFinished,
    ToolStarted,
)
from gateway.messages import Limits, OutgoingFile, Task, TaskState
from tests.fakes.adapter import Lost, Stream, StreamingAdapter
from tests.fakes.clock import FakeClock
from tests.fakes.talk import Said, Talk, an_address

LIMITS = Limits(text=1000, stream_every=0.7, edit_every=5.0, edit_every_in_groups=9.0)
STARTED = ToolStarted(call_id="1", tool="read_file", summary="notes.md")
TOOK = ToolFinished(call_id="1", tool="read_file", summary="3 lines", seconds=1.5)
BROKE = ToolFailed(call_id="2", tool="fetch", summary="no such page", seconds=0.2)


@pytest.fixture
def talk() -> Talk[StreamingAdapter]:
    clock = FakeClock()
    return Talk(clock, StreamingAdapter(clock, LIMITS))


def only(platform: StreamingAdapter) -> Stream:
    (stream,) = platform.streams.values()
    return stream


def words(first: int, last: int, every: float) -> list[Said]:
    return [piece for n in range(first, last) for piece in (f"word{n} ", every)]


def check(platform: StreamingAdapter) -> None:
    assert platform.breaches == []
    assert platform.violations == []
    assert platform.overlaps == 0
    assert all(stream.has_ended for stream in platform.streams.values())


# Text


async def test_a_streamed_text_grows_by_additions_only(talk: Talk[StreamingAdapter]) -> None:
    await talk.answer(words(0, 60, 0.1))
    stream = only(talk.platform)
    assert stream.rewrites == 0
    assert len(stream.added) >= 7
    assert talk.platform.texts() == [stream.begun + "".join(stream.added)]
    assert talk.platform.texts() == [" ".join(f"word{n}" for n in range(60))]
    assert talk.memory.states() == ["final"]
    check(talk.platform)


@pytest.mark.parametrize("is_direct", [True, False])
async def test_additions_are_spaced_as_the_platform_says_of_streams(
    talk: Talk[StreamingAdapter], is_direct: bool
) -> None:
    turn = talk.turn(an_address(is_direct=is_direct))
    await talk.answer(words(0, 100, 0.1), turn)
    times = [call.at for call in talk.platform.made("send", "edit")][:-1]
    assert times[0] == pytest.approx(0.25)
    assert all(after - before >= 0.699 for before, after in pairwise(times))
    assert len(times) >= 12


async def test_where_nothing_is_streamed_text_grows_by_slower_edits_and_tools_are_lines() -> None:
    clock = FakeClock()
    talk = Talk(clock, StreamingAdapter(clock, LIMITS, needs_thread=True))
    turn = talk.turn(an_address("g", is_direct=False))
    await talk.answer([STARTED, 1.0, TOOK, *words(0, 100, 0.2)], turn)
    times = [call.at for call in talk.platform.made("send", "edit")][:-1]
    assert all(after - before >= 8.99 for before, after in pairwise(times))
    assert talk.platform.streams == {}
    assert talk.platform.texts("g")[0].endswith("🔧 read_file · 1.5 s")
    turn = talk.turn(an_address("g", "7", is_direct=False))
    await talk.answer([STARTED, 1.0, TOOK, *words(0, 20, 0.2)], turn)
    assert only(talk.platform).rewrites == 0
    assert talk.platform.texts("g")[1] == " ".join(f"word{n}" for n in range(20))
    check(talk.platform)


async def test_r6_the_first_send_of_a_stream_need_be_no_stub(
    talk: Talk[StreamingAdapter],
) -> None:
    await talk.answer(["Hello there.", 5.0, " And more."])
    assert only(talk.platform).begun == "Hello there."
    await talk.answer(["A quick one."], talk.turn(an_address("d")))
    assert talk.platform.texts("d") == ["A quick one."]
    assert len(talk.platform.made("send", "edit", conversation="d")) == 1


async def test_the_stop_button_is_there_while_text_grows_and_gone_in_the_end(
    talk: Talk[StreamingAdapter],
) -> None:
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(TextDelta(text="Some words "))
        await talk.clock.advance(2)
        (shown,) = talk.platform.messages.values()
        assert [choice.value for choice in shown.choices] == ["/stop"]
        await reply.finish()
    assert (shown.choices, shown.is_growing) == ((), False)
    check(talk.platform)


async def test_a_restarted_text_is_shown_right(talk: Talk[StreamingAdapter]) -> None:
    events: list[Said] = [
        "Half a wrong ans",
        3.0,
        TextRestarted(),
        "The right",
        3.0,
        " answer.",
        3.0,
    ]
    await talk.answer(events)
    assert talk.platform.texts() == ["The right answer."]
    assert only(talk.platform).rewrites >= 1
    check(talk.platform)


async def test_a_restart_into_the_same_words_is_no_rewrite(talk: Talk[StreamingAdapter]) -> None:
    await talk.answer(["The same", 3.0, TextRestarted(), "The same words.", 3.0])
    assert talk.platform.texts() == ["The same words."]
    assert only(talk.platform).rewrites == 0


async def test_a_notice_in_the_middle_is_an_addition(talk: Talk[StreamingAdapter]) -> None:
    await talk.answer(["Some words", 2.0, NoticeAdded(words="Stopped.")])
    assert talk.platform.texts() == ["Some words\n\n_Stopped._"]
    assert only(talk.platform).rewrites == 0
    check(talk.platform)


async def test_words_that_hold_the_turn_end_the_stream(talk: Talk[StreamingAdapter]) -> None:
    turn = talk.turn(name="t")
    async with talk.replies.open(turn) as reply:
        reply.show(STARTED)
        reply.show(TextDelta(text="Half an ans"))
        await talk.clock.advance(2)
        await reply.hold("The model is down.")
        assert only(talk.platform).has_ended
    (shown,) = talk.platform.messages.values()
    assert (shown.text, shown.tasks, shown.is_growing) == ("_The model is down._", (), False)
    await talk.answer(["The answer."], talk.turn(name="t"))
    assert talk.platform.texts() == ["The answer."]
    check(talk.platform)


# Pages


async def test_a_page_ends_its_stream_when_the_next_begins(talk: Talk[StreamingAdapter]) -> None:
    platform = talk.platform
    async with talk.replies.open(talk.turn()) as reply:
        for number in range(400):
            reply.show(TextDelta(text=f"word{number} "))
            await talk.clock.advance(0.1)
            streams = list(platform.streams.values())
            assert all(stream.has_ended for stream in streams[:-1])
        assert len(platform.streams) >= 3
        await reply.finish()
    assert " ".join(platform.texts()) == " ".join(f"word{n}" for n in range(400))
    assert sum(stream.rewrites for stream in platform.streams.values()) == 0
    check(platform)


async def test_one_piece_of_many_pages_is_whole(talk: Talk[StreamingAdapter]) -> None:
    text = " ".join(f"word{n}" for n in range(700))
    await talk.answer([text, 20.0])
    assert " ".join(talk.platform.texts()) == text
    assert all(stream.rewrites == 0 for stream in talk.platform.streams.values())
    check(talk.platform)


# Tools


def states(tasks: tuple[Task, ...]) -> list[tuple[str, str]]:
    return [(task.id, task.state.value) for task in tasks]


async def test_tools_are_tasks_that_end_and_never_words(talk: Talk[StreamingAdapter]) -> None:
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(STARTED)
        await talk.clock.advance(2)
        (shown,) = talk.platform.messages.values()
        assert list(shown.tasks) == [Task("1", "read_file notes.md", TaskState.RUNNING)]
        assert shown.text == ""
        reply.show(TOOK)
        reply.show(ToolStarted(call_id="2", tool="fetch", summary="example.org"))
        await talk.clock.advance(2)
        assert list(shown.tasks) == [
            Task("1", "read_file notes.md", TaskState.DONE, "3 lines"),
            Task("2", "fetch example.org", TaskState.RUNNING),
        ]
        reply.show(BROKE)
        reply.show(TextDelta(text="It says hello."))
        await reply.finish()
    assert list(shown.tasks)[1] == Task("2", "fetch example.org", TaskState.FAILED, "no such page")
    assert talk.platform.texts() == ["It says hello."]
    assert only(talk.platform).rewrites == 0
    check(talk.platform)


async def test_a_quick_turn_with_a_tool_is_one_message_with_its_task(
    talk: Talk[StreamingAdapter],
) -> None:
    await talk.answer([STARTED, TOOK, "It says hello."])
    (shown,) = talk.platform.messages.values()
    assert (shown.text, states(shown.tasks)) == ("It says hello.", [("1", "done")])
    assert [call.kind for call in talk.platform.calls] == ["send"]
    check(talk.platform)


async def test_a_task_stays_with_the_page_that_was_last_when_it_began(
    talk: Talk[StreamingAdapter],
) -> None:
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(TextDelta(text="Let me look."))
        reply.show(STARTED)
        await talk.clock.advance(2)
        reply.show(TOOK)
        reply.show(TextDelta(text="word " * 300))
        await talk.clock.advance(5)
        reply.show(ToolStarted(call_id="2", tool="fetch", summary="example.org"))
        await talk.clock.advance(2)
        reply.show(BROKE)
        reply.show(TextDelta(text="word " * 300))
        await reply.finish()
    shown = list(talk.platform.messages.values())
    assert [states(one.tasks) for one in shown] == [[("1", "done")], [("2", "failed")], [], []]
    check(talk.platform)


async def test_a_tool_that_runs_over_a_page_ends_on_the_page_where_it_began(
    talk: Talk[StreamingAdapter],
) -> None:
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(STARTED)
        await talk.clock.advance(2)
        reply.show(TextDelta(text="word " * 300))
        await talk.clock.advance(5)
        reply.show(TOOK)
        await talk.clock.advance(5)
        await reply.finish()
    shown = list(talk.platform.messages.values())
    assert [states(one.tasks) for one in shown] == [[("1", "done")], []]
    check(talk.platform)


async def test_a_long_title_and_outcome_are_lines(talk: Talk[StreamingAdapter]) -> None:
    long = ToolStarted(call_id="1", tool="ask", summary="why " * 60)
    await talk.answer([long, 2.0, "Because."])
    assert talk.platform.texts() == ["Because."]
    check(talk.platform)


@pytest.mark.parametrize("pause", [0.0, 3.0])
async def test_a_file_without_words_leaves_no_empty_message(
    talk: Talk[StreamingAdapter], tmp_path: Path, pause: float
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"x")
    file = FileReady(file=OutgoingFile(path, "a.txt", "text/plain"), call_id="1")
    await talk.answer([STARTED, pause, TOOK, file, pause])
    assert talk.platform.files == [("a.txt",)]
    told = [one for one in talk.platform.messages.values() if not one.files]
    assert [states(one.tasks) for one in told] == [[("1", "done")]]
    assert all(one.text for one in told)
    assert talk.memory.states().count("failed") == 0
    check(talk.platform)


# After a crash


@pytest.mark.parametrize("knows", [True, False])
async def test_r7_a_stream_goes_on_in_its_message_after_a_crash(
    talk: Talk[StreamingAdapter], knows: bool
) -> None:
    async with talk.replies.open(talk.turn(name="t")) as reply:
        reply.show(STARTED)
        reply.show(TextDelta(text="The first half "))
        await talk.clock.advance(3)
    talk.restart()
    if not knows:
        talk.platform.forget()
    again = talk.turn(name="t", attempt=2)
    await talk.answer([STARTED, "The first half ", 3.0, TOOK, "and the second."], again)
    assert talk.platform.texts() == ["The first half\n\nand the second."]
    (shown,) = talk.platform.messages.values()
    assert states(shown.tasks) == [("1", "done")]
    assert talk.memory.states() == ["final"]
    check(talk.platform)


async def test_r7_a_stream_of_many_pages_goes_on_in_its_pages(
    talk: Talk[StreamingAdapter],
) -> None:
    text = "Some words of text. " * 120
    async with talk.replies.open(talk.turn(name="t")) as reply:
        reply.show(TextDelta(text=text))
        await talk.clock.advance(4)
    pages = len(talk.platform.messages)
    assert pages >= 2
    talk.restart()
    talk.platform.forget()
    await talk.answer([text, 3.0, "The end."], talk.turn(name="t", attempt=2))
    assert " ".join(talk.platform.texts()) == f"{text}The end."
    check(talk.platform)


# In doubt


@pytest.mark.parametrize("is_applied", [True, False])
async def test_r6_a_stream_whose_beginning_is_in_doubt_is_found_or_begun_again(
    talk: Talk[StreamingAdapter], is_applied: bool
) -> None:
    talk.platform.script["send"].append(Lost(is_applied=is_applied))
    await talk.answer(["The whole ", 20.0, "answer."])
    assert talk.platform.texts() == ["The whole answer."]
    assert talk.memory.states() == ["final"]
    check(talk.platform)


@pytest.mark.parametrize("is_applied", [True, False])
async def test_r6_a_growing_message_that_nobody_can_look_for_is_sent_again(
    talk: Talk[StreamingAdapter], is_applied: bool
) -> None:
    talk.platform.script["send"].append(Lost(is_applied=is_applied))
    talk.platform.script["find"].append(NotSupported("no history here"))
    await talk.answer(["The whole ", 20.0, "answer."])
    assert talk.platform.texts() == [*["The whole"] * is_applied, "The whole answer."]
    assert talk.memory.states() == ["abandoned", "final"]


async def test_r6_an_interim_edit_in_doubt_is_made_good(talk: Talk[StreamingAdapter]) -> None:
    talk.platform.script["edit"].extend([Lost(is_applied=True), Lost(is_applied=False)] * 3)
    await talk.answer(words(0, 60, 0.1))
    assert talk.platform.texts() == [" ".join(f"word{n}" for n in range(60))]
    check(talk.platform)


async def test_r11_a_penalty_in_a_stream_is_waited_out(talk: Talk[StreamingAdapter]) -> None:
    talk.platform.script["edit"].extend([None, RetryLater("429", 5), RetryLater("429", 5)])
    await talk.answer(words(0, 60, 0.1))
    assert talk.platform.texts() == [" ".join(f"word{n}" for n in range(60))]
    check(talk.platform)


async def test_a_stream_that_is_gone_is_told_anew(talk: Talk[StreamingAdapter]) -> None:
    talk.platform.script["edit"].extend([SendRefused("message_not_found")] * 2)
    await talk.answer(["Some words ", 3.0, "and more."])
    assert talk.platform.texts()[-1] == "Some words and more."
    assert talk.memory.states() == ["failed", "final"]


async def test_many_streams_at_once_stay_apart(talk: Talk[StreamingAdapter]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for number in range(50):
            turn = talk.turn(an_address(f"c{number}"))
            events: list[Said] = [STARTED, f"for {number}:", 1.0, TOOK, f" canary{number}"]
            tasks.create_task(talk.tell(events, turn))
        await talk.clock.advance(20)
    for number in range(50):
        assert talk.platform.texts(f"c{number}") == [f"for {number}:\n\n canary{number}"]
    check(talk.platform)
