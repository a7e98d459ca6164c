"""Sends of which nobody knows whether they arrived, on platforms that can look."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts.stores import OutboxKind
from gateway.errors import NotSupported, SendRefused, SendUncertain
from gateway.events import FileReady, TextDelta
from gateway.messages import OutgoingFile, OutgoingMessage
from tests.fakes.adapter import FindingAdapter, KeyedAdapter, Lost
from tests.fakes.clock import FakeClock
from tests.fakes.talk import Talk, an_address

MISSING = "_Part 1 may be missing._"
NOT_SENT = "_Part 1 could not be sent: the platform did not take it_"


class FindingKeyedAdapter(FindingAdapter, KeyedAdapter):
    """A platform that forgets a key after a while, and can be searched then."""

    repeat_window = 1.0


@pytest.fixture
def talk() -> Talk[FindingAdapter]:
    clock = FakeClock()
    return Talk(clock, FindingAdapter(clock))


@pytest.mark.parametrize("is_applied", [True, False])
async def test_r6_a_lookup_that_is_lost_is_made_again(
    talk: Talk[FindingAdapter], is_applied: bool
) -> None:
    talk.platform.script["send"].append(Lost(is_applied=is_applied))
    talk.platform.script["find"].extend([SendUncertain("no answer")] * 4)
    await talk.answer(["The whole answer."])
    assert talk.platform.texts() == ["The whole answer."]
    assert len(talk.platform.made("find")) == (5 if is_applied else 6)
    assert talk.memory.states() == ["final"]


@pytest.mark.parametrize(
    ("failures", "shown", "states"),
    [(11, "The whole answer.", ["final"]), (12, NOT_SENT, ["failed", "final"])],
)
async def test_r6_what_is_found_not_to_have_arrived_is_sent_again_for_minutes_and_is_no_doubt(
    talk: Talk[FindingAdapter], failures: int, shown: str, states: list[str]
) -> None:
    talk.platform.script["send"].extend([Lost(is_applied=False)] * failures)
    await talk.answer(["The whole answer."])
    assert talk.platform.texts() == [shown]
    assert talk.memory.states() == states
    assert len(talk.platform.made("send")) == failures + 1


async def test_r6_what_grows_and_never_arrives_ends_as_well(talk: Talk[FindingAdapter]) -> None:
    talk.platform.script["send"].extend([Lost(is_applied=False)] * 24)
    await talk.answer(["Some words ", 20.0, "and more."], within=1_200)
    assert talk.platform.texts() == [NOT_SENT]
    assert talk.memory.states() == ["failed", "failed", "final"]


async def test_r6_what_a_process_left_and_never_arrives_is_told_as_not_sent(
    talk: Talk[FindingAdapter],
) -> None:
    await caught_in_the_send(talk, "The whole answer.", has_arrived=False)
    talk.platform.script["send"].extend([Lost(is_applied=False)] * 24)
    await talk.answer(["The whole answer."], talk.turn(name="t", attempt=2), within=1_200)
    assert talk.platform.texts() == [NOT_SENT]
    assert talk.memory.states() == ["failed", "failed", "final"]


@pytest.mark.parametrize("refusal", [NotSupported("no history"), SendRefused("no right to read")])
@pytest.mark.parametrize("is_applied", [True, False])
async def test_r6_a_whole_answer_that_nobody_can_look_for_is_not_sent_again(
    talk: Talk[FindingAdapter], refusal: Exception, is_applied: bool
) -> None:
    talk.platform.script["send"].append(Lost(is_applied=is_applied))
    talk.platform.script["find"].append(refusal)
    await talk.answer(["The whole answer."])
    assert talk.platform.texts() == [*["The whole answer."] * is_applied, MISSING]
    assert talk.memory.states() == ["unknown", "final"]


async def test_r6_where_nobody_can_look_first_sends_are_stubs_from_then_on(
    talk: Talk[FindingAdapter],
) -> None:
    talk.platform.script["send"].append(Lost(is_applied=True))
    talk.platform.script["find"].extend([NotSupported("no history")] * 2)
    await talk.answer(["A first answer."])
    await talk.answer(["A second answer."], talk.turn(an_address("d")))
    assert talk.platform.made("send", conversation="d")[0].text == "A second…"
    assert talk.platform.texts("d") == ["A second answer."]
    talk.platform.script["send"].append(Lost(is_applied=True))
    await talk.answer(["A third answer."], talk.turn(an_address("e")))
    assert talk.platform.texts("e") == ["A third…", "A third answer."]


@pytest.mark.parametrize("is_applied", [True, False])
async def test_r6_a_notice_that_nobody_can_look_for_is_not_said_twice(
    talk: Talk[FindingAdapter], is_applied: bool
) -> None:
    talk.platform.script["send"].append(Lost(is_applied=is_applied))
    talk.platform.script["find"].append(NotSupported("no history"))
    await talk.over(talk.replies.notice(an_address(), "You are let in."))
    assert talk.platform.texts() == [*["You are let in."] * is_applied, MISSING]


@pytest.mark.parametrize("has_arrived", [True, False])
async def test_r6_what_a_process_left_whole_and_nobody_can_look_for_is_not_sent_again(
    talk: Talk[FindingAdapter], has_arrived: bool
) -> None:
    await caught_in_the_send(talk, "The whole answer.", has_arrived=has_arrived)
    talk.platform.script["find"].append(NotSupported("no history"))
    await talk.answer(["The whole answer."], talk.turn(name="t", attempt=2))
    assert talk.platform.texts() == [*["The whole answer."] * has_arrived, MISSING]


@pytest.mark.parametrize("kept", ["", "The whole…"])
async def test_r6_what_a_process_left_as_a_stub_or_growing_is_told_by_a_new_message(
    talk: Talk[FindingAdapter], kept: str
) -> None:
    await caught_in_the_send(talk, kept, has_arrived=False)
    talk.platform.script["find"].append(NotSupported("no history"))
    await talk.answer(["The whole answer."], talk.turn(name="t", attempt=2))
    assert talk.platform.texts() == ["The whole answer."]
    assert talk.memory.states() == ["abandoned", "final"]


@pytest.mark.fault("clock", "host")
@pytest.mark.parametrize("has_arrived", [True, False])
async def test_r6_a_clock_that_is_set_back_over_a_restart_delays_no_look(
    talk: Talk[FindingAdapter], monkeypatch: pytest.MonkeyPatch, has_arrived: bool
) -> None:
    await caught_in_the_send(talk, "The whole answer.", has_arrived=has_arrived)
    set_back(talk, monkeypatch)
    await talk.answer(["The whole answer."], talk.turn(name="t", attempt=2), within=120.0)
    assert talk.platform.texts() == ["The whole answer."]


@pytest.mark.fault("clock", "host")
async def test_r6_a_clock_that_is_set_back_makes_no_forgotten_key_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FakeClock()
    talk = Talk(clock, FindingKeyedAdapter(clock))
    await caught_in_the_send(talk, "The whole answer.", has_arrived=True)
    set_back(talk, monkeypatch)
    await talk.answer(["The whole answer."], talk.turn(name="t", attempt=2))
    assert talk.platform.texts() == ["The whole answer."]


def set_back(talk: Talk[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    right = talk.clock.now
    monkeypatch.setattr(talk.clock, "now", lambda: right() - 3_600.0)


async def caught_in_the_send(talk: Talk[Any], kept: str, *, has_arrived: bool) -> None:
    """Let a process end while it sends the first message of turn `t`."""
    row = await talk.outbox.begin(
        an_address(), turn=talk.turn(name="t"), position=0, kind=OutboxKind.TEXT, text=kept
    )
    if has_arrived:
        talk.platform.put(an_address(), OutgoingMessage(row.id, kept))
    await talk.clock.advance(60)
    talk.restart()


async def test_r6_a_message_that_grew_when_the_process_ended_is_found_and_goes_on(
    talk: Talk[FindingAdapter],
) -> None:
    talk.platform.latency = 1.0
    telling = asyncio.ensure_future(talk.tell(["Some words ", 20.0], talk.turn(name="t")))
    await talk.clock.advance(1.0)
    telling.cancel()
    await asyncio.wait([telling])
    (row,) = talk.memory.rows.values()
    assert (row.state.value, row.text) == ("sending", "")
    sent = OutgoingMessage(row.id, "Some words", is_growing=True)
    talk.platform.put(an_address(), sent)
    talk.restart()
    await talk.answer(["Some words and more."], talk.turn(name="t", attempt=2))
    assert talk.platform.texts() == ["Some words and more."]


async def test_r6_a_whole_page_in_a_place_where_nothing_can_be_edited_is_not_doubled(
    talk: Talk[FindingAdapter],
) -> None:
    talk.platform.script["find"].append(NotSupported("no history"))
    talk.platform.script["edit"].append(NotSupported("no edits in this place"))
    talk.platform.script["send"].extend([None, Lost(is_applied=True)])
    async with talk.replies.open(talk.turn()) as reply:
        reply.show(TextDelta(text="The whole "))
        await talk.clock.advance(0.5)
        reply.show(TextDelta(text="answer."))
        await talk.over(reply.finish())
    assert talk.platform.texts() == ["The whole", "The whole answer.", MISSING]


async def test_r6_a_message_from_before_is_not_taken_for_the_one_in_doubt(
    talk: Talk[FindingAdapter],
) -> None:
    talk.platform.put(an_address(), OutgoingMessage("o_1", "An old one of the same key."))
    await talk.clock.advance(100)
    talk.platform.script["send"].append(Lost(is_applied=False))
    await talk.answer(["The answer."])
    assert talk.platform.texts() == ["An old one of the same key.", "The answer."]


async def test_r6_a_key_that_is_forgotten_meanwhile_is_looked_for() -> None:
    clock = FakeClock()
    talk = Talk(clock, FindingKeyedAdapter(clock))
    talk.platform.latency = 2.0
    talk.platform.script["send"].append(Lost(is_applied=True))
    await talk.answer(["The whole answer."])
    assert talk.platform.texts() == ["The whole answer."]
    assert len(talk.platform.made("find")) == 1


@pytest.mark.parametrize("is_applied", [True, False])
async def test_r6_lesson_13_a_file_in_doubt_is_not_sought_nor_sent_again(
    talk: Talk[FindingAdapter], tmp_path: Path, is_applied: bool
) -> None:
    """A history tells no key of a message of files: that none is found means nothing."""
    path = tmp_path / "f"
    path.write_bytes(b"x")
    file = FileReady(file=OutgoingFile(path, "f", "text/plain"), call_id="1")
    talk.platform.script["files"].append(Lost(is_applied=is_applied))
    await talk.answer([file, "Done."])
    assert talk.platform.files == [("f",)] * is_applied
    assert talk.platform.texts()[-1] == "Done.\n\n_A file may be missing: f_"
    assert not talk.platform.made("find")
