"""Who an account is: the person it belongs to, and the role that is its own."""

from typing import Any

from sqlalchemy import bindparam, func, select

from gateway.contracts.people import Identity, Person
from gateway.ids import PersonId
from gateway.store.codec import load_address
from gateway.store.schema import identities, people
from gateway.store.statements import Transaction

IS_ONE = (
    identities.c.platform == bindparam("of_platform"),
    identities.c.external_user == bindparam("of_user"),
)
_others = identities.alias("others")
FIND = (
    select(
        identities.c.person,
        identities.c.own_person,
        people.c.role,
        select(func.count())
        .where(_others.c.person == identities.c.person)
        .scalar_subquery()
        .label("accounts"),
    )
    .join(people, people.c.id == identities.c.own_person)
    .where(*IS_ONE)
)

IDENTITIES = (
    select(identities)
    .where(identities.c.person == bindparam("of_person"))
    .order_by(
        identities.c.linked_at,
        identities.c.created_at,
        identities.c.platform,
        identities.c.external_user,
    )
)


def person_from(row: Any) -> Person:
    return Person(row.person, row.role, is_linked=row.accounts > 1)


def look_up(transaction: Transaction, platform: str, user: str) -> Person | None:
    row = transaction.row(FIND, {"of_platform": platform, "of_user": user})
    return None if row is None else person_from(row)


def identities_of(transaction: Transaction, person: PersonId) -> list[Identity]:
    return [identity_from(row) for row in transaction.rows(IDENTITIES, {"of_person": person})]


def identity_from(row: Any) -> Identity:
    address = None if row.address is None else load_address(row.address)
    since = row.created_at if row.linked_at is None else row.linked_at
    return Identity(row.platform, row.external_user, row.name, address, since)
