"""What a conversation holds: messages, streams, tasks, statuses, and who is in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack.blocks import Block, buttons_of, read_blocks
from tests.fakes.slack.files import StoredFile
from tests.fakes.slack.text import read_mrkdwn
from tests.fakes.watch import Watch

STREAM_SECONDS = 300.0
STATUS_SECONDS = 120.0
PROCESSING_SECONDS = 3_600.0


@dataclass(slots=True)
class Task:
    """A card in a streamed message."""

    id: str
    title: str
    status: str
    """`pending`, `in_progress`, `complete` or `error`."""
    details: str = ""
    output: str = ""
    sources: list[dict[str, Any]] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    """Statuses before this one."""


@dataclass(slots=True)
class Stream:
    """How a message grows, or grew."""

    began: float
    recipient: tuple[str, str] | None
    """User and team, where the call named them."""
    mode: str
    tasks: dict[str, Task] = field(default_factory=dict)
    plan: str = ""
    ended: float | None = None
    is_broken: bool = False
    """Died of its age: people see the message as failed until it is updated."""

    def is_growing(self, now: float) -> bool:
        if self.ended is None and now - self.began >= STREAM_SECONDS:
            self.ended, self.is_broken = self.began + STREAM_SECONDS, True
        return self.ended is None


@dataclass(slots=True)
class Message:
    """One message as people see it now, and how it came to be so."""

    ts: str
    who: str
    """Name of the author; `bot` for our app."""
    user: str
    """Id of the author; empty for other bots."""
    at: float
    text: str = ""
    """As it was sent: with blocks, what notifications say."""
    blocks: list[Block] = field(default_factory=list)
    files: list[StoredFile] = field(default_factory=list)
    thread_ts: str | None = None
    """The root it answers; a root names none, though its payload does once it has replies."""
    is_broadcast: bool = False
    metadata: dict[str, Any] | None = None
    stream: Stream | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    """Further fields of the payload."""
    earlier: list[str] = field(default_factory=list)
    """What was shown before each edit or addition, oldest first."""
    edited_ts: str | None = None
    edited_by: str = ""
    is_deleted: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    """Users by emoji name."""

    @property
    def is_from_bot(self) -> bool:
        """Whether our app wrote it."""
        return self.who == "bot"

    @property
    def shown(self) -> str:
        """What a person reads in it."""
        return (read_blocks(self.blocks) if self.blocks else read_mrkdwn(self.text)).strip()

    @property
    def labels(self) -> list[str]:
        return [button["text"]["text"] for button, _ in buttons_of(self.blocks)]

    @property
    def tasks(self) -> list[Task]:
        return list(self.stream.tasks.values()) if self.stream else []

    @property
    def is_broken(self) -> bool:
        return self.stream is not None and self.stream.is_broken

    def is_streaming(self, now: float) -> bool:
        return self.stream is not None and self.stream.is_growing(now)


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """What one person alone sees, until they reload."""

    user: str
    at: float
    text: str
    blocks: tuple[Block, ...]
    thread_ts: str | None

    @property
    def shown(self) -> str:
        return (read_blocks(self.blocks) if self.blocks else read_mrkdwn(self.text)).strip()


@dataclass(frozen=True, slots=True)
class Status:
    """The line under a thread that says the app is at work."""

    at: float
    text: str
    loading: tuple[str, ...] = ()


@dataclass(slots=True)
class Session:
    """An agent's session in a thread."""

    status: str
    title: str
    at: float


class Conversation:
    """A direct message, group direct message or channel; `shown()` is what people see in it."""

    def __init__(
        self,
        channel: str,
        kind: str,
        *,
        name: str = "",
        members: Iterable[str] = (),
        now: Callable[[], float],
    ) -> None:
        self.id = channel
        self.kind = kind
        """`im`, `mpim`, `channel` or `group` (a private channel)."""
        self.name = name
        self.members = set(members)
        self.has_bot = True
        self.is_archived = False
        self.is_shared = False
        """With another workspace (Slack Connect)."""
        self.messages: dict[str, Message] = {}
        self.ephemeral: list[Ephemeral] = []
        self.statuses: dict[str, list[Status]] = {}
        """Every status a thread had, by its root."""
        self.sessions: dict[str, Session] = {}
        self.prompts: list[dict[str, Any]] = []
        """Every set of suggested prompts, newest last."""
        self.titles: dict[str, str] = {}
        self.watch = Watch()
        self.now = now

    def shown(self, thread: str | None = None) -> list[Message]:
        """Return the visible messages in order, of one thread (root first) if named."""
        return [
            message
            for message in self.messages.values()
            if not message.is_deleted
            and (thread is None or thread in {message.thread_ts, message.ts})
        ]

    def top(self) -> list[Message]:
        """Return what is shown beside the threads."""
        return [one for one in self.shown() if one.thread_ts is None or one.is_broadcast]

    def bot_texts(self, thread: str | None = None) -> list[str]:
        """Return the texts of our app's visible messages, in order."""
        return [message.shown for message in self.shown(thread) if message.is_from_bot]

    def streaming(self, thread: str | None = None) -> list[Message]:
        """Return the messages that still grow."""
        return [one for one in self.shown(thread) if one.is_streaming(self.now())]

    def status(self, thread: str) -> str:
        """Return the status line that a thread shows now."""
        last = (self.statuses.get(thread) or [Status(0.0, "")])[-1]
        is_old = self.now() - last.at >= STATUS_SECONDS
        is_answered = any(
            one.is_from_bot and one.at >= last.at
            for one in self.shown(thread)
            if one.thread_ts == thread
        )
        return "" if is_old or is_answered else last.text

    def can_be_stopped(self, thread: str) -> bool:
        """Whether the thread has the native Stop button now."""
        session = self.sessions.get(thread)
        if session is None or session.status != "processing":
            return False
        return self.now() - session.at < PROCESSING_SECONDS

    async def until(
        self,
        holds: Callable[[list[Message]], bool],
        *,
        timeout: float = 15.0,  # noqa: ASYNC109 - the wait is what the caller asks for
    ) -> list[Message]:
        """Wait until `holds(shown)`, woken by each change of this place; return `shown()`."""
        await self.watch.until(
            lambda: holds(self.shown()),
            timeout=timeout,
            now=lambda: [(one.who, one.thread_ts, one.shown) for one in self.shown()],
        )
        return self.shown()
