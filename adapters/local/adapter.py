"""The terminal as a chat platform, and the adapter to copy when you write another.

What every adapter does is here: it says what it can (the abilities it inherits), turns
input into `Message`s (inbound.py), messages into what its platform shows (outbound.py),
and leaves connections, limits and retries to its transport (transport.py).
Quality: silver (docs/adapter-quality.md).
"""

import asyncio
import getpass
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, TypeVar

from typing_extensions import override

from adapters.local.inbound import Question, Typed, read_typed, to_message
from adapters.local.outbound import file_name, show_message, show_size, show_text
from adapters.local.settings import LocalSettings
from adapters.local.transport import Signal, Transport, open_transport
from gateway.contracts.adapter import (
    Adapter,
    AdapterKit,
    AsksChoices,
    Deliver,
    EditsMessages,
    FetchesFiles,
    RepeatsSafely,
    SendsFiles,
    ShowsTyping,
)
from gateway.errors import Refused, RetryLater, SendRefused, TooLong
from gateway.ids import AccountName, ExternalUser, MessageId, PlatformName
from gateway.messages import (
    Address,
    Attachment,
    Limits,
    Message,
    Origin,
    OutgoingFile,
    OutgoingMessage,
    Place,
    Receipt,
)

Key = TypeVar("Key")
Value = TypeVar("Value")

_REMEMBERED = 1_000
"""Sent messages whose keys and texts are kept."""
_UNANSWERED_AT_MOST = 8
"""Lines from a pipe that wait for answers before the next is taken."""
_ANSWER_WITHIN = 120.0
"""Seconds after which a line no longer counts as waiting for its answer."""


