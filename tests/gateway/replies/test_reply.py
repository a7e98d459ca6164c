"""Whole replies on platforms of every kind: what people see, and after how many calls."""

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.errors import AccountRejected, NotSupported, RetryLater, SendRefused, StoreBusy
from gateway.events import (
    FileReady,
    ImageReady,
    NoticeAdded,
    TextDelta,
    TextRestarted,
    ToolFailed,
    ToolFinished,
    ToolStarted,
    TurnFailed,
)
from gateway.messages import Choice, Limits, OutgoingFile
from tests.fakes.adapter import (
    DraftingAdapter,
    EditingAdapter,
    FindingAdapter,
    KeyedAdapter,
    Lost,
    PlainAdapter,
    SilentEditingAdapter,
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
TOOK = ToolFinished(call_id="1", tool="read_file", summary="3 lines", seconds=1.5)
STARTED = ToolStarted(call_id="1", tool="read_file", summary="notes.md")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def a_file(directory: Path, name: str, *, is_image: bool = False, size: int = 3) -> OutgoingFile:
    path = directory / name
    path.write_bytes(b"x" * size)
    return OutgoingFile(path, name, "image/png" if is_image else "text/plain", is_image=is_image)


def whole(platform: PlainAdapter, conversation: str = "c") -> str:
    return " ".join(" ".join(platform.texts(conversation)).split())


# Quick answers


@pytest.mark.parametrize("kind", [EditingAdapter, DraftingAdapter])
async def test_a_quick_answer_costs_one_send_one_edit_and_three_store_calls(
    clock: FakeClock, kind: type[EditingAdapter]
) -> None:
    talk = Talk(clock, kind(clock))
    await talk.answer(["Hello ", "there, ", 0.2, "friend."])
    assert [call.kind for call in talk.platform.calls] == ["send", "edit"]
    assert talk.platform.texts() == ["Hello there, friend."]
    assert talk.memory.calls == Counter(begin=1, sent=1, settle_later=1)
    assert talk.memory.states() == ["final"]


@pytest.mark.parametrize("kind", [PlainAdapter, KeyedAdapter, FindingAdapter, StreamingAdapter])
async def test_one_send_is_enough_where_it_cannot_show_twice_or_cannot_be_edited(
    clock: FakeClock, kind: type[PlainAdapter]
) -> None:
    talk = Talk(clock, kind(clock))
    await talk.answer(["Hello ", "there."])
    assert [call.text for call in talk.platform.calls] == ["Hello there."]
    assert talk.memory.calls == Counter(begin=1, sent=1, settle_later=1)


async def test_r6_a_first_send_without_a_key_is_never_the_whole_answer(clock: FakeClock) -> None:
    for answer in ("Hi", "Hello there", "**bold**", "`code`", "A sentence. " * 20, "…?"):
        talk = Talk(clock, EditingAdapter(clock))
        await talk.answer([answer])
        first = talk.platform.made("send")[0].text
        assert len(first) <= 82
        assert first.endswith("…")
        assert first != answer
        assert talk.platform.texts() == [answer.strip()]


# Growing


async def test_text_grows_in_one_message_at_the_pace_of_the_platform(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=1000, edit_every=1.0)))
    words = [f"word{n} " for n in range(100)]
    await talk.answer([piece for word in words for piece in (word, 0.1)])
    assert talk.platform.texts() == ["".join(words).strip()]
    times = [call.at for call in talk.platform.made("send", "edit")][:-1]
    assert times[0] == pytest.approx(0.25)
    assert all(after - before >= 0.999 for before, after in pairwise(times))
    assert 9 <= len(times) <= 11


async def test_groups_get_slower_edits_and_an_answer_to_the_asker(clock: FakeClock) -> None:
    talk = Talk(clock, DraftingAdapter(clock))
    turn = talk.turn(an_address("g", is_direct=False))
    await talk.answer(["one ", 1.0, "two ", 1.0, "three ", 1.5, "four"], turn)
    assert talk.platform.made("draft") == []
    assert talk.platform.texts("g") == ["one two three four"]
    (shown,) = talk.platform.messages.values()
    assert shown.reply_to == turn.kept.message.message_id
    times = [call.at for call in talk.platform.made("send", "edit")][:-1]
    assert all(after - before >= 3.0 for before, after in pairwise(times))


