"""The last rows of a terminal, redrawn in place below what was printed for good."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile
from typing import TextIO

_CLEAR_BELOW = "\x1b[J"


class Screen:
    """Rewrites only from the first row that changed. No row may be wider than the terminal."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._drawn: Sequence[str] = ()
        self._row = 0

    def draw(self, rows: Sequence[str], cursor: tuple[int, int], above: Sequence[str] = ()) -> None:
        """Show `rows` with the cursor in them, after printing `above` for good."""
        same = (
            0 if above else len(list(takewhile(_are_equal, zip(self._drawn, rows, strict=False))))
        )
        first = max(0, min(same, len(self._drawn) - 1, len(rows) - 1))
        row, column = cursor
        self.write(
            _down(first - self._row)
            + f"\r{_CLEAR_BELOW}"
            + "\r\n".join([*above, *rows[first:]])
            + _down(row - len(rows) + 1)
            + (f"\r\x1b[{column}C" if column else "\r")
        )
        self._drawn, self._row = rows, row

    def forget(self) -> None:
        """Draw anew from here: a terminal of another width has moved all rows."""
        self._drawn, self._row = (), 0

    def write(self, codes: str) -> None:
        """Write, as long as there is a terminal; without one there is nothing to draw."""
        with suppress(OSError):
            self._out.write(codes)
            self._out.flush()


def _are_equal(pair: tuple[str, str]) -> bool:
    return pair[0] == pair[1]


def _down(rows: int) -> str:
    """Move the cursor so many rows, up when there are fewer than none."""
    if rows == 0:
        return ""
    return f"\x1b[{rows}B" if rows > 0 else f"\x1b[{-rows}A"
