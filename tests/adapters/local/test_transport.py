import asyncio
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.local.transport import Pipe, Signal, open_transport
from gateway.ids import MessageId
from tests.fakes.clock import FakeClock


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    source, typist = os.pipe()
    yield source, typist
    os.close(source)


async def read_all(pipe: Pipe) -> list[str]:
    lines = []
    async with pipe.reading():
        while isinstance(line := await pipe.read(), str):
            lines.append(line)
        assert line is Signal.END
    return lines


async def test_lines_come_whole_however_they_are_cut(ends: tuple[int, int]) -> None:
    source, typist = ends
    for piece in ("hel", "lo\nwör", "ld\n\nno end"):
        os.write(typist, piece.encode())
    os.close(typist)
    assert await read_all(Pipe(source, io.StringIO())) == ["hello", "wörld", "", "no end"]


async def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_bytes(b"one\n\xfftwo\n")
    source = os.open(file, os.O_RDONLY)
    assert await read_all(Pipe(source, io.StringIO())) == ["one", "\ufffdtwo"]
    os.close(source)


async def test_a_character_may_be_cut_in_two(ends: tuple[int, int]) -> None:
    source, typist = ends
    pipe = Pipe(source, io.StringIO())
    async with pipe.reading():
        os.write(typist, "é".encode()[:1])
        await asyncio.sleep(0)
        os.write(typist, "é".encode()[1:] + b"\n")
        assert await pipe.read() == "é"
        os.close(typist)
        assert await pipe.read() is Signal.END


async def test_a_flood_waits_for_its_reader(ends: tuple[int, int]) -> None:
    source, typist = ends
    pipe = Pipe(source, io.StringIO())
    os.write(typist, b"x\n" * 500)
    os.close(typist)
    async with pipe.reading():
        assert await pipe.read() == "x"
        assert pipe._lines.qsize() <= 101
    for _ in range(499):
        assert await pipe.read() == "x"


def test_only_what_is_final_is_written(ends: tuple[int, int]) -> None:
    source, typist = ends
    os.close(typist)
    out = io.StringIO()
    pipe = Pipe(source, out)
    pipe.greet("Welcome")
    pipe.show_busy(3)
    pipe.show_growing(MessageId("1"), "Hel")
    pipe.show(MessageId("1"), "**Hello**")
    pipe.note("Saved x")
    assert out.getvalue() == "**Hello**\nSaved x\n"


def test_without_a_terminal_there_is_a_pipe(
    monkeypatch: pytest.MonkeyPatch, ends: tuple[int, int]
) -> None:
    source, typist = ends
    os.close(typist)
    with open(source, closefd=False) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert isinstance(open_transport(FakeClock(), None), Pipe)
