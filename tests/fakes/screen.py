"""A terminal's screen: what a person would see after some bytes were written to it."""

import asyncio
import io
import re

from typing_extensions import override

_TOKEN = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n])|([^\x1b\r\n])")


class FakeScreen(io.StringIO):
    """Understands cursor moves, clearing and colours; refuses any other code."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[list[str]] = [[]]
        self._changed = asyncio.Event()
        self.row = 0
        self.column = 0

    @override
    def isatty(self) -> bool:
        return True

    @override
    def write(self, text: str) -> int:
        place = 0
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise AssertionError(f"an unknown code: {text[place : place + 12]!r}")
            place = found.end()
            if found[4]:
                self._put(found[4])
            elif found[3]:
                self._break(found[3])
            else:
                self._obey(found[1], found[2])
        self._changed.set()
        return super().write(text)

    async def shows(self, text: str, *, within: float = 5) -> None:
        """Wait until a text can be seen."""
        async with asyncio.timeout(within):
            while text not in self.text:
                self._changed.clear()
                await self._changed.wait()

    @property
    def rows(self) -> list[str]:
        return ["".join(row).rstrip() for row in self._rows]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    def _put(self, char: str) -> None:
        row = self._rows[self.row]
        row.extend(" " * (self.column + 1 - len(row)))
        row[self.column] = char
        self.column += 1

    def _break(self, char: str) -> None:
        if char == "\r":
            self.column = 0
            return
        self.row += 1
        if self.row == len(self._rows):
            self._rows.append([])

    def _obey(self, argument: str, code: str) -> None:
        count = int(argument) if argument.isdigit() else 1
        match code:
            case "A":
                self.row -= count
                assert self.row >= 0, "the cursor left the screen"
            case "B":
                self.row += count
                assert self.row < len(self._rows), "the cursor left what was written"
            case "C":
                self.column += count
            case "J":
                del self._rows[self.row + 1 :]
                del self._rows[self.row][self.column :]
            case "m" | "h" | "l":
                return
            case _:
                raise AssertionError(f"an unknown code: {argument}{code}")
