"""Where a turn stands, read from a history that may end inside it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.transcript import AssistantEntry, Entry, ToolCall, ToolResultEntry, UserEntry


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a turn has come."""

    steps: int
    """Model calls that are behind it."""
    open_calls: tuple[ToolCall, ...]
    """Asked for in the last step, and still without a result."""
    answer: str | None
    """The whole answer, when only its showing is left."""


def standing(entries: Sequence[Entry]) -> Standing:
    """Look at what follows the last words of a person."""
    turn = _latest_turn(entries)
    said = [entry for entry in turn if isinstance(entry, AssistantEntry)]
    ended = {entry.call_id for entry in turn if isinstance(entry, ToolResultEntry)}
    last = said[-1] if said else AssistantEntry("")
    return Standing(
        steps=len(said),
        open_calls=tuple(call for call in last.calls if call.call_id not in ended),
        answer=_whole_answer(turn),
    )


def _latest_turn(entries: Sequence[Entry]) -> Sequence[Entry]:
    for index in range(len(entries) - 1, -1, -1):
        if isinstance(entries[index], UserEntry):
            return entries[index + 1 :]
    return entries


def _whole_answer(turn: Sequence[Entry]) -> str | None:
    match turn:
        case [*_, AssistantEntry(text=text, calls=(), is_partial=False)]:
            return text
        case _:
            return None
