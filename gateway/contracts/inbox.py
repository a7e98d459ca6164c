"""The store contract for what was accepted; on commits and times see `stores`."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.contracts.money import Payer
from gateway.ids import AccountName, AgentId, Lane, MessageId, PersonId
from gateway.messages import Message

_ASIDE = "!aside"
"""Ends the lane of what waits for its account; "!" is quoted in every key."""


def aside(lane: Lane) -> Lane:
    return lane if is_aside(lane) else Lane(f"{lane}{_ASIDE}")


def put_back(lane: Lane) -> Lane:
    return Lane(lane.removesuffix(_ASIDE))


def is_aside(lane: Lane) -> bool:
    """Say whether what waits there waits for an account that nothing can be sent on."""
    return lane.endswith(_ASIDE)


@dataclass(frozen=True, slots=True)
class Kept:
    """An inbox row: a message that will be worked on, whatever happens."""

    number: int
    """Grows in the order of acceptance."""
    lane: Lane
    session_key: str
    agent: AgentId
    person: PersonId | None
    message: Message
    kept_at: float
    not_before: float = 0.0
    """Work is put off until this time, as the model is down."""
    is_behind: bool = False
    """An earlier message of its session is still at work in a lane that has another name now."""

    @property
    def owner(self) -> PersonId | None:
        """Return whose session it is: nobody's own where several people share it."""
        return self.person if self.message.address.place.is_direct else None

    @property
    def payer(self) -> Payer:
        """Return on whose account the answer goes: that of who asked, and of the place."""
        address = self.message.address
        return Payer(
            self.agent, self.person, None if address.place.is_direct else address.place_name
        )


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody said near the bot, and not to it."""

    author: str
    """As `platform:user_id`."""
    speaker: str
    text: str


class Overheard(Protocol):
    """What was said near the bot, where the settings let it know."""

    async def note(self, message: Message, most: int) -> None:
        """Remember it for its place, of which the newest `most` are kept."""
        ...

    async def take(self, place: str, most: int) -> Sequence[Heard]:
        """Return a `channel_context`'s newest `most`, oldest first, and forget them all."""
        ...


class Missed(Protocol):
    """What was found too long after it was written to be answered."""

    async def note(self, messages: Sequence[Message]) -> bool:
        """Record messages of one conversation without their text, and have it told there, once.

        False if all of them were known before.
        """
        ...


class KeepOutcome(StrEnum):
    """What `Inbox.keep` did with a message."""

    KEPT = "kept"
    DUPLICATE = "duplicate"
    REPLACED = "replaced"
    """An edit took the place of a message that was still waiting."""
    TOO_LATE = "too_late"
    """An edit of a message whose turn has started or ended; kept for the record only."""
    FULL = "full"
    """The lane, the person or the whole inbox is at its bound; kept as shed."""
    STALE = "stale"
    """Its sender is no longer who they were taken for; nothing was kept: look again."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that may be kept, and on whose behalf."""

    message: Message
    lane: Lane
    session_key: str
    agent: AgentId
    person: PersonId | None
    is_linked: bool | None = None
    """Given, it is kept only if its sender still is that person, linked or not."""
    is_bounded: bool = True
    """Unless so, it is kept however much waits."""


class Inbox(Protocol):
    """Accepted messages, each once."""

    async def keep(self, arrivals: Sequence[Arrival]) -> Sequence[KeepOutcome]:
        """Keep messages in their order, each once, or raise with none kept.

        Unique by (account, event_key) and by (account, message_id, edited_at). When one
        is stale, all are.
        """
        ...

    async def refuse(self, message: Message, reason: str, *, with_address: bool = False) -> bool:
        """Record that a message was refused, without its text; False for a duplicate.

        With its address an owner can be told which place it was.
        """
        ...

    async def withdraw(self, account: AccountName, message_id: MessageId) -> None:
        """Close a message that waits and whose turn has not begun: its writer took it back.

        One that was only overheard is forgotten.
        """
        ...

    async def head(self, lane: Lane) -> Kept | None:
        """Return the lane's oldest message that is not done, interrupted ones included."""
        ...

    async def lanes_of(self, session_key: str) -> Sequence[Lane]:
        """Return the lanes in which messages of a session wait or are at work.

        That is more than its own while a turn goes on that began under another key.
        """
        ...

    async def merge_album(self, head: Kept) -> Kept:
        """Fold the waiting messages of the head's album and sender into the head."""
        ...

    async def album_quiet_since(self, head: Kept) -> float:
        """Return when the newest message of the head's album was kept."""
        ...

    async def close(self, kept: Kept, outcome: str) -> None:
        """Mark a message that needs no turn as done (`done`, `shed`, `dead`)."""
        ...

    async def waiting_lanes(self) -> Sequence[Lane]:
        """Return every lane with work, oldest work first: what a restart must drain."""
        ...

    async def waiting(self, lane: Lane | None = None) -> int: ...
