"""A turn as it happens: what a reply shows, and what the pool keeps."""

from dataclasses import dataclass

from gateway.ids import ApprovalId, HoldId
from gateway.messages import OutgoingFile
from gateway.transcript import Entry, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """More reply text, Markdown."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted:
    """A tool began; `summary` is its input in at most 80 characters."""

    call_id: str
    tool: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished:
    """A tool ended well; `summary` is its result in one line."""

    call_id: str
    tool: str
    summary: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFailed:
    """A tool ended badly; `summary` is the error's first line, at most 120 characters."""

    call_id: str
    tool: str
    summary: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReady:
    """An image to show in the conversation."""

    file: OutgoingFile
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReady:
    """A file to hand over in the conversation."""

    file: OutgoingFile
    call_id: str = ""
    """Of the tool that made it, if one did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRestarted:
    """The text shown since the last finished step is void: the model is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeAdded:
    """A word from the gateway itself, shown apart from the model's text."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested:
    """The turn waits for its person's leave to run a tool."""

    approval: ApprovalId
    call_id: str
    tool: str
    arguments: str
    """JSON, whole, for people's eyes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFailed:
    """The turn ends here; `words` say why, fit for the user. Always the last event."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRecorded:
    """A transcript entry is complete: the pool keeps it before it asks for more."""

    entry: Entry
    usage: Usage | None = None
    """What the model call that made the entry cost; None for what no model made."""
    model: str | None = None
    """The model that made the entry, a fallback's name when one stepped in."""
    micros: int = 0
    """What the call cost, in millionths; 0 where no price is known."""
    hold: HoldId | None = None
    """What was held for the call, and is now spent or free."""


ReplyEvent = (
    TextDelta
    | ToolStarted
    | ToolFinished
    | ToolFailed
    | ImageReady
    | FileReady
    | TextRestarted
    | NoticeAdded
    | ApprovalRequested
    | TurnFailed
)
RunnerEvent = ReplyEvent | EntryRecorded
