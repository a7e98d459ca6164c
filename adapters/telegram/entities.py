"""Text with entities, measured as Telegram measures it: in UTF-16 code units."""

import unicodedata
from dataclasses import dataclass
from typing import Any

ENTITIES_AT_MOST = 100
"""Telegram ignores what comes after."""
_ELLIPSIS = "…"
_MOST_IMPORTANT_FIRST = ("pre", "code", "text_link", "blockquote", "bold")

Entity = dict[str, Any]


def utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as it will be seen."""

    text: str
    entities: tuple[Entity, ...] = ()

    @property
    def is_visible(self) -> bool:
        """Whether it shows anything; Telegram refuses a text that does not."""
        return any(unicodedata.category(letter)[0] not in "CZ" for letter in self.text)

    def shortened(self, limit: int) -> "Rendered":
        """Cut to `limit` units, with an ellipsis where something is missing."""
        if utf16_length(self.text) <= limit:
            return self
        units = self.text.encode("utf-16-le")[: 2 * (limit - 1)]
        text = units.decode("utf-16-le", "ignore").rstrip()
        return Rendered(text + _ELLIPSIS, _fitting(self.entities, utf16_length(text)))


def _fitting(entities: tuple[Entity, ...], length: int) -> tuple[Entity, ...]:
    """Clip entities to a text of `length` units, and keep those that matter most."""
    kept = [
        {**entity, "length": min(entity["length"], length - entity["offset"])}
        for entity in entities
        if entity["offset"] < length
    ]
    if len(kept) > ENTITIES_AT_MOST:
        kept = sorted(kept, key=_importance)[:ENTITIES_AT_MOST]
    return tuple(sorted(kept, key=lambda entity: (entity["offset"], -entity["length"])))


def _importance(entity: Entity) -> tuple[int, int]:
    kind, kinds = entity["type"], _MOST_IMPORTANT_FIRST
    return (kinds.index(kind) if kind in kinds else len(kinds), entity["offset"])


class MarkedText:
    """Text that is only ever added to, and entities for what was added."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._at = 0
        self._entities: list[Entity] = []

    def add(self, kind: str, start: int, **details: str) -> None:
        """Mark what was written since `start`."""
        if self._at > start:
            self._entities.append({
                "type": kind,
                "offset": start,
                "length": self._at - start,
                **details,
            })

    def text_since(self, start: int) -> str:
        units = "".join(self._pieces).encode("utf-16-le")
        return units[2 * start :].decode("utf-16-le")

    def all_text(self) -> str:
        return "".join(self._pieces)

    def finish(self) -> Rendered:
        text = "".join(self._pieces).rstrip()
        return Rendered(text, _fitting(tuple(self._entities), utf16_length(text)))

    def _append(self, text: str) -> None:
        self._pieces.append(text)
        self._at += utf16_length(text)


class Writing(MarkedText):
    """Text being written, with the breaks and signs owed before the next word."""

    def __init__(self) -> None:
        super().__init__()
        self._breaks = 0
        self._sign = ""
        self._styles: dict[str, list[int]] = {}
        """Open styles: where each began, outermost first."""

    def write(self, text: str) -> None:
        if text:
            self.here()
            self._append(text)

    def owe_breaks(self, lines: int) -> None:
        """Have at least so many line breaks before what is written next."""
        self._breaks = max(self._breaks, lines)

    def owe_breaks_at_most(self, lines: int) -> None:
        self._breaks = min(self._breaks, lines)

    @property
    def owes_sign(self) -> bool:
        return bool(self._sign)

    def owe_sign(self, sign: str) -> None:
        """Put a list item's sign before what is written next."""
        self.pay_sign()
        self._sign = sign

    def change_sign(self, sign: str) -> None:
        self._sign = sign

    def pay_sign(self) -> None:
        """Write a sign that is still owed: its item is empty."""
        if self._sign:
            self.here()

    def here(self) -> int:
        """Pay what is owed and return the offset of what is written next."""
        breaks, self._breaks = self._breaks, 0
        if breaks and self._at:
            self._append("\n" * breaks)
        sign, self._sign = self._sign, ""
        if sign:
            self._append(sign)
        return self._at

    def open_style(self, kind: str) -> None:
        self._styles.setdefault(kind, []).append(self.here())

    def close_style(self, kind: str) -> None:
        start = self._styles[kind].pop()
        if not self._styles[kind]:
            del self._styles[kind]
            self.add(kind, start)

    def write_code(self, text: str) -> None:
        """Write code, which no style may hold: those that are open pause around it."""
        start = self.here()
        for kind, starts in self._styles.items():
            self.add(kind, starts[0])
        self.write(text)
        self.add("code", start)
        for starts in self._styles.values():
            starts[0] = self._at