async def test_direct_answers_quote_nothing(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    await talk.answer(["Hello"])
    assert [one.reply_to for one in talk.platform.messages.values()] == [None]


async def test_the_stop_button_is_there_while_text_grows_and_gone_in_the_end(
    clock: FakeClock,
) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(TextDelta(text="Some words "))
        await clock.advance(2)
        (shown,) = talk.platform.messages.values()
        assert [choice.value for choice in shown.choices] == ["/stop"]
        assert shown.is_growing
        await reply.finish()
    assert shown.choices == ()
    assert not shown.is_growing


async def test_a3_the_last_edit_is_made_even_if_the_text_is_already_there(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    await talk.answer(["All of it is here.", 5.0])
    (shown,) = talk.platform.messages.values()
    assert (shown.text, shown.is_growing, shown.choices) == ("All of it is here.", False, ())


async def test_l3_an_unchanged_page_is_not_edited_again(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=100)))
    await talk.answer(["First page of it. " * 5, 3.0, "Second page. " * 6, 10.0])
    first = talk.platform.texts()[0]
    edits = [call.at for call in talk.platform.made("edit") if call.text == first]
    assert max(edits) < 6.0


async def test_a_platform_without_typing_gets_a_placeholder(clock: FakeClock) -> None:
    talk = Talk(clock, SilentEditingAdapter(clock))
    async with talk.replies.open(talk.turn()) as reply:
        await clock.advance(0.3)
        assert talk.platform.texts() == ["…"]
        reply.show(TextDelta(text="There."))
        await reply.finish()
    assert talk.platform.texts() == ["There."]


# Drafts


async def test_drafts_stream_and_the_answer_is_one_message(clock: FakeClock) -> None:
    talk = Talk(clock, DraftingAdapter(clock, Limits(text=1000, draft_every=0.5)))
    await talk.answer([piece for n in range(40) for piece in (f"word{n} ", 0.1)])
    assert [call.kind for call in talk.platform.made("send", "edit")] == ["send", "edit"]
    (draft,) = talk.platform.drafts.values()
    assert draft.startswith("word0 word1")
    times = [call.at for call in talk.platform.made("draft")]
    assert all(after - before >= 0.499 for before, after in pairwise(times))
    assert len(times) >= 7


async def test_a_draft_is_shown_again_before_it_fades(clock: FakeClock) -> None:
    talk = Talk(clock, DraftingAdapter(clock))
    await talk.answer(["Wait.", 65.0])
    times = [call.at for call in talk.platform.made("draft")]
    assert times == pytest.approx([0.25, 20.25, 40.25, 60.25])
    assert len(talk.platform.made("typing")) <= 1


async def test_no_drafts_here_means_edits_from_now_on(clock: FakeClock) -> None:
    talk = Talk(clock, DraftingAdapter(clock))
    talk.platform.script["draft"].append(NotSupported("no drafts"))
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(TextDelta(text="Some words to see"))
        await clock.advance(0.3)
        assert talk.platform.texts() == ["Some words to…"]
        await reply.finish()
    await talk.answer(["More words", 2.0])
    assert len(talk.platform.made("draft")) == 1


async def test_a4_a_draft_stream_that_dies_leaves_its_text(clock: FakeClock) -> None:
    talk = Talk(clock, DraftingAdapter(clock))
    await talk.answer(["Half of an ans", 3.0, TurnFailed(words="The model went away.")])
    assert talk.platform.texts() == ["Half of an ans\n\n_The model went away._"]


async def test_a5_drafts_are_spaced_and_a_penalty_stops_them(clock: FakeClock) -> None:
    talk = Talk(clock, DraftingAdapter(clock, Limits(text=1000, draft_every=0.5)))
    talk.platform.script["draft"].extend([None, RetryLater("flood", 10)])
    pieces = [piece for n in range(80) for piece in (f"w{n} ", 0.1)]
    await talk.answer(pieces)
    assert talk.platform.violations == []
    assert len(talk.platform.made("draft")) == 2
    assert talk.platform.texts()[0].endswith("w79")


