"""What is sent is a copy of a file of the workspace, and of nothing else."""

import hashlib
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.contracts.tool import Effect, Tool, ToolOutput
from gateway.errors import Refused
from gateway.tools import sending
from gateway.tools.sending import sending_tools
from gateway.workspace import setup_user_workspace
from tests.fakes.clock import FakeClock
from tests.fakes.turns import AGENT, PERSON, a_context

TOOLS: dict[str, Tool] = {tool.name: tool for tool in sending_tools()}
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
CANARY = b"-----BEGIN OPENSSH PRIVATE KEY----- canary"


class Desk:
    """A workspace in a home that has a secret."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.root = setup_user_workspace(AGENT, home / "data", PERSON)
        self.clock = FakeClock()
        (home / ".ssh").mkdir()
        (home / ".ssh/id").write_bytes(CANARY)
        (self.root / "link").symlink_to(home / ".ssh/id")
        (self.root / "hard").hardlink_to(home / ".ssh/id")
        (self.root / "ssh").symlink_to(home / ".ssh")
        (self.root / "mine.txt").write_text("mine")

    async def send(
        self, tool: str, path: str, *, call_id: str = "call_1", **more: Any
    ) -> ToolOutput:
        context = a_context(self.root, self.clock, call_id=call_id)
        return await TOOLS[tool].run({"path": path, **more}, context)

    @property
    def sent(self) -> list[bytes]:
        folder = self.root.parent / "outgoing/turn_1"
        return [file.read_bytes() for file in folder.iterdir()] if folder.exists() else []


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_sending_again_by_the_same_call_is_safe() -> None:
    assert {tool.effect for tool in TOOLS.values()} == {Effect.IDEMPOTENT}


async def test_a_file_is_copied_to_where_only_the_gateway_writes(desk: Desk) -> None:
    output = await desk.send("send_file", "mine.txt", caption="here")
    (file,) = output.files
    assert (file.name, file.mime, file.caption, file.is_image) == (
        "mine.txt",
        "text/plain",
        "here",
        False,
    )
    assert output.text == "mine.txt is handed to the user."
    assert file.path.parent == desk.root.parent / "outgoing/turn_1"
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    for folder in (file.path.parent, file.path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (desk.root / "mine.txt").write_text("changed later")
    assert file.path.read_text() == "mine"


async def test_an_image_is_known_by_its_bytes(desk: Desk) -> None:
    (desk.root / "picture.txt").write_bytes(PNG)
    (file,) = (await desk.send("send_image", "picture.txt")).files
    assert (file.mime, file.is_image) == ("image/png", True)
    (file,) = (await desk.send("send_file", "picture.txt")).files
    assert (file.mime, file.is_image) == ("image/png", False)


@pytest.mark.parametrize("data", [b"text", SVG, b"", b"%PDF-1.7\n", b"\0\1"])
async def test_t41_what_is_no_picture_is_not_sent_as_one(desk: Desk, data: bytes) -> None:
    (desk.root / "picture.png").write_bytes(data)
    with pytest.raises(Refused, match="send_file can send it"):
        await desk.send("send_image", "picture.png")
    assert desk.sent == []


async def test_the_shown_name_is_clean(desk: Desk) -> None:
    name = "in\u202evoice:\n.txt"
    (desk.root / name).write_text("x")
    (file,) = (await desk.send("send_file", name)).files
    assert file.name == "invoice_.txt"


async def test_r5_a_repeated_call_gives_the_same_copy_and_another_its_own(desk: Desk) -> None:
    for call_id in ("a", "a", "b", "..", "", "x" * 300, "x" * 301, "a/b"):
        (file,) = (await desk.send("send_file", "mine.txt", call_id=call_id)).files
        assert file.path.name == hashlib.sha256(call_id.encode()).hexdigest()[:32]
    assert len(desk.sent) == 7


async def test_what_is_too_large_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_LARGEST", 3)
    with pytest.raises(Refused, match="cannot be sent"):
        await desk.send("send_file", "mine.txt")


HOST = [
    "~/.ssh/id", "../.ssh/id", "../../../../.ssh/id", "/etc/passwd", "file:///etc/passwd",
    "link", "hard", "ssh/id", "./ssh/../ssh/id", "*", "l*", "[l]ink", "data/../link",
    "\\\\host\\share", "http://127.0.0.1/x", "/dev/stdin", "/proc/self/environ", "mine.txt\0.png",
    "", ".", "..", "/", "data", "$HOME/.ssh/id", "`cat link`", "-rf", ";id",
]  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("path", HOST)
async def test_t42_no_file_of_the_host_is_sent(desk: Desk, tool: str, path: str) -> None:
    absolute = str(desk.home / ".ssh/id")
    for tried in (path, f"{absolute}/{path}", f"{path}/{absolute}"):
        with pytest.raises(Refused):
            await desk.send(tool, tried)
    assert desk.sent == []


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["..", ".", "", "link", "hard", "ssh", "id", ".ssh", "mine.txt", "~"]),
            st.text(max_size=5),
        ),
        max_size=8,
    ),
    st.booleans(),
)
@example(["mine.txt"], False)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
async def test_t42_no_mixture_of_names_sends_the_hosts_files(
    desk: Desk, names: list[str], is_absolute: bool
) -> None:
    path = "/".join([str(desk.home), *names] if is_absolute else names)
    try:
        output = await desk.send("send_file", path)
    except Refused:
        return
    assert [file.path.read_bytes() for file in output.files] == [b"mine"]
