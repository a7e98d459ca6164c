"""The store contract for what is a person's own: to have a copy of it, and to have it erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.ids import AgentId, PersonId, SessionId


@dataclass(frozen=True, slots=True)
class Erasure:
    """All that is kept of a person is to be erased."""

    id: str
    person: PersonId
    accounts: tuple[str, ...]
    """Those that the person had when it was asked for, as `platform:user_id`."""
    asked_by: str
    due_at: float


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Files that belong to what was erased."""

    persons: tuple[PersonId, ...] = ()
    """Whose workspaces are to go, with every agent."""
    shared: tuple[tuple[AgentId, str, str], ...] = ()
    """Single files in the workspaces of places: agent, session key and path."""


class Privacy(Protocol):
    """Finds and erases what is kept of somebody."""

    async def everything(self, person: PersonId) -> Mapping[str, Any]:
        """Return all that is kept of a person, by kind, as plain data; codes are left out."""
        ...

    async def ask(self, account: str, by: str, delay: float) -> Erasure:
        """Note that all is to be erased of whose account this is; once for a person.

        Other accounts of the person are told. Nobody has to be known by the account.
        """
        ...

    async def take_back(self, person: PersonId, by: str) -> bool:
        """Drop the person's erasure; False when there is none."""
        ...

    async def of(self, person: PersonId) -> Erasure | None: ...

    async def waiting(self) -> Sequence[Erasure]:
        """Return all that is to be done, what is due first in front."""
        ...

    async def is_still_asked(self, erasure: Erasure) -> bool:
        """Say whether it stands; it falls, and its accounts are told, if these have changed."""
        ...

    async def erase_talk(self, erasure: Erasure) -> Leftovers:
        """Erase conversations, and in those of places what the person said and was told.

        May be repeated: a crash can come between any of its steps. Call it when nothing of
        the person's is at work.
        """
        ...

    async def erase_rest(self, erasure: Erasure) -> None:
        """Erase everything else, and who the person was, in one step; then tidy the file up."""
        ...

    async def erase_session(self, session: SessionId, person: PersonId) -> bool:
        """Erase one conversation of the person's own; False while a message waits in it."""
        ...

    async def erase_unused(self, before: float) -> int:
        """Erase conversations in which nothing was said since then; count them."""
        ...
