"""Where the owner types and reads: a terminal, or a pipe when there is none."""

import asyncio
import codecs
import os
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import TextIO

from typing_extensions import override

from gateway.clock import Clock
from gateway.ids import MessageId

_AHEAD = 100
"""Lines read from a pipe before they are asked for."""
_CHUNK = 65_536


class Signal(Enum):
    """What can be typed besides lines."""

    INTERRUPT = "interrupt"
    """Ctrl-C."""
    END = "end"
    """Ctrl-D, or the end of a pipe. Nothing follows."""


class Transport(ABC):
    """Shows messages and reads lines."""

    @abstractmethod
    def reading(self) -> AbstractAsyncContextManager[None]:
        """Take the keyboard while the body runs; `read` works only inside."""

    @abstractmethod
    async def read(self) -> str | Signal: ...

    @abstractmethod
    def show(self, message: MessageId, markdown: str) -> None:
        """Show a message in its last form, once and for good."""

    def show_growing(self, message: MessageId, markdown: str) -> None:
        """Show a message that is still being written."""

    def show_busy(self, seconds: float) -> None:
        """Show for so long, unless told again, that an answer is on its way."""

    @abstractmethod
    def note(self, words: str) -> None:
        """Tell the owner something that is not part of the conversation."""

    def greet(self, words: str) -> None:
        """Show a first word, where somebody is there to read it."""

    def close(self) -> None:
        """Leave the terminal as it was found."""


class Pipe(Transport):
    """Lines in, plain text out, finals only: for scripts."""

    def __init__(self, source: int, sink: TextIO) -> None:
        self._source = source
        self._sink = sink
        self._lines: asyncio.Queue[str | Signal] = asyncio.Queue()
        self._room = threading.Semaphore(_AHEAD)

    @override
    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        # A thread, as the source may be a file, which no selector takes. It reads the bare
        # descriptor: left waiting in `sys.stdin` it would break the interpreter's shutdown.
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._pump, args=(loop,), daemon=True).start()
        yield

    @override
    async def read(self) -> str | Signal:
        line = await self._lines.get()
        self._room.release()
        return line

    @override
    def show(self, message: MessageId, markdown: str) -> None:
        self._write(markdown)

    @override
    def note(self, words: str) -> None:
        self._write(words)

    def _write(self, text: str) -> None:
        self._sink.write(f"{text}\n")
        self._sink.flush()

    def _pump(self, loop: asyncio.AbstractEventLoop) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        rest = ""
        while chunk := _read(self._source):
            *lines, rest = (rest + decoder.decode(chunk)).split("\n")
            if not all(self._put(loop, line) for line in lines):
                return
        if not rest or self._put(loop, rest):
            self._put(loop, Signal.END)

    def _put(self, loop: asyncio.AbstractEventLoop, line: str | Signal) -> bool:
        """Hand a line over, waiting for room; False once nobody listens."""
        self._room.acquire()
        try:
            loop.call_soon_threadsafe(self._lines.put_nowait, line)
        except RuntimeError:
            return False
        return True


def open_transport(clock: Clock, history: Path | None) -> Transport:
    """Use the terminal where both ends are one."""
    if sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        # Imported here only: drawing takes rich, which is slow to load.
        from adapters.local.terminal.transport import Terminal  # noqa: PLC0415

        return Terminal(sys.stdin.fileno(), sys.stdout, clock, history)
    return Pipe(sys.stdin.fileno(), sys.stdout)


def _read(source: int) -> bytes:
    try:
        return os.read(source, _CHUNK)
    except OSError:
        return b""
