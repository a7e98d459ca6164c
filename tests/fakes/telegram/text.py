"""Texts as Telegram counts them: UTF-16 code units, and entities that must fit them.

Facts: https://core.telegram.org/bots/api#messageentity and #formatting-options
"""

import re
from dataclasses import dataclass
from typing import Any

from tests.fakes.telegram.refusal import bad_request

ENTITIES_KEPT = 100
_WIDE = 0xFFFF
# fmt: off
_TYPES = frozenset({
    "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold",
    "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote",
    "code", "pre", "text_link", "text_mention", "custom_emoji", "date_time",
})
# fmt: on
_FOUND = re.compile(
    r"(?P<bot_command>(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?)"
    r"|(?P<url>https?://[^\s<>\"]+)"
    r"|(?P<mention>(?<![\w@])@[A-Za-z]\w{2,31})"
    r"|(?P<hashtag>(?<![\w#])#\w*[^\W\d]\w*)"
)

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text and its entities."""

    text: str
    entities: tuple[Entity, ...] = ()


def units(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text) + sum(ord(char) > _WIDE for char in text)


def piece(text: str, entity: Entity) -> str:
    """Return what an entity covers."""
    raw = text.encode("utf-16-le", "surrogatepass")
    start, length = entity["offset"], entity["length"]
    return raw[2 * start : 2 * (start + length)].decode("utf-16-le", "surrogatepass")


def checked(text: str, entities: Any) -> Formatted:
    """Check entities against their text and trim both, as the server does."""
    if not isinstance(entities, list):
        raise bad_request("can't parse entities: expected an array of MessageEntity")
    starts = _starts(text)
    kept = [_checked_entity(entity, starts) for entity in entities]
    kept.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return trimmed(text, [entity for entity in kept if entity["length"]])


def _starts(text: str) -> set[int]:
    """Return the offsets at which a character may begin, and the end of the text."""
    if text.isascii():
        return set(range(len(text) + 1))
    starts, offset = set(), 0
    for char in text:
        starts.add(offset)
        offset += 2 if ord(char) > _WIDE else 1
    return {*starts, offset}


def _checked_entity(entity: Any, starts: set[int]) -> Entity:
    if not isinstance(entity, dict) or "type" not in entity:
        raise bad_request("can't parse MessageEntity: Can't find field \"type\"")
    kind, offset, length = entity["type"], entity.get("offset"), entity.get("length")
    if kind not in _TYPES:
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    if not isinstance(offset, int) or offset < 0:
        raise bad_request(f"receive an entity with incorrect offset {offset}")
    if not isinstance(length, int) or length < 0:
        raise bad_request(f"receive an entity with incorrect length {length}")
    end = offset + length
    if end > max(starts):
        raise bad_request(
            f"entity beginning at UTF-16 offset {offset} ends after the end of the text at "
            f"UTF-16 offset {max(starts)}"
        )
    if offset not in starts:
        raise bad_request("entity begins in a middle of a UTF-16 symbol")
    if end not in starts:
        raise bad_request(
            f"entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol"
        )
    if kind == "text_link" and not entity.get("url"):
        raise bad_request("can't parse MessageEntity: Can't find field \"url\"")
    return {name: value for name, value in entity.items() if value is not None}


def trimmed(text: str, entities: list[Entity]) -> Formatted:
    """Cut white space at both ends, move entities with it, and keep the first hundred."""
    inner = text.strip()
    lead = units(text[: len(text) - len(text.lstrip())])
    end = units(inner)
    kept: list[Entity] = []
    for entity in entities:
        start = max(0, entity["offset"] - lead)
        stop = min(end, entity["offset"] + entity["length"] - lead)
        if stop > start:
            kept.append({**entity, "offset": start, "length": stop - start})
    return Formatted(inner, tuple(kept[:ENTITIES_KEPT]))


def found(text: str) -> tuple[Entity, ...]:
    """Find commands, mentions, links and hashtags, as in what people type."""
    return tuple(
        {
            "type": str(match.lastgroup),
            "offset": units(text[: match.start()]),
            "length": units(match.group()),
        }
        for match in _FOUND.finditer(text)
    )