@pytest.mark.parametrize("kind", [EditingAdapter, DraftingAdapter])
async def test_a_piece_of_text_costs_next_to_nothing(
    clock: FakeClock, kind: type[EditingAdapter]
) -> None:
    measured = 0

    def measure(text: str) -> int:
        nonlocal measured
        measured += 1
        return len(text)

    talk = Talk(clock, kind(clock, Limits(text=9000, measure=measure)))
    await talk.answer([piece for n in range(300) for piece in (f"w{n} ", 0.01)])
    assert measured - len(talk.platform.calls) <= 12


# Duplicates


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("pauses", [0.0, 0.3, 2.0])
async def test_lesson_9_one_turn_is_one_final_text(
    clock: FakeClock, kind: type[PlainAdapter], pauses: float
) -> None:
    talk = Talk(clock, kind(clock))
    await talk.answer(["The ", pauses, "answer ", pauses, "is 42.", pauses])
    assert talk.platform.texts() == ["The answer is 42."]
    assert len(talk.platform.made("send")) == 1
    assert talk.platform.made("delete") == []


async def test_lesson_13_a_send_that_may_have_arrived_is_not_repeated(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["send"].append(Lost(is_applied=True))
    await talk.answer(["The whole answer."])
    assert talk.platform.texts() == ["The whole…", "The whole answer."]
    assert talk.memory.states() == ["abandoned", "final"]


async def test_r6_a_keyed_send_is_repeated_until_it_is_known(clock: FakeClock) -> None:
    talk = Talk(clock, KeyedAdapter(clock))
    talk.platform.script["send"].extend([Lost(is_applied=True), Lost(is_applied=True), None])
    await talk.answer(["The whole answer."])
    assert talk.platform.texts() == ["The whole answer."]
    assert talk.memory.states() == ["final"]


async def test_r6_a_server_that_fails_for_long_gets_no_stub_until_it_answers_again(
    clock: FakeClock,
) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["send"].append(Lost(is_applied=False))
    talk.platform.script["typing"].extend([Lost(is_applied=False)] * 12)
    await talk.answer(["The answer."])
    assert talk.platform.texts() == ["The answer."]
    assert len(talk.platform.made("send")) == 2
    assert clock.monotonic() > 60


@pytest.mark.parametrize("is_applied", [True, False])
async def test_r6_a_send_that_can_be_found_is_looked_for(
    clock: FakeClock, is_applied: bool
) -> None:
    talk = Talk(clock, FindingAdapter(clock))
    talk.platform.script["send"].append(Lost(is_applied=is_applied))
    await talk.answer(["The whole answer."])
    assert talk.platform.texts() == ["The whole answer."]
    assert len(talk.platform.made("find")) == (1 if is_applied else 2)


async def test_a_plain_platform_sends_a_page_at_most_once_and_tells_which_may_be_missing(
    clock: FakeClock,
) -> None:
    talk = Talk(clock, PlainAdapter(clock, Limits(text=100)))
    talk.platform.script["send"].extend([None, Lost(is_applied=True)])
    await talk.answer(["Some words of text. " * 12])
    *answer, note = talk.platform.texts()
    assert " ".join(answer) == ("Some words of text. " * 12).strip()
    assert note == "_Part 2 may be missing._"
    assert talk.memory.states() == ["final", "unknown", "final", "final"]


async def test_n2_a_failed_send_does_not_double_the_text(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["send"].append(RetryLater("502", 1.0))
    await talk.answer(["Hello ", 3.0, "again ", 3.0])
    assert talk.platform.texts() == ["Hello again"]


async def test_n4_n5_a_failed_later_page_repeats_no_earlier_one_and_loses_no_tail(
    clock: FakeClock,
) -> None:
    text = " ".join(f"w{n}" for n in range(600))
    talk = Talk(clock, PlainAdapter(clock, Limits(text=1000)))
    talk.platform.script["send"].extend([None, RetryLater("500", 1), RetryLater("500", 1)])
    await talk.answer([text])
    assert whole(talk.platform) == text
    assert len(talk.platform.messages) == 3


async def test_n5_a_later_page_that_may_have_arrived_costs_a_few_words_at_most(
    clock: FakeClock,
) -> None:
    text = " ".join(f"w{n}" for n in range(600))
    talk = Talk(clock, EditingAdapter(clock, Limits(text=1000)))
    talk.platform.script["send"].extend([None, Lost(is_applied=True)])
    await talk.answer([text])
    shown = talk.platform.texts()
    orphan = shown.pop(1)
    assert orphan.endswith("…")
    assert len(orphan) <= 82
    assert " ".join(shown) == text


async def test_n6_a_first_piece_over_the_limit_is_split(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=500)))
    text = " ".join(f"word{n}" for n in range(300))
    await talk.answer([text, 10.0])
    assert whole(talk.platform) == text


