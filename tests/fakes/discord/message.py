"""One message as people see it now, and how it came to be so."""

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord.components import Component, buttons, texts
from tests.fakes.discord.files import StoredFile
from tests.fakes.discord.markdown import plain

DEFAULT, THREAD_CREATED, REPLY, COMMAND, THREAD_STARTER = 0, 18, 19, 20, 21
TALK = frozenset({DEFAULT, REPLY, COMMAND})
"""Types of message that people write; the others are made by Discord itself."""

SUPPRESS_EMBEDS = 1 << 2
HAS_THREAD = 1 << 5
EPHEMERAL = 1 << 6
LOADING = 1 << 7
VOICE = 1 << 13
COMPONENTS_V2 = 1 << 15


@dataclass(slots=True, eq=False)
class Message:
    """A message of a channel; `text` is what a person reads, `content` what was sent."""

    id: int
    channel_id: int
    who: str
    """Name of the author; `bot` for our bot."""
    author: dict[str, Any]
    at: float
    content: str = ""
    kind: int = DEFAULT
    nonce: str | int | None = None
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)
    files: list[StoredFile] = field(default_factory=list)
    stickers: list[dict[str, Any]] = field(default_factory=list)
    flags: int = 0
    reply_to: "Message | None" = None
    reference: dict[str, Any] | None = None
    mentions: list[dict[str, Any]] = field(default_factory=list)
    mention_roles: list[int] = field(default_factory=list)
    mention_everyone: bool = False
    reactions: dict[str, list[int]] = field(default_factory=dict)
    """Who reacted, by emoji."""
    webhook_id: int | None = None
    application_id: int | None = None
    metadata: dict[str, Any] | None = None
    """Of the interaction that it answers."""
    seen_by: int | None = None
    """The one person who sees it, if it is ephemeral."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Further fields of the payload: `message_snapshots`, `poll`, ..."""
    earlier: list[str] = field(default_factory=list)
    """Contents before each edit, oldest first."""
    edited_at: float | None = None
    is_deleted: bool = False

    @property
    def text(self) -> str:
        parts = [self.content, *texts(self.components)]
        return "\n".join(plain(part) for part in parts if part)

    @property
    def edits(self) -> int:
        return len(self.earlier)

    @property
    def is_from_bot(self) -> bool:
        """Whether our bot wrote it."""
        return self.who == "bot"

    @property
    def is_talk(self) -> bool:
        return self.kind in TALK

    @property
    def is_thinking(self) -> bool:
        """Whether it still shows that an answer to a command is being thought of."""
        return bool(self.flags & LOADING)

    @property
    def labels(self) -> list[str]:
        """Texts of the buttons, row after row."""
        return [button.get("label", "") for button in buttons(self.components)]

    def button(self, label: str) -> Component | None:
        for button in buttons(self.components):
            if button.get("label") == label and not button.get("disabled"):
                return button
        return None
