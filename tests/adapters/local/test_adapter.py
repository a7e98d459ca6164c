import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typing_extensions import override

from adapters.local.adapter import LocalAdapter
from adapters.local.settings import LocalSettings
from adapters.local.transport import Signal, Transport
from gateway.errors import Refused, SendRefused, TooLong
from gateway.ids import AccountName, MessageId
from gateway.messages import (
    Attachment,
    AttachmentKind,
    Choice,
    Message,
    Origin,
    OutgoingFile,
    OutgoingMessage,
    Receipt,
)
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock


class Desk(Transport):
    """Somebody at a terminal: what they type, and what they were shown."""

    def __init__(self) -> None:
        self.typed: asyncio.Queue[str | Signal] = asyncio.Queue()
        self.shown: list[str] = []
        self.growing = ""
        self.notes: list[str] = []
        self.busy = 0.0
        self.is_open = False

    def type(self, *lines: str | Signal) -> None:
        for line in lines:
            self.typed.put_nowait(line)

    @override
    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        self.is_open = True
        yield
        self.is_open = False

    @override
    async def read(self) -> str | Signal:
        return await self.typed.get()

    @override
    def show(self, message: MessageId, markdown: str) -> None:
        self.shown.append(markdown)
        self.growing = ""

    @override
    def show_growing(self, message: MessageId, markdown: str) -> None:
        self.growing = markdown

    @override
    def show_busy(self, seconds: float) -> None:
        self.busy = seconds

    @override
    def note(self, words: str) -> None:
        self.notes.append(words)


class Chat:
    """An adapter at work, and what it has delivered."""

    def __init__(self, data_dir: Path) -> None:
        self.desk = Desk()
        self.clock = FakeClock()
        self.account = Account(self.clock, data_dir)
        self.kit = self.account.kit
        self.deliver = self.account.gate
        self.adapter = LocalAdapter(AccountName("local"), LocalSettings(), self.kit, self.desk)

    @property
    def delivered(self) -> list[Message]:
        return self.deliver.messages

    @property
    def texts(self) -> list[str]:
        return self.deliver.texts

    async def say(self, text: str, **fields: object) -> MessageId:
        """Answer, as the gateway would."""
        key = f"key-{text}"
        message = OutgoingMessage(**{"key": key, "text": text, **fields})  # type: ignore[arg-type] # fields of a message, by name
        return await self.adapter.send(self.delivered[-1].address, message)


@pytest.fixture
def chat(tmp_path: Path) -> Chat:
    return Chat(tmp_path / "data")


async def run(chat: Chat, *lines: str | Signal) -> None:
    chat.desk.type(*lines, Signal.END)
    await chat.adapter.run(chat.deliver)


async def test_lines_are_delivered_in_order_until_the_end(chat: Chat) -> None:
    await run(chat, "one", "  ", "two")
    assert chat.texts == ["one", "two"]
    assert len({message.event_key for message in chat.delivered}) == 2
    assert {message.address.account for message in chat.delivered} == {"local"}
    assert not chat.desk.is_open


async def test_ids_of_another_process_are_others(chat: Chat, tmp_path: Path) -> None:
    await run(chat, "one")
    later = Chat(tmp_path)
    await later.clock.advance(1)
    later.adapter = LocalAdapter(AccountName("local"), LocalSettings(), later.kit, later.desk)
    await run(later, "one")
    assert later.delivered[0].event_key != chat.delivered[0].event_key


async def test_a_wrong_path_is_told_and_nothing_is_sent(chat: Chat) -> None:
    await run(chat, "@nothing.pdf read this")
    assert chat.delivered == []
    assert chat.desk.notes == ["There is no file nothing.pdf; nothing was sent."]


