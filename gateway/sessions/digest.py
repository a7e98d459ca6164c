"""Turning entries into plain text that a model, or nobody, can make shorter. Pure."""

import re
from collections.abc import Iterable, Sequence

from gateway.transcript import (
    AssistantEntry,
    Block,
    Entry,
    FileBlock,
    SummaryEntry,
    ToolResultEntry,
    UserEntry,
    estimate_tokens,
    heard_text,
    message_text,
)

_SENTENCE_END = re.compile(r"[.!?](?=\s)|[\u3002\uff01\uff1f]|\n")
"""Of Latin and of East Asian writing; a line's end counts too."""
_BYTES_PER_TOKEN = 4
_LEAST_SHARE = 30
_SEAM = 2
"""What an ellipsis and a line break cost."""


def render(entry: Entry) -> str:
    """Write an entry as a line of a play: who, and what they said or did."""
    match entry:
        case UserEntry(content=content, speaker=speaker):
            files = "" if isinstance(content, str) else _file_names(content)
            heard = heard_text(content)
            said = f"{speaker or 'User'}: {message_text(content)}{files}"
            return f"{heard}\n{said}" if heard else said
        case AssistantEntry(text=text, calls=calls):
            asked = "".join(f"\n[asks {call.tool} {call.arguments}]" for call in calls)
            return f"Assistant: {text}{asked}"
        case ToolResultEntry(tool=tool, text=text, is_error=is_error):
            return f"[{tool} {'failed' if is_error else 'answers'}] {text}"
        case SummaryEntry(text=text):
            return f"Summary of what came before: {text}"


def _file_names(blocks: Iterable[Block]) -> str:
    return "".join(f" [file {block.name}]" for block in blocks if isinstance(block, FileBlock))


def pack(texts: Iterable[str], limit: int) -> list[str]:
    """Join texts, in order, into chunks of at most `limit` tokens; nothing is left out."""
    chunks: list[str] = []
    chunk: list[str] = []
    room = limit
    for piece in _pieces(texts, limit):
        cost = estimate_tokens(piece) + 1
        if chunk and cost > room:
            chunks.append("\n\n".join(chunk))
            chunk, room = [], limit
        chunk.append(piece)
        room -= cost
    return [*chunks, "\n\n".join(chunk)] if chunk else chunks


def _pieces(texts: Iterable[str], limit: int) -> Iterable[str]:
    # No character is more than four bytes, so a piece of `limit` characters always fits.
    for text in texts:
        if estimate_tokens(text) <= limit:
            yield text
        else:
            yield from (text[start : start + limit] for start in range(0, len(text), limit))


def shorten(text: str, limit: int) -> str:
    """Cut at the last sentence end within `limit` tokens, else at a word, else anywhere."""
    if estimate_tokens(text) <= limit:
        return text
    head = text.encode("utf-8", "surrogatepass")[: limit * _BYTES_PER_TOKEN].decode(
        "utf-8", "ignore"
    )
    ends = [match.end() for match in _SENTENCE_END.finditer(head)]
    cut = ends[-1] if ends else head.rfind(" ")
    return f"{head[:cut].rstrip() if cut > 0 else head} …"


def shorten_all(entries: Sequence[Entry], limit: int) -> str:
    """Say the most of every entry that `limit` tokens allow, half of it on an old summary."""
    if entries and isinstance(entries[0], SummaryEntry):
        old = shorten(entries[0].text, limit // 2)
        return f"{old}\n{_share(entries[1:], limit // 2)}"
    return _share(entries, limit)


def _share(entries: Sequence[Entry], limit: int) -> str:
    """Give every entry an equal share; where shares would say nothing, leave out the oldest."""
    share = max(limit // max(len(entries), 1) - _SEAM, _LEAST_SHARE)
    lines: list[str] = []
    room = limit
    for entry in reversed(entries):
        line = shorten(render(entry), share)
        room -= estimate_tokens(line) + 1
        if room < 0:
            break
        lines.append(line)
    return "\n".join(reversed(lines))
