"""One line being typed: its text, its cursor, and the lines typed before."""

import re
from collections.abc import Callable, Sequence

from rich.cells import get_character_cell_size

from adapters.local.terminal.keys import Key

_WORD_BEFORE = re.compile(r"\w*\W*\Z")
_WORD_AFTER = re.compile(r"\W*\w*")


class LineEditor:
    """Changes the line as keys are pressed; knows nothing of the screen."""

    def __init__(self, past: Sequence[str] = ()) -> None:
        self.text = ""
        self.at = 0
        self._past = list(past)
        self._back = 0
        self._draft = ""
        self._actions: dict[Key, Callable[[], None]] = {
            Key.NEWLINE: lambda: self._insert("\n"),
            Key.BACKSPACE: lambda: self._cut(self.at - 1, self.at),
            Key.DELETE: lambda: self._cut(self.at, self.at + 1),
            Key.LEFT: lambda: self._move(self.at - 1),
            Key.RIGHT: lambda: self._move(self.at + 1),
            Key.WORD_LEFT: lambda: self._move(self._word_start()),
            Key.WORD_RIGHT: lambda: self._move(self._word_end()),
            Key.HOME: lambda: self._move(0),
            Key.END: lambda: self._move(len(self.text)),
            Key.CUT_WORD: lambda: self._cut(self._word_start(), self.at),
            Key.CUT_TO_START: lambda: self._cut(0, self.at),
            Key.CUT_TO_END: lambda: self._cut(self.at, len(self.text)),
            Key.UP: lambda: self._recall(self._back + 1),
            Key.DOWN: lambda: self._recall(self._back - 1),
        }

    def press(self, key: Key | str) -> None:
        if isinstance(key, str):
            self._insert(key)
        elif key in self._actions:
            self._actions[key]()

    def take(self) -> str:
        """Return the line and begin a new one."""
        line = self.text
        if line.strip() and self._past[-1:] != [line]:
            self._past.append(line)
        self.text, self.at, self._back = "", 0, 0
        return line

    def _insert(self, text: str) -> None:
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)

    def _cut(self, start: int, end: int) -> None:
        start = max(0, start)
        self.text = self.text[:start] + self.text[end:]
        self.at = start

    def _move(self, at: int) -> None:
        self.at = min(max(0, at), len(self.text))

    def _recall(self, back: int) -> None:
        if not 0 <= back <= len(self._past):
            return
        if self._back == 0:
            self._draft = self.text
        self._back = back
        self.text = self._past[-back] if back else self._draft
        self.at = len(self.text)

    def _word_start(self) -> int:
        found = _WORD_BEFORE.search(self.text[: self.at])
        return found.start() if found else 0

    def _word_end(self) -> int:
        found = _WORD_AFTER.match(self.text, self.at)
        return found.end() if found else len(self.text)


def lay_out(text: str, at: int, width: int, indent: int) -> tuple[list[str], tuple[int, int]]:
    """Wrap a text behind an indent; return its rows and the cursor's row and column."""
    rows = [""]
    column = indent
    cursor = (0, indent)
    for place, char in enumerate(f"{text} "):
        size = 0 if char == "\n" else get_character_cell_size(char)
        if column + size > width - 1 and char != "\n" and place < len(text):
            rows.append("")
            column = indent
        if place == at:
            cursor = (len(rows) - 1, column)
        if char == "\n":
            rows.append("")
            column = indent
        elif place < len(text):
            rows[-1] += char
            column += size
    return rows, cursor
