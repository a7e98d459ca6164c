"""Who is known, and in which role."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.people import People, Person
from gateway.ids import ExternalUser, NewId, PersonId, PlatformName
from gateway.store.audit import note
from gateway.store.codec import storable
from gateway.store.database import Database
from gateway.store.inserts import insert
from gateway.store.linking import unlink
from gateway.store.schema import IS_ACTIVE, identities, people, sessions
from gateway.store.standing import FIND, IS_ONE, look_up, person_from
from gateway.store.statements import Transaction

_CACHED = 4096
_ROLES = ("guest", "member", "admin")

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
_PUT_ASIDE = (
    update(sessions)
    .where(sessions.c.person == bindparam("of_person"), IS_ACTIVE)
    .values(is_archived=True)
)


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
                lambda transaction: admit(transaction, identity, new, role)
            )
        finally:
            self.forget()

    @override
    async def give_role(
        self, platform: PlatformName, user: ExternalUser, role: str, *, by: str
    ) -> str | None:
        now = self._clock.now()
        try:
            return await self._database.write(
                lambda transaction: _give_role(transaction, platform, user, role, by, now)
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


def admit(transaction: Transaction, identity: dict[str, Any], new: PersonId, role: str) -> Person:
    """Make an account known with this role, or give it to one that had less."""
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


def _give_role(
    transaction: Transaction,
    platform: PlatformName,
    user: ExternalUser,
    role: str,
    by: str,
    now: float,
) -> str | None:
    known = look_up(transaction, platform, user)
    if known is None or known.role == role:
        return None if known is None else role
    transaction.run(_SET_ROLE, {"of_platform": platform, "of_user": user, "new": role})
    facts = {"account": f"{platform}:{user}", "role": role, "before": known.role}
    note(transaction, now, "role.given", by, facts)
    return known.role


def _dismiss(
    transaction: Transaction, platform: PlatformName, user: ExternalUser, new: PersonId, now: float
) -> bool:
    known = look_up(transaction, platform, user)
    if known is None:
        return False
    if known.is_linked:
        unlink(transaction, platform, user, new, "owner", now)
        known = replace(known, id=new)
    # Who is let in anew is somebody else, and begins anew.
    transaction.run(_PUT_ASIDE, {"of_person": known.id})
    transaction.run(_FORGET, {"of_platform": platform, "of_user": user})
    transaction.run(_FORGET_PERSON, {"person": known.id})
    return True
