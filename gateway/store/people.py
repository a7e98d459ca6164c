"""Who is known, and who asked to be."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.people import PairingRequest, People, Person
from gateway.ids import ExternalUser, NewId, PersonId, PlatformName
from gateway.messages import Address, Message
from gateway.store.announcements import announce
from gateway.store.audit import note
from gateway.store.codec import storable
from gateway.store.database import Database
from gateway.store.inserts import insert
from gateway.store.keep import arrival, record
from gateway.store.linking import unlink
from gateway.store.pairings import give_code, live_requests, redeem, request, request_row, take
from gateway.store.schema import identities, people
from gateway.store.standing import FIND, IS_ONE, look_up, person_from
from gateway.store.statements import Transaction

_CACHED = 4096
_ROLES = ("guest", "member", "owner")

_ALL = (
    select(
        identities.c.platform,
        identities.c.external_user,
        identities.c.person,
        people.c.role,
        identities.c.name,
        identities.c.created_at,
        identities.c.linked_at,
    )
    .join(people, people.c.id == identities.c.own_person)
    .order_by(identities.c.created_at, identities.c.platform, identities.c.external_user)
)
_ADD_PERSON = insert(people)
_ADD_IDENTITY = insert(identities)
_OWN_PERSON = select(identities.c.own_person).where(*IS_ONE).scalar_subquery()
_SET_ROLE = update(people).where(people.c.id == _OWN_PERSON).values(role=bindparam("new"))
_FORGET = delete(identities).where(*IS_ONE)
_FORGET_PERSON = delete(people).where(people.c.id == bindparam("person"))


_Named = tuple[PlatformName, ExternalUser]


class SqlPeople(People):
    """Remembers whom it looked up, strangers included, until anybody is let in or sent off."""

    def __init__(
        self, database: Database, clock: Clock, new_id: NewId, forget: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._forget_accounts = forget
        self._found: OrderedDict[_Named, Person | None] = OrderedDict()

    @override
    async def find(self, platform: PlatformName, user: ExternalUser) -> Person | None:
        identity = (platform, user)
        if identity in self._found:
            self._found.move_to_end(identity)
            return self._found[identity]
        found = self._found
        row = await self._database.read_one(FIND, of_platform=platform, of_user=user)
        person = None if row is None else person_from(row)
        # Kept in the memory of before the read: what has changed meanwhile began a new one.
        found[identity] = person
        if len(found) > _CACHED:
            found.popitem(last=False)
        return person

    @override
    async def admit(
        self, platform: PlatformName, user: ExternalUser, *, name: str, role: str
    ) -> Person:
        identity = {
            "platform": platform,
            "external_user": user,
            "name": storable(name),
            "created_at": self._clock.now(),
        }
        new = PersonId(self._new_id("p"))
        try:
            return await self._database.write(
                lambda transaction: _admit(transaction, identity, new, role)
            )
        finally:
            self.forget()

    @override
    async def dismiss(self, platform: PlatformName, user: ExternalUser) -> bool:
        new, now = PersonId(self._new_id("p")), self._clock.now()
        try:
            return await self._database.write(
                lambda transaction: _dismiss(transaction, platform, user, new, now)
            )
        finally:
            self.forget()

    def forget(self) -> None:
        """Look everybody up anew."""
        self._forget_accounts()
        self._found = OrderedDict()

    @override
    async def all(self) -> Sequence[dict[str, Any]]:
        return [row._asdict() for row in await self._database.read(_ALL)]

    @override
    async def request_pairing(
        self,
        message: Message,
        reason: str,
        *,
        lifetime: float,
        notice_every: float,
        owners: Sequence[Address] = (),
    ) -> bool:
        now = self._clock.now()
        row = request_row(message, now, now + lifetime)
        refusal = {**arrival(message, person=None, now=now), "reason": reason}

        def operation(transaction: Transaction) -> bool:
            if not record(transaction, refusal, "refused"):
                return False
            request(transaction, row, message, owners, now - notice_every)
            return True

        return await self._database.write(operation)

    @override
    async def give_pairing_code(
        self, platform: PlatformName, user: ExternalUser, code_hash: str
    ) -> bool:
        now = self._clock.now()
        return await self._database.write(
            lambda transaction: give_code(transaction, platform, user, code_hash, now)
        )

    @override
    async def redeem_pairing(
        self, code_hash: str, *, by: str, account: str | None = None
    ) -> PairingRequest | None:
        now = self._clock.now()
        return await self._let_in(
            lambda transaction: redeem(transaction, code_hash, account, by, now), by, now
        )

    @override
    async def grant_pairing(
        self, platform: PlatformName, user: ExternalUser, *, by: str, asked_after: float
    ) -> PairingRequest | None:
        return await self._let_in(
            lambda transaction: take(transaction, platform, user, asked_after),
            by,
            self._clock.now(),
        )

    @override
    async def drop_pairing(self, platform: PlatformName, user: ExternalUser, *, by: str) -> bool:
        now = self._clock.now()

        def operation(transaction: Transaction) -> bool:
            if take(transaction, platform, user, 0.0) is None:
                return False
            note(transaction, now, "pairing.refused", by, {"account": f"{platform}:{user}"})
            return True

        return await self._database.write(operation)

    async def _let_in(
        self, taken: Callable[[Transaction], PairingRequest | None], by: str, now: float
    ) -> PairingRequest | None:
        """Take a request and admit its stranger, in one step."""
        new = PersonId(self._new_id("p"))

        def operation(transaction: Transaction) -> PairingRequest | None:
            request = taken(transaction)
            if request is not None:
                identity = {
                    "platform": request.platform,
                    "external_user": request.external_user,
                    "name": request.name,
                    "created_at": now,
                }
                _admit(transaction, identity, new, "member")
                facts = {"account": f"{request.platform}:{request.external_user}"}
                note(transaction, now, "pairing.admitted", by, facts)
                announce(transaction, now, request.address, "welcome", {})
            return request

        try:
            return await self._database.write(operation)
        finally:
            self.forget()

    @override
    async def pairing_requests(self) -> Sequence[PairingRequest]:
        return await live_requests(self._database, self._clock.now())


def _admit(transaction: Transaction, identity: dict[str, Any], new: PersonId, role: str) -> Person:
    known = look_up(transaction, identity["platform"], identity["external_user"])
    if known is None:
        person = {"id": new, "role": role, "created_at": identity["created_at"]}
        transaction.run(_ADD_PERSON, person)
        own = {"person": new, "own_person": new, "address": None, "linked_at": None}
        transaction.run(_ADD_IDENTITY, {**identity, **own})
        return Person(new, role, is_linked=False)
    if _ROLES.index(role) <= _ROLES.index(known.role):
        return known
    named = {"of_platform": identity["platform"], "of_user": identity["external_user"]}
    transaction.run(_SET_ROLE, {**named, "new": role})
    return replace(known, role=role)


def _dismiss(
    transaction: Transaction, platform: PlatformName, user: ExternalUser, new: PersonId, now: float
) -> bool:
    known = look_up(transaction, platform, user)
    if known is None:
        return False
    if known.is_linked:
        unlink(transaction, platform, user, new, "owner", now)
        known = replace(known, id=new)
    transaction.run(_FORGET, {"of_platform": platform, "of_user": user})
    transaction.run(_FORGET_PERSON, {"person": known.id})
    return True
