"""What a turn that is gone on with has already shown. Pure."""

from collections.abc import Iterator, Sequence

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
from gateway.runners.summaries import summarize_error, summarize_input, summarize_result
from gateway.transcript import AssistantEntry, Entry, StoredEntry, ToolResultEntry


def has_begun(history: Sequence[StoredEntry], turn: TurnId) -> bool:
    """Tell whether an earlier attempt at the turn has kept anything."""
    return any(stored.turn == turn for stored in history)


def as_left(history: Sequence[StoredEntry], turn: TurnId) -> list[Entry]:
    """Return the history from which a turn goes on, less what it left half said.

    What it has kept comes last, as if it had just been said: where two conversations have
    become one since, an earlier message of the other may have been answered in between.
    """
    others = [stored.entry for stored in history if stored.turn != turn]
    return [*others, *_of_turn(history, turn)]


def _is_stump(entry: Entry) -> bool:
    return isinstance(entry, AssistantEntry) and entry.is_partial


def is_answered(history: Sequence[StoredEntry], turn: TurnId) -> bool:
    """Tell whether nothing but the showing is left to do."""
    entries = _of_turn(history, turn)
    last = entries[-1] if entries else None
    return isinstance(last, AssistantEntry) and not last.calls


def _of_turn(history: Sequence[StoredEntry], turn: TurnId) -> list[Entry]:
    return [
        stored.entry for stored in history if stored.turn == turn and not _is_stump(stored.entry)
    ]


def shown_so_far(history: Sequence[StoredEntry], turn: TurnId) -> Iterator[ReplyEvent]:
    """Show the turn's steps again."""
    asked: dict[str, str] = {}
    for entry in _of_turn(history, turn):
        if isinstance(entry, AssistantEntry):
            asked.update({call.call_id: summarize_input(call.arguments) for call in entry.calls})
            if entry.text:
                yield TextDelta(text=entry.text)
        elif isinstance(entry, ToolResultEntry):
            yield from _tool_use(entry, asked.get(entry.call_id, ""))


def _tool_use(entry: ToolResultEntry, asked: str) -> Iterator[ReplyEvent]:
    yield ToolStarted(call_id=entry.call_id, tool=entry.tool, summary=asked)
    ended = ToolFailed if entry.is_error else ToolFinished
    summarize = summarize_error if entry.is_error else summarize_result
    yield ended(call_id=entry.call_id, tool=entry.tool, summary=summarize(entry.text), seconds=0.0)
    for file in entry.files:
        ready = ImageReady if file.is_image else FileReady
        yield ready(file=file, call_id=entry.call_id)
