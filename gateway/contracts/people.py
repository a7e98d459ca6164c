"""The store contract for people; its rules on commits and times are those of `stores`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.ids import AccountName, ExternalUser, PersonId, PlatformName
from gateway.messages import Address, Message


@dataclass(frozen=True, slots=True)
class Person:
    """A known human; later releases join several identities under one person."""

    id: PersonId
    role: str
    """`owner`, `member` or `guest`."""
    is_linked: bool
    """Has identities on more than one account or platform: shares one direct session."""


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
    """Who is known, and who asked to be."""

    async def find(self, platform: PlatformName, user: ExternalUser) -> Person | None: ...

    async def admit(
        self, platform: PlatformName, user: ExternalUser, *, name: str, role: str
    ) -> Person:
        """Make the user a known person with this role, or give it to one who had less."""
        ...

    async def dismiss(self, platform: PlatformName, user: ExternalUser) -> bool:
        """Make the user a stranger again."""
        ...

    async def all(self) -> Sequence[dict[str, Any]]:
        """Return every identity: person, role, platform, external_user, name, created_at."""
        ...

    async def request_pairing(
        self, message: Message, code_hash: str, *, lifetime: float, notice_every: float
    ) -> bool:
        """Note a stranger's request; False when one was noted within `notice_every`."""
        ...

    async def redeem_pairing(self, code_hash: str) -> PairingRequest | None:
        """Take the request with this code, once, if it has not expired."""
        ...

    async def pairing_requests(self) -> Sequence[PairingRequest]: ...
