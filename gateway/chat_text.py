"""Text as every platform needs it: cleaned on the way in, and tables that line up."""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

_DROPPED = dict.fromkeys(
    {*range(0x20), 0x7F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {0x09, 0x0A}
)
"""Control characters, and those that turn the direction of what follows."""

_TOO_WIDE = 48
"""Letters; more of them a telephone breaks into several lines, and columns are none any more."""
_NOTHING = "—"

Rows = Sequence[Sequence[str]]
Record = tuple[str, Sequence[str]]


def clean(text: str) -> str:
    """Leave out what cannot be sent or kept, or would deceive the reader."""
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\r\n", "\n").translate(_DROPPED)


def format_table(rows: Rows, alignments: Sequence[str]) -> str:
    """Align columns for a font whose letters are all equally wide; the first row is the head.

    An alignment is `Left`, `Center`, `Right` or anything else for none.
    """
    columns = list(zip_longest(*rows, fillvalue=""))
    widths = [max(map(_width, column)) for column in columns]
    lines = [
        " | ".join(map(_aligned, row, widths, alignments)).rstrip()
        for row in zip(*columns, strict=True)
    ]
    rule = "-+-".join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:]])


def is_too_wide(rows: Rows) -> bool:
    """Say whether a table that has more than a head would not fit a telephone."""
    columns = list(zip_longest(*rows, fillvalue=""))
    width = sum(max(map(_width, column)) + len(" | ") for column in columns) - len(" | ")
    return len(rows) > 1 and width > _TOO_WIDE


def table_records(rows: Rows) -> Iterator[Record]:
    """Tell a table row by row: what a row begins with, then a line for each further cell."""
    head, *body = zip(*zip_longest(*rows, fillvalue=""), strict=True)
    for row in body:
        title, *lines = map(_named, head, row)
        yield title, lines


def _named(name: str, cell: str) -> str:
    return ": ".join(filter(None, (name.strip(), cell.strip() or _NOTHING)))


def _width(text: str) -> int:
    """Count the cells of a terminal that a text fills: wide letters fill two."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def _aligned(text: str, width: int, alignment: str) -> str:
    missing = width - _width(text)
    before = {"Right": missing, "Center": missing // 2}.get(alignment, 0)
    return " " * before + text + " " * (missing - before)
