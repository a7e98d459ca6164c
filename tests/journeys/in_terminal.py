"""The terminal as a pipe: lines in, whole messages out."""

import io
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self

from typing_extensions import override

from tests.fakes.watch import Watch
from tests.journeys.platform import PATIENCE, Person, Platform, Shown

_SAVED = re.compile(r"Saved (.+?) \([\d.]+ \w+\)(?:: (.*))?")
_CHOICE = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)


class _Output(io.StringIO):
    """Takes each write as one message, as the adapter writes them."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch
        self.messages: list[str] = []

    @override
    def write(self, text: str) -> int:
        self.messages.append(text.removesuffix("\n"))
        self.watch.changed()
        return len(text)


class TerminalPerson(Person):
    """The owner of the machine."""

    def __init__(self, terminal: "Terminal") -> None:
        self._terminal = terminal
        self.name = "Ann"
        self.identity = "local:owner"

    @override
    def writes(self, text: str) -> None:
        self._terminal.type(text)

    @override
    def sends(self, name: str, data: bytes, words: str = "") -> None:
        path = Path(tempfile.mkdtemp(dir=self._terminal.folder)) / name
        path.write_bytes(data)
        self._terminal.type(f'@"{path}" {words}')

    @override
    def presses(self, label: str) -> None:
        for message in reversed(self._terminal.output.messages):
            for number, choice in _CHOICE.findall(message.partition("\n\n")[2]):
                if choice == label:
                    return self._terminal.type(number)
        raise AssertionError(f"no choice {label!r} is shown")

    @override
    def sees(self) -> list[Shown]:
        return [_shown(message) for message in self._terminal.output.messages]

    @override
    def asides(self) -> list[str]:
        # Nobody else looks at it.
        return list(self._terminal.output.messages)

    @override
    def preview(self) -> str:
        return ""

    @override
    async def until(self, holds: Callable[[], bool]) -> None:
        await self._terminal.output.watch.until(holds, timeout=PATIENCE, now=self.sees)


class Terminal(Platform):
    """This process's own input and output, for as long as the context lasts."""

    name: ClassVar[str] = "local"
    owner: ClassVar[str] = "local:owner"

    @override
    async def __aenter__(self) -> Self:
        self.output = _Output(self.watch)
        self._keys: int | None = None
        self._typed: list[str] = []
        self._kept = sys.stdin, sys.stdout
        self._stack.callback(self._restore)
        return self

    def _restore(self) -> None:
        self._unplug()
        sys.stdin, sys.stdout = self._kept

    def _unplug(self) -> None:
        """End the input of the gateway before, and wait for its reading threads.

        One that lived on could read from a later pipe that was given the same number.
        """
        if self._keys is not None:
            os.close(self._keys)
            self._keys = None
        for thread in threading.enumerate():
            if "_pump" in thread.name:
                thread.join(PATIENCE)

    @override
    def before_start(self) -> None:
        self._unplug()
        source, self._keys = os.pipe()
        sys.stdin = self._stack.enter_context(os.fdopen(source, encoding="utf-8"))
        self._stack.callback(self._unplug)
        sys.stdout = self.output

    def type(self, line: str) -> None:
        assert self._keys is not None
        os.write(self._keys, f"{line}\n".encode())
        self._typed.append(line)

    @override
    def said(self) -> list[str]:
        return self._typed

    @property
    @override
    def entry(self) -> dict[str, Any]:
        return {"history": False}

    @property
    @override
    def secrets(self) -> list[str]:
        return []

    @override
    def person(self, name: str = "Ann") -> TerminalPerson:
        return TerminalPerson(self)

    @override
    async def connected(self) -> None:
        return

    @override
    def complaints(self) -> list[str]:
        return []


def _shown(message: str) -> Shown:
    saved = _SAVED.fullmatch(message)
    if saved is None:
        return Shown(message)
    data = Path(saved[1]).read_bytes()
    return Shown(saved[2] or "", file=data, is_picture=data.startswith(b"\x89PNG"))
