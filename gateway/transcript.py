"""A session's history: what was said, what tools were asked and what they gave back."""

import math
from dataclasses import dataclass, field
from typing import Any

from gateway.messages import OutgoingFile


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Words."""

    text: str


@dataclass(frozen=True, slots=True)
class FileBlock:
    """A file in the person's workspace that the model is shown or told of."""

    path: str
    """Relative to the workspace, as tools name it."""
    name: str
    mime: str
    size: int


@dataclass(frozen=True, slots=True)
class HeardBlock:
    """What somebody said near the bot, and not to it."""

    author: str
    """Who said it, as `platform:user_id`."""
    speaker: str
    text: str


SaidBlock = TextBlock | FileBlock
Block = HeardBlock | SaidBlock
Content = str | tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool."""

    call_id: str
    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UserEntry:
    """What a person said; `speaker` is set where several people share the session."""

    content: Content
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class AssistantEntry:
    """What the model said, and the tools it asked for in the same breath."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    is_partial: bool = False
    """Stopped before its end, by the user, a time limit or a failure."""


@dataclass(frozen=True, slots=True)
class ToolResultEntry:
    """What a tool gave back."""

    call_id: str
    tool: str
    text: str
    is_error: bool = False
    files: tuple[OutgoingFile, ...] = ()
    """What it hands to the user; kept here so that a crash before sending loses nothing."""


@dataclass(frozen=True, slots=True)
class SummaryEntry:
    """Stands for older entries that were folded; the originals stay searchable."""

    text: str


Entry = UserEntry | AssistantEntry | ToolResultEntry | SummaryEntry


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more model calls."""

    input_tokens: int = 0
    """All of the prompt, cached or not."""
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry with its place in the session."""

    seq: int
    entry: Entry
    turn: str | None = None
    created_at: float = field(default=0.0, compare=False)


_QUOTE_LIMIT = 2_000


def message_text(content: Content) -> str:
    """Join all words of a message, without those that were heard before it."""
    if isinstance(content, str):
        return content
    return "\n".join(block.text for block in content if isinstance(block, TextBlock))


def heard_text(content: Content) -> str:
    """Say what was heard before a message: by whom, and that nobody asks for anything."""
    heard = [] if isinstance(content, str) else _heard_lines(content)
    return "\n".join(["[Said here meanwhile, and not to you:]", *heard]) if heard else ""


def _heard_lines(blocks: tuple[Block, ...]) -> list[str]:
    heard = (block for block in blocks if isinstance(block, HeardBlock))
    return [quoted(f"{' '.join(one.speaker.split())}: {one.text}") for one in heard]


def quoted(text: str) -> str:
    """Set words of somebody else apart, as many as a message may quote."""
    cut = text if len(text) <= _QUOTE_LIMIT else text[:_QUOTE_LIMIT] + "…"
    return "\n".join(f"> {line}" for line in cut.splitlines())


def entry_text(entry: Entry) -> str:
    """Return an entry's words, as search and token estimates see them."""
    match entry:
        case UserEntry(content=content):
            return "\n\n".join(filter(None, (heard_text(content), message_text(content))))
        case AssistantEntry(text=text, calls=calls):
            return "\n".join([text, *(f"{call.tool} {call.arguments}" for call in calls)])
        case ToolResultEntry(text=text) | SummaryEntry(text=text):
            return text


def estimate_tokens(text: str) -> int:
    """Guess tokens as a quarter of the UTF-8 bytes, rounded up."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / 4)


_FILE_TOKENS = 1_500
"""What an image or a short PDF costs with either provider, roughly."""


def entry_tokens(entry: Entry) -> int:
    """Guess what an entry costs in a prompt, files included."""
    tokens = estimate_tokens(entry_text(entry))
    if isinstance(entry, UserEntry) and not isinstance(entry.content, str):
        tokens += _FILE_TOKENS * sum(isinstance(block, FileBlock) for block in entry.content)
    return tokens


TEXT_LIMIT = 40_000
"""Characters of a text file that a model is shown; the rest is for tools to read."""

# fmt: off
_TEXT_SUFFIXES = (
    ".c", ".cfg", ".conf", ".cpp", ".css", ".csv", ".env", ".go", ".h", ".html", ".ini", ".java",
    ".js", ".json", ".jsonl", ".log", ".lua", ".md", ".php", ".py", ".rb", ".rs", ".rst", ".sh",
    ".sql", ".svg", ".tex", ".toml", ".ts", ".tsv", ".txt", ".xml", ".yaml", ".yml",
)
# fmt: on
_TEXT_MIMES = frozenset({
    "application/json",
    "application/javascript",
    "application/sql",
    "application/toml",
    "application/x-sh",
    "application/xml",
    "application/yaml",
    "application/x-yaml",
})


def is_text(block: FileBlock) -> bool:
    """Say whether a file is shown to models as text, by what its sender calls it."""
    mime = block.mime.partition(";")[0].strip()
    named = mime.startswith("text/") or mime.endswith(("+json", "+xml")) or mime in _TEXT_MIMES
    return named or block.name.lower().endswith(_TEXT_SUFFIXES)