async def test_a_line_that_cannot_be_kept_is_offered_again(chat: Chat) -> None:
    chat.deliver.busy_for = [5, 5]
    chat.desk.type("precious", Signal.END)
    running = asyncio.ensure_future(chat.adapter.run(chat.deliver))
    await chat.clock.advance(9)
    assert chat.texts == []
    await chat.clock.advance(1)
    await running
    assert chat.texts == ["precious"]
    assert "the disk is full" in chat.desk.notes[0]


async def test_an_answer_grows_and_is_shown_once(chat: Chat) -> None:
    await run(chat, "hi")
    sent = await chat.say("Hel", is_growing=True)
    assert chat.desk.growing == "Hel"
    for text in ("Hello", "Hello"):
        await chat.adapter.edit(chat.delivered[0].address, sent, OutgoingMessage("key-Hel", text))
    assert chat.desk.shown == ["Hello"]
    assert chat.desk.growing == ""


async def test_a_repeated_key_shows_nothing_twice(chat: Chat) -> None:
    await run(chat, "hi")
    assert await chat.say("Hello") == await chat.say("Hello")
    assert chat.desk.shown == ["Hello"]


async def test_a_number_presses_the_newest_choices_once(chat: Chat) -> None:
    choices = (Choice("Approve", "approve 7"), Choice("Refuse", "refuse 7"))
    await run(chat, "delete it")
    sent = await chat.say("Really?", choices=choices)
    assert chat.desk.shown[0].startswith("Really?\n\n1. Approve\n2. Refuse")
    await run(chat, "2", "2")
    pressed, typed = chat.delivered[1:]
    assert (pressed.text, pressed.origin, pressed.pressed_on) == ("refuse 7", Origin.PRESSED, sent)
    assert (typed.text, typed.origin) == ("2", Origin.TYPED)


async def test_a_refused_choice_says_why_and_can_be_made_again(chat: Chat) -> None:
    await run(chat, "delete it")
    sent = await chat.say("Really?", choices=(Choice("Yes", "yes 7"),))
    chat.deliver.receipt = Receipt(is_taken=False, words="Not \x1b[2Jnow.")
    await run(chat, "1")
    assert chat.desk.notes == ["Not [2Jnow."]
    assert chat.texts == ["delete it"]
    chat.deliver.receipt = Receipt()
    await run(chat, "1")
    assert chat.delivered[-1].pressed_on == sent


async def test_a_refused_choice_leaves_a_newer_question_alone(chat: Chat) -> None:
    await run(chat, "delete it")
    await chat.say("Really?", choices=(Choice("Yes", "old"),))
    chat.deliver.receipt = Receipt(is_taken=False)
    chat.deliver.open.clear()
    chat.desk.type("1", Signal.END)
    running = asyncio.ensure_future(chat.adapter.run(chat.deliver))
    await chat.clock.settle()
    await chat.say("And this?", choices=(Choice("Yes", "new"),))
    chat.deliver.open.set()
    await running
    assert chat.desk.notes == []
    chat.deliver.receipt = Receipt()
    await run(chat, "1")
    assert chat.texts == ["delete it", "new"]


async def test_a_number_typed_beside_a_growing_answer_is_said(chat: Chat) -> None:
    await run(chat, "hi")
    await chat.say("Hel", choices=(Choice("Stop", "stop 1"),), is_growing=True)
    await run(chat, "1")
    assert chat.delivered[-1].origin is Origin.TYPED


async def test_taking_the_choices_away_shows_nothing_new(chat: Chat) -> None:
    await run(chat, "delete it")
    sent = await chat.say("Really?", choices=(Choice("Yes", "y"),))
    await chat.adapter.edit(chat.delivered[0].address, sent, OutgoingMessage("k", "Really?"))
    assert len(chat.desk.shown) == 1


async def test_ctrl_c_stops_an_answer_and_leaves_at_the_prompt(chat: Chat) -> None:
    await run(chat, "count to a million", Signal.INTERRUPT)
    assert chat.texts == ["count to a million", "/stop"]
    chat.desk.type(Signal.INTERRUPT, "never read")
    await chat.adapter.run(chat.deliver)
    assert len(chat.texts) == 2


