"""The real command in a process of its own, on pipes or on a terminal."""

import asyncio
import os
import pty
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.screen import FakeScreen

_ROOT = Path(__file__).parent.parent.parent
_PATIENCE = 30
_LEFT_OUT = ("PROXY", "_BOT_TOKEN", "_API_KEY", "PARLEY_")


def environment(**extra: str) -> dict[str, str]:
    """Return this process's variables without any that would configure the gateway."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not any(part in name.upper() for part in _LEFT_OUT)
    }
    return kept | {"PYTHONPATH": str(_ROOT), "NO_PROXY": "127.0.0.1"} | extra


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


@asynccontextmanager
async def started(
    *arguments: str, cwd: Path, **extra: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `parley` while the body does; kill what is left of it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *arguments),
        cwd=cwd,
        env=environment(**extra),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ended(process: asyncio.subprocess.Process, typed: str = "") -> Ended:
    """Close the command's input, after typing into it, and wait for its end."""
    async with asyncio.timeout(_PATIENCE):
        out, err = await process.communicate(typed.encode())
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def parley(*arguments: str, cwd: Path, typed: str = "", **extra: str) -> Ended:
    """Run `parley` to its end."""
    async with started(*arguments, cwd=cwd, **extra) as process:
        return await ended(process, typed)


class OnTerminal:
    """A command on a terminal, and what it shows there."""

    def __init__(self, process: asyncio.subprocess.Process, keys: int, screen: FakeScreen) -> None:
        self._process = process
        self._keys = keys
        self.screen = screen

    def type(self, keys: str) -> None:
        os.write(self._keys, keys.encode())

    async def code(self) -> int:
        """Wait for its end and return its exit code."""
        async with asyncio.timeout(_PATIENCE):
            return await self._process.wait()


@asynccontextmanager
async def on_terminal(*arguments: str, cwd: Path, **extra: str) -> AsyncIterator[OnTerminal]:
    """Run `parley` on a terminal while the body does."""
    keys, terminal = pty.openpty()
    screen = FakeScreen()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *arguments),
        cwd=cwd,
        env=environment(TERM="xterm", COLUMNS="80", LINES="40", **extra),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    loop = asyncio.get_running_loop()

    def on_output() -> None:
        try:
            screen.write(os.read(keys, 65_536).decode(errors="replace"))
        except OSError:  # the command has closed its end
            loop.remove_reader(keys)

    loop.add_reader(keys, on_output)
    try:
        yield OnTerminal(process, keys, screen)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        loop.remove_reader(keys)
        os.close(keys)
