"""Making one person of two, and two of one: everything that hangs on who somebody is."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Update, bindparam, select, update

from gateway.contracts.people import Identity
from gateway.ids import PersonId
from gateway.store.inserts import insert_or_skip
from gateway.store.rekeying import Held, give, move_waiting, owner_of, sessions_of, without_rivals
from gateway.store.schema import holds, identities, link_codes, people, sessions, usage
from gateway.store.standing import identities_of
from gateway.store.statements import Transaction

_BELONG = (
    update(identities)
    .where(
        identities.c.platform == bindparam("of_platform"),
        identities.c.external_user == bindparam("of_user"),
    )
    .values(person=bindparam("new_person"), linked_at=bindparam("new_linked_at"))
)
_ALONE = (
    update(identities)
    .where(
        identities.c.platform == bindparam("of_platform"),
        identities.c.external_user == bindparam("of_user"),
    )
    .values(own_person=bindparam("new_person"))
)
_ROLE = select(people.c.role).where(people.c.id == bindparam("of_person"))
_OWN = select(identities.c.own_person).where(
    identities.c.platform == bindparam("of_platform"),
    identities.c.external_user == bindparam("of_user"),
)
_ADD_PERSON = insert_or_skip(people)
_SPENT: Sequence[Update] = (
    update(usage).where(usage.c.person == bindparam("of_person")).values(
        person=bindparam("new_person")
    ),
    update(holds).where(holds.c.person == bindparam("of_person")).values(
        person=bindparam("new_person")
    ),
    update(link_codes).where(link_codes.c.person == bindparam("of_person")).values(
        person=bindparam("new_person")
    ),
)  # fmt: skip
_WAKE = update(sessions).where(sessions.c.id == bindparam("which")).values(is_archived=False)


@dataclass(frozen=True, slots=True)
class Before:
    """How two sides were before their link, as far as an undo gives it back."""

    person: PersonId
    """Of the side that came to the other."""
    accounts: tuple[tuple[str, str], ...]
    """Its accounts: platform and user."""
    sessions: tuple[Held, ...]
    """Its sessions."""
    active: tuple[str, ...]
    """Those sessions of the other side that were in use."""


def dump_before(before: Before) -> str:
    return json.dumps(asdict(before))


def load_before(text: str) -> Before:
    found = json.loads(text)
    return Before(
        PersonId(found["person"]),
        tuple((platform, user) for platform, user in found["accounts"]),
        tuple(Held(**held) for held in found["sessions"]),
        tuple(found["active"]),
    )


def join(
    transaction: Transaction,
    stays: PersonId,
    joins: PersonId,
    *,
    of_joining_go_on: bool,
    now: float,
) -> Before:
    """Give all that one person has to another; roles stay with the accounts."""
    staying, joining = (identities_of(transaction, side) for side in (stays, joins))
    old, new = owner_of(joins, joining), ("user", stays)
    theirs = sessions_of(transaction, owner_of(stays, staying))
    ours = sessions_of(transaction, old)
    before = Before(
        joins,
        tuple((one.platform, one.external_user) for one in joining),
        tuple(ours),
        tuple(held.id for held in theirs if not held.is_archived),
    )
    winners, losers = (ours, theirs) if of_joining_go_on else (theirs, ours)
    for held in [*without_rivals(losers, winners), *winners]:
        give(transaction, held, new, stays)
    move_waiting(transaction, stays, new, stays, lambda _: True)
    move_waiting(transaction, joins, new, stays, lambda _: True)
    _belong(transaction, joining, stays, now)
    if len(staying) == 1:
        _belong(transaction, staying, stays, now)
    for statement in _SPENT:
        transaction.run(statement, {"of_person": joins, "new_person": stays})
    return before


def part(
    transaction: Transaction,
    stays: PersonId,
    leaving: Sequence[Identity],
    leaves: PersonId,
    now: float,
    before: Before | None = None,
) -> None:
    """Make some of a person's accounts another person, with what an undo gives back."""
    names = {str(one) for one in leaving}
    staying = [one for one in identities_of(transaction, stays) if str(one) not in names]
    _stand_alone(transaction, leaving, leaves, now)
    _belong(transaction, leaving, leaves, now if len(leaving) > 1 else None)
    if len(staying) == 1:
        _belong(transaction, staying, stays, None)
    new, old = owner_of(leaves, leaving), owner_of(stays, staying)
    held = sessions_of(transaction, ("user", stays))
    given_back = _untouched(held, before)
    for one in held:
        if one.id in given_back:
            was = given_back[one.id]
            give(transaction, was, new, leaves)
        else:
            give(transaction, one, old, stays)
    _take_up(transaction, held, given_back, before)

    def is_theirs(message: Any) -> bool:
        return message.address.identity in names

    move_waiting(transaction, stays, new, leaves, is_theirs)
    move_waiting(transaction, stays, old, stays, lambda message: not is_theirs(message))


def _untouched(held: Sequence[Held], before: Before | None) -> dict[str, Held]:
    """Return what is given back: sessions to which nothing was added since the link."""
    lengths = {one.id: one.last_seq for one in held}
    known = () if before is None else before.sessions
    return {one.id: one for one in known if lengths.get(one.id) == one.last_seq}


def _take_up(
    transaction: Transaction,
    held: Sequence[Held],
    given_back: dict[str, Held],
    before: Before | None,
) -> None:
    """Let the staying side go on where it was, if what it has in use was given back."""
    in_use = {one.key for one in held if not one.is_archived and one.id not in given_back}
    for one in held:
        was_active = before is not None and one.id in before.active
        if was_active and one.is_archived and one.key not in in_use:
            in_use.add(one.key)
            transaction.run(_WAKE, {"which": one.id})


def _belong(
    transaction: Transaction,
    accounts: Sequence[Identity],
    person: PersonId,
    linked_at: float | None,
) -> None:
    for one in accounts:
        transaction.run(_BELONG, {
            "of_platform": one.platform,
            "of_user": one.external_user,
            "new_person": person,
            "new_linked_at": linked_at,
        })  # fmt: skip


def _stand_alone(
    transaction: Transaction, accounts: Sequence[Identity], person: PersonId, now: float
) -> None:
    """Let a single account be the person that it now is, with the role that it has."""
    if len(accounts) != 1:
        return
    named = {"of_platform": accounts[0].platform, "of_user": accounts[0].external_user}
    own = transaction.row(_OWN, named)
    role = None if own is None else transaction.row(_ROLE, {"of_person": own.own_person})
    if role is not None:
        transaction.run(_ADD_PERSON, {"id": person, "role": role.role, "created_at": now})
        transaction.run(_ALONE, {**named, "new_person": person})
