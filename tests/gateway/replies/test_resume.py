"""What a later attempt, or the next process, makes of what an earlier one left."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.contracts.stores import OutboxKind, OutboxState, Turn
from gateway.errors import RetryLater, SendRefused, StoreBusy
from gateway.events import FileReady, ImageReady, TextDelta
from gateway.messages import Limits, OutgoingFile, OutgoingMessage
from tests.fakes.adapter import (
    DraftingAdapter,
    EditingAdapter,
    FindingAdapter,
    KeyedAdapter,
    Lost,
    PlainAdapter,
    StreamingAdapter,
)
from tests.fakes.clock import FakeClock
from tests.fakes.talk import Talk, an_address

EVERY_KIND = [
    PlainAdapter,
    EditingAdapter,
    DraftingAdapter,
    KeyedAdapter,
    FindingAdapter,
    StreamingAdapter,
]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def left_growing(talk: Talk[EditingAdapter], turn: Turn, words: str) -> None:
    """Let a process end in the middle of a reply."""
    async with talk.replies.open(turn) as reply:
        reply.show(TextDelta(text=words))
        await talk.clock.advance(3)
    talk.restart()


def a_file(directory: Path, name: str) -> OutgoingFile:
    path = directory / name
    path.write_bytes(b"x")
    return OutgoingFile(path, name, "text/plain")


@pytest.mark.parametrize("kind", [EditingAdapter, KeyedAdapter, FindingAdapter, StreamingAdapter])
async def test_r7_a_growing_answer_goes_on_in_the_same_message(
    clock: FakeClock, kind: type[EditingAdapter]
) -> None:
    talk = Talk(clock, kind(clock))
    await left_growing(talk, talk.turn(name="t"), "The first half ")
    assert talk.platform.texts() == ["The first half"]
    await talk.answer(["The first half ", 3.0, "and the second."], talk.turn(name="t", attempt=2))
    assert talk.platform.texts() == ["The first half and the second."]
    assert talk.memory.states() == ["final"]


async def test_r7_text_is_noted_now_and_then(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=100_000, edit_every=1.0)))
    async with talk.replies.open(talk.turn()) as reply:
        for number in range(100):
            reply.show(TextDelta(text=f"word{number} "))
            await clock.advance(0.1)
        edits = len(talk.platform.made("edit"))
        assert edits - 5 <= talk.memory.calls["checkpoint"] <= 6
        reply.show(TextDelta(text="x" * 600))
        await clock.advance(1.1)
        (row,) = talk.memory.rows.values()
        assert row.text.endswith("x" * 600)


async def test_r7_an_answer_of_many_pages_goes_on_in_its_pages(clock: FakeClock) -> None:
    text = "Some words of text. " * 60
    talk = Talk(clock, EditingAdapter(clock, Limits(text=500)))
    turn = talk.turn(name="t")
    async with talk.replies.open(turn) as reply:
        reply.show(TextDelta(text=text))
        await clock.advance(4)
    pages = len(talk.platform.messages)
    assert pages >= 2
    talk.restart()
    await talk.answer([text], talk.turn(name="t", attempt=2))
    assert " ".join(talk.platform.texts()) == text.strip()


async def test_a_shorter_second_attempt_takes_its_surplus_back(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=200)))
    await left_growing(talk, talk.turn(name="t"), "Some words of text. " * 20)
    assert len(talk.platform.messages) >= 2
    await talk.answer(["Short."], talk.turn(name="t", attempt=2))
    assert talk.platform.texts() == ["Short."]


async def test_surplus_that_cannot_be_taken_back_is_emptied(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=200)))
    await left_growing(talk, talk.turn(name="t"), "Some words of text. " * 15)
    talk.platform.script["delete"].append(SendRefused("too old"))
    await talk.answer(["Short."], talk.turn(name="t", attempt=2))
    assert talk.platform.texts() == ["Short.", "…"]


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_lesson_11_a_final_answer_is_not_sent_again(
    clock: FakeClock, kind: type[PlainAdapter]
) -> None:
    talk = Talk(clock, kind(clock))
    await talk.answer(["The whole answer."], talk.turn(name="t"))
    talk.restart()
    await talk.answer(["The whole answer."], talk.turn(name="t", attempt=2))
    assert talk.platform.texts() == ["The whole answer."]


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("has_arrived", [True, False])
async def test_lesson_3_r6_a_crash_during_the_send(
    clock: FakeClock, kind: type[PlainAdapter], has_arrived: bool
) -> None:
    """The row says `sending`: nobody knows whether the message is there."""
    talk = Talk(clock, kind(clock))
    talk.platform.latency = 1.0
    turn = talk.turn(name="t")
    telling = asyncio.ensure_future(talk.tell(["The whole answer."], turn))
    await clock.advance(0.5)
    telling.cancel()
    await asyncio.wait([telling])
    assert talk.memory.states() == ["sending"]
    (row,) = talk.memory.rows.values()
    if has_arrived:
        arrived(talk.platform, row.id, talk.platform.calls[0].text)
    talk.restart()
    await talk.answer(["The whole answer."], talk.turn(name="t", attempt=2))
    shown = talk.platform.texts()
    if kind is PlainAdapter:
        # It cannot be known; a second full answer would be worse than none.
        assert shown == [*["The whole answer."] * has_arrived, "_Part 1 may be missing._"]
        assert talk.memory.states() == ["unknown", "final"]
        return
    assert shown[-1] == "The whole answer."
    orphans = shown[:-1]
    assert orphans == (
        ["The whole…"] if has_arrived and kind in {EditingAdapter, DraftingAdapter} else []
    )


def arrived(platform: PlainAdapter, key: str, text: str) -> None:
    """Let a request of the ended process be done all the same."""
    platform.put(an_address(), OutgoingMessage(key, text))


async def test_r6_an_old_keyed_send_is_looked_for_or_repeated(clock: FakeClock) -> None:
    talk = Talk(clock, KeyedAdapter(clock))
    turn = talk.turn(name="t")
    row = await talk.outbox.begin(
        an_address(), turn=turn, position=0, kind=OutboxKind.TEXT, text="Some…"
    )
    await clock.advance(1000)
    talk.restart()
    await talk.answer(["Some words."], talk.turn(name="t", attempt=2))
    assert talk.platform.texts() == ["Some words."]
    assert talk.memory.rows[row.id].state is OutboxState.FINAL


async def test_r6_the_old_request_is_waited_out_before_looking(clock: FakeClock) -> None:
    talk = Talk(clock, FindingAdapter(clock))
    turn = talk.turn(name="t")
    row = await talk.outbox.begin(
        an_address(), turn=turn, position=0, kind=OutboxKind.TEXT, text="Some…"
    )
    await clock.advance(5)
    talk.restart()
    resumed = asyncio.ensure_future(talk.tell(["Some words."], talk.turn(name="t", attempt=2)))
    await clock.advance(20)
    arrived(talk.platform, row.id, "Some…")
    await clock.advance(20)
    await resumed
    assert talk.platform.texts() == ["Some words."]
    assert talk.platform.made("find")[0].at >= 30


async def test_r6_no_file_is_sent_twice(clock: FakeClock, tmp_path: Path) -> None:
    files = [FileReady(file=a_file(tmp_path, f"f{n}"), call_id="1") for n in range(4)]
    talk = Talk(clock, EditingAdapter(clock))
    async with talk.replies.open(talk.turn(name="t")) as reply:
        await clock.advance(1)
        reply.show(files[0])
        reply.show(files[1])
        await clock.advance(1)
    talk.restart()
    await talk.answer([*files, "Done."], talk.turn(name="t", attempt=2))
    assert talk.platform.files == [("f0",), ("f1",), ("f2",), ("f3",)]
    positions = [one.position for one in talk.memory.rows.values() if one.files]
    assert positions == [0, 1, 2, 3]


async def test_r6_a_put_off_turn_of_this_process_sends_no_file_twice(
    clock: FakeClock, tmp_path: Path
) -> None:
    file = FileReady(file=a_file(tmp_path, "f"), call_id="1")
    talk = Talk(clock, DraftingAdapter(clock))
    turn = talk.turn(name="t")
    async with talk.replies.open(turn) as reply:
        await clock.advance(1)
        reply.show(file)
        await clock.advance(1)
    await talk.answer([file, "Done."], replace(turn, is_resumed=True))
    assert talk.platform.files == [("f",)]


async def test_r6_a_refused_file_is_told_again_and_the_sent_one_is_not_sent_again(
    clock: FakeClock, tmp_path: Path
) -> None:
    gone, small = a_file(tmp_path, "gone"), a_file(tmp_path, "small")
    gone.path.unlink()
    files = [FileReady(file=gone, call_id="1"), FileReady(file=small, call_id="2")]
    talk = Talk(clock, EditingAdapter(clock))
    async with talk.replies.open(talk.turn(name="t")) as reply:
        await clock.advance(1)
        for file in files:
            reply.show(file)
        await clock.advance(1)
    talk.restart()
    await talk.answer([*files, "Done."], talk.turn(name="t"))
    assert talk.platform.files == [("small",)]
    assert "gone could not be sent" in talk.platform.texts()[-1]


async def test_a_busy_store_loses_no_file(clock: FakeClock, tmp_path: Path) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    async with talk.replies.open(talk.turn()) as reply:
        await clock.advance(1)
        talk.memory.failures.append(StoreBusy("disk full", 2.0))
        reply.show(FileReady(file=a_file(tmp_path, "f"), call_id="1"))
        await clock.advance(1)
        assert talk.platform.files == []
        await clock.advance(2)
        assert talk.platform.files == [("f",)]
        await reply.finish()


async def test_r6_a_file_caught_in_the_send_is_told_and_not_sent_again(
    clock: FakeClock, tmp_path: Path
) -> None:
    files = [FileReady(file=a_file(tmp_path, f"f{n}"), call_id="1") for n in range(2)]
    talk = Talk(clock, EditingAdapter(clock))
    await talk.outbox.begin(
        an_address(),
        turn=talk.turn(name="t"),
        position=0,
        kind=OutboxKind.FILES,
        files=[files[0].file],
    )
    talk.restart()
    await talk.answer([*files, "Done."], talk.turn(name="t", attempt=2))
    assert talk.platform.files == [("f1",)]
    assert talk.platform.texts() == ["", "Done.\n\n_A file may be missing: f0_"]


async def test_r6_a_keyed_file_is_repeated(clock: FakeClock, tmp_path: Path) -> None:
    file = FileReady(file=a_file(tmp_path, "f0"), call_id="1")
    talk = Talk(clock, KeyedAdapter(clock))
    turn = talk.turn(name="t")
    await talk.outbox.begin(
        an_address(), turn=turn, position=0, kind=OutboxKind.FILES, files=[file.file]
    )
    talk.restart()
    await talk.answer([file, "Done."], talk.turn(name="t", attempt=2))
    assert talk.platform.files == [("f0",)]


# Held turns


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_a_held_turn_tells_once_and_answers_later(
    clock: FakeClock, kind: type[PlainAdapter]
) -> None:
    talk = Talk(clock, kind(clock))
    for _ in range(3):
        async with talk.replies.open(talk.turn(name="t")) as reply:
            await reply.hold("The model is down.")
    assert talk.platform.texts() == ["_The model is down._"]
    calls = len(talk.platform.calls)
    talk.restart()
    async with talk.replies.open(talk.turn(name="t", attempt=2)) as reply:
        await reply.hold("The model is down.")
    assert len(talk.platform.calls) == calls
    await talk.answer(["The answer."], talk.turn(name="t"))
    assert talk.platform.texts()[-1] == "The answer."
    assert len(talk.platform.messages) == (2 if kind is PlainAdapter else 1)


async def test_a_held_turn_with_text_says_the_words_instead(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    async with talk.replies.open(talk.turn(name="t")) as reply:
        reply.show(TextDelta(text="Half an ans"))
        await clock.advance(2)
        await reply.hold("Later.")
    assert talk.platform.texts() == ["_Later._"]
    await talk.answer(["The answer."], talk.turn(name="t", attempt=2))
    assert talk.platform.texts() == ["The answer."]


async def test_r7_a_held_message_grows_on_by_edits_even_where_there_are_drafts(
    clock: FakeClock,
) -> None:
    talk = Talk(clock, DraftingAdapter(clock))
    turn = talk.turn(name="t")
    async with talk.replies.open(turn) as reply:
        await reply.hold("Later.")
    async with talk.replies.open(talk.turn(name="t")) as reply:
        reply.show(TextDelta(text="The ans"))
        await clock.advance(3)
        assert talk.platform.texts() == ["The ans"]
    assert talk.platform.made("draft") == []


async def test_a_fresh_turn_is_not_looked_up_and_an_open_one_is(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    await talk.answer(["One."])
    assert talk.memory.calls["of_turn"] == 0
    async with talk.replies.open(talk.turn(name="t")) as reply:
        await reply.hold("Later.")
    await talk.answer(["Two."], talk.turn(name="t"))
    assert talk.memory.calls["of_turn"] == 1


async def test_a_turn_that_an_earlier_process_began_is_looked_up(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    turn = replace(talk.turn(name="t"), is_resumed=True)
    await left_growing(talk, turn, "Some words")
    await clock.advance(1)
    talk.restart()
    await talk.answer(["Some words, all of them."], turn)
    assert talk.platform.texts() == ["Some words, all of them."]


# Notices


async def test_a_notice_is_one_message(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    await talk.replies.notice(an_address(), "Not **now**.")
    assert talk.platform.texts() == ["Not **now**."]
    assert talk.memory.states() == ["final"]


@pytest.mark.parametrize("kind", [EditingAdapter, KeyedAdapter])
async def test_notices_that_a_process_left_are_said_after_the_next_start(
    clock: FakeClock, kind: type[EditingAdapter]
) -> None:
    talk = Talk(clock, kind(clock))
    talk.platform.script["send"].append(RetryLater("flood", 50))
    talk.platform.script["edit"].append(RetryLater("flood", 50))
    first = asyncio.ensure_future(talk.replies.notice(an_address("a"), "First words."))
    second = asyncio.ensure_future(talk.replies.notice(an_address("b"), "Second words."))
    await clock.advance(1)
    await talk.replies.close()
    await asyncio.gather(first, second)
    assert "final" not in talk.memory.states()[:1]
    await clock.advance(100)
    talk.restart()
    await talk.over(talk.replies.recover())
    assert talk.platform.texts("a") == ["First words."]
    assert talk.platform.texts("b") == ["Second words."]
    assert "sending" not in talk.memory.states()
    assert "sent" not in talk.memory.states()


async def test_a_notice_that_was_never_sent_is_dropped_once_it_is_old(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    await talk.outbox.begin(an_address(), turn=None, position=0, kind=OutboxKind.TEXT, text="Busy.")
    await clock.advance(4000)
    talk.restart()
    await talk.replies.recover()
    assert talk.platform.messages == {}
    assert talk.memory.states() == ["abandoned"]


async def test_recovery_leaves_the_notices_of_this_process_alone(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.latency = 5.0
    saying = asyncio.ensure_future(talk.replies.notice(an_address(), "Words."))
    await clock.advance(1)
    await talk.over(talk.replies.recover())
    await clock.advance(20)
    await saying
    assert talk.platform.texts() == ["Words."]


async def test_a_lost_notice_is_told_by_a_new_one(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["send"].append(Lost(is_applied=False))
    await talk.over(talk.replies.notice(an_address(), "Some words."))
    assert talk.platform.texts() == ["Some words."]


async def test_images_survive_a_crash_in_order(clock: FakeClock, tmp_path: Path) -> None:
    images = [
        ImageReady(
            file=OutgoingFile(a_file(tmp_path, f"{n}").path, f"{n}", "image/png", is_image=True),
            call_id="1",
        )
        for n in range(3)
    ]
    talk = Talk(clock, EditingAdapter(clock, Limits(text=100, files_per_album=2)))
    async with talk.replies.open(talk.turn(name="t")) as reply:
        await clock.advance(1)
        reply.show(images[0])
        await clock.advance(1)
    talk.restart()
    await talk.answer([*images], talk.turn(name="t", attempt=2))
    assert talk.platform.files == [("0",), ("1", "2")]
