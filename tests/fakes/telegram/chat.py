"""What a chat holds: messages, drafts, typing, topics, and who is in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram.buttons import Keyboard
from tests.fakes.telegram.files import StoredFile
from tests.fakes.telegram.text import Entity
from tests.fakes.watch import Watch

DRAFT_SECONDS = 30.0
TYPING_SECONDS = 5.0


@dataclass(slots=True)
class Message:
    """One message as people see it now, and how it came to be so."""

    message_id: int
    who: str
    """First name of the author; `bot` for our bot."""
    user: dict[str, Any]
    at: float
    text: str = ""
    """The text, or the caption of a file."""
    entities: tuple[Entity, ...] = ()
    media: StoredFile | None = None
    buttons: Keyboard | None = None
    thread: int | None = None
    is_topic: bool = False
    reply_to: "Message | None" = None
    album: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    """Further fields of the payload: quote, forward_origin, location, ..."""
    earlier: list[str] = field(default_factory=list)
    """Texts before each edit, oldest first."""
    edited_at: float | None = None
    is_deleted: bool = False
    is_old: bool = False
    """So old that the bot is not shown it when a button under it is pressed."""
    reacted: dict[str, str] = field(default_factory=dict)
    """One emoji of each who reacted, by first name; `bot` is our bot."""

    @property
    def edits(self) -> int:
        return len(self.earlier)

    @property
    def is_from_bot(self) -> bool:
        """Whether our bot wrote it."""
        return self.who == "bot"

    @property
    def reactions(self) -> list[str]:
        """What is shown under the message, each emoji once."""
        return list(dict.fromkeys(self.reacted.values()))

    @property
    def labels(self) -> list[str]:
        """Texts of the buttons, row after row."""
        return [button["text"] for row in self.buttons or [] for button in row]

    def button(self, label: str) -> dict[str, Any] | None:
        for row in self.buttons or []:
            for button in row:
                if button["text"] == label:
                    return button
        return None


@dataclass(slots=True)
class Draft:
    """A passing preview: every text it showed, with its time."""

    draft_id: int
    thread: int | None
    can_stop: bool
    keep_on_stop: bool
    texts: list[tuple[float, str]] = field(default_factory=list)
    is_stopped: bool = False
    is_over: bool = False
    """Replaced by a message, by another draft, or stopped."""

    @property
    def text(self) -> str:
        return self.texts[-1][1]

    def is_shown(self, now: float) -> bool:
        return not self.is_over and now - self.texts[-1][0] < DRAFT_SECONDS


@dataclass(frozen=True, slots=True)
class Typing:
    """The bot showed that it is at work."""

    at: float
    action: str
    thread: int | None


class Chat:
    """A private chat, group or supergroup; `shown()` is what people see in it."""

    def __init__(
        self,
        chat_id: int,
        kind: str,
        *,
        title: str | None = None,
        members: Iterable[int] = (),
        is_forum: bool = False,
        clock_now: Callable[[], float],
    ) -> None:
        self.id = chat_id
        self.kind = kind
        """`private`, `group` or `supergroup`."""
        self.title = title
        self.members = set(members)
        self.is_forum = is_forum
        self.topics: dict[int, str] = {}
        self.closed_topics: set[int] = set()
        self.messages: dict[int, Message] = {}
        self.drafts: list[Draft] = []
        self.typing: list[Typing] = []
        self.is_reachable = True
        """Whether the bot may write: not blocked, not removed."""
        self.unreachable_because = ""
        self.reactions: frozenset[str] | None = None
        """Those that the chat allows; None for all that are standard."""
        self.migrated_to: int | None = None
        self.watch = Watch()
        self.now = clock_now
        self.next_own_id = 2
        """For supergroups; 1 is the message of their creation."""

    def shown(self, thread: int | None = None) -> list[Message]:
        """Return the visible messages in order, of one topic if named."""
        return [
            message
            for message in self.messages.values()
            if not message.is_deleted and (thread is None or message.thread == thread)
        ]

    def bot_texts(self, thread: int | None = None) -> list[str]:
        """Return the texts of the bot's visible messages, in order."""
        return [message.text for message in self.shown(thread) if message.is_from_bot]

    def draft(self, thread: int | None = None) -> Draft | None:
        """Return the draft that people see now."""
        for draft in reversed(self.drafts):
            if draft.thread == thread and draft.is_shown(self.now()):
                return draft
        return None

    def is_typing(self) -> bool:
        """Whether people see the bot at work now."""
        last = self.typing[-1] if self.typing else None
        if last is None or self.now() - last.at >= TYPING_SECONDS:
            return False
        return not any(
            message.is_from_bot and message.at >= last.at for message in self.messages.values()
        )

    async def until(
        self,
        holds: Callable[[list[Message]], bool],
        *,
        timeout: float = 15.0,  # noqa: ASYNC109 - the wait is what the caller asks for
    ) -> list[Message]:
        """Wait until `holds(shown)`, woken by each change of this chat; return `shown()`.

        Drafts and typing change it too: `chat.until(lambda _: chat.draft() is not None)`.
        """
        await self.watch.until(
            lambda: holds(self.shown()),
            timeout=timeout,
            now=lambda: [(message.who, message.text) for message in self.shown()],
        )
        return self.shown()

    def add(self, message: Message) -> None:
        """Put a message at the end; a message of the bot takes its draft's place."""
        self.messages[message.message_id] = message
        if message.is_from_bot:
            for draft in self.drafts:
                if draft.thread == message.thread:
                    draft.is_over = True
        self.watch.changed()

    def payload(self) -> dict[str, Any]:
        """Return the chat as updates and answers show it."""
        shown: dict[str, Any] = {"id": self.id, "type": self.kind}
        if self.title is not None:
            shown["title"] = self.title
        if self.is_forum:
            shown["is_forum"] = True
        return shown
