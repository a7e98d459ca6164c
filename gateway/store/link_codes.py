"""Rows of codes and of what became of them; each changes from one state to the next once."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update

from gateway.contracts.linking import LinkId
from gateway.contracts.people import Identity
from gateway.ids import PersonId
from gateway.store.codec import dump_identity, load_identity
from gateway.store.inserts import insert
from gateway.store.schema import link_codes
from gateway.store.statements import Transaction

LIFETIME = 600.0
"""Seconds for a code, and again for each yes."""
_CODES_AT_MOST, _CODES_WITHIN = 3, 3600.0


class State(StrEnum):
    """How far a link has come."""

    OPEN = "open"
    SHOWN = "shown"
    AGREED = "agreed"
    MADE = "made"
    REFUSED = "refused"
    BURNT = "burnt"
    VOID = "void"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Found:
    """A code that is still good for something."""

    id: LinkId
    state: State
    asker: Identity
    redeemer: Identity | None
    person: PersonId
    before: str | None


_UNSETTLED = (State.OPEN, State.SHOWN, State.AGREED)
_INSERT = insert(link_codes)
_COUNT = select(func.count().label("codes")).select_from(link_codes).where(
    link_codes.c.person == bindparam("person"), link_codes.c.created_at > bindparam("since")
)  # fmt: skip
_LIVE = select(link_codes).where(link_codes.c.expires_at > bindparam("now"))
_BY_HASH = _LIVE.where(
    link_codes.c.code_hash == bindparam("hash"), link_codes.c.state == bindparam("in_state")
)
_BY_ID = _LIVE.where(link_codes.c.id == bindparam("link"))
_ALL_UNSETTLED = _LIVE.where(or_(*(link_codes.c.state == state.value for state in _UNSETTLED)))
_OPEN_OF_PERSON = _LIVE.where(
    link_codes.c.person == bindparam("person"), link_codes.c.state == State.OPEN.value
)
_OF_ID = update(link_codes).where(link_codes.c.id == bindparam("link"))
_SETTLE = _OF_ID.values(state=bindparam("new_state"))
_SHOW = _OF_ID.values(
    state=State.SHOWN.value, redeemer=bindparam("new_redeemer"), expires_at=bindparam("until")
)
_AGREE = _OF_ID.values(state=State.AGREED.value, expires_at=bindparam("until"))
_MAKE = _OF_ID.values(
    state=State.MADE.value,
    person=bindparam("new_person"),
    before=bindparam("new_before"),
    linked_at=bindparam("now"),
)
_MADE = (
    select(link_codes.c.id, link_codes.c.linked_at, link_codes.c.before)
    .where(link_codes.c.person == bindparam("person"), link_codes.c.state == State.MADE.value)
    .order_by(link_codes.c.linked_at.desc(), link_codes.c.id.desc())
)


def new_row(
    link: str, code_hash: str, person: PersonId, asker: Identity, now: float
) -> dict[str, Any]:
    return {
        "id": link,
        "code_hash": code_hash,
        "state": State.OPEN.value,
        "person": person,
        "asker": dump_identity(asker),
        "redeemer": None,
        "created_at": now,
        "expires_at": now + LIFETIME,
        "linked_at": None,
        "before": None,
    }


def add(transaction: Transaction, row: dict[str, Any]) -> None:
    transaction.run(_INSERT, row)


def are_too_many(transaction: Transaction, person: PersonId, now: float) -> bool:
    (counted,) = transaction.rows(_COUNT, {"person": person, "since": now - _CODES_WITHIN})
    return bool(counted.codes >= _CODES_AT_MOST)


def void_open_ones(transaction: Transaction, person: PersonId, asker: Identity, now: float) -> None:
    """Let an account have one code at a time."""
    for row in transaction.rows(_OPEN_OF_PERSON, {"person": person, "now": now}):
        if str(load_identity(row.asker)) == str(asker):
            settle(transaction, row.id, State.VOID)


def void_all_of(transaction: Transaction, identity: Identity, now: float) -> None:
    """End every question in which an account has a part."""
    for row in transaction.rows(_ALL_UNSETTLED, {"now": now}):
        found = _found(row)
        parts = {str(one) for one in (found.asker, found.redeemer) if one is not None}
        if str(identity) in parts:
            settle(transaction, found.id, State.VOID)


def live_code(
    transaction: Transaction, code_hash: str, now: float, state: State = State.OPEN
) -> Found | None:
    asked = {"hash": code_hash, "now": now, "in_state": state.value}
    row = transaction.row(_BY_HASH, asked)
    return None if row is None else _found(row)


def live_link(
    transaction: Transaction, link: LinkId, now: float, states: AbstractSet[State]
) -> Found | None:
    row = transaction.row(_BY_ID, {"link": link, "now": now})
    found = None if row is None else _found(row)
    return found if found is not None and found.state in states else None


def made(transaction: Transaction, person: PersonId) -> Sequence[Any]:
    """Return the person's links that stand, newest first: `id`, `linked_at` and `before`."""
    return transaction.rows(_MADE, {"person": person})


def settle(transaction: Transaction, link: LinkId, state: State) -> None:
    transaction.run(_SETTLE, {"link": link, "new_state": state.value})


def show(transaction: Transaction, link: LinkId, redeemer: Identity, now: float) -> None:
    values = {"new_redeemer": dump_identity(redeemer), "until": now + LIFETIME}
    transaction.run(_SHOW, {"link": link, **values})


def agree(transaction: Transaction, link: LinkId, now: float) -> None:
    transaction.run(_AGREE, {"link": link, "until": now + LIFETIME})


def make(transaction: Transaction, link: LinkId, person: PersonId, before: str, now: float) -> None:
    values = {"new_person": person, "new_before": before, "now": now}
    transaction.run(_MAKE, {"link": link, **values})


def _found(row: Any) -> Found:
    redeemer = None if row.redeemer is None else load_identity(row.redeemer)
    asker = load_identity(row.asker)
    return Found(row.id, State(row.state), asker, redeemer, row.person, row.before)
