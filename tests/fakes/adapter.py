"""A chat platform in memory: what its conversations show now, and how it was called.

Faults are scripts, one entry for each coming call of a kind:

    platform.script["send"] = [None, RetryLater("flood", 30), Lost(is_applied=True)]

lets the first send pass, refuses the second with a penalty, and loses the answer of the
third. A call inside a penalty is noted in `violations`.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.adapter import (
    Adapter,
    AdapterKit,
    AsksChoices,
    DeletesMessages,
    Deliver,
    EditsMessages,
    EndsTyping,
    FindsSent,
    MarksMessages,
    RepeatsSafely,
    SendsFiles,
    ShowsDrafts,
    ShowsTyping,
    StreamsReplies,
)
from gateway.errors import RetryLater, SendRefused, SendUncertain
from gateway.ids import AccountName, MessageId
from gateway.messages import (
    Address,
    Choice,
    Limits,
    Mark,
    OutgoingFile,
    OutgoingMessage,
    Place,
    Task,
)
from gateway.settings import AdapterSettings

Result = TypeVar("Result")


@dataclass(frozen=True)
class Lost:
    """The call's answer is lost; the call itself may have been applied."""

    is_applied: bool


@dataclass
class Shown:
    """A message as people see it."""

    where: tuple[str, str | None]
    text: str
    choices: tuple[Choice, ...] = ()
    is_growing: bool = False
    reply_to: MessageId | None = None
    files: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    key: str = ""
    tasks: tuple[Task, ...] = ()
    sent_at: float = 0.0


@dataclass(frozen=True)
class Called:
    """One call, and when it came."""

    kind: str
    at: float
    conversation: str
    text: str = ""


Script = dict[str, deque[Any]]


class _Nothing:
    """A cursor and a health report for a platform that delivers nothing."""

    async def load(self) -> str | None:
        return None

    async def save(self, position: str) -> None: ...

    def alive(self) -> None: ...

    def troubled(self, reason: str) -> None: ...


def _kit(clock: Clock) -> AdapterKit:
    return AdapterKit(clock, _Nothing(), (), _Nothing(), Path())


class PlainAdapter(Adapter):
    """A platform that can post text, and nothing else."""

    platform: ClassVar[str] = "fake"
    settings_type: ClassVar[type[AdapterSettings]] = AdapterSettings

    def __init__(
        self,
        clock: Clock,
        limits: Limits | None = None,
        name: str = "fake",
        *,
        latency: float = 0.0,
    ) -> None:
        super().__init__(AccountName(name), AdapterSettings(), _kit(clock))
        self.limits = limits or Limits(text=1000)
        self.clock = clock
        self.latency = latency
        self.messages: dict[MessageId, Shown] = {}
        self.typing: list[Called] = []
        self.calls: list[Called] = []
        self.violations: list[Called] = []
        self.overlaps = 0
        self.script: Script = defaultdict(deque)
        self._closed_until: dict[str, float] = {}
        self._in_flight: dict[str, int] = defaultdict(int)

    @override
    async def run(self, deliver: Deliver) -> None:
        raise NotImplementedError("this platform delivers nothing")

    @override
    async def send(self, to: Address, message: OutgoingMessage) -> MessageId:
        return await self.call("send", to, lambda: self.put(to, message), message.text)

    def put(self, to: Address, message: OutgoingMessage) -> MessageId:
        self.examine(to, message)
        message_id = MessageId(f"m{len(self.messages) + 1}")
        self.messages[message_id] = Shown(
            where=(to.place.conversation, to.place.thread),
            text=message.text,
            choices=message.choices,
            is_growing=message.is_growing,
            reply_to=message.reply_to,
            key=message.key,
            tasks=message.tasks,
            sent_at=self.clock.now(),
        )
        return message_id

    def examine(self, to: Address, message: OutgoingMessage) -> None:
        """Refuse what no such platform takes."""
        assert not message.tasks, f"no tasks are shown in {to.place}"
        self.check_text(message.text)

    def check_text(self, text: str) -> None:
        size = self.limits.measure(text)
        if not text.strip() or not 0 < size <= self.limits.text:
            raise SendRefused(f"text of {size}")

    async def call(
        self, kind: str, to: Address, apply: Callable[[], Result], text: str = ""
    ) -> Result:
        conversation = to.place.conversation
        called = Called(kind, self.clock.monotonic(), conversation, text)
        self.calls.append(called)
        if called.at < self._closed_until.get(conversation, 0.0):
            self.violations.append(called)
        self.overlaps += self._in_flight[conversation] > 0
        self._in_flight[conversation] += 1
        try:
            if self.latency:
                await self.clock.sleep(self.latency)
            return self._befall(kind, conversation, apply)
        finally:
            self._in_flight[conversation] -= 1

    def _befall(self, kind: str, conversation: str, apply: Callable[[], Result]) -> Result:
        script = self.script[kind]
        fault = script.popleft() if script else None
        if isinstance(fault, Lost):
            if fault.is_applied:
                apply()
            raise SendUncertain("the connection was lost")
        if isinstance(fault, RetryLater) and 0 < fault.after < 1e6:
            self._closed_until[conversation] = self.clock.monotonic() + fault.after
        if isinstance(fault, Exception):
            raise fault
        return apply()

    # What a test asks.

    def texts(self, conversation: str = "c") -> list[str]:
        return [one.text for one in self.messages.values() if one.where[0] == conversation]

    def made(self, *kinds: str, conversation: str | None = None) -> list[Called]:
        return [
            call
            for call in self.calls
            if (not kinds or call.kind in kinds) and conversation in {None, call.conversation}
        ]


