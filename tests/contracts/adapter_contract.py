"""What every adapter promises, as tests over a fixture `stage`; subclass `AdapterContract` once.

A test of an ability that the adapter does not have is skipped. `on_stage` makes the fixture
from an adapter's class and a `Platform` (tests/journeys/platform.py), which is its other side.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
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
    EndsTyping,
    FetchesFiles,
    FindsSent,
    MarksMessages,
    RepeatsSafely,
    SendsFiles,
    ShowsDrafts,
    ShowsTyping,
    StreamsReplies,
)
from gateway.errors import NotSupported, Refused, RetryLater
from gateway.ids import AccountName, MessageId
from gateway.messages import (
    Address,
    Attachment,
    Choice,
    Mark,
    Message,
    Origin,
    OutgoingFile,
    OutgoingMessage,
    Receipt,
    Task,
    TaskState,
)
from gateway.settings import AdapterSettings
from tests.contracts.samples import SAMPLES, filled
from tests.fakes.account import Account, Gate
from tests.journeys.platform import Person, Platform, Shown

Ability = TypeVar("Ability")

PICTURE = b"\x89PNG\r\n\x1a\n" + b"pixels" * 20
READING = Task("1", "read_file notes.md", TaskState.RUNNING)
HAS_READ = Task("1", "read_file notes.md", TaskState.DONE, "3 lines")
FETCHING = Task("2", "fetch example.org", TaskState.RUNNING)
HAS_FAILED = Task("2", "fetch example.org", TaskState.FAILED, "no such page")
YES_OR_NO = (Choice("Yes", "yes"), Choice("No", "no"))
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

    def streaming(self) -> StreamsReplies:
        """Return the adapter as one that streams here, or skip the test."""
        adapter = self.able(StreamsReplies)
        if not adapter.streams_in(self.here.place):
            pytest.skip("nothing is streamed here")
        return adapter

    def needs(self, ability: str) -> None:
        """Skip the test where people cannot do this, or bots are not told of it."""
        if getattr(type(self.person), ability) is getattr(Person, ability):
            pytest.skip(f"nobody {ability} here")

    @asynccontextmanager
    async def restarted(self) -> AsyncIterator[Adapter]:
        """Lend another adapter of the same account that knows nothing of this one's work."""
        later = self.make()
        await later.open()
        try:
            yield later
        finally:
            await later.close()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for what comes some calls after a delivery."""
        async with asyncio.timeout(5):
            while not holds():
                await self.account.kit.clock.sleep(0.1)

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
    platform: Platform, kind: type[Adapter], pardoned: Sequence[str] = ()
) -> AsyncIterator[Stage]:
    """Open an adapter and have it hear once from its person.

    At the end nothing may have been refused by the platform, but what contains one of `pardoned`.
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
    complaints = platform.complaints()
    assert [one for one in complaints if not any(words in one for words in pardoned)] == []


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

    def test_a_command_is_written_as_people_type_it(self, stage: Stage) -> None:
        written = stage.adapter.written("new", stage.here.place)
        assert written.endswith("new")
        assert "/" in written

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

    async def test_text_that_does_not_go_on_is_shown_right(self, stage: Stage) -> None:
        adapter = stage.able(EditsMessages)
        before = len(stage.person.texts())
        sent = await stage.says("Half a wrong ans", is_growing=True)
        for text in ("The", "The right", "No, the", "No, the left"):
            message = OutgoingMessage("out_1", text, is_growing=True)
            await adapter.edit(stage.here, sent, message)
        await adapter.edit(stage.here, sent, OutgoingMessage("out_1", "No, the left one."))
        assert stage.person.texts()[before:] == ["No, the left one."]

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

    async def test_the_end_of_typing_is_no_error(self, stage: Stage) -> None:
        adapter = stage.able(EndsTyping)
        before = stage.person.sees()
        for call in (adapter.end_typing, adapter.show_typing, *[adapter.end_typing] * 2):
            with suppress(NotSupported):
                await call(stage.here)
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

    async def test_a_message_from_before_is_not_found(self, stage: Stage) -> None:
        adapter = stage.able(FindsSent)
        await stage.says("an old one", key="out_7")
        later = stage.account.kit.clock.now() + 3600
        for is_growing in (True, False):
            sought = OutgoingMessage("out_7", "an old one", is_growing=is_growing)
            assert await adapter.find_sent(stage.here, sought, later) is None