async def test_a1_a_long_group_stream_is_no_storm(clock: FakeClock) -> None:
    limits = Limits(text=4096, calls_per_minute_in_groups=20)
    talk = Talk(clock, EditingAdapter(clock, limits))
    pieces = [f"token{n} " for n in range(700)]
    turn = talk.turn(an_address("g", is_direct=False))
    await talk.answer(pieces, turn)
    assert whole(talk.platform, "g") == "".join(pieces).strip()
    assert len(talk.platform.calls) <= 6


async def test_n1_two_threads_of_one_chat_do_not_mix(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=1000, edit_every_in_groups=0.5)))
    one = talk.turn(an_address("g", "1", is_direct=False))
    two = talk.turn(an_address("g", "2", is_direct=False))
    async with talk.replies.open(one) as first, talk.replies.open(two) as second:
        for number in range(4):
            first.show(TextDelta(text=f"a{number} "))
            second.show(TextDelta(text=f"b{number} "))
            await clock.advance(2)
        assert len(talk.platform.made("edit")) >= 4
        await first.finish()
        await second.finish()
    shown = {(one.where, one.text) for one in talk.platform.messages.values()}
    assert shown == {(("g", "1"), "a0 a1 a2 a3"), (("g", "2"), "b0 b1 b2 b3")}


async def test_n9_every_page_goes_to_the_thread(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=200)))
    turn = talk.turn(an_address("g", "7", is_direct=False))
    await talk.answer(["Some words here. " * 50], turn)
    assert {one.where for one in talk.platform.messages.values()} == {("g", "7")}
    replied = [one.reply_to for one in talk.platform.messages.values()]
    assert replied[0] is not None
    assert set(replied[1:]) == {None}


async def test_lessons_29_a_hundred_replies_at_once_stay_apart(clock: FakeClock) -> None:
    talk = Talk(clock, DraftingAdapter(clock))
    async with asyncio.TaskGroup() as tasks:
        for number in range(100):
            turn = talk.turn(an_address(f"c{number}"))
            tasks.create_task(talk.tell([f"for {number}: ", f"canary{number}"], turn))
    for number in range(100):
        assert talk.platform.texts(f"c{number}") == [f"for {number}: canary{number}"]


# Rate limits


