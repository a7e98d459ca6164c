"""The store contract for linking accounts; its rules on commits and times are those of `stores`.

A link goes through states, each change made in one transaction with what is to be told of
it and its audit row: a code is `open`; used on a second account it is `shown` there; when
that account says yes it is `agreed`; when the first says yes it is `made`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NewType, Protocol

from gateway.contracts.people import Identity
from gateway.ids import ExternalUser, PersonId, PlatformName
from gateway.messages import Address, Message

LinkId = NewType("LinkId", str)


@dataclass(frozen=True, slots=True)
class Link:
    """Two accounts on their way to one person."""

    id: LinkId
    asker: Identity
    redeemer: Identity


class Trouble(StrEnum):
    """Why nothing came of what was asked."""

    WRONG_CODE = "wrong_code"
    """Unknown, used or expired: nobody is told which."""
    LOCKED = "locked"
    TOO_MANY_CODES = "too_many_codes"
    OWN_CODE = "own_code"
    SAME_PERSON = "same_person"
    BOTH_LINKED = "both_linked"
    """Each is linked with others already; which of them would stay is nothing to guess."""
    SETTLED = "settled"
    """Answered already, expired, or not asked of this account."""
    NOT_LINKED = "not_linked"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class Change:
    """Who belongs together has changed."""

    stays: PersonId
    leaves: PersonId
    """Who is no more after a link, or is new after an unlinking."""
    identities: tuple[Identity, ...]
    """The accounts that came or went."""
    is_link: bool


class Links(Protocol):
    """Codes, confirmations, and who is one person with whom."""

    async def open(self, asker: Message, person: PersonId, code_hash: str) -> Trouble | None:
        """Keep a new code; an earlier one of the same account is void."""
        ...

    async def redeem(self, redeemer: Message, person: PersonId, code_hash: str) -> Link | Trouble:
        """Use a code up, and note who has to say yes next."""
        ...

    async def burn(self, shown_by: Message, code_hash: str) -> None:
        """Make a code worthless that was shown in a group."""
        ...

    async def agree(self, link: LinkId, sayer: Message) -> Link | Trouble:
        """Note the yes of the account that used the code, and have the other asked."""
        ...

    async def accept(
        self, link: LinkId, sayer: Message, *, goes_on_there: bool
    ) -> Change | Trouble:
        """Take the yes of the account that made the code: join both sides.

        The conversations of the asker's side go on, unless they are to go on there: on
        the redeemer's. What the other side has active is archived where both have.
        """
        ...

    async def refuse(self, link: LinkId, sayer: Message) -> Link | Trouble:
        """End it; either side may."""
        ...

    async def unlink(
        self, platform: PlatformName, user: ExternalUser, *, by: str
    ) -> Change | Trouble:
        """Make an account a person of its own again, with no history."""
        ...

    async def undo(self, sayer: Message, person: PersonId) -> Change | Trouble:
        """Take back the person's latest link if it is new enough.

        Sessions in which nothing was said since then go back to whose they were.
        """
        ...


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that an account has to be told, as facts that others put into words."""

    number: int
    address: Address
    kind: str
    facts: Mapping[str, str]


class Announcements(Protocol):
    """What is to be told, kept with the change that it tells of."""

    async def add(self, address: Address, kind: str, facts: Mapping[str, str]) -> None: ...

    async def waiting(self) -> Sequence[Announcement]: ...

    async def told(self, number: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Seal:
    """A row of the audit trail, by what vouches for it and for all before it."""

    number: int
    seal: str


class Audit(Protocol):
    """Who did what: rows are only ever added, each sealed with those before it."""

    async def note(self, action: str, actor: str, facts: Mapping[str, str]) -> None: ...

    async def newest(self, at_most: int) -> Sequence[dict[str, Any]]:
        """Return rows, newest first: number, happened_at, action, actor, facts."""
        ...

    async def seal(self, number: int | None = None) -> Seal | None:
        """Return a row's seal, or the last row's; noted elsewhere, it shows a cut end."""
        ...

    async def first_broken(self) -> int | None:
        """Return the number of the first row that was changed or is missing, if any is."""
        ...