class StreamingContract:
    """Messages that are streamed, where they are, and go on in another process."""

    async def test_a_streamed_message_grows_and_ends(self, stage: Stage) -> None:
        adapter = stage.streaming()
        before = len(stage.person.sees())
        sent = await stage.says("", is_growing=True, tasks=(READING,))
        growing = [
            ("", (HAS_READ,)),
            ("It says ", (HAS_READ,)),
            ("It says **hello", (HAS_READ, FETCHING)),
            ("It says **hello**, and", (HAS_READ, HAS_FAILED)),
        ]
        for text, tasks in growing:
            message = OutgoingMessage("out_1", text, is_growing=True, tasks=tasks)
            await adapter.edit(stage.here, sent, message)
        assert "hello" in stage.person.sees()[-1].text
        whole = OutgoingMessage("out_1", "It says **hello**, and ends.", tasks=growing[-1][1])
        await adapter.edit(stage.here, sent, whole)
        (shown,) = stage.person.sees()[before:]
        assert re.findall(r"\w+", shown.text) == ["It", "says", "hello", "and", "ends"]
        read, fetched = shown.tasks
        assert "read_file notes.md" in read
        assert "fetch example.org" in fetched

    async def test_a_stream_that_has_ended_may_say_something_else(self, stage: Stage) -> None:
        adapter = stage.streaming()
        before = len(stage.person.sees())
        sent = await stage.says("The answer", is_growing=True)
        for text, is_growing in (("Later.", False), ("The", True), ("The answer, at last.", False)):
            message = OutgoingMessage("out_1", text, is_growing=is_growing)
            await adapter.edit(stage.here, sent, message)
        assert [one.text for one in stage.person.sees()[before:]] == ["The answer, at last."]

    async def test_a_whole_message_may_have_tasks(self, stage: Stage) -> None:
        stage.streaming()
        before = len(stage.person.sees())
        await stage.says("It says hello.", tasks=(HAS_READ, HAS_FAILED))
        (shown,) = stage.person.sees()[before:]
        assert "It says hello." in shown.text

    async def test_r7_a_stream_of_an_ended_process_goes_on_in_its_message(
        self, stage: Stage
    ) -> None:
        stage.streaming()
        before = len(stage.person.sees())
        sent = await stage.says("The first ", is_growing=True, tasks=(READING,))
        async with stage.restarted() as later:
            assert isinstance(later, StreamsReplies)
            for text, is_growing in (("The first and", True), ("The first and the last.", False)):
                message = OutgoingMessage("out_1", text, is_growing=is_growing, tasks=(HAS_READ,))
                await later.edit(stage.here, sent, message)
        (shown,) = stage.person.sees()[before:]
        # Where the stream has ended with its process, tools may have become a line.
        assert shown.text.startswith("The first and the last.")

    async def test_r6_a_message_that_grows_is_found_by_the_next_process(self, stage: Stage) -> None:
        adapter = stage.able(FindsSent)
        assert isinstance(adapter, EditsMessages)
        since = stage.account.kit.clock.now()
        sent = await stage.says("Some wor", key="out_7", is_growing=True)
        sought = OutgoingMessage("out_7", "Some wor", is_growing=True)
        async with stage.restarted() as later:
            assert isinstance(later, FindsSent)
            assert await later.find_sent(stage.here, sought, since) == sent
        await adapter.edit(stage.here, sent, OutgoingMessage("out_7", "Some words."))
        assert await adapter.find_sent(stage.here, sought, since) == sent


