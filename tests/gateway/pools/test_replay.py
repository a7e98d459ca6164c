"""What a turn has shown is shown again, in the same order, when it is gone on with."""

from pathlib import Path

from gateway.events import (
    FileReady,
    ImageReady,
    ReplyEvent,
    TextDelta,
    ToolFailed,
    ToolFinished,
    ToolStarted,
)
from gateway.ids import TurnId
from gateway.messages import OutgoingFile
from gateway.pools.replay import as_left, has_begun, is_answered, shown_so_far
from gateway.transcript import (
    AssistantEntry,
    Entry,
    StoredEntry,
    ToolCall,
    ToolResultEntry,
    UserEntry,
)

TURN = TurnId("turn_2")
IMAGE = OutgoingFile(Path("/out/a.png"), "a.png", "image/png", is_image=True)
REPORT = OutgoingFile(Path("/out/a.pdf"), "a.pdf", "application/pdf")
ASKS = AssistantEntry(
    "Let me look. ", (ToolCall("c1", "read", {"path": "x"}), ToolCall("c2", "send", {}))
)


def history(*entries: Entry) -> list[StoredEntry]:
    before = [StoredEntry(1, UserEntry("old"), "turn_1"), StoredEntry(2, AssistantEntry("o"))]
    return [*before, *(StoredEntry(seq, entry, TURN) for seq, entry in enumerate(entries, 3))]


def shown(*entries: Entry) -> list[ReplyEvent]:
    return list(shown_so_far(history(*entries), TURN))


def test_a_turn_has_begun_once_anything_of_it_is_kept() -> None:
    assert not has_begun(history(), TURN)
    assert has_begun(history(UserEntry("hi")), TURN)


def test_steps_are_shown_again() -> None:
    entries = (
        UserEntry("hi"),
        ASKS,
        ToolResultEntry("c1", "read", "line one\nline two"),
        ToolResultEntry("c2", "send", "no such file", is_error=True),
    )
    assert shown(*entries) == [
        TextDelta(text="Let me look. "),
        ToolStarted(call_id="c1", tool="read", summary="x"),
        ToolFinished(call_id="c1", tool="read", summary="2 lines", seconds=0.0),
        ToolStarted(call_id="c2", tool="send", summary=""),
        ToolFailed(call_id="c2", tool="send", summary="no such file", seconds=0.0),
    ]


def test_files_of_a_kept_result_are_handed_over_again() -> None:
    result = ToolResultEntry("c2", "send", "sent", files=(IMAGE, REPORT))
    assert shown(UserEntry("hi"), ASKS, result)[-2:] == [
        ImageReady(file=IMAGE, call_id="c2"),
        FileReady(file=REPORT, call_id="c2"),
    ]


def test_a_whole_last_answer_is_shown_and_asks_for_nothing_more() -> None:
    result = ToolResultEntry("c1", "read", "x")
    assert shown(UserEntry("hi"), ASKS, result, AssistantEntry("done"))[-1] == TextDelta(
        text="done"
    )
    assert is_answered(history(UserEntry("hi"), AssistantEntry("done")), TURN)
    assert not is_answered(history(UserEntry("hi"), ASKS), TURN)
    assert not is_answered(history(UserEntry("hi"), ASKS, result), TURN)
    assert not is_answered(history(), TURN)


def test_what_an_ended_attempt_left_half_said_is_neither_shown_nor_sent() -> None:
    stump = AssistantEntry("half", is_partial=True)
    kept = history(UserEntry("hi"), stump)
    assert shown(UserEntry("hi"), stump) == []
    assert not is_answered(kept, TURN)
    assert stump not in as_left(kept, TURN)
    assert stump in as_left(kept, TurnId("turn_3"))


def test_a_turn_goes_on_from_its_own_words_though_another_was_answered_since() -> None:
    kept = history(UserEntry("hi"), ASKS, ToolResultEntry("c1", "read", "line one"))
    other = [StoredEntry(6, UserEntry("hey"), "turn_1"), StoredEntry(7, AssistantEntry("hello"))]
    left = as_left([*kept, *other], TURN)
    assert left[-3:] == [one.entry for one in kept[-3:]]
    assert left[:-3] == [one.entry for one in [*kept[:-3], *other]]
