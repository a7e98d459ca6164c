"""Lines are found within bounds, and no pattern can hold the gateway."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts.tool import ToolContext
from gateway.errors import Refused
from gateway.tools.search import SearchFiles
from tests.fakes.clock import FakeClock
from tests.fakes.turns import a_context

EVIL = "(a+)+$"
"""Takes longer than the world will last on the line below."""
LONG = "a" * 60 + "!"


class Library:
    """A folder to search."""

    def __init__(self, root: Path) -> None:
        self.clock = FakeClock()
        self.root = root
        self.context: ToolContext = a_context(root, self.clock)

    def put(self, path: str, text: str | bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(text.encode() if isinstance(text, str) else text)

    async def search(self, pattern: str, **more: Any) -> list[str]:
        output = await SearchFiles().run({"pattern": pattern, **more}, self.context)
        return output.text.split("\n")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


@pytest.mark.parametrize("regex", [False, True])
async def test_lines_are_found_in_any_case_with_their_place(library: Library, regex: bool) -> None:
    library.put("b/two.txt", "x\n\n  The Cat sat\n")
    library.put("a.txt", "cat\ndog\nCAT")
    found = await library.search("cat", regex=regex)
    assert found == ["a.txt:1: cat", "a.txt:3: CAT", "b/two.txt:3: The Cat sat"]
    assert await library.search("cat", path="b", regex=regex) == ["b/two.txt:3: The Cat sat"]
    assert await library.search("cat", path="a.txt", regex=regex) == found[:2]
    assert await library.search("bird", regex=regex) == ["Nothing was found."]


async def test_a_pattern_is_plain_text_unless_it_is_said_to_be_more(library: Library) -> None:
    library.put("a.txt", "a.c\nabc\n(x")
    assert await library.search("a.c") == ["a.txt:1: a.c"]
    assert await library.search("(x") == ["a.txt:3: (x"]
    assert await library.search("a.c", regex=True) == ["a.txt:1: a.c", "a.txt:2: abc"]


async def test_a_wrong_pattern_is_told(library: Library) -> None:
    with pytest.raises(Refused, match="no pattern that can be used"):
        await library.search("(x", regex=True)


async def test_a_folder_that_is_not_there_is_told(library: Library) -> None:
    for regex in (False, True):
        with pytest.raises(Refused, match="missing"):
            await library.search("x", path="missing", regex=regex)


async def test_t24_an_endless_pattern_is_ended_and_holds_nobody(library: Library) -> None:
    library.put("a.txt", LONG)
    searching = asyncio.ensure_future(library.search(EVIL, regex=True))
    child = await asyncio.to_thread(child_of_this_process)
    await library.clock.advance(9.9)
    assert not searching.done()
    await library.clock.advance(0.2)
    with pytest.raises(Refused, match="too long to match"):
        await searching
    assert not is_running(child)


async def test_r16_a_search_that_is_cancelled_leaves_no_process(library: Library) -> None:
    library.put("a.txt", LONG)
    searching = asyncio.ensure_future(library.search(EVIL, regex=True))
    child = await asyncio.to_thread(child_of_this_process)
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
    assert not is_running(child)


def child_of_this_process() -> Path:
    """Wait until the search runs as a process, and return its place in `/proc`."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while True:
        for child in children.read_text().split():
            if b"gateway.tools.searching" in Path(f"/proc/{child}/cmdline").read_bytes():
                return Path("/proc") / child
        time.sleep(0.01)


def is_running(child: Path) -> bool:
    return child.exists()


async def test_t25_a_search_sees_no_variable_of_ours(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", "secret")
    library.put("a.txt", LONG)
    searching = asyncio.ensure_future(library.search(EVIL, regex=True))
    child = await asyncio.to_thread(child_of_this_process)
    assert b"CANARY" not in await asyncio.to_thread((child / "environ").read_bytes)
    searching.cancel()
    await asyncio.wait({searching})


async def test_t24_many_hits_and_long_lines_are_bounded(library: Library) -> None:
    library.put("a.txt", "x" * 5000 + "cat" + "x" * 5000 + "\n" + "cat\n" * 200)
    found = await library.search("cat")
    assert len(found) == 101
    assert found[-1] == "[Only the first 100 are shown.]"
    assert "cat" in found[0]
    assert max(map(len, found)) < 250


async def test_large_and_binary_files_are_passed_over(library: Library) -> None:
    library.put("large.txt", "cat\n" * 600_000)
    library.put("binary", b"cat\0")
    library.put("latin.txt", b"\xe9 cat")
    assert await library.search("cat") == [
        "latin.txt:1: \ufffd cat",
        "[1 files were too large to be searched.]",
    ]
