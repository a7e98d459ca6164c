"""Keeping a message once: what a delivery is to those before it, and whether there is room."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, func, select

from gateway.contracts.inbox import Arrival, KeepOutcome
from gateway.ids import PersonId
from gateway.messages import Message
from gateway.settings import QueueSettings
from gateway.store.codec import dump_message
from gateway.store.inserts import insert_or_skip
from gateway.store.kept import WITHDRAWN, put_message
from gateway.store.schema import IS_WAITING, inbox, turns
from gateway.store.standing import look_up
from gateway.store.statements import Transaction

_INSERT = insert_or_skip(inbox).returning(inbox.c.number)

_VERSIONS = select(
    inbox.c.number,
    inbox.c.edited_at,
    inbox.c.state,
    exists().where(turns.c.number == inbox.c.number).label("has_turn"),
).where(
    inbox.c.account == bindparam("account"),
    inbox.c.message_id == bindparam("message_id"),
)
_ACTED_ON = frozenset({"waiting", "done", "dead", "merged", WITHDRAWN})
"""States of a row that stands for its message; the others only record a delivery."""
_FORGOTTEN = 7 * 86_400.0
"""Seconds after which an edit of an unknown message is no question: it may have been pruned."""


def _waiting(*where: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count()).select_from(inbox).where(IS_WAITING, *where).scalar_subquery()


_LOAD = select(
    _waiting(inbox.c.lane == bindparam("lane")).label("in_lane"),
    _waiting(inbox.c.sender == bindparam("sender")).label("of_sender"),
    _waiting().label("in_all"),
)

_STATES = {
    KeepOutcome.KEPT: "waiting",
    KeepOutcome.DUPLICATE: "superseded",
    KeepOutcome.REPLACED: "superseded",
    KeepOutcome.TOO_LATE: "late",
    KeepOutcome.FULL: "shed",
}


def delivery(message: Message, *, person: PersonId | None, now: float) -> dict[str, Any]:
    """Return the columns that every delivery's row has."""
    address = message.address
    return {
        "account": address.account,
        "event_key": message.event_key,
        "message_id": message.message_id,
        "edited_at": message.edited_at or 0.0,
        "reason": None,
        "lane": None,
        "session_key": None,
        "agent": None,
        "person": person,
        "sender": person or address.identity,
        "album": message.album,
        "kept_at": now,
        "not_before": 0.0,
        "message": None,
    }


def record(transaction: Transaction, row: dict[str, Any], state: str) -> bool:
    """Write a delivery down; False when it, or its message, had been written down before."""
    return transaction.row(_INSERT, {**row, "state": state}) is not None


def keep(
    transaction: Transaction, arrivals: Sequence[Arrival], queues: QueueSettings, now: float
) -> list[KeepOutcome]:
    """Keep messages, or find that they were kept, edited or refused room."""
    if any(_has_changed(transaction, one) for one in arrivals):
        return [KeepOutcome.STALE] * len(arrivals)
    return [_keep(transaction, one, queues, now) for one in arrivals]


def _keep(
    transaction: Transaction, arrival: Arrival, queues: QueueSettings, now: float
) -> KeepOutcome:
    message = arrival.message
    row = delivery(message, person=arrival.person, now=now)
    row |= {"lane": arrival.lane, "session_key": arrival.session_key, "agent": arrival.agent}
    bounds = queues if arrival.is_bounded else None
    outcome, number = _judge(transaction, row, message, bounds)
    if outcome in {KeepOutcome.KEPT, KeepOutcome.TOO_LATE}:
        row = {**row, "message": dump_message(message)}
    if not record(transaction, row, _STATES[outcome]):
        return KeepOutcome.DUPLICATE
    if outcome is KeepOutcome.REPLACED:
        put_message(transaction, number, message)
    return outcome


def _has_changed(transaction: Transaction, arrival: Arrival) -> bool:
    """Say whether the sender was linked, unlinked or sent off while the message came in."""
    if arrival.is_linked is None:
        return False
    address = arrival.message.address
    known = look_up(transaction, address.platform, address.external_user)
    return known is None or (known.id, known.is_linked) != (arrival.person, arrival.is_linked)


def _judge(
    transaction: Transaction, row: dict[str, Any], message: Message, queues: QueueSettings | None
) -> tuple[KeepOutcome, int]:
    """Decide by the message's other deliveries; the number is that of the row in its line."""
    versions = transaction.rows(_VERSIONS, row)
    for acting in versions:
        if acting.state not in _ACTED_ON:
            continue
        if row["edited_at"] <= max(version.edited_at for version in versions):
            return KeepOutcome.DUPLICATE, acting.number
        is_untouched = acting.state == "waiting" and not acting.has_turn
        outcome = KeepOutcome.REPLACED if is_untouched else KeepOutcome.TOO_LATE
        return outcome, acting.number
    if row["edited_at"] - message.sent_at > _FORGOTTEN:
        return KeepOutcome.TOO_LATE, 0
    is_full = queues is not None and _is_full(transaction, row, queues)
    return (KeepOutcome.FULL if is_full else KeepOutcome.KEPT), 0


def _is_full(transaction: Transaction, row: dict[str, Any], queues: QueueSettings) -> bool:
    (load,) = transaction.rows(_LOAD, row)
    return bool(
        load.in_lane >= queues.per_session
        or load.of_sender >= queues.per_person
        or load.in_all >= queues.in_all
    )