class EditingAdapter(
    PlainAdapter,
    EditsMessages,
    DeletesMessages,
    ShowsTyping,
    SendsFiles,
    AsksChoices,
):
    """A platform without send keys, where messages can be changed."""

    typing_every: ClassVar[float] = 4.0
    choices_at_most: ClassVar[int] = 3

    @override
    async def edit(self, to: Address, sent: MessageId, message: OutgoingMessage) -> None:
        await self.call("edit", to, lambda: self.change(to, sent, message), message.text)

    def change(self, to: Address, sent: MessageId, message: OutgoingMessage) -> None:
        if sent not in self.messages:
            raise SendRefused("message to edit not found")
        self.examine(to, message)
        shown = self.messages[sent]
        shown.text, shown.choices, shown.tasks = message.text, message.choices, message.tasks
        shown.is_growing = message.is_growing

    @override
    async def delete(self, to: Address, sent: MessageId) -> None:
        await self.call("delete", to, lambda: self.messages.pop(sent))

    @override
    async def show_typing(self, to: Address) -> None:
        await self.call("typing", to, lambda: None)

    @override
    async def send_files(
        self, to: Address, files: Sequence[OutgoingFile], key: str
    ) -> Sequence[MessageId]:
        def put() -> list[MessageId]:
            assert len({file.is_image for file in files}) == 1
            assert len(files) <= self.limits.files_per_album
            message_id = MessageId(f"m{len(self.messages) + 1}")
            self.messages[message_id] = Shown(
                where=(to.place.conversation, to.place.thread),
                text="",
                files=tuple(file.name for file in files),
                captions=tuple(file.caption for file in files),
                key=key,
            )
            return [message_id]

        return await self.call("files", to, put)

    @property
    def files(self) -> list[tuple[str, ...]]:
        return [one.files for one in self.messages.values() if one.files]


class DraftingAdapter(EditingAdapter, ShowsDrafts):
    """A platform with passing previews in direct messages."""

    def __init__(self, clock: Clock, limits: Limits | None = None, name: str = "fake") -> None:
        super().__init__(clock, limits, name)
        self.drafts: dict[int, str] = {}

    @override
    async def show_draft(self, to: Address, draft: int, text: str) -> None:
        def show() -> None:
            assert 0 < draft < 2**31
            if text:
                self.check_text(text)
            self.drafts[draft] = text

        await self.call("draft", to, show, text)


class KeyedAdapter(EditingAdapter, RepeatsSafely):
    """A platform that gives back the first message for a key it knows."""

    repeat_window: ClassVar[float] = 120.0

    def __init__(self, clock: Clock, limits: Limits | None = None, name: str = "fake") -> None:
        super().__init__(clock, limits, name)
        self._keys: dict[str, tuple[float, MessageId]] = {}

    @override
    def put(self, to: Address, message: OutgoingMessage) -> MessageId:
        now = self.clock.monotonic()
        sent_at, known = self._keys.get(message.key, (0.0, None))
        if known is not None and now - sent_at < self.repeat_window:
            return known
        message_id = super().put(to, message)
        self._keys[message.key] = (now, message_id)
        return message_id


