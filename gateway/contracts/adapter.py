"""The adapter contract: two required methods, and one small class for each ability.

To add a platform, subclass `Adapter`, add the abilities that it has, and name the class
in the entry-point group `parley.adapters`. `adapters/local` is the one to copy.

Errors an adapter may raise, and no others: `RetryLater` (nothing was applied; wait),
`SendUncertain` (it may have been applied), `SendRefused` (never will be; it `is_gone` where
nothing at all is taken any more),
`NotSupported` (this place lacks the ability), `AccountRejected` (stop this adapter).
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from gateway.clock import Clock
from gateway.ids import AccountName, MessageId
from gateway.messages import (
    Address,
    Attachment,
    Inbound,
    Limits,
    Mark,
    OutgoingFile,
    OutgoingMessage,
    Place,
    Receipt,
)
from gateway.settings import AdapterSettings

Deliver = Callable[[Inbound], Awaitable[Receipt]]
"""Returns once the message is safely kept, or refused. Raises `RetryLater` when neither could
be written down: then do not acknowledge it to the platform."""


class Cursor(Protocol):
    """A place in a platform's stream of events that outlives the process."""

    async def load(self) -> str | None: ...

    async def save(self, position: str) -> None: ...


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """A slash command, for the platform's own menu."""

    name: str
    summary: str
    is_direct_only: bool = False
    is_for_owner: bool = False


class ReportHealth(Protocol):
    """Takes an adapter's proof of life, or the trouble it has."""

    def alive(self) -> None:
        """Say that the platform has just answered."""
        ...

    def troubled(self, reason: str) -> None:
        """Say what is wrong, without secrets; it stands until `alive`."""
        ...


@dataclass(frozen=True, slots=True)
class AdapterKit:
    """What the gateway lends an adapter."""

    clock: Clock
    cursor: Cursor
    commands: tuple[CommandInfo, ...]
    health: ReportHealth
    data_dir: Path


class Adapter(ABC):
    """One account on one chat platform.

    Parse and format freely; decide nothing. Who may speak, which session a message
    joins and how a reply grows are the gateway's choices. Constructing connects nothing.
    """

    platform: ClassVar[str]
    settings_type: ClassVar[type[AdapterSettings]]
    is_trusted: ClassVar[bool] = False
    """Whoever can write here is the owner: true only of the process's own terminal."""
    limits: Limits
    silent_at_most: float | None = None
    """Seconds in which `run` says something of its health, `alive` or `troubled`: a run that does
    not is taken for dead and begun anew. None where a platform may be silent for good."""

    def __init__(self, name: AccountName, settings: Any, kit: AdapterKit) -> None:
        self.name = name

    @abstractmethod
    async def run(self, deliver: Deliver) -> None:
        """Receive until cancelled, awaiting `deliver` for each message, in order.

        Acknowledge to the platform after `deliver` returns, never before. Raise
        `RetryLater` to be restarted and `AccountRejected` to be stopped. Release
        every connection for receiving on the way out; sending must go on working
        until `close`.
        """

    @abstractmethod
    async def send(self, to: Address, message: OutgoingMessage) -> MessageId:
        """Post one message and return its id.

        A message that `is_growing` may be refused with `NotSupported`: then it is sent once
        it is whole.
        """

    async def open(self) -> None:
        """Prepare for sending; called once, before `run` and before any send."""

    async def close(self) -> None:
        """Release everything; called once, after the last send."""

    def written(self, command: str, place: Place) -> str:
        """Write a command of the gateway's as people in this place have to type it."""
        return f"/{command}"

    async def check(self) -> str:
        """Ask the platform who we are, for `doctor`; return it in one line."""
        return "nothing to check"


class EditsMessages(ABC):
    """Add to an adapter whose platform can change a sent message."""

    @abstractmethod
    async def edit(self, to: Address, sent: MessageId, message: OutgoingMessage) -> None:
        """Make the message say this now; saying the same again is success."""


class DeletesMessages(ABC):
    """Add where the bot can take back its own message."""

    @abstractmethod
    async def delete(self, to: Address, sent: MessageId) -> None: ...


class ShowsTyping(ABC):
    """Add where the platform can show that the bot is at work."""

    typing_every: ClassVar[float]
    """Seconds after which the sign fades unless shown again."""

    @abstractmethod
    async def show_typing(self, to: Address) -> None: ...


class EndsTyping(ShowsTyping):
    """Add where the sign does not fade by itself within seconds."""

    @abstractmethod
    async def end_typing(self, to: Address) -> None:
        """Take the sign away: work has ended, and no message has followed the sign."""


class ShowsDrafts(ABC):
    """Add where a passing preview can be streamed before the message exists.

    A draft has no id and vanishes by itself; nothing of it survives a crash.
    """

    @abstractmethod
    async def show_draft(self, to: Address, draft: int, text: str) -> None:
        """Show `text` (Markdown, may be empty: "thinking") as the draft of this number.

        Raise `NotSupported` where this place or server has no drafts.
        """


class StreamsReplies(EditsMessages):
    """Add where a message can be streamed: text is added to it, and tools are tasks in it.

    `send` of a growing message begins the stream, `edit` of one adds what is new, and the
    first `edit` that is not growing ends it. The text may be empty while it grows, and may
    turn out not to begin with the last one: then show it by a plain edit. What a platform
    does to a stream that lasts too long is the adapter's to get round, in the same message.
    """

    @abstractmethod
    def streams_in(self, place: Place) -> bool:
        """Say whether replies are streamed here; elsewhere messages carry no tasks."""


class MarksMessages(ABC):
    """Add where the bot can put a sign on a person's message."""

    marks: bool
    """Whether this account's settings ask for it."""

    @abstractmethod
    async def mark(self, to: Address, message: MessageId, mark: Mark) -> None:
        """Show this sign in place of our earlier one; a sign that is there is success."""


class SendsFiles(ABC):
    """Add where files can be sent natively."""

    @abstractmethod
    async def send_files(
        self, to: Address, files: Sequence[OutgoingFile], key: str
    ) -> Sequence[MessageId]:
        """Send files of one kind (all images, or none) together, with their captions.

        At most `limits.files_per_album` at once.
        """


class FetchesFiles(ABC):
    """Add where messages can carry files to the bot."""

    @abstractmethod
    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        """Return the file's bytes.

        Raise `Refused`, in words for the user, when it is gone or over `limit` bytes.
        """


class AsksChoices(ABC):
    """Add where messages can carry buttons; without it choices are listed as text.

    A press is delivered as a message of its own. One that is taken settles a message that
    has stopped growing: its buttons go, and it shows what was chosen. One that is refused
    tells the presser alone why.
    """

    choices_at_most: ClassVar[int]


class RepeatsSafely(ABC):
    """Add where a send with a known key gives back the first message, within a window."""

    repeat_window: ClassVar[float]
    """Seconds for which the platform remembers a key."""


class FindsSent(ABC):
    """Add where our own messages can be read back, so that a lost answer is no riddle."""

    @abstractmethod
    async def find_sent(
        self, to: Address, sought: OutgoingMessage, since: float
    ) -> MessageId | None:
        """Return the message that was sent under `sought.key`, if it has arrived.

        It was sent after `since`, seconds since 1970, and may have begun to grow. Raise
        `NotSupported` where that cannot be known. Files are not asked for.
        """