class MarkdownContract:
    """Every word arrives, whatever is around it, and nobody is called by it."""

    @pytest.mark.parametrize("name", SAMPLES)
    async def test_a_sample_arrives_with_every_word(self, stage: Stage, name: str) -> None:
        before = len(stage.person.texts())
        await stage.says(SAMPLES[name].text)
        (shown,) = stage.person.texts()[before:]
        _check_words(shown, SAMPLES[name].shown)
        assert _pings(stage) == []

    @pytest.mark.parametrize("name", SAMPLES)
    async def test_a_sample_grows_into_its_words(self, stage: Stage, name: str) -> None:
        adapter, sample = stage.able(EditsMessages), SAMPLES[name]
        before = len(stage.person.texts())
        cuts = [len(sample.text) * part // 5 for part in range(1, 5)]
        sent = await stage.says(sample.text[: cuts[0]], is_growing=True)
        for cut in cuts[1:]:
            message = OutgoingMessage("out_1", sample.text[:cut], is_growing=True)
            await adapter.edit(stage.here, sent, message)
        await adapter.edit(stage.here, sent, OutgoingMessage("out_1", sample.text))
        (shown,) = stage.person.texts()[before:]
        _check_words(shown, sample.shown)
        assert _pings(stage) == []

    @pytest.mark.parametrize("name", SAMPLES)
    async def test_a_sample_as_long_as_a_message_arrives(self, stage: Stage, name: str) -> None:
        sample = SAMPLES[name]
        text, times = filled(sample, stage.adapter.limits)
        before = len(stage.person.texts())
        await stage.says(text)
        (shown,) = stage.person.texts()[before:]
        _check_words(shown, (*sample.shown, "The end."), times)
        assert _pings(stage) == []


def _check_words(shown: str, pieces: Sequence[str], times: int = 1) -> None:
    """See that all of it is shown, so often, however it is wrapped."""
    plain = _unspaced(shown)
    counts = {piece: plain.count(_unspaced(piece)) for piece in pieces}
    assert {piece: count for piece, count in counts.items() if not count} == {}, shown[:500]
    assert counts[pieces[0]] >= times


def _unspaced(text: str) -> str:
    """Leave out spaces, and the backslashes of platforms that show Markdown as it is written."""
    return "".join(text.split()).replace("\\", "")


def _pings(stage: Stage) -> list[str]:
    return [] if stage.platform is None else stage.platform.pings()


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

    async def test_t17_a_refused_press_tells_its_presser_why_and_changes_nothing(
        self, stage: Stage
    ) -> None:
        stage.able(AsksChoices)
        gate, person = stage.account.gate, stage.person
        await stage.says("Really?", choices=YES_OR_NO)
        before = person.sees()[-1].buttons
        gate.receipt = Receipt(is_taken=False, words="Not yours.")
        async with stage.receiving():
            person.presses("Yes")
            await gate.until(lambda gate: Origin.PRESSED in gate.refused)
            if type(person).asides is not Person.asides:
                await stage.until(lambda: any("Not yours." in one for one in person.asides()))
            assert gate.texts == ["hello"]
            assert _asked(stage).buttons == before
            gate.receipt = Receipt()
            person.presses("Yes")
            await gate.until(lambda gate: len(gate.messages) == 2)
        assert gate.texts == ["hello", "yes"]

    async def test_a_taken_press_settles_a_message_that_is_whole(self, stage: Stage) -> None:
        stage.able(AsksChoices)
        await stage.says("Really?", choices=YES_OR_NO)
        if not _asked(stage).buttons:
            pytest.skip("choices are no buttons here")
        async with stage.receiving():
            stage.person.presses("Yes")
            await stage.account.gate.until(lambda gate: len(gate.messages) == 2)
            await stage.until(lambda: not _asked(stage).buttons)
        assert "Yes" in _asked(stage).text
        assert "No" not in _asked(stage).text

    async def test_a_press_leaves_a_message_alone_that_grows(self, stage: Stage) -> None:
        stage.able(AsksChoices)
        adapter, stop = stage.able(EditsMessages), (Choice("Stop", "/stop"),)
        sent = await stage.says("Once upon", is_growing=True, choices=stop)
        if not stage.person.preview():
            pytest.skip("nothing grows before people's eyes here")
        async with stage.receiving():
            stage.person.presses("Stop")
            await stage.account.gate.until(lambda gate: len(gate.messages) == 2)
            message = OutgoingMessage("out_1", "Once upon a", is_growing=True, choices=stop)
            await adapter.edit(stage.here, sent, message)
            await adapter.edit(stage.here, sent, OutgoingMessage("out_1", "Once upon a time."))
        assert stage.account.gate.texts[1] == "/stop"
        shown = stage.person.sees()[-1]
        assert (shown.text, shown.buttons) == ("Once upon a time.", ())

    async def test_marks_follow_each_other_and_may_be_made_twice(self, stage: Stage) -> None:
        adapter = stage.able(MarksMessages)
        question = stage.account.gate.messages[0].message_id
        before, signs = stage.person.sees(), []
        for sign in (Mark.SEEN, Mark.SEEN, Mark.DONE, Mark.DONE, Mark.SEEN, Mark.FAILED):
            await adapter.mark(stage.here, question, sign)
            signs.append(stage.person.signs())
        assert [len(shown) for shown in signs] == [1] * len(signs)
        assert (signs[0], signs[2]) == (signs[1], signs[3])
        assert len({shown[0] for shown in signs}) == 3
        assert stage.person.sees() == before

    async def test_r7_a_mark_of_an_ended_process_is_replaced(self, stage: Stage) -> None:
        adapter = stage.able(MarksMessages)
        question = stage.account.gate.messages[0].message_id
        await adapter.mark(stage.here, question, Mark.SEEN)
        seen = stage.person.signs()
        async with stage.restarted() as later:
            assert isinstance(later, MarksMessages)
            for sign in (Mark.SEEN, Mark.DONE):
                await later.mark(stage.here, question, sign)
        assert len(stage.person.signs()) == 1
        assert stage.person.signs() != seen

    async def test_r2_an_edit_is_the_same_message_in_another_event(self, stage: Stage) -> None:
        stage.needs("edits")
        gate = stage.account.gate
        async with stage.receiving():
            stage.person.writes("frist")
            await gate.until(lambda gate: len(gate.messages) == 2)
            stage.person.edits("first")
            await gate.until(lambda gate: len(gate.messages) == 3)
        written, edited = gate.messages[1:]
        assert (written.text, edited.text) == ("frist", "first")
        assert edited.message_id == written.message_id
        assert edited.event_key != written.event_key
        assert written.edited_at is None
        assert edited.edited_at is not None
        assert edited.edited_at >= written.sent_at
        assert _facts(edited) == _facts(written)

    async def test_a_message_that_is_taken_back_is_told(self, stage: Stage) -> None:
        stage.needs("takes_back")
        gate = stage.account.gate
        async with stage.receiving():
            stage.person.writes("a mistake")
            await gate.until(lambda gate: len(gate.messages) == 2)
            stage.person.takes_back()
            await gate.until(lambda gate: bool(gate.deleted))
            stage.person.writes("a question")
            await gate.until(lambda gate: len(gate.messages) == 3)
        assert gate.deleted == [gate.messages[1].message_id]
        assert gate.texts == ["hello", "a mistake", "a question"]

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


def _asked(stage: Stage) -> Shown:
    (shown,) = (one for one in stage.person.sees() if "Really?" in one.text)
    return shown


def _facts(message: Message) -> tuple[object, ...]:
    return message.address, message.is_addressed, message.is_from_bot, message.origin


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


class AdapterContract(SendingContract, StreamingContract, MarkdownContract, ReceivingContract):
    """Both ways."""