class FindingAdapter(EditingAdapter, FindsSent):
    """A platform whose history can be searched for a key."""

    @override
    async def find_sent(
        self, to: Address, sought: OutgoingMessage, since: float
    ) -> MessageId | None:
        def find() -> MessageId | None:
            for name, one in self.messages.items():
                if one.key == sought.key and one.sent_at >= since:
                    return name
            return None

        return await self.call("find", to, find)


@dataclass
class Stream:
    """How a streamed message grew."""

    begun: str
    added: list[str] = field(default_factory=list)
    """What each edit added to the text; empty where only tasks went on."""
    tasks: list[tuple[Task, ...]] = field(default_factory=list)
    """The tasks of each call."""
    has_ended: bool = False
    rewrites: int = 0
    """Edits that were no additions, and those after the end."""


class StreamingAdapter(FindingAdapter, StreamsReplies, EndsTyping):
    """A platform with streams, whose sign of work stays until a message follows or it is ended."""

    def __init__(
        self,
        clock: Clock,
        limits: Limits | None = None,
        name: str = "fake",
        *,
        latency: float = 0.0,
        needs_thread: bool = False,
    ) -> None:
        super().__init__(clock, limits, name, latency=latency)
        self.needs_thread = needs_thread
        """Whether replies are streamed in threads only."""
        self.streams: dict[MessageId, Stream] = {}
        self.at_work: set[tuple[str, str | None]] = set()
        """Where people are shown that the bot is at work."""
        self.breaches: list[str] = []

    @override
    def streams_in(self, place: Place) -> bool:
        return not self.needs_thread or bool(place.thread or place.anchor)

    def forget(self) -> None:
        """Know no more of streams than an adapter does that has just started."""
        for stream in self.streams.values():
            stream.has_ended = True

    @override
    def examine(self, to: Address, message: OutgoingMessage) -> None:
        is_streamed = self.streams_in(to.place)
        if message.tasks and not is_streamed:
            self._refuse(f"tasks in {to.place}")
        if len({task.id for task in message.tasks}) < len(message.tasks):
            self._refuse("two tasks of one id")
        for task in message.tasks:
            if len(task.title) > 160 or "\n" in task.title + task.detail:
                self._refuse(f"a task that is no line: {task}")
        if message.text or not (is_streamed and message.is_growing):
            self.check_text(message.text)

    def _refuse(self, words: str) -> None:
        self.breaches.append(words)
        raise SendRefused(words)

    @override
    def put(self, to: Address, message: OutgoingMessage) -> MessageId:
        sent = super().put(to, message)
        self.at_work.discard(self.messages[sent].where)
        if message.is_growing and self.streams_in(to.place):
            self.streams[sent] = Stream(message.text, tasks=[message.tasks])
        return sent

    @override
    def change(self, to: Address, sent: MessageId, message: OutgoingMessage) -> None:
        before = self.messages[sent].text if sent in self.messages else ""
        super().change(to, sent, message)
        stream = self.streams.get(sent)
        if stream is None:
            return
        goes_on = message.text.startswith(before)
        if stream.has_ended or not goes_on:
            stream.rewrites += 1
        else:
            stream.added.append(message.text.removeprefix(before))
        stream.tasks.append(message.tasks)
        stream.has_ended = stream.has_ended or not message.is_growing or not goes_on

    @override
    async def show_typing(self, to: Address) -> None:
        where = (to.place.conversation, to.place.thread)
        await self.call("typing", to, lambda: self.at_work.add(where))

    @override
    async def end_typing(self, to: Address) -> None:
        where = (to.place.conversation, to.place.thread)
        await self.call("end typing", to, lambda: self.at_work.discard(where))


class MarkingAdapter(EditingAdapter, MarksMessages):
    """A platform where people's messages can carry a sign of the bot."""

    marks = True

    def __init__(self, clock: Clock, limits: Limits | None = None, name: str = "fake") -> None:
        super().__init__(clock, limits, name)
        self.marked: dict[MessageId, list[Mark]] = {}
        """The signs that each message has had, the last being there now."""

    @override
    async def mark(self, to: Address, message: MessageId, mark: Mark) -> None:
        def put() -> None:
            self.marked.setdefault(message, []).append(mark)

        await self.call("mark", to, put, mark.value)


class SilentEditingAdapter(PlainAdapter, EditsMessages):
    """A platform that edits but cannot show typing."""

    edit = EditingAdapter.edit
    change = EditingAdapter.change