async def test_lesson_16_an_edit_with_a_penalty_is_followed_by_no_call(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["edit"].append(RetryLater("flood", 60))
    async with talk.replies.open(talk.turn()) as reply:
        for number in range(100):
            reply.show(TextDelta(text=f"w{number} "))
            await clock.advance(0.5)
        assert len(talk.platform.calls) == 2
        finish = asyncio.ensure_future(reply.finish())
        await clock.advance(30)
        await finish
    assert talk.platform.violations == []
    assert talk.platform.texts()[0].endswith("w99")


async def test_lesson_17_every_call_passes_one_bucket(clock: FakeClock, tmp_path: Path) -> None:
    talk = Talk(clock, DraftingAdapter(clock))
    talk.platform.latency = 0.4
    async with asyncio.TaskGroup() as tasks:
        for number in range(5):
            file = FileReady(file=a_file(tmp_path, f"f{number}"), call_id="1")
            turn = talk.turn(an_address("c", is_direct=number % 2 == 0))
            tasks.create_task(talk.tell(["one ", "two", file], turn))
        tasks.create_task(talk.replies.notice(an_address("c"), "A notice."))
        await clock.advance(60)
    assert talk.platform.overlaps == 0
    assert len(talk.platform.messages) == 11


async def test_lesson_18_a_long_penalty_frees_the_worker_and_stops_status(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["send"].append(RetryLater("flood", 1000))
    answer = asyncio.ensure_future(talk.tell(["Late but whole."]))
    await clock.advance(1)
    await talk.answer(["At once."], talk.turn(an_address("d")))
    assert talk.platform.texts("d") == ["At once."]
    async with talk.replies.open(talk.turn()):
        await clock.advance(900)
    assert talk.platform.made(conversation="c") == talk.platform.made("send", conversation="c")[:1]
    await clock.advance(100)
    await answer
    assert talk.platform.texts("c") == ["Late but whole."]
    assert talk.platform.violations == []


@pytest.mark.parametrize("after", [0.0, 1.0, 2.5, 30.0])
@pytest.mark.parametrize("kind", ["send", "edit"])
async def test_lesson_19_r11_a_final_waits_and_then_arrives(
    clock: FakeClock, after: float, kind: str
) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script[kind].append(RetryLater("429", after))
    await talk.answer(["All of the answer."])
    assert clock.monotonic() >= after
    assert talk.platform.violations == []
    assert talk.platform.texts() == ["All of the answer."]


@pytest.mark.parametrize(
    "fault", [RetryLater("x", 0.1), Lost(is_applied=False), Lost(is_applied=True)]
)
async def test_lesson_20_the_final_is_whole_if_every_interim_edit_is_lost(
    clock: FakeClock, fault: object
) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["edit"].extend([fault] * 12)
    words = [f"word{n} " for n in range(30)]
    await talk.answer([x for word in words for x in (word, 0.5)])
    assert whole(talk.platform) == "".join(words).strip()


async def test_a8_l8_a_penalty_in_the_middle_costs_nothing(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["edit"].extend([None, None, RetryLater("429", 5)])
    await talk.answer([x for n in range(40) for x in (f"w{n} ", 0.5)])
    assert talk.platform.violations == []
    assert talk.platform.texts() == [" ".join(f"w{n}" for n in range(40))]


# Formatting


async def test_n7_a_start_that_shows_nothing_becomes_a_placeholder(clock: FakeClock) -> None:
    def rendered(text: str) -> int:
        return len(text.replace(">", "").replace("```", "").strip())

    talk = Talk(clock, EditingAdapter(clock, Limits(text=1000, measure=rendered)))
    await talk.answer([">", 1.0, " said", 2.0])
    assert talk.platform.texts() == ["> said"]
    await talk.answer(["```"])
    assert len(talk.platform.messages) == 2


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 9000, 50_000])
@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_lesson_21_any_length_goes_through_every_kind_of_platform(
    clock: FakeClock, kind: type[PlainAdapter], size: int
) -> None:
    text = ("word and " * (size // 9 + 1))[:size]
    talk = Talk(clock, kind(clock))
    await talk.answer([text])
    assert whole(talk.platform) == (" ".join(text.split()) or "(empty response)")


async def test_l1_an_image_alone_is_an_answer(clock: FakeClock, tmp_path: Path) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    image = a_file(tmp_path, "a.png", is_image=True)
    await talk.answer([ImageReady(file=image, call_id="1")])
    assert [one.files for one in talk.platform.messages.values()] == [("a.png",)]


async def test_l5_an_empty_answer_says_so(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    await talk.answer([" \n", 1.0])
    assert talk.platform.texts() == ["(empty response)"]


async def test_a2_an_image_first_and_a_failed_first_send(clock: FakeClock, tmp_path: Path) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["send"].append(RetryLater("502", 1.0))
    image = ImageReady(file=a_file(tmp_path, "a.png", is_image=True), call_id="1")
    await talk.answer([image, 1.0, "And words", 3.0])
    assert talk.platform.files == [("a.png",)]
    assert "And words" in talk.platform.texts()


# Typing


async def test_typing_starts_after_a_moment_and_goes_on(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    await talk.answer([13.0, "Done."])
    assert [call.at for call in talk.platform.made("typing")] == [0.25, 4.25, 8.25, 12.25]


async def test_text_that_comes_while_typing_is_shown_does_not_wait_for_it_to_fade(
    clock: FakeClock,
) -> None:
    talk = Talk(clock, EditingAdapter(clock, latency=0.5))
    async with talk.replies.open(talk.turn()) as reply:
        await clock.advance(0.4)
        reply.show(TextDelta(text="Some words "))
        await clock.advance(2.0)
        assert talk.platform.texts() == ["Some…"]


async def test_growing_text_needs_no_typing_beside_it(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    await talk.answer([x for n in range(20) for x in (f"w{n} ", 1.0)])
    assert len(talk.platform.made("typing")) <= 1


@pytest.mark.parametrize("kind", [EditingAdapter, DraftingAdapter])
@pytest.mark.parametrize("way_out", ["finish", "hold", "error", "cancel", "nothing", "refused"])
@pytest.mark.parametrize("words", ["", "Some words"])
@pytest.mark.parametrize("lasted", [0.1, 0.25, 3.9, 4.25, 11.0])
async def test_lesson_27_no_sign_of_work_after_the_turn_ends(
    clock: FakeClock, kind: type[EditingAdapter], way_out: str, words: str, lasted: float
) -> None:
    talk = Talk(clock, kind(clock))
    if way_out == "refused":
        talk.platform.script["typing"].append(SendRefused("no typing here"))
        talk.platform.script["send"].extend([SendRefused("gone")] * 3)

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
    await clock.advance(lasted + 0.5)
    running.cancel()
    await asyncio.wait([running])
    before = len(talk.platform.calls)
    await clock.advance(100)
    assert len(talk.platform.calls) == before
    assert talk.replies._accounts[talk.platform.name].pace.open_replies == 0


async def test_a_fault_in_typing_does_no_harm(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["typing"].append(ZeroDivisionError())
    with capture_logs():
        await talk.answer([10.0, "Fine."])
    assert talk.platform.texts() == ["Fine."]


# Tools, notices, choices


async def test_tools_show_lines_while_they_run_and_a_footer_in_the_end(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(TextDelta(text="Let me look."))
        reply.show(STARTED)
        await clock.advance(2)
        assert talk.platform.texts() == ["Let me look.\n\n⏳ read_file `notes.md`"]
        reply.show(TOOK)
        await clock.advance(2)
        assert talk.platform.texts() == ["Let me look.\n\n✓ read_file `notes.md` · 1.5 s"]
        reply.show(TextDelta(text="It says hello."))
        await clock.advance(2)
        assert talk.platform.texts() == ["Let me look.\n\nIt says hello."]
        await reply.finish()
    assert talk.platform.texts() == ["Let me look.\n\nIt says hello.\n\n🔧 read_file · 1.5 s"]


async def test_a_restart_voids_the_text_of_the_step_only(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    failed = ToolFailed(call_id="1", tool="read_file", summary="not found", seconds=0.2)
    await talk.answer([
        "First step.",
        STARTED,
        failed,
        "Half a",
        2.0,
        TextRestarted(),
        "Whole.",
        2.0,
    ])
    assert talk.platform.texts() == ["First step.\n\nWhole.\n\n🔧 read_file (failed) · 0.2 s"]


async def test_notices_stand_apart(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    await talk.answer(["Words.", NoticeAdded(words="Stopped.")])
    await talk.answer([NoticeAdded(words="Stopped.")])
    await talk.answer([TurnFailed(words="No *model* here.")])
    assert talk.platform.texts() == ["Words.\n\n_Stopped._", "_Stopped._", "No \\*model\\* here."]


async def test_choices_are_buttons_or_text(clock: FakeClock) -> None:
    choices = [Choice(f"Model {n}", f"/model {n}") for n in range(5)]
    talk = Talk(clock, EditingAdapter(clock))
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(TextDelta(text="Choose."))
        await reply.finish(choices=choices)
    (shown,) = talk.platform.messages.values()
    assert shown.choices == tuple(choices[:3])
    assert shown.text == "Choose.\n\n- Model 3: `/model 3`\n- Model 4: `/model 4`"


# Files


async def test_lesson_26_images_that_are_ready_together_are_one_album(
    clock: FakeClock, tmp_path: Path
) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=1000, files_per_album=3)))
    images = [a_file(tmp_path, f"{n}.png", is_image=True) for n in range(4)]
    report = FileReady(file=a_file(tmp_path, "report.pdf"), call_id="1")
    shown = [ImageReady(file=image, call_id="1") for image in images]
    await talk.answer(["Here they are.", 1.0, *shown, report, 1.0, " Done."])
    assert talk.platform.files == [("0.png", "1.png", "2.png"), ("3.png",), ("report.pdf",)]
    assert talk.platform.texts()[0] == "Here they are. Done."


async def test_files_do_not_wait_for_the_end(clock: FakeClock, tmp_path: Path) -> None:
    talk = Talk(clock, DraftingAdapter(clock))
    async with talk.replies.open(talk.turn()) as reply:
        await clock.advance(5)
        reply.show(FileReady(file=a_file(tmp_path, "f"), call_id="1"))
        await clock.advance(1)
        assert talk.platform.files == [("f",)]


async def test_lesson_26_images_that_tools_make_one_by_one_are_one_album(
    clock: FakeClock, tmp_path: Path
) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=1000, files_per_album=3)))
    images = [a_file(tmp_path, f"{n}.png", is_image=True) for n in range(3)]
    async with talk.replies.open(talk.turn()) as reply:
        await clock.advance(5)
        for image in images:
            reply.show(ImageReady(file=image, call_id="1"))
            await clock.advance(0.2)
        assert talk.platform.files == []
        await clock.advance(0.5)
        assert talk.platform.files == [("0.png", "1.png", "2.png")]


async def test_lesson_8_a_refused_file_is_told(clock: FakeClock, tmp_path: Path) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["files"].append(SendRefused("wrong type"))
    await talk.answer(["Look.", FileReady(file=a_file(tmp_path, "a_b.txt"), call_id="1")])
    assert talk.platform.texts() == ["Look.\n\n_a_b.txt could not be sent: wrong type_"]
    assert talk.memory.states() == ["failed", "final"]


async def test_lesson_8_a_file_that_is_too_large_or_gone_is_told(
    clock: FakeClock, tmp_path: Path
) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=1000, file_bytes=2_000_000)))
    large = a_file(tmp_path, "large.bin", size=3_000_000)
    gone = a_file(tmp_path, "gone.txt")
    gone.path.unlink()
    await talk.answer([FileReady(file=large, call_id="1"), FileReady(file=gone, call_id="1")])
    (text,) = talk.platform.texts()
    assert "large.bin could not be sent: it has 3 MB, and at most 2 MB go" in text
    assert "gone.txt could not be sent: it is gone" in text
    assert talk.platform.files == []


async def test_a_large_image_goes_as_a_file(clock: FakeClock, tmp_path: Path) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=1000, image_bytes=2, files_per_album=9)))
    images = [
        a_file(tmp_path, "large.png", is_image=True),
        a_file(tmp_path, "s", is_image=True, size=1),
    ]
    await talk.answer([ImageReady(file=image, call_id="1") for image in images])
    assert talk.platform.files == [("large.png",), ("s",)]


