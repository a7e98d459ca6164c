"""The store contract for those who look after the bot: facts on sessions and places, no words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.ids import AgentId, PersonId, SessionId
from gateway.messages import Address


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A session without what was said in it, but for its title."""

    id: SessionId
    agent: AgentId
    key: str
    person: PersonId | None
    title: str | None
    model: str | None
    entries: int
    """How many were ever added."""
    created_at: float
    last_active: float
    is_archived: bool


@dataclass(frozen=True, slots=True)
class PlaceTalk:
    """All sessions that ever had one key, in a place that its members share."""

    agent: AgentId
    key: str
    sessions: int
    last_active: float
    address: Address | None
    """Of its newest message, as long as that is kept."""
    places: tuple[str, ...]
    """Where its model calls were made, as settings name places."""


@dataclass(frozen=True, slots=True)
class PlaceRefused:
    """A place that called the bot and got no answer."""

    address: Address
    """Of who called last."""
    times: int
    last: float


class Overview(Protocol):
    """Looks over everybody's sessions and places."""

    async def sessions(
        self,
        agent: AgentId | None = None,
        *,
        person: PersonId | None = None,
        archived: bool = False,
    ) -> Sequence[SessionFacts]:
        """Return sessions, newest activity first; given a person, those that are theirs alone."""
        ...

    async def find(self, part: str) -> Sequence[SessionFacts]:
        """Return the session of this id, or else a few whose ids, or their marks, begin so.

        The mark is what stands behind the last hyphen of an id.
        """
        ...

    async def talks(self) -> Sequence[PlaceTalk]: ...

    async def refused(self, reason: str) -> Sequence[PlaceRefused]:
        """Return places that were refused for this reason, newest first, while that is kept."""
        ...
