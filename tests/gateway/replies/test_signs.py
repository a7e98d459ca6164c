"""Signs beside the messages: what a question is marked with, and the sign of work that is ended."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.errors import (
    AccountRejected,
    NotSupported,
    RetryLater,
    SendRefused,
    SendUncertain,
)
from gateway.events import FileReady, TextDelta, ToolStarted
from gateway.messages import Limits, Mark, Origin, OutgoingFile
from tests.fakes.adapter import MarkingAdapter, StreamingAdapter
from tests.fakes.clock import FakeClock
from tests.fakes.talk import Talk, an_address

TROUBLES = [
    RetryLater("429", 2.0),
    SendUncertain("no answer"),
    SendRefused("no right to react"),
    NotSupported("no such sign"),
    AccountRejected("scope is missing"),
    ZeroDivisionError(),
]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


# Marks


@pytest.fixture
def marking(clock: FakeClock) -> Talk[MarkingAdapter]:
    return Talk(clock, MarkingAdapter(clock))


async def test_a_question_is_marked_as_seen_at_once_and_its_end_is_marked(
    marking: Talk[MarkingAdapter],
) -> None:
    turn = marking.turn()
    question = turn.kept.message.message_id
    async with marking.replies.open(turn) as reply:
        await marking.clock.advance(0)
        assert marking.platform.marked == {question: [Mark.SEEN]}
        reply.show(TextDelta(text="Some words"))
        await reply.finish()
        await reply.mark(Mark.DONE)
    assert marking.platform.marked == {question: [Mark.SEEN, Mark.DONE]}
    assert [call.kind for call in marking.platform.calls] == ["mark", "send", "edit", "mark"]


async def test_a_mark_delays_no_text(marking: Talk[MarkingAdapter]) -> None:
    async with marking.replies.open(marking.turn(an_address("g", is_direct=False))) as reply:
        reply.show(TextDelta(text="Some words "))
        await marking.clock.advance(0.3)
        assert [call.at for call in marking.platform.made("send")] == [pytest.approx(0.25)]
        await reply.finish()


async def test_a_slow_mark_delays_text_no_longer_than_it_lasts(
    marking: Talk[MarkingAdapter],
) -> None:
    marking.platform.latency = 0.2
    async with marking.replies.open(marking.turn()) as reply:
        reply.show(TextDelta(text="Some words "))
        await marking.clock.advance(2)
        assert [call.at for call in marking.platform.made("send")] == [pytest.approx(0.25)]
        await marking.over(reply.finish())
    assert marking.platform.overlaps == 0


async def test_where_marks_are_not_wanted_there_are_none(marking: Talk[MarkingAdapter]) -> None:
    marking.platform.marks = False
    async with marking.replies.open(marking.turn()) as reply:
        reply.show(TextDelta(text="Some words"))
        await reply.finish()
        await reply.mark(Mark.DONE)
    assert marking.platform.made("mark") == []


@pytest.mark.parametrize("origin", [Origin.PRESSED, Origin.INVOKED])
async def test_a_press_and_a_menu_command_are_no_messages_to_mark(
    marking: Talk[MarkingAdapter], origin: Origin
) -> None:
    turn = marking.turn()
    turn = replace(turn, kept=replace(turn.kept, message=replace(turn.kept.message, origin=origin)))
    async with marking.replies.open(turn) as reply:
        reply.show(TextDelta(text="Some words"))
        await reply.finish()
        await reply.mark(Mark.DONE)
    assert marking.platform.made("mark") == []


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: type(one).__name__)
async def test_a_mark_that_fails_costs_nothing(
    marking: Talk[MarkingAdapter], trouble: Exception
) -> None:
    marking.platform.script["mark"].extend([trouble] * 2)

    async def answer() -> None:
        async with marking.replies.open(marking.turn()) as reply:
            reply.show(TextDelta(text="Some words "))
            await marking.clock.sleep(4)
            assert marking.platform.texts() == ["Some words"]
            reply.show(TextDelta(text="and more."))
            await reply.finish()
            await reply.mark(Mark.DONE)

    with capture_logs():
        await marking.over(answer())
    assert marking.platform.texts() == ["Some words and more."]
    assert marking.memory.states() == ["final"]
    assert marking.platform.violations == []


async def test_r11_no_mark_is_made_in_a_penalty(marking: Talk[MarkingAdapter]) -> None:
    marking.platform.script["send"].append(RetryLater("flood", 30))
    first = asyncio.ensure_future(marking.tell(["First."]))
    await marking.clock.advance(1)

    async def second() -> None:
        async with marking.replies.open(marking.turn()) as reply:
            reply.show(TextDelta(text="Second."))
            await reply.finish()
            await reply.mark(Mark.DONE)

    await marking.over(second())
    await first
    assert marking.platform.violations == []
    assert sorted(marking.platform.texts()) == ["First.", "Second."]
    assert list(marking.platform.marked.values()) == [[Mark.SEEN], [Mark.SEEN, Mark.DONE]]


async def test_a_turn_that_is_taken_up_again_is_marked_as_before(
    marking: Talk[MarkingAdapter],
) -> None:
    turn = marking.turn(name="t")
    for _ in range(2):
        async with marking.replies.open(turn) as reply:
            reply.show(TextDelta(text="Some words"))
            await marking.clock.advance(2)
        marking.restart()
        turn = replace(turn, is_resumed=True)
    assert set(marking.platform.marked) == {turn.kept.message.message_id}


# The sign of work


@pytest.fixture
def talk(clock: FakeClock) -> Talk[StreamingAdapter]:
    return Talk(clock, StreamingAdapter(clock))


async def test_a_sign_that_a_message_ends_is_not_ended_again(
    talk: Talk[StreamingAdapter],
) -> None:
    await talk.answer([13.0, "Done."])
    assert talk.platform.made("typing")
    assert talk.platform.made("end typing") == []
    assert talk.platform.at_work == set()


async def test_no_sign_is_ended_that_was_never_shown(talk: Talk[StreamingAdapter]) -> None:
    await talk.answer(["A quick answer."])
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(TextDelta(text=""))
        await talk.clock.advance(0.1)
    assert talk.platform.made("typing", "end typing") == []


@pytest.mark.parametrize("way_out", ["finish", "hold", "error", "cancel", "nothing", "refused"])
@pytest.mark.parametrize("words", ["", "Some words"])
@pytest.mark.parametrize("lasted", [0.1, 0.25, 3.9, 4.25, 11.0])
@pytest.mark.parametrize("trouble", [None, SendUncertain("lost"), RetryLater("429", 1.0)])
async def test_lesson_27_every_way_out_ends_the_sign(
    talk: Talk[StreamingAdapter],
    way_out: str,
    words: str,
    lasted: float,
    trouble: Exception | None,
) -> None:
    platform, clock = talk.platform, talk.clock
    platform.script["typing"].append(trouble)
    if way_out == "refused":
        platform.script["send"].extend([SendRefused("gone")] * 3)

    async def turn() -> None:
        async with talk.replies.open(talk.turn()) as reply:
            reply.show(TextDelta(text=words))
            await clock.sleep(lasted)
            if way_out in {"finish", "refused"}:
                await reply.finish()
            elif way_out == "hold":
                await reply.hold("Later.")
            elif way_out == "error":
                raise ZeroDivisionError
            elif way_out == "cancel":
                await clock.sleep(1000)

    running = asyncio.ensure_future(turn())
    await clock.advance(lasted + 3.0)
    running.cancel()
    await clock.advance(3.0)
    assert running.done()
    assert platform.at_work == set()
    assert len(platform.made("end typing")) <= 1
    assert platform.violations == []
    before = len(platform.calls)
    await clock.advance(100)
    assert len(platform.calls) == before


@pytest.mark.parametrize("way_out", ["cancel", "error"])
async def test_lesson_27_a_sign_that_was_just_being_shown_is_ended(
    talk: Talk[StreamingAdapter], way_out: str
) -> None:
    """Cut off, nobody can say whether the platform shows it."""
    talk.platform.latency = 1.0

    async def turn() -> None:
        async with talk.replies.open(talk.turn()):
            await talk.clock.sleep(0.5)
            if way_out == "error":
                raise ZeroDivisionError
            await talk.clock.sleep(1000)

    running = asyncio.ensure_future(turn())
    await talk.clock.advance(0.7)
    running.cancel()
    await talk.clock.advance(3)
    assert running.done()
    talk.platform.at_work.discard(("c", None))
    assert len(talk.platform.made("end typing")) == 1


async def test_lesson_27_a_sign_that_was_shown_again_beside_a_message_is_ended(
    talk: Talk[StreamingAdapter],
) -> None:
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(TextDelta(text="Let me look."))
        reply.show(ToolStarted(call_id="1", tool="search", summary="far away"))
        await talk.clock.advance(20)
        assert talk.platform.at_work == {("c", None)}
        reply.show(TextDelta(text="There."))
        await reply.finish()
    assert talk.platform.at_work == set()
    assert len(talk.platform.made("send")) == 1


async def test_lesson_27_each_thread_has_a_sign_of_its_own(
    talk: Talk[StreamingAdapter],
) -> None:
    one, two = (talk.turn(an_address("g", name, is_direct=False)) for name in ("1", "2"))
    async with talk.replies.open(one):
        async with talk.replies.open(two):
            await talk.clock.advance(9)
            assert talk.platform.at_work == {("g", "1"), ("g", "2")}
        assert talk.platform.at_work == {("g", "1")}
    assert talk.platform.at_work == set()


async def test_a_file_alone_leaves_no_sign(talk: Talk[StreamingAdapter], tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"x")
    file = FileReady(file=OutgoingFile(path, "a.txt", "text/plain"), call_id="1")
    await talk.answer([3.0, file, 9.0])
    assert talk.platform.at_work == set()


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: type(one).__name__)
async def test_a_sign_that_cannot_be_ended_changes_nothing(
    talk: Talk[StreamingAdapter], trouble: Exception
) -> None:
    talk.platform.script["end typing"].append(trouble)
    with capture_logs():
        async with talk.replies.open(talk.turn()):
            await talk.clock.advance(3)
    assert len(talk.platform.made("end typing")) == 1


async def test_a_penalty_holds_nobody_up_who_leaves(clock: FakeClock) -> None:
    talk = Talk(clock, StreamingAdapter(clock, Limits(text=1000)))
    talk.platform.script["typing"].extend([None, RetryLater("flood", 900)])

    async def turn() -> None:
        async with talk.replies.open(talk.turn()):
            await clock.sleep(9)

    await talk.over(turn(), within=13)
    assert talk.platform.violations == []
