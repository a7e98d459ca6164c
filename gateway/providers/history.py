"""Mends a history so that every model server takes it; pure, and the same for all of them.

What comes out begins with the user's side, never ends with words of the model, and holds exactly
one result for each call.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gateway.transcript import (
    AssistantEntry,
    Block,
    Entry,
    FileBlock,
    HeardBlock,
    SaidBlock,
    SummaryEntry,
    TextBlock,
    ToolCall,
    ToolResultEntry,
    UserEntry,
    heard_text,
)

NO_RESULT = "No result: the call was cut off before it ended."
NO_OUTPUT = "(no output)"
LEFT_OUT = "(Earlier messages are left out.)"
GO_ON = "Please go on."
NOTHING_SAID = "(an empty message)"

_GOOD_ID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
_NAME_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """The user's side: at least one block, none of them blank."""

    blocks: tuple[SaidBlock, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The model's side: words, or calls with their results in the order of the calls."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResultEntry, ...] = ()


Round = Asked | Answered


def mend(entries: Sequence[Entry], *, with_calls: bool = True) -> list[Round]:
    """Return the history as rounds; without calls, they are told in words."""
    rounds: list[Round] = []
    for one in _named_afresh(_rounds(entries)):
        _append(rounds, one if with_calls else _in_words(one))
    if not rounds or isinstance(rounds[0], Answered):
        rounds.insert(0, Asked((TextBlock(LEFT_OUT if rounds else NOTHING_SAID),)))
    if isinstance(rounds[-1], Answered) and not rounds[-1].calls:
        rounds.append(Asked((TextBlock(GO_ON),)))
    return rounds


def _rounds(entries: Sequence[Entry]) -> Iterator[Round]:
    for index, entry in enumerate(entries):
        match entry:
            case UserEntry():
                yield Asked(_user_blocks(entry))
            case SummaryEntry(text=text) if text.strip():
                yield Asked((TextBlock(_summary(text)),))
            case AssistantEntry(text=text, calls=calls, is_partial=False) if calls:
                yield Answered(text, calls, _results(calls, entries[index + 1 :]))
            case AssistantEntry(text=text) if text.strip():
                yield Answered(text)
            case _:
                # Blank words say nothing; a result without its call belongs to nothing.
                continue


def _user_blocks(entry: UserEntry) -> tuple[SaidBlock, ...]:
    content = entry.content
    blocks: tuple[Block, ...] = (TextBlock(content),) if isinstance(content, str) else content
    kept: tuple[SaidBlock, ...] = tuple(
        # What was heard stands before what is said.
        block
        for block in blocks
        if not isinstance(block, HeardBlock) and _says_something(block)
    )
    if not kept:
        kept = (TextBlock(NOTHING_SAID),)
    if entry.speaker is not None:
        kept = _begun_with(f"{' '.join(entry.speaker.split())[:_NAME_LIMIT]}:", " ", kept)
    heard = heard_text(content)
    return _begun_with(heard, "\n\n", kept) if heard else kept


def _says_something(block: SaidBlock) -> bool:
    return isinstance(block, FileBlock) or bool(block.text.strip())


def _begun_with(words: str, seam: str, blocks: tuple[SaidBlock, ...]) -> tuple[SaidBlock, ...]:
    first = blocks[0]
    if isinstance(first, TextBlock):
        return (TextBlock(f"{words}{seam}{first.text}"), *blocks[1:])
    return (TextBlock(words), *blocks)


def _summary(text: str) -> str:
    return (
        "[A summary stands here for the earlier part of this conversation.]\n"
        f"{text}\n"
        "[The conversation goes on below.]"
    )


def _results(calls: Sequence[ToolCall], later: Sequence[Entry]) -> tuple[ToolResultEntry, ...]:
    found: dict[str, ToolResultEntry] = {}
    for entry in later:
        if isinstance(entry, AssistantEntry):
            break
        if isinstance(entry, ToolResultEntry):
            found.setdefault(entry.call_id, entry)
    return tuple(
        found.get(call.call_id)
        or ToolResultEntry(call.call_id, call.tool, NO_RESULT, is_error=True)
        for call in calls
    )


def _named_afresh(rounds: Iterator[Round]) -> Iterator[Round]:
    """Give calls new ids where a server would refuse theirs: too long, odd, or used before."""
    used: set[str] = set()
    for one in rounds:
        if isinstance(one, Asked):
            yield one
            continue
        ids = [_fresh_id(call.call_id, used) for call in one.calls]
        pairs = zip(one.calls, ids, strict=True)
        results = zip(one.results, ids, strict=True)
        yield Answered(
            one.text,
            tuple(replace(call, call_id=fresh, tool=_tool_name(call)) for call, fresh in pairs),
            tuple(replace(result, call_id=fresh) for result, fresh in results),
        )


def _fresh_id(call_id: str, used: set[str]) -> str:
    fresh, number = call_id, len(used)
    while fresh in used or not _GOOD_ID.fullmatch(fresh):
        number += 1
        fresh = f"call_{number}"
    used.add(fresh)
    return fresh


def _tool_name(call: ToolCall) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", call.tool)[:_NAME_LIMIT] or "unnamed"


def _in_words(one: Round) -> Round:
    if isinstance(one, Asked) or not one.calls:
        return one
    told = [
        f"(The tool {call.tool} was called with {call.arguments} and gave: {result.text})"
        for call, result in zip(one.calls, one.results, strict=True)
    ]
    return Answered("\n".join([one.text, *told] if one.text.strip() else told))


def _append(rounds: list[Round], one: Round) -> None:
    """Add a round, or join it to the last where two of one side would follow each other."""
    last = rounds[-1] if rounds else None
    match last, one:
        case Asked(before), Asked(after):
            rounds[-1] = Asked((*before, *after))
        case Answered(text=before, calls=()), Answered(text=after):
            text = f"{before}\n\n{after}" if after.strip() else before
            rounds[-1] = replace(one, text=text)
        case _:
            rounds.append(one)