async def test_r6_a_file_that_may_have_arrived_is_not_sent_again(
    clock: FakeClock, tmp_path: Path
) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["files"].append(Lost(is_applied=True))
    await talk.answer(["Look.", FileReady(file=a_file(tmp_path, "a.txt"), call_id="1")])
    assert talk.platform.files == [("a.txt",)]
    assert "Look.\n\n_A file may be missing: a.txt_" in talk.platform.texts()


async def test_a_platform_without_files_names_them(clock: FakeClock, tmp_path: Path) -> None:
    talk = Talk(clock, PlainAdapter(clock))
    await talk.answer(["Look.", FileReady(file=a_file(tmp_path, "a.txt"), call_id="1")])
    assert talk.platform.texts() == ["Look.\n\n_a.txt cannot be sent here._"]


async def test_a_caption_that_is_too_long_goes_into_the_text(
    clock: FakeClock, tmp_path: Path
) -> None:
    talk = Talk(clock, EditingAdapter(clock, Limits(text=1000, caption=10)))
    path = a_file(tmp_path, "a.txt").path
    file = OutgoingFile(path, "a.txt", "text/plain", caption="More than ten characters")
    await talk.answer([FileReady(file=file, call_id="1")])
    assert [one.captions for one in talk.platform.messages.values() if one.files] == [("",)]
    assert "_More than ten characters_" in talk.platform.texts()