class LocalAdapter(
    # The abilities: each is a class, so that the gateway asks `isinstance` and never a flag.
    Adapter,
    EditsMessages,
    ShowsTyping,
    SendsFiles,
    FetchesFiles,
    AsksChoices,
    RepeatsSafely,
):
    """One direct conversation with whoever is at this process's terminal."""

    platform: ClassVar[str] = "local"
    settings_type: ClassVar[type[LocalSettings]] = LocalSettings
    is_trusted: ClassVar[bool] = True
    typing_every: ClassVar[float] = 4.0
    choices_at_most: ClassVar[int] = 20
    repeat_window: ClassVar[float] = 86_400.0
    limits = Limits(text=100_000, edit_every=0.1, files_per_album=10)

    # Constructing connects nothing: `doctor` and tests make adapters that never run.
    def __init__(
        self,
        name: AccountName,
        settings: LocalSettings,
        kit: AdapterKit,
        transport: Transport | None = None,
    ) -> None:
        super().__init__(name, settings, kit)
        self._settings = settings
        self._kit = kit
        history = kit.data_dir / "history" if settings.history else None
        self._transport = transport or open_transport(kit.clock, history)
        # Ids must be new in every process: the gateway keeps each only once, for ever.
        self._run = f"{kit.clock.now():.3f}"
        self._count = 0
        self._sent: dict[str, MessageId] = {}
        self._shown: dict[MessageId, str] = {}
        self._question: Question | None = None
        self._unanswered = 0
        self._answered = asyncio.Event()

    # Receiving: read, deliver, and only then go on. What `deliver` has taken is safe.

    @override
    async def run(self, deliver: Deliver) -> None:
        """Deliver lines until input ends; then return, and answers may still be sent."""
        self._kit.health.alive()
        async with self._transport.reading():
            while (line := await self._transport.read()) is not Signal.END:
                if isinstance(line, str):
                    await self._take(line, deliver)
                elif self._unanswered:
                    await self._stop(deliver)
                else:
                    return

    async def _take(self, line: str, deliver: Deliver) -> None:
        typed = read_typed(line)
        for path in typed.missing:
            self._transport.note(f"There is no file {path}; nothing was sent.")
        if typed.missing or not (typed.text or typed.files):
            return
        await self._wait_for_room()
        # Before it is delivered: the answer may be here first.
        self._unanswered += 1
        self._transport.show_busy(self.typing_every)
        await self._deliver(typed, deliver)

    async def _stop(self, deliver: Deliver) -> None:
        """End the running answer; a second Ctrl-C, with nothing to wait for, leaves."""
        await self._deliver(Typed("/stop"), deliver)
        self._unanswered = 0

    async def _deliver(self, typed: Typed, deliver: Deliver) -> None:
        asked = self._question
        message = self._message(typed)
        receipt = await self._receipt(message, deliver)
        if message.origin is Origin.PRESSED and not receipt.is_taken:
            self._refuse(receipt, asked)

    async def _receipt(self, message: Message, deliver: Deliver) -> Receipt:
        while True:
            try:
                return await deliver(message)
            except RetryLater as pause:
                # Nobody else has this line, so it is kept here until it is kept there.
                self._transport.note(f"Cannot take this in yet ({pause}); trying again.")
                await self._kit.clock.sleep(pause.after)

    def _refuse(self, receipt: Receipt, asked: Question | None) -> None:
        """Say why, and let the question be answered still, unless another has come since."""
        if receipt.words:
            self._transport.note(show_text(receipt.words))
        self._question = self._question or asked
        self._note_answer()

    async def _wait_for_room(self) -> None:
        """Keep a script from filling its own waiting line, where lines would be refused."""
        while self._unanswered >= _UNANSWERED_AT_MOST:
            self._answered.clear()
            try:
                async with self._kit.clock.timeout(_ANSWER_WITHIN):
                    await self._answered.wait()
            except TimeoutError:
                self._unanswered = 0

    def _message(self, typed: Typed) -> Message:
        question, self._question = self._question, None
        now = self._kit.clock.now()
        return to_message(typed, self._new_id(), now, self._owner(), question)

    def _owner(self) -> Address:
        return Address(
            platform=PlatformName(self.platform),
            account=self.name,
            external_user=ExternalUser(_user_name()),
            place=Place(conversation="terminal", is_direct=True),
        )

    # Sending: one message each; how a reply grows is decided by the gateway.

    @override
    async def open(self) -> None:
        self._transport.greet(self._settings.greeting)

    @override
    async def close(self) -> None:
        self._transport.close()

    @override
    async def check(self) -> str:
        return f"this terminal, as {_user_name()}"

    @override
    async def send(self, to: Address, message: OutgoingMessage) -> MessageId:
        known = self._sent.get(message.key)
        sent = MessageId(self._new_id()) if known is None else known
        _remember(self._sent, message.key, sent)
        await self.edit(to, sent, message)
        return sent

    @override
    async def edit(self, to: Address, sent: MessageId, message: OutgoingMessage) -> None:
        if message.choices and not message.is_growing:
            self._question = Question(sent, message.choices)
        text = show_message(message)
        if message.is_growing:
            self._transport.show_growing(sent, text)
        elif self._shown.get(sent) != show_text(message.text):
            # Remembered without choices: once one is pressed, they are edited away.
            _remember(self._shown, sent, show_text(message.text))
            self._transport.show(sent, text)
            self._note_answer()

    @override
    async def show_typing(self, to: Address) -> None:
        self._unanswered = max(self._unanswered, 1)
        self._transport.show_busy(self.typing_every + 1)

    @override
    async def send_files(
        self, to: Address, files: Sequence[OutgoingFile], key: str
    ) -> Sequence[MessageId]:
        if key in self._sent:
            return [self._sent[key]] * len(files)
        sent = [await self._save(file) for file in files]
        _remember(self._sent, key, sent[0])
        return sent

    async def _save(self, file: OutgoingFile) -> MessageId:
        directory = self._kit.data_dir / "received"
        try:
            path = await asyncio.to_thread(_copy, file.path, directory, file_name(file))
        except OSError as error:
            raise SendRefused(f"the file cannot be saved ({error.strerror})") from error
        caption = show_text(file.caption)
        self._transport.note(
            f"Saved {path} ({show_size(path.stat().st_size)}){f': {caption}' if caption else ''}"
        )
        return MessageId(self._new_id())

    # Files that came in: a reference must still work after a restart.

    @override
    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        try:
            content = await asyncio.to_thread(_read, Path(attachment.reference), limit + 1)
        except OSError as error:
            raise Refused(f"{attachment.name} cannot be read ({error.strerror}).") from error
        if len(content) > limit:
            raise TooLong(f"{attachment.name} is larger than {show_size(limit)}.")
        return content

    def _note_answer(self) -> None:
        self._unanswered = max(0, self._unanswered - 1)
        self._answered.set()

    def _new_id(self) -> str:
        self._count += 1
        return f"{self._run}-{self._count}"


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "owner"


def _read(path: Path, at_most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(at_most)


def _copy(source: Path, directory: Path, name: str) -> Path:
    """Copy a file under a name that nothing has yet."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem, dot, ending = name.partition(".")
    for number in range(1, 10_000):
        path = directory / (name if number == 1 else f"{stem}-{number}{dot}{ending}")
        try:
            with path.open("xb") as target, source.open("rb") as opened:
                shutil.copyfileobj(opened, target)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(17, "too many files of that name", name)


def _remember(store: dict[Key, Value], key: Key, value: Value) -> None:
    store.pop(key, None)
    store[key] = value
    if len(store) > _REMEMBERED:
        del store[next(iter(store))]
