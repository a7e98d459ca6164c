"""Tables as aligned text, for a font whose letters are all equally wide."""

import unicodedata
from collections.abc import Sequence
from itertools import zip_longest

Rows = Sequence[Sequence[str]]


def format_table(rows: Rows, alignments: Sequence[str]) -> str:
    """Align columns; the first row is the head."""
    columns = list(zip_longest(*rows, fillvalue=""))
    widths = [max(map(_width, column)) for column in columns]
    lines = [
        " | ".join(map(_aligned, row, widths, alignments)).rstrip()
        for row in zip(*columns, strict=True)
    ]
    rule = "-+-".join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:]])


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
