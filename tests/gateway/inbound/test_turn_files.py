"""Files that come with a message, and those made for its reply."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts.provider import ModelRequest
from gateway.errors import Refused, RetryLater, SendUncertain
from gateway.ids import TurnId
from gateway.messages import Attachment, AttachmentKind, Place
from gateway.transcript import FileBlock, TextBlock, UserEntry
from gateway.workspace import outgoing_dir
from tests.fakes.gateway import Make, gateways
from tests.fakes.provider import FakeProvider, Gate, Step, calls, says


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with gateways(tmp_path, monkeypatch) as made:
        yield made


def photo(name: str = "a.png") -> Attachment:
    return Attachment(AttachmentKind.IMAGE, name, name, "image/png", 5)


def content_of(request: ModelRequest) -> Any:
    (asked,) = (entry for entry in request.entries if isinstance(entry, UserEntry))
    return asked.content


async def test_a_file_is_kept_in_its_senders_workspace_and_shown_to_the_model(
    make: Make,
) -> None:
    served = make()
    async with served.running():
        await served.asks("look", attachments=(photo(),))
        text, file = content_of(served.model.requests[0])
        assert text == TextBlock("look")
        assert isinstance(file, FileBlock)
        assert (file.name, file.mime, file.size) == ("a.png", "image/png", 5)
        (kept,) = served.settings.data_dir.glob("workspaces/main/users/*/assets/*")
        assert kept.read_bytes() == b"a.png"
        assert str(kept).endswith(file.path)


async def test_t14_a_groups_file_is_nobodys_own(make: Make) -> None:
    served = make()
    async with served.running():
        await served.writes("look", place=Place("-1"), attachments=(photo(),))
        await served.reads("Well!", "-1")
        assert list(served.settings.data_dir.glob("workspaces/main/groups/*/assets/*"))
        assert not list(served.settings.data_dir.glob("workspaces/main/users/*/assets/*"))


async def test_an_album_reaches_the_model_as_one_question(make: Make) -> None:
    served = make()
    async with served.running():
        for name in ("a.png", "b.png", "c.png"):
            text = "look" if name == "a.png" else ""
            await served.writes(text, album="x", attachments=(photo(name),))
        await served.reads("Well!")
        assert [block.name for block in content_of(served.model.requests[0])[1:]] == [
            "a.png", "b.png", "c.png",
        ]  # fmt: skip
        assert len(served.model.requests) == 1


@pytest.mark.parametrize(
    "error", [Refused("it is over 20 MB."), SendUncertain("the connection was lost")]
)
async def test_a_file_that_cannot_be_had_becomes_words_for_both(
    make: Make, error: Exception
) -> None:
    served = make()
    async with served.running():
        served.bot.fetching.append(error)
        await served.writes("look", attachments=(photo("a.png"), photo("b.png")))
        await served.reads(f"I could not take a.png: {error}")
        await served.reads("Well!")
        _, refused, taken = content_of(served.model.requests[0])
        assert refused == TextBlock(f"[a.png could not be received: {error}]")
        assert taken.name == "b.png"


async def test_r11_a_platform_that_is_out_of_reach_is_waited_for(make: Make) -> None:
    served = make()
    async with served.running():
        served.bot.fetching.extend([RetryLater("flood", 30.0), RetryLater("flood", 30.0)])
        before = served.clock.monotonic()
        await served.asks("look", attachments=(photo(),))
        assert served.clock.monotonic() - before >= 60
        assert served.texts() == ["Well!"]
        assert content_of(served.model.requests[0])[1].name == "a.png"
        assert served.turns() == [("done", 1)]


async def test_a_message_does_not_wait_for_its_files_for_ever(make: Make) -> None:
    served = make()
    async with served.running():
        served.bot.fetching.extend([RetryLater("flood", 100.0)] * 20)
        await served.writes("look", attachments=(photo(),))
        await served.reads("Well!", step=5.0, within=1_000.0)
        assert served.texts()[0].count("I could not take a.png") == 1


# Files for the reply.


def sends_a_file(request: ModelRequest) -> Step:
    if isinstance(request.entries[-1], UserEntry):
        return calls(
            ("c1", "write_file", {"path": "a.txt", "content": "x"}),
            ("c2", "send_file", {"path": "a.txt"}),
        )
    return says("Here it is.")


async def test_the_copy_of_a_sent_file_goes_with_its_turn(make: Make) -> None:
    served = make(model=FakeProvider(otherwise=sends_a_file))
    async with served.running():
        await served.asks("a file, please", "Here it is.", "owner")
        assert served.bot.files == [("a.txt",)]
        assert list((served.settings.data_dir / "outgoing").iterdir()) == []


async def test_copies_that_a_crash_left_go_at_the_next_start(make: Make) -> None:
    served = make(model=FakeProvider([gate := Gate()], otherwise=lambda _: says("Well!")))
    await served.start()
    await served.writes("hello")
    await served.until(gate.reached.is_set)
    ((turn,),) = served.rows("select id from turns")
    await served.kill()
    base = served.settings.data_dir
    for name in (turn, "t_long_gone"):
        copies = outgoing_dir(base, TurnId(name))
        copies.mkdir(parents=True)
        (copies / "copy").write_text("x")
    (base / "outgoing" / "stray").write_text("x")
    gate = Gate()
    served.model.script = [[gate, *says("Well!")]]
    async with served.running():
        await served.until(gate.reached.is_set)
        left = outgoing_dir(base, TurnId("t_long_gone"))
        await served.until(lambda: not left.exists())
        assert outgoing_dir(base, turn).exists()
        gate.open()
        await served.reads("Well!")
        await served.until(lambda: not outgoing_dir(base, turn).exists())