# Errors at the end


async def test_a_message_that_is_gone_is_sent_anew(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(TextDelta(text="Some words "))
        await clock.advance(2)
        talk.platform.messages.clear()
        reply.show(TextDelta(text="and more"))
        await clock.advance(10)
        assert talk.platform.messages == {}
        calls = len(talk.platform.made("edit"))
        reply.show(TextDelta(text="."))
        await clock.advance(10)
        assert len(talk.platform.made("edit")) == calls
        await reply.finish()
    assert talk.platform.texts() == ["Some words and more."]
    assert talk.memory.states() == ["failed", "final"]


async def test_a_place_where_nothing_can_be_edited_gets_the_whole(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["edit"].append(NotSupported("no edits in this place"))
    await talk.answer(["The whole answer."])
    assert talk.platform.texts() == ["The whole…", "The whole answer."]


async def test_a_refused_page_is_told_and_the_others_are_sent(clock: FakeClock) -> None:
    talk = Talk(clock, PlainAdapter(clock, Limits(text=100)))
    talk.platform.script["send"].extend([None, SendRefused("bad words")])
    await talk.answer(["Some words of text. " * 12])
    assert talk.platform.texts()[-1] == "_Part 2 could not be sent: bad words_"
    assert len(talk.platform.messages) == 3


async def test_a_chat_that_refuses_everything_ends_the_reply(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["send"].extend([SendRefused("blocked")] * 10)
    await talk.answer(["Words.", 5.0])
    assert talk.platform.messages == {}
    assert set(talk.memory.states()) == {"failed"}


async def test_an_error_in_the_adapter_is_tried_again_and_not_for_ever(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["edit"].extend([ZeroDivisionError()] * 2)
    with capture_logs() as logs:
        await talk.answer(["The whole answer."])
        assert talk.platform.texts() == ["The whole answer."]
        talk.platform.script["send"].extend([ZeroDivisionError()] * 50)
        await talk.answer(["Never."])
    assert talk.platform.texts() == ["The whole answer."]
    faults = [one for one in logs if one["event"] == "adapter.misbehaved"]
    assert len(faults) == 2 + 12


async def test_a_rejected_account_ends_the_reply_with_its_error(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.script["send"].append(AccountRejected("token revoked"))
    with pytest.raises(AccountRejected):
        await talk.answer(["Words."])
    assert talk.memory.states() == ["sending"]


async def test_an_id_is_noted_even_if_the_store_is_busy(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.platform.latency = 1.0
    answer = asyncio.ensure_future(talk.tell(["The answer is here."]))
    await clock.advance(0.5)
    talk.memory.failures.extend([StoreBusy("disk full", 2.0)] * 2)
    await clock.advance(3)
    assert talk.memory.states() == ["sending"]
    assert len(talk.platform.calls) == 1
    await clock.advance(9)
    await answer
    assert talk.platform.texts() == ["The answer is here."]
    assert talk.memory.states() == ["final"]


async def test_a_busy_store_puts_off_the_first_word_only(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    talk.memory.failures.append(StoreBusy("disk full", 2.0))
    await talk.answer(["Some words", 1.0, " more", 5.0])
    assert talk.platform.texts() == ["Some words more"]


async def test_a_second_finish_says_nothing_twice(clock: FakeClock) -> None:
    talk = Talk(clock, EditingAdapter(clock))
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(TextDelta(text="Once."))
        await reply.finish()
        calls = len(talk.platform.calls)
        await reply.finish()
    assert len(talk.platform.calls) == calls