async def test_an_answer_may_come_before_its_line_is_said_to_be_kept(chat: Chat) -> None:
    chat.deliver.open.clear()
    chat.desk.type("hi", Signal.INTERRUPT)
    running = asyncio.ensure_future(chat.adapter.run(chat.deliver))
    await chat.clock.settle()
    to = chat.adapter._owner()
    await chat.adapter.send(to, OutgoingMessage("k", "Hello"))
    chat.deliver.open.set()
    await running
    assert chat.texts == ["hi"]


async def test_ctrl_c_after_the_answer_leaves(chat: Chat) -> None:
    chat.desk.type("hi")
    running = asyncio.ensure_future(chat.adapter.run(chat.deliver))
    await chat.clock.settle()
    await chat.say("Hello")
    chat.desk.type(Signal.INTERRUPT)
    await running
    assert chat.texts == ["hi"]


async def test_ctrl_c_stops_what_a_crash_left_running(chat: Chat) -> None:
    await run(chat, "hi")
    await chat.say("Hello")
    await chat.adapter.show_typing(chat.delivered[0].address)
    await run(chat, Signal.INTERRUPT)
    assert chat.texts == ["hi", "/stop"]


async def test_a_script_waits_for_answers_rather_than_be_refused(chat: Chat) -> None:
    lines = [str(number) for number in range(20)]
    chat.desk.type(*lines, Signal.END)
    running = asyncio.ensure_future(chat.adapter.run(chat.deliver))
    await chat.clock.settle()
    assert chat.texts == lines[:8]
    await chat.say("answer to 0")
    await chat.clock.settle()
    assert chat.texts == lines[:9]
    await chat.clock.advance(120)
    assert chat.texts == lines[:17]
    await chat.clock.advance(120)
    await running
    assert chat.texts == lines


async def test_files_are_saved_where_the_owner_is_told(chat: Chat, tmp_path: Path) -> None:
    await run(chat, "draw")
    made = tmp_path / "made"
    made.write_bytes(b"x" * 5000)
    files = [OutgoingFile(made, "../cat.png", "image/png", "A cat", is_image=True)] * 2
    for _ in range(2):
        assert len(await chat.adapter.send_files(chat.delivered[0].address, files, "key")) == 2
    received = chat.kit.data_dir / "received"
    assert sorted(path.name for path in received.iterdir()) == ["cat-2.png", "cat.png"]
    assert stat.S_IMODE(received.stat().st_mode) == 0o700
    assert chat.desk.notes[0] == f"Saved {received}/cat.png (5 kB): A cat"


async def test_a_file_that_cannot_be_saved_is_refused(chat: Chat, tmp_path: Path) -> None:
    await run(chat, "draw")
    chat.kit.data_dir.mkdir()
    (chat.kit.data_dir / "received").write_text("in the way")
    files = [OutgoingFile(tmp_path, "cat.png", "image/png")]
    with pytest.raises(SendRefused):
        await chat.adapter.send_files(chat.delivered[0].address, files, "key")


async def test_an_attached_file_is_fetched(chat: Chat, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(b"12345")
    await run(chat, f"@{file} read")
    (attachment,) = chat.delivered[0].attachments
    assert await chat.adapter.fetch(attachment, 5) == b"12345"
    with pytest.raises(TooLong, match=r"notes.txt is larger than 4 B"):
        await chat.adapter.fetch(attachment, 4)
    gone = Attachment(AttachmentKind.FILE, str(tmp_path / "gone"), "gone", "text/plain")
    with pytest.raises(Refused, match="gone cannot be read"):
        await chat.adapter.fetch(gone, 5)


async def test_a_container_user_without_a_name_can_chat(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 987_654)
    await run(chat, "hi")
    assert chat.delivered[0].address.external_user == "owner"
    assert await chat.adapter.check() == "this terminal, as owner"
