"""Who is known, and who asked to be."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.people import PairingRequest, People, Person
from gateway.ids import ExternalUser, NewId, PersonId, PlatformName
from gateway.messages import Message
from gateway.store.codec import storable
from gateway.store.database import Database
from gateway.store.inserts import insert
from gateway.store.pairings import live_requests, redeem, request, request_row
from gateway.store.schema import identities, people
from gateway.store.statements import Transaction

_CACHED = 4096
_ROLES = ("guest", "member", "owner")

_is_one = (
    identities.c.platform == bindparam("of_platform"),
    identities.c.external_user == bindparam("of_user"),
)
_others = identities.alias("others")
_FIND = (
    select(
        people.c.id,
        people.c.role,
        select(func.count())
        .where(_others.c.person == people.c.id)
        .scalar_subquery()
        .label("accounts"),
    )
    .join(identities, identities.c.person == people.c.id)
    .where(*_is_one)
)
_ALL = (
    select(
        identities.c.platform,
        identities.c.external_user,
        identities.c.person,
        people.c.role,
        identities.c.name,
        identities.c.created_at,
    )
    .join(people, people.c.id == identities.c.person)
    .order_by(identities.c.created_at, identities.c.platform, identities.c.external_user)
)
_ADD_PERSON = insert(people)
_ADD_IDENTITY = insert(identities)
_SET_ROLE = update(people).where(people.c.id == bindparam("person")).values(role=bindparam("new"))
_FORGET = delete(identities).where(*_is_one)
_FORGET_PERSON = delete(people).where(people.c.id == bindparam("person"))


class SqlPeople(People):
    """Remembers whom it looked up, strangers included, until anybody is let in or sent off."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._found: OrderedDict[tuple[PlatformName, ExternalUser], Person | None] = OrderedDict()

    @override
    async def find(self, platform: PlatformName, user: ExternalUser) -> Person | None:
        identity = (platform, user)
        if identity in self._found:
            self._found.move_to_end(identity)
            return self._found[identity]
        found = self._found
        row = await self._database.read_one(_FIND, of_platform=platform, of_user=user)
        person = None if row is None else _person(row)
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
            self._found = OrderedDict()

    @override
    async def dismiss(self, platform: PlatformName, user: ExternalUser) -> bool:
        try:
            return await self._database.write(
                lambda transaction: _dismiss(transaction, platform, user)
            )
        finally:
            self._found = OrderedDict()

    @override
    async def all(self) -> Sequence[dict[str, Any]]:
        return [row._asdict() for row in await self._database.read(_ALL)]

    @override
    async def request_pairing(
        self, message: Message, code_hash: str, *, lifetime: float, notice_every: float
    ) -> bool:
        now = self._clock.now()
        row = request_row(message, code_hash, now, now + lifetime)
        return await self._database.write(
            lambda transaction: request(transaction, row, now - notice_every)
        )

    @override
    async def redeem_pairing(self, code_hash: str) -> PairingRequest | None:
        now = self._clock.now()
        return await self._database.write(lambda transaction: redeem(transaction, code_hash, now))

    @override
    async def pairing_requests(self) -> Sequence[PairingRequest]:
        return await live_requests(self._database, self._clock.now())


def _person(row: Any) -> Person:
    return Person(row.id, row.role, is_linked=row.accounts > 1)


def _look_up(transaction: Transaction, platform: str, user: str) -> Person | None:
    asked = {"of_platform": platform, "of_user": user}
    row = transaction.row(_FIND, asked)
    return None if row is None else _person(row)


def _admit(transaction: Transaction, identity: dict[str, Any], new: PersonId, role: str) -> Person:
    known = _look_up(transaction, identity["platform"], identity["external_user"])
    if known is None:
        person = {"id": new, "role": role, "created_at": identity["created_at"]}
        transaction.run(_ADD_PERSON, person)
        transaction.run(_ADD_IDENTITY, {**identity, "person": new})
        return Person(new, role, is_linked=False)
    if _ROLES.index(role) <= _ROLES.index(known.role):
        return known
    transaction.run(_SET_ROLE, {"person": known.id, "new": role})
    return replace(known, role=role)


def _dismiss(transaction: Transaction, platform: str, user: str) -> bool:
    known = _look_up(transaction, platform, user)
    if known is None:
        return False
    transaction.run(_FORGET, {"of_platform": platform, "of_user": user})
    if not known.is_linked:
        transaction.run(_FORGET_PERSON, {"person": known.id})
    return True
