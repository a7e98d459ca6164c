"""What every adapter promises, as tests over a fixture `stage`; subclass `AdapterContract` once.

A test of an ability that the adapter does not have is skipped. `on_stage` makes the fixture
from an adapter's class and a `Platform` (tests/journeys/platform.py), which is its other side.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from gateway.contracts.adapter import (
    Adapter,
    AsksChoices,
    DeletesMessages,
    EditsMessages,
    FetchesFiles,
    FindsSent,
    RepeatsSafely,
    SendsFiles,
    ShowsDrafts,
    ShowsTyping,
)
from gateway.errors import NotSupported, Refused, RetryLater
from gateway.ids import AccountName, MessageId
from gateway.messages import Address, Attachment, Choice, Origin, OutgoingFile, OutgoingMessage
from gateway.settings import AdapterSettings
from tests.fakes.account import Account, Gate
from tests.journeys.platform import Person, Platform

Ability = TypeVar("Ability")

PICTURE = b"\x89PNG\r\n\x1a\n" + b"pixels" * 20
TRICKY = "5 < 6 & 7 > 2, \u201csnow\u201d \u2603, \U0001f600 and zażółć"


@dataclass(frozen=True, slots=True)
class Stage:
    """An open adapter, and the place of a person on its platform."""

    adapter: Adapter
    make: Callable[[], Adapter]
    """Makes another adapter of the same account, as a restart does."""
    account: Account
    person: Person
    here: Address
    """Where the person writes, as the adapter has delivered it."""
    folder: Path
    platform: Platform | None = None
    """Where receiving can be tried."""

    def able(self, ability: Callable[..., Ability]) -> Ability:
        """Return the adapter as one with this ability, or skip the test."""
        assert isinstance(ability, type)
        if not isinstance(self.adapter, ability):
            pytest.skip(f"{type(self.adapter).__name__} is none that {ability.__name__}")
        return cast("Ability", self.adapter)

    def receiving(self) -> AbstractAsyncContextManager[None]:
        assert self.platform is not None
        return receiving(self.adapter, self.account, self.platform)

    async def says(self, text: str, key: str = "out_1", **more: Any) -> MessageId:
        return await self.adapter.send(self.here, OutgoingMessage(key, text, **more))

    def file(self, name: str, data: bytes, **more: Any) -> OutgoingFile:
        path = self.folder / f"copy of {name}"
        path.write_bytes(data)
        return OutgoingFile(path, name, **{"mime": "text/plain", **more})

    def files_seen(self) -> list[tuple[bytes, str]]:
        return [(one.file, one.text) for one in self.person.sees() if one.file is not None]


@asynccontextmanager
async def receiving(adapter: Adapter, account: Account, platform: Platform) -> AsyncIterator[None]:
    """Run an open adapter while the body runs, and again whenever it asks for that.

    The body begins once it is connected: not every platform keeps what was missed.
    """

    async def run() -> None:
        while True:
            try:
                return await adapter.run(account.gate)
            except RetryLater as pause:
                await account.kit.clock.sleep(pause.after)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(run())
        try:
            await platform.connected()
            yield
        finally:
            running.cancel()


@asynccontextmanager
async def on_stage(
    platform: Platform, kind: type[Adapter], pardoned: str = "nothing"
) -> AsyncIterator[Stage]:
    """Open an adapter and have it hear once from its person.

    At the end nothing may have been refused by the platform, but what contains `pardoned`.
    """
    folder = platform.folder
    account = Account(platform.clock, folder / "data")
    settings = kind.settings_type.model_validate(platform.entry)

    def make() -> Adapter:
        return kind(AccountName("account"), settings, account.kit)

    platform.before_start()
    adapter = make()
    await adapter.open()
    try:
        person = platform.person("Ann")
        async with receiving(adapter, account, platform):
            person.writes("hello")
            await account.gate.until(lambda gate: len(gate.messages) == 1)
        here = account.gate.messages[0].address
        yield Stage(adapter, make, account, person, here, folder, platform)
    finally:
        await adapter.close()
    assert [one for one in platform.complaints() if pardoned not in one] == []


class SendingContract:
    """All of it while nothing is received: sending works from `open` to `close`."""

    def test_its_facts_are_sane(self, stage: Stage) -> None:
        adapter, limits = stage.adapter, stage.adapter.limits
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", adapter.platform)
        assert adapter.platform not in {"user", "group"}
        assert issubclass(adapter.settings_type, AdapterSettings)
        assert limits.measure("abc") == 3
        assert min(limits.text, limits.files_per_album, limits.file_bytes, limits.caption) > 0

    async def test_making_one_connects_nothing(self, stage: Stage) -> None:
        made = await asyncio.to_thread(stage.make)
        assert made.name == stage.adapter.name

    async def test_one_that_was_only_opened_can_be_closed(self, stage: Stage) -> None:
        made = stage.make()
        await made.open()
        await made.close()

    async def test_it_says_who_it_is_in_one_line(self, stage: Stage) -> None:
        told = await stage.adapter.check()
        assert len(told.splitlines()) == 1

    async def test_words_arrive_whole(self, stage: Stage) -> None:
        await stage.says(TRICKY)
        assert stage.person.texts()[-1] == TRICKY

    async def test_every_message_has_an_id_of_its_own(self, stage: Stage) -> None:
        sent = [await stage.says("again", key=f"out_{number}") for number in range(3)]
        assert len(set(sent)) == 3
        assert stage.person.texts()[-3:] == ["again"] * 3

    async def test_the_longest_text_is_taken(self, stage: Stage) -> None:
        limits = stage.adapter.limits
        for letter in ("a", "\U0001f600"):
            text = letter * (limits.text // limits.measure(letter))
            await stage.says(text, key=f"out_{letter}")
            assert stage.person.texts()[-1] == text

    async def test_a_growing_message_ends_as_its_last_words(self, stage: Stage) -> None:
        adapter = stage.able(EditsMessages)
        before = len(stage.person.texts())
        sent = await stage.says("Hel…", is_growing=True)
        await adapter.edit(
            stage.here, sent, OutgoingMessage("out_1", "Hello wor…", is_growing=True)
        )
        await adapter.edit(stage.here, sent, OutgoingMessage("out_1", "Hello world"))
        assert stage.person.texts()[before:] == ["Hello world"]

    async def test_saying_the_same_again_is_success(self, stage: Stage) -> None:
        adapter = stage.able(EditsMessages)
        sent = await stage.says("the same")
        before = stage.person.texts()
        await adapter.edit(stage.here, sent, OutgoingMessage("out_1", "the same"))
        assert stage.person.texts() == before

    async def test_a_message_can_be_taken_back(self, stage: Stage) -> None:
        adapter = stage.able(DeletesMessages)
        sent = await stage.says("a mistake")
        await adapter.delete(stage.here, sent)
        assert "a mistake" not in stage.person.texts()

    async def test_typing_is_no_message(self, stage: Stage) -> None:
        adapter = stage.able(ShowsTyping)
        assert adapter.typing_every > 0
        before = stage.person.sees()
        with suppress(NotSupported):
            await adapter.show_typing(stage.here)
        assert stage.person.sees() == before

    async def test_a_draft_is_no_message_or_is_not_supported_here(self, stage: Stage) -> None:
        adapter = stage.able(ShowsDrafts)
        before = stage.person.sees()
        try:
            for text in ("", "**Think", "**Thinking**"):
                await adapter.show_draft(stage.here, 7, text)
        except NotSupported:
            assert stage.person.preview() == ""
        else:
            assert stage.person.preview() == "Thinking"
        assert stage.person.sees() == before

    async def test_files_arrive_with_their_captions(self, stage: Stage) -> None:
        adapter = stage.able(SendsFiles)
        files = [
            stage.file("notes.txt", b"some notes", caption="my notes"),
            stage.file("cat.png", PICTURE, mime="image/png", is_image=True),
        ]
        for number, file in enumerate(files):
            [_] = await adapter.send_files(stage.here, [file], f"out_{number}")
        assert stage.files_seen()[-2:] == [(b"some notes", "my notes"), (PICTURE, "")]

    async def test_as_many_files_go_together_as_it_says(self, stage: Stage) -> None:
        adapter = stage.able(SendsFiles)
        count = stage.adapter.limits.files_per_album
        files = [stage.file(f"{number}.txt", f"{number}".encode()) for number in range(count)]
        sent = await adapter.send_files(stage.here, files, "out_1")
        assert len(sent) == count
        assert [data for data, _ in stage.files_seen()] == [str(n).encode() for n in range(count)]

    async def test_the_longest_caption_is_taken(self, stage: Stage) -> None:
        adapter = stage.able(SendsFiles)
        caption = "c" * stage.adapter.limits.caption
        await adapter.send_files(stage.here, [stage.file("a.txt", b"a", caption=caption)], "out_1")
        assert stage.files_seen() == [(b"a", caption)]

    async def test_a_repeated_key_sends_nothing_twice(self, stage: Stage) -> None:
        adapter = stage.able(RepeatsSafely)
        assert adapter.repeat_window > 0
        before = len(stage.person.texts())
        sent = [await stage.says("once only", key="out_7") for _ in range(2)]
        assert sent[0] == sent[1]
        assert stage.person.texts()[before:] == ["once only"]

    async def test_a_message_is_found_by_its_key(self, stage: Stage) -> None:
        adapter = stage.able(FindsSent)
        since = stage.account.kit.clock.now()
        sent = await stage.says("find me", key="out_7")

        async def found(key: str, text: str) -> MessageId | None:
            return await adapter.find_sent(stage.here, OutgoingMessage(key, text), since)

        assert await found("out_7", "find me") == sent
        assert await found("out_8", "find another") is None


class ReceivingContract:
    """From the person to the gate, and what of it can be answered."""

    async def test_a_message_says_who_wrote_it_and_where(self, stage: Stage) -> None:
        async with stage.receiving():
            stage.person.writes(TRICKY)
            await stage.account.gate.until(lambda gate: len(gate.messages) == 2)
        message = stage.account.gate.messages[1]
        assert message.text == TRICKY
        assert message.address == stage.here
        assert (message.address.platform, message.address.account) == (
            stage.adapter.platform,
            stage.adapter.name,
        )
        assert message.address.external_user
        assert message.is_addressed
        assert not message.is_from_bot
        assert message.origin is Origin.TYPED
        assert abs(message.sent_at - stage.account.kit.clock.now()) < 3600

    async def test_messages_come_in_order_each_with_ids_of_its_own(self, stage: Stage) -> None:
        words = ["one", "two", "two", "three"]
        async with stage.receiving():
            for text in words:
                stage.person.writes(text)
            await stage.account.gate.until(lambda gate: len(gate.messages) == 5)
        messages = stage.account.gate.messages[1:]
        assert [message.text for message in messages] == words
        assert len({message.event_key for message in messages}) == 4
        assert len({message.message_id for message in messages}) == 4

    async def test_r1_what_could_not_be_kept_is_delivered_again(self, stage: Stage) -> None:
        gate = stage.account.gate
        gate.busy_for = [1.0, 1.0]
        async with stage.receiving():
            stage.person.writes("precious")
            await gate.until(lambda gate: len(gate.messages) == 2)
        assert gate.busy_for == []
        assert gate.texts == ["hello", "precious"]

    async def test_receiving_can_end_and_go_on(self, stage: Stage) -> None:
        for words in ("first", "second"):
            stage.person.writes(words)
            async with stage.receiving():
                await stage.account.gate.until(partial(_ends_with, words))
        assert stage.account.gate.texts == ["hello", "first", "second"]
        assert stage.account.health.is_alive

    async def test_an_answer_can_name_its_question(self, stage: Stage) -> None:
        question = stage.account.gate.messages[0].message_id
        await stage.says("you asked", reply_to=question)
        assert stage.person.texts()[-1] == "you asked"

    async def test_a_pressed_choice_says_its_value(self, stage: Stage) -> None:
        stage.able(AsksChoices)
        choices = (Choice("Yes", "y" * 64), Choice("No", "no", is_danger=True))
        sent = await stage.says("Really?", choices=choices)
        async with stage.receiving():
            stage.person.presses("Yes")
            await stage.account.gate.until(lambda gate: len(gate.messages) == 2)
        pressed = stage.account.gate.messages[1]
        assert (pressed.text, pressed.origin) == ("y" * 64, Origin.PRESSED)
        assert pressed.pressed_on == sent
        assert pressed.address == stage.here

    async def test_as_many_choices_can_be_pressed_as_it_says(self, stage: Stage) -> None:
        adapter = stage.able(AsksChoices)
        choices = [Choice(f"Label {n}", f"value {n}") for n in range(adapter.choices_at_most)]
        await stage.says("Which?", choices=tuple(choices))
        async with stage.receiving():
            stage.person.presses(choices[-1].label)
            await stage.account.gate.until(lambda gate: len(gate.messages) == 2)
        assert stage.account.gate.texts[1] == choices[-1].value

    async def test_a_file_is_fetched_within_a_limit_and_after_a_restart(self, stage: Stage) -> None:
        stage.able(FetchesFiles)
        attachment = await _attached(stage, "notes.txt", b"12345")
        assert attachment.name == "notes.txt"
        later = stage.make()
        await later.open()
        try:
            assert isinstance(later, FetchesFiles)
            assert await later.fetch(attachment, 5) == b"12345"
            with pytest.raises(Refused):
                await later.fetch(attachment, 4)
        finally:
            await later.close()


def _ends_with(words: str, gate: Gate) -> bool:
    return gate.texts[-1] == words


async def _attached(stage: Stage, name: str, data: bytes) -> Attachment:
    """Have the person send a file, and return it as it was delivered."""
    async with stage.receiving():
        stage.person.sends(name, data, "look")
        await stage.account.gate.until(lambda gate: len(gate.messages) == 2)
    message = stage.account.gate.messages[1]
    assert message.text == "look"
    [attachment] = message.attachments
    return attachment


class AdapterContract(SendingContract, ReceivingContract):
    """Both ways."""
