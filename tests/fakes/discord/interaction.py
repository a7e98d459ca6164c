"""A slash command that was used, or a button that was pressed, and what the bot answered.

Facts: https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord.message import Message
from tests.fakes.discord.places import Channel

COMMAND, COMPONENT = 2, 3


@dataclass(slots=True, eq=False)
class Interaction:
    """What somebody did; `answers` is what they see for it."""

    id: int
    token: str
    kind: int
    user: dict[str, Any]
    channel: Channel
    data: dict[str, Any]
    at: float
    message: Message | None = None
    """The one that holds the button."""
    response: int | None = None
    """The type of the first answer: 4 a message, 5 and 6 later, 7 a change of the message."""
    original: Message | None = None
    """The message that is the first answer, or holds its place."""
    followups: list[Message] = field(default_factory=list)

    @property
    def is_answered(self) -> bool:
        return self.response is not None

    @property
    def user_id(self) -> int:
        return int(self.user["id"])

    @property
    def answers(self) -> list[str]:
        """Texts that answer it, those for its user alone too."""
        first = [] if self.original in {None, self.message} else [self.original]
        return [one.text for one in (*first, *self.followups) if not one.is_deleted]

    @property
    def is_thinking(self) -> bool:
        return self.original is not None and self.original.is_thinking
