"""Whom a text is meant for: our name, our command, somebody else's command.

Offsets count UTF-16 code units, so text is never cut by them as a Python string.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_COMMAND = re.compile(r"/(\w{1,32})(?:@(\w+))?(?=\s|$)", re.ASCII)
_AFTER_A_NAME = " \t\n,:"


@dataclass(frozen=True, slots=True)
class Me:
    """The bot, as Telegram knows it."""

    id: int
    username: str

    def is_named(self, username: str) -> bool:
        return username.lower() == self.username.lower()


@dataclass(frozen=True, slots=True)
class Wording:
    """A text without our name at its ends, and whether it calls us."""

    text: str
    calls_us: bool
    calls_another: bool = False


def read_wording(
    text: str, entities: Sequence[Mapping[str, Any]], me: Me, *, is_typed: bool
) -> Wording:
    """Find our name in a text, and our command in one that was typed."""
    names = list(_our_names(text, entities, me))
    words = _without_names_at_the_ends(text, names)
    command = _COMMAND.match(words) if is_typed else None
    if command is None:
        return Wording(words, bool(names))
    name, addressee = command.groups()
    if addressee is None:
        return Wording(words, calls_us=True)
    if me.is_named(addressee):
        return Wording(f"/{name}{words[command.end() :]}", calls_us=True)
    return Wording(words, bool(names), calls_another=not names)


def _our_names(
    text: str, entities: Sequence[Mapping[str, Any]], me: Me
) -> Iterator[tuple[int, int]]:
    """Yield where our name stands, as indexes into the string."""
    if not entities:
        return
    units = text.encode("utf-16-le", "surrogatepass")
    for entity in entities:
        before = units[: 2 * entity["offset"]].decode("utf-16-le", "surrogatepass")
        end = entity["offset"] + entity["length"]
        start, stop = len(before), len(units[: 2 * end].decode("utf-16-le", "surrogatepass"))
        if _is_our_name(entity, text[start:stop], me):
            yield start, stop


def _is_our_name(entity: Mapping[str, Any], words: str, me: Me) -> bool:
    if entity["type"] == "mention":
        return me.is_named(words.removeprefix("@"))
    return entity["type"] == "text_mention" and bool(entity["user"]["id"] == me.id)


def _without_names_at_the_ends(text: str, names: list[tuple[int, int]]) -> str:
    for start, stop in reversed(names):
        if not text[stop:].strip():
            text = text[:start].rstrip()
        elif not text[:start].strip():
            text = text[stop:].lstrip(_AFTER_A_NAME)
    return text
