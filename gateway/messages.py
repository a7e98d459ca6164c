"""What platforms deliver and what is sent back: plain data, the same for every platform."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from gateway.ids import AccountName, EventKey, ExternalUser, MessageId, PlatformName


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes: a conversation, and a thread in it where there is one."""

    conversation: str
    """The platform's id of the chat or channel."""
    thread: str | None = None
    is_direct: bool = False
    space: str | None = None
    """Server or workspace that holds the conversation, on platforms that have one."""
    anchor: str | None = None
    """Where in the conversation answers hang, when that makes no session of its own."""


@dataclass(frozen=True, slots=True)
class Address:
    """Who wrote, and where: `(platform, external_user, channel_context)` and the account."""

    platform: PlatformName
    account: AccountName
    external_user: ExternalUser
    place: Place

    @property
    def channel_context(self) -> str:
        return channel_context(self.platform, self.place)

    @property
    def identity(self) -> str:
        """Write who wrote as settings name people: `platform:user_id`."""
        return f"{self.platform}:{self.external_user}"

    @property
    def place_name(self) -> str:
        """Write the conversation as settings name it."""
        return f"{self.platform}:{self.place.conversation}"


def channel_context(platform: PlatformName, place: Place) -> str:
    """Name a place for session keys; `dm` in any direct message, on any platform."""
    if place.is_direct:
        return "dm" if place.thread is None else f"dm/{_quoted(platform, place.thread)}"
    parts = (platform, place.space, place.conversation, place.thread)
    return _quoted(*(part for part in parts if part is not None))


def _quoted(*parts: str) -> str:
    return "/".join(quote(part, safe="") for part in parts)


class AttachmentKind(StrEnum):
    """How a platform presented a file; it decides how the model is shown it."""

    IMAGE = "image"
    AUDIO = "audio"
    VOICE = "voice"
    VIDEO = "video"
    STICKER = "sticker"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message and is fetched when its turn starts."""

    kind: AttachmentKind
    reference: str
    """What the adapter needs to fetch it, now or after a restart; never a secret."""
    name: str
    mime: str
    size: int | None = None
    """Bytes, where the platform says so."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that this one answers."""

    author: str
    text: str
    is_ours: bool = False


class Origin(StrEnum):
    """How a message was made."""

    TYPED = "typed"
    PRESSED = "pressed"
    """A choice was pressed: the text is the choice's value."""
    INVOKED = "invoked"
    """A command was taken from the platform's own menu, which waits for an answer to
    `message_id`, in direct messages too."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as a platform delivered it."""

    event_key: EventKey
    message_id: MessageId
    address: Address
    sender_name: str
    """For people's eyes only: authority comes from `address.external_user`."""
    text: str
    sent_at: float
    attachments: tuple[Attachment, ...] = ()
    quote: Quote | None = None
    forwarded_from: str | None = None
    is_addressed: bool = True
    """Meant for the bot: a direct message, a mention, a reply to it or a command."""
    is_from_bot: bool = False
    album: str | None = None
    """Messages of one sender with the same album are one turn."""
    edited_at: float | None = None
    origin: Origin = Origin.TYPED
    pressed_on: MessageId | None = None

    def with_attachments(self, attachments: tuple[Attachment, ...]) -> "Message":
        return replace(self, attachments=attachments)


@dataclass(frozen=True, slots=True)
class PlaceMoved:
    """The platform gave a conversation a new id; its history goes on under the new one."""

    event_key: EventKey
    account: AccountName
    platform: PlatformName
    old: Place
    new: Place


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """Its writer took a message back; it is not answered if its turn has not begun."""

    event_key: EventKey
    account: AccountName
    message_id: MessageId


@dataclass(frozen=True, slots=True)
class _Several:
    messages: tuple[Message, ...]
    """Oldest first; at least one."""

    @property
    def account(self) -> AccountName:
        return self.messages[-1].address.account

    @property
    def event_key(self) -> EventKey:
        return self.messages[-1].event_key


@dataclass(frozen=True, slots=True)
class MessagesMissed(_Several):
    """Messages of one conversation that were found too long after they were written.

    They are not answered, and whoever wrote them to the bot is told so, once for all.
    """


@dataclass(frozen=True, slots=True)
class Burst(_Several):
    """Messages of one conversation that came at once; those that may be are kept all or none.

    None of them is one that a platform waits for a word about.
    """


Inbound = Message | Burst | PlaceMoved | MessageDeleted | MessagesMissed


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an inbound message, for platforms that wait for a word at once."""

    is_taken: bool = True
    words: str = ""
    """Why it was not taken, for the sender's eyes alone; empty when nothing is to be said."""


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file to send, already copied to where only the gateway writes."""

    path: Path
    name: str
    mime: str
    caption: str = ""
    is_image: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A button; pressing it delivers a message that says `value`."""

    label: str
    value: str
    """At most 64 bytes."""
    is_danger: bool = False


class TaskState(StrEnum):
    """How far a task is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Task:
    """A tool at work, or done, as platforms show it that have tasks of their own."""

    id: str
    """Unique in its message; the same while the state changes."""
    title: str
    """The tool and its input, plain words, at most 160 characters."""
    state: TaskState
    detail: str = ""
    """The outcome in one line, plain words."""


class Mark(StrEnum):
    """A sign on a person's message that says what became of it."""

    SEEN = "seen"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One visible message."""

    key: str
    """The outbox id: the same for every attempt, so that a keyed send is made once."""
    text: str
    """Markdown (CommonMark with tables and strikethrough), within the adapter's limit."""
    reply_to: MessageId | None = None
    choices: tuple[Choice, ...] = ()
    is_growing: bool = False
    """More will follow by edit: show no link previews, ring no bell twice."""
    tasks: tuple[Task, ...] = ()
    """Only where replies are streamed; elsewhere the text tells of tools."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A platform's plain numbers. Bytes and seconds; text in the platform's own unit."""

    text: int
    measure: Callable[[str], int] = field(default=len)
    """Length of Markdown once rendered, in the unit of `text`."""
    caption: int = 1024
    edit_every: float = 1.0
    """Least seconds between interim edits of one direct conversation."""
    edit_every_in_groups: float = 3.0
    draft_every: float = 0.5
    stream_every: float = 0.7
    """Least seconds between additions to a streamed message."""
    calls_per_minute_in_groups: int | None = None
    threads_apart: bool = False
    """Whether each thread of a conversation has rates of its own."""
    calls_per_second: float | None = None
    """Over the whole account."""
    is_rate_strict: bool = False
    """Going over `calls_per_second` once closes the whole account for a while."""
    image_bytes: int = 10_000_000
    file_bytes: int = 50_000_000
    download_bytes: int = 20_000_000
    files_per_album: int = 1
