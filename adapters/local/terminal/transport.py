"""A chat drawn in a terminal: answers grow above the line that is being typed."""

import asyncio
import os
import shutil
import signal
import termios
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import TextIO

from typing_extensions import override

from adapters.local.terminal.history import History
from adapters.local.terminal.keys import Key, KeyReader
from adapters.local.terminal.line_editor import LineEditor, lay_out
from adapters.local.terminal.markdown import render
from adapters.local.terminal.screen import Screen
from adapters.local.transport import Signal, Transport
from gateway.clock import Clock
from gateway.ids import MessageId

_CHUNK = 65_536
_FRAME = 0.1
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PROMPT = "> "
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_PASTE_ON, _PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"
_LEFT_FOR_PROMPT = 4
"""Rows that a growing answer never takes."""


class Terminal(Transport):
    """Takes keys one by one while it reads, and gives the terminal back afterwards."""

    def __init__(self, keyboard: int, screen: TextIO, clock: Clock, history: Path | None) -> None:
        self._keyboard = keyboard
        self._clock = clock
        self._history = History(history)
        self._editor = LineEditor(self._history.load())
        self._keys = KeyReader()
        self._screen = Screen(screen)
        self._width = 0
        self._typed: asyncio.Queue[str | Signal] = asyncio.Queue()
        self._growing: dict[MessageId, str] = {}
        self._is_reading = False
        self._busy_until = 0.0
        self._became_busy = asyncio.Event()
        self._spinner = cycle(_SPINNER)

    @override
    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        before = termios.tcgetattr(self._keyboard)
        _take_every_key(self._keyboard)
        loop.add_reader(self._keyboard, self._on_keys)
        loop.add_signal_handler(signal.SIGWINCH, self._draw)
        self._is_reading = True
        self._screen.write(_PASTE_ON)
        self._draw()
        # Not in a task group: what goes wrong in the body must leave as it is.
        spinning = asyncio.create_task(self._spin())
        try:
            yield
        finally:
            spinning.cancel()
            self._is_reading = False
            loop.remove_signal_handler(signal.SIGWINCH)
            loop.remove_reader(self._keyboard)
            self._screen.write(_PASTE_OFF)
            self._draw()
            with suppress(termios.error):  # it may be gone
                termios.tcsetattr(self._keyboard, termios.TCSADRAIN, before)
            await asyncio.wait({spinning})

    @override
    async def read(self) -> str | Signal:
        return await self._typed.get()

    @override
    def show(self, message: MessageId, markdown: str) -> None:
        self._growing.pop(message, None)
        self._busy_until = 0.0
        self._draw(above=[*self._page(markdown), ""])

    @override
    def show_growing(self, message: MessageId, markdown: str) -> None:
        self._growing[message] = markdown
        self._draw()

    @override
    def show_busy(self, seconds: float) -> None:
        self._busy_until = self._clock.monotonic() + seconds
        self._became_busy.set()

    @override
    def note(self, words: str) -> None:
        self._draw(above=[*self._quiet(words), ""])

    @override
    def greet(self, words: str) -> None:
        hints = "@path attaches a file · /help · Ctrl-C stops an answer · Ctrl-D leaves"
        self._draw(above=["", *self._page(words), *self._quiet(hints), ""])

    @override
    def close(self) -> None:
        self._busy_until = 0.0
        self._draw()

    async def _spin(self) -> None:
        while True:
            if not self._is_busy():
                self._became_busy.clear()
                self._draw()
                await self._became_busy.wait()
            self._draw()
            await self._clock.sleep(_FRAME)

    def _is_busy(self) -> bool:
        return self._clock.monotonic() < self._busy_until

    def _on_keys(self) -> None:
        try:
            data = os.read(self._keyboard, _CHUNK)
        except OSError:
            data = b""
        if not data:  # the terminal is gone
            asyncio.get_running_loop().remove_reader(self._keyboard)
            self._typed.put_nowait(Signal.END)
        for key in self._keys.feed(data):
            self._press(key)
        self._draw()

    def _press(self, key: Key | str) -> None:
        match key:
            case Key.ENTER:
                self._enter()
            case Key.INTERRUPT if self._editor.text and not (self._is_busy() or self._growing):
                self._editor.take()
            case Key.INTERRUPT:
                self._typed.put_nowait(Signal.INTERRUPT)
            case Key.END_OF_INPUT if not self._editor.text:
                self._typed.put_nowait(Signal.END)
            case Key.END_OF_INPUT:
                self._editor.press(Key.DELETE)
            case _:
                self._editor.press(key)

    def _enter(self) -> None:
        if not self._editor.text.strip():
            return
        self._editor.press(Key.END)
        rows, _ = self._prompt()
        line = self._editor.take()
        self._draw(above=[*rows, ""])
        self._history.add(line)
        self._typed.put_nowait(line)

    def _draw(self, above: Sequence[str] = ()) -> None:
        width, height = shutil.get_terminal_size()
        if width != self._width:
            self._width = width
            self._screen.forget()
        rows = [row for text in self._growing.values() for row in self._page(text)]
        if self._growing:
            rows.append("")
        if self._is_busy():
            rows.append(f"{_DIM}{next(self._spinner)}{_PLAIN}")
        prompt, (row, column) = self._prompt() if self._is_reading else ([""], (0, 0))
        rows = rows[-max(1, height - len(prompt) - _LEFT_FOR_PROMPT) :]
        self._screen.draw([*rows, *prompt], (len(rows) + row, column), above)

    def _prompt(self) -> tuple[list[str], tuple[int, int]]:
        indent = len(_PROMPT)
        rows, cursor = lay_out(self._editor.text, self._editor.at, self._width, indent)
        first = f"{_BOLD}{_PROMPT}{rows[0]}{_PLAIN}"
        return [first, *(f"{_BOLD}{' ' * indent}{row}{_PLAIN}" for row in rows[1:])], cursor

    def _page(self, markdown: str) -> Sequence[str]:
        return render(markdown, self._width or shutil.get_terminal_size().columns)

    def _quiet(self, words: str) -> list[str]:
        rows, _ = lay_out(words, 0, self._width or shutil.get_terminal_size().columns, 2)
        return [f"{_DIM}  {row}{_PLAIN}" for row in rows]


def _take_every_key(keyboard: int) -> None:
    """Have each key delivered at once and unchanged, Ctrl-C and Enter included."""
    mode = termios.tcgetattr(keyboard)
    mode[0] &= ~(termios.ICRNL | termios.IXON)
    mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
    termios.tcsetattr(keyboard, termios.TCSADRAIN, mode)
