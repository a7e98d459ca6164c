"""Text and entities as a Telegram client draws them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from scripts.rendering.bubble import code_block, link
from tests.fakes.telegram.text import Entity, found, piece

_TAGS = {
    "bold": "b",
    "italic": "em",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
    "blockquote": "blockquote",
    "expandable_blockquote": "blockquote",
}
_OWN = frozenset({"pre", "code", "text_link"})
"""Inside these a client finds no links, names or commands."""
_BREAK_AFTER_BLOCK = re.compile(r"(</(?:pre|blockquote)>)\n")


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    entity: Entity


def draw(text: str, entities: Iterable[Entity]) -> str:
    own = [_span(one) for one in entities]
    taken = [one for one in own if one.entity["type"] in _OWN]
    free = [
        one
        for one in map(_span, found(text))
        if not any(one.start < other.end and other.start < one.end for other in taken)
        and not (one.entity["type"] == "bot_command" and _is_tag(text, one.entity))
    ]
    spans = sorted([*own, *free], key=lambda one: (one.start, -one.end))
    raw = text.encode("utf-16-le")
    return _BREAK_AFTER_BLOCK.sub(r"\1", _drawn(raw, 0, len(raw) // 2, spans))


def _is_tag(text: str, entity: Entity) -> bool:
    """Say whether what looks like a command ends an HTML element; to clients that is none."""
    before = piece(text, {"offset": 0, "length": entity["offset"]})
    return before.endswith("<")


def _span(entity: Entity) -> _Span:
    return _Span(entity["offset"], entity["offset"] + entity["length"], entity)


def _drawn(raw: bytes, start: int, end: int, spans: Sequence[_Span]) -> str:
    """Draw a stretch; what reaches out of another entity is cut in two at its end."""
    pieces: list[str] = []
    left = list(spans)
    while left:
        outer, *rest = left
        edge = outer.end
        inside = [replace(one, end=min(one.end, edge)) for one in rest if one.start < edge]
        left = [replace(one, start=max(one.start, edge)) for one in rest if one.end > edge]
        pieces.extend((
            _words(raw, start, outer.start),
            _styled(outer.entity, _drawn(raw, outer.start, outer.end, inside)),
        ))
        start = edge
    pieces.append(_words(raw, start, end))
    return "".join(pieces)


def _words(raw: bytes, start: int, end: int) -> str:
    return escape(raw[2 * start : 2 * end].decode("utf-16-le", "replace"), quote=False)


def _styled(entity: dict[str, Any], inside: str) -> str:
    kind = entity["type"]
    if kind == "pre":
        head = code_block("", entity.get("language", ""))
        return head.replace("</pre>", f"{inside}</pre>")
    if kind == "spoiler":
        return f'<span class="spoiler">{inside}</span>'
    if kind in _TAGS:
        return f"<{_TAGS[kind]}>{inside}</{_TAGS[kind]}>"
    return link(str(entity.get("url", kind)), inside)
