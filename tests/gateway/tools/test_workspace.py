"""The file tools do their work inside the workspace, and say what cannot be done."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts.tool import Effect, Tool
from gateway.errors import Refused
from gateway.tools.workspace import workspace_tools
from gateway.workspace import setup_user_workspace
from tests.fakes.clock import FakeClock
from tests.fakes.turns import AGENT, PERSON, a_context

TOOLS: dict[str, Tool] = {tool.name: tool for tool in workspace_tools()}
FAR = ["../secret", "/etc/passwd", "data/link", "data/hard", "data/up/secret", "a\0b", "\ud800"]


class Desk:
    """A workspace with tools at hand, beside a secret."""

    def __init__(self, folder: Path) -> None:
        self.outside = folder
        self.root = setup_user_workspace(AGENT, folder, PERSON)
        self.skills = folder / "skills"
        (folder / "secret").write_text("canary")
        (self.root / "data/link").symlink_to(folder / "secret")
        (self.root / "data/hard").hardlink_to(folder / "secret")
        (self.root / "data/up").symlink_to(folder)

    async def use(self, name: str, **arguments: Any) -> str:
        context = a_context(self.root, FakeClock(), skills=self.skills)
        return (await TOOLS[name].run(arguments, context)).text

    def put(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(text.encode())


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_each_tool_says_what_running_it_twice_would_do() -> None:
    assert {name: tool.effect for name, tool in TOOLS.items()} == {
        "list_files": Effect.READ,
        "read_file": Effect.READ,
        "search_files": Effect.READ,
        "write_file": Effect.IDEMPOTENT,
        "edit_file": Effect.EFFECT,
    }
    assert {name for name, tool in TOOLS.items() if tool.is_parallel} == {
        "list_files",
        "read_file",
        "search_files",
    }


@pytest.mark.parametrize("path", FAR)
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("read_file", {}),
        ("edit_file", {"old": "canary", "new": "stolen"}),
        ("search_files", {"pattern": "canary"}),
        ("search_files", {"pattern": "canary", "regex": True}),
        ("list_files", {}),
    ],
)
async def test_t36_t37_no_tool_reaches_what_is_outside(
    desk: Desk, name: str, more: dict[str, Any], path: str
) -> None:
    try:
        told = await desk.use(name, path=path, **more)
    except Refused as refusal:
        told = str(refusal)
    assert "canary" not in told
    assert "root:" not in told
    assert (desk.outside / "secret").read_text() == "canary"


@pytest.mark.parametrize("path", ["../new", "/tmp/new", "data/up/new", "a\0b", "..", "", "data"])
async def test_t36_t37_nothing_is_written_outside(desk: Desk, path: str) -> None:
    before = names_in(desk.outside)
    with pytest.raises(Refused):
        await desk.use("write_file", path=path, content="x")
    assert names_in(desk.outside) == before


async def test_files_are_listed_with_sizes(desk: Desk) -> None:
    assert await desk.use("list_files") == "There are no files."
    desk.put("data/b.txt", "12345")
    desk.put("assets/a.txt", "")
    assert await desk.use("list_files") == "assets/a.txt 0\ndata/b.txt 5"
    assert await desk.use("list_files", path="data") == "data/b.txt 5"
    with pytest.raises(Refused, match=r"missing does not exist\."):
        await desk.use("list_files", path="missing")


async def test_a_long_list_ends_with_a_word(desk: Desk) -> None:
    for number in range(501):
        desk.put(f"data/{number}.txt", "")
    lines = (await desk.use("list_files")).split("\n")
    assert len(lines) == 501
    assert lines[-1] == "[Only the first 500 are listed; name a folder.]"


async def test_names_that_are_no_text_can_be_told(desk: Desk) -> None:
    (desk.root / os.fsdecode(b"data/\xff\nx")).write_text("")
    assert (await desk.use("list_files")).encode().decode() == "'data/\\udcff\\nx' 0"


async def test_a_file_is_read_whole_or_in_part(desk: Desk) -> None:
    desk.put("a.txt", "one\ntwo\nthree\n")
    assert await desk.use("read_file", path="a.txt") == "one\ntwo\nthree\n"
    assert await desk.use("read_file", path="a.txt", offset=2, limit=1) == (
        "two\n\n[Lines 2 to 2 of 3.]"
    )
    with pytest.raises(Refused, match="only 3 lines"):
        await desk.use("read_file", path="a.txt", offset=4)


async def test_lines_are_counted_as_searching_counts_them(desk: Desk) -> None:
    desk.put("a.txt", "one\x0b\u2028still one\r\ntwo\n")
    assert await desk.use("search_files", pattern="two") == "a.txt:2: two"
    assert "two" in await desk.use("read_file", path="a.txt", offset=2)


async def test_an_empty_file_is_said_to_be_empty(desk: Desk) -> None:
    desk.put("a.txt", "")
    assert await desk.use("read_file", path="a.txt") == "[The file is empty.]"


async def test_a_long_file_is_read_to_a_whole_line_within_the_output_limit(desk: Desk) -> None:
    desk.put("a.txt", "x" * 99 + "\n" + "y" * 99 + "\n" + "z" * 99 + "\n" * 2000)
    desk.put("long.txt", ("x" * 99 + "\n") * 2000)
    told = await desk.use("read_file", path="long.txt", limit=2000)
    assert told.endswith("\n[Lines 1 to 290 of 2000.]")
    assert len(told) < TOOLS["read_file"].output_limit


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "image/png"),
        (b"\0\1\2", "application/octet-stream"),
        ("é".encode("latin-1"), "application/octet-stream"),
    ],
)
async def test_what_is_no_text_is_refused_with_its_kind(desk: Desk, data: bytes, kind: str) -> None:
    (desk.root / "a.bin").write_bytes(data)
    with pytest.raises(Refused, match=f"a.bin is no text but {kind}"):
        await desk.use("read_file", path="a.bin")


async def test_a_huge_file_is_not_read(desk: Desk) -> None:
    desk.put("a.txt", "x" * 5_000_001)
    with pytest.raises(Refused, match="longer than 5 MB"):
        await desk.use("read_file", path="a.txt")


async def test_the_agents_skills_are_read_where_a_person_has_no_such(desk: Desk) -> None:
    for place, words in ((desk.skills, "ours"), (desk.root / ".agents/skills", "theirs")):
        (place / "both").mkdir(parents=True)
        (place / "both/SKILL.md").write_text(words)
    (desk.skills / "one").mkdir()
    (desk.skills / "one/SKILL.md").write_text("only ours")
    (desk.skills / "one/link").symlink_to(desk.outside / "secret")
    assert await desk.use("read_file", path=".agents/skills/both/SKILL.md") == "theirs"
    assert await desk.use("read_file", path=".agents/skills/one/SKILL.md") == "only ours"
    for path in ("../secret", "one/link"):
        with pytest.raises(Refused):
            await desk.use("read_file", path=f".agents/skills/{path}")


async def test_a_file_is_written_as_text_or_bytes(desk: Desk) -> None:
    assert await desk.use("write_file", path="new/a.txt", content="é") == (
        "Wrote 2 bytes to new/a.txt."
    )
    await desk.use("write_file", path="b", content_base64=base64.b64encode(b"\0\xff").decode())
    assert (desk.root / "new/a.txt").read_text(encoding="utf-8") == "é"
    assert (desk.root / "b").read_bytes() == b"\0\xff"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "Give content or"),
        ({"content": "a", "content_base64": "YQ=="}, "not both"),
        ({"content_base64": "!"}, "not base64"),
        ({"content_base64": "é"}, "not base64"),
    ],
)
async def test_unclear_content_is_refused(desk: Desk, content: dict[str, str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        await desk.use("write_file", path="a.txt", **content)
    assert not (desk.root / "a.txt").exists()


async def test_a_passage_is_replaced_when_it_is_the_only_one(desk: Desk) -> None:
    desk.put("a.txt", "one two two\r\n")
    assert await desk.use("edit_file", path="a.txt", old="one", new="1") == (
        "Replaced 1 passage in a.txt."
    )
    with pytest.raises(Refused, match="occurs 2 times"):
        await desk.use("edit_file", path="a.txt", old="two", new="2")
    for absent in ("three", "Two", ""):
        with pytest.raises(Refused, match="does not occur"):
            await desk.use("edit_file", path="a.txt", old=absent, new="3")
    await desk.use("edit_file", path="a.txt", old="two", new="2", all=True)
    assert (desk.root / "a.txt").read_bytes() == b"1 2 2\r\n"


async def test_t40_a_full_workspace_is_told_to_the_model(desk: Desk) -> None:
    for number in range(4):
        (desk.root / f"{number}").write_bytes(b"")
        os.truncate(desk.root / f"{number}", 50_000_000)
    with pytest.raises(Refused, match="no room"):
        await desk.use("write_file", path="a.txt", content="x")
