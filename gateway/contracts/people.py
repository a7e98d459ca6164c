"""The store contract for people; its rules on commits and times are those of `stores`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from typing_extensions import override

from gateway.ids import AccountName, ExternalUser, PersonId, PlatformName
from gateway.messages import Address, Message

NO_LONGER_WORDS = "I may no longer answer you here."
"""For whoever was sent away between a message and its turn."""
PARTED_WORDS = (
    "Your accounts were parted while I worked on this, and a tool had been used by then, "
    "so I did not go on. Ask again if it is still to be done."
)


@dataclass(frozen=True, slots=True)
class Person:
    """A known human, as one of their identities finds them."""

    id: PersonId
    role: str
    """`admin`, `member` or `guest`; of the identity alone, whatever it is linked with."""
    is_linked: bool
    """Has several identities, which share one direct session."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One account of a person on a platform."""

    platform: PlatformName
    external_user: ExternalUser
    name: str
    """For people's eyes only."""
    address: Address | None
    """Where it last spoke directly, if it has."""
    since: float
    """When it was linked, or else first known."""

    @override
    def __str__(self) -> str:
        return f"{self.platform}:{self.external_user}"


@dataclass(frozen=True, slots=True)
class PairingRequest:
    """A stranger who asked to be let in."""

    platform: PlatformName
    account: AccountName
    external_user: ExternalUser
    name: str
    requested_at: float
    expires_at: float
    address: Address


class People(Protocol):
    """Who is known."""

    async def find(self, platform: PlatformName, user: ExternalUser) -> Person | None: ...

    async def admit(
        self, platform: PlatformName, user: ExternalUser, *, name: str, role: str
    ) -> Person:
        """Make the user a known person with this role, or give it to one who had less."""
        ...

    async def give_role(
        self, platform: PlatformName, user: ExternalUser, role: str, *, by: str
    ) -> str | None:
        """Give a known account a greater or a lesser role, noted in the audit trail with it.

        Returns the role that it had; None when the account is not known.
        """
        ...

    async def dismiss(self, platform: PlatformName, user: ExternalUser) -> bool:
        """Make the user a stranger again."""
        ...

    async def all(self) -> Sequence[dict[str, Any]]:
        """Return every identity: person, role, platform, external_user, name and times."""
        ...


class Pairings(Protocol):
    """Requests of strangers to be let in."""

    async def request(
        self,
        message: Message,
        reason: str,
        *,
        lifetime: float,
        notice_every: float,
        owners: Sequence[Address] = (),
    ) -> bool:
        """Record that a stranger's message was refused; False for a duplicate.

        Unless they had notice within `notice_every`, it is their request to be let in, and they
        and the owners are to be told.
        """
        ...

    async def give_code(self, platform: PlatformName, user: ExternalUser, code_hash: str) -> bool:
        """Let a request be redeemed by this code and no other; False when there is none."""
        ...

    async def redeem(
        self, code_hash: str, *, by: str, account: str | None = None
    ) -> PairingRequest | None:
        """Let in, as a member, who has the request with this code; once, until it expires.

        They are to be told. Wrong codes count against `by` where an account is named. Raises:
            NotAllowed: too many wrong codes came from there, or on this account.
        """
        ...

    async def grant(
        self, platform: PlatformName, user: ExternalUser, *, by: str, asked_after: float
    ) -> PairingRequest | None:
        """As `redeem`, by who they are, if their request is not too old."""
        ...

    async def drop(self, platform: PlatformName, user: ExternalUser, *, by: str) -> bool:
        """Drop a request; False when there is none."""
        ...

    async def live(self) -> Sequence[PairingRequest]:
        """Return those that have not expired, oldest first."""
        ...


class Identities(Protocol):
    """The accounts that people have."""

    async def of_person(self, person: PersonId) -> Sequence[Identity]:
        """Return a person's accounts, in the order in which they became theirs."""
        ...

    async def named(self, identities: Collection[str]) -> Sequence[Identity]:
        """Return those of these accounts (`platform:user_id`) that are known."""
        ...

    async def meet(self, message: Message) -> None:
        """Remember an account's name, and where it speaks directly, should it be new."""
        ...
