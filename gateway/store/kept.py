"""Inbox rows as the gateway sees them."""

from typing import Any

from sqlalchemy import bindparam, select, update

from gateway.contracts.inbox import Kept
from gateway.messages import Message
from gateway.store.codec import dump_message, load_message
from gateway.store.schema import IS_WAITING, inbox
from gateway.store.statements import Transaction

WITHDRAWN = "withdrawn"
ERASED = "erased"
_TAKEN_BACK = (WITHDRAWN, ERASED)
"""States of what nobody is to answer any more, though it waited."""

KEPT = select(
    inbox.c.number,
    inbox.c.lane,
    inbox.c.session_key,
    inbox.c.agent,
    inbox.c.person,
    inbox.c.message,
    inbox.c.kept_at,
    inbox.c.not_before,
)
_WAITING = KEPT.where(IS_WAITING, inbox.c.number == bindparam("number"))
_STATE = select(inbox.c.state).where(inbox.c.number == bindparam("number"))
_PUT_MESSAGE = (
    update(inbox).where(inbox.c.number == bindparam("which")).values(message=bindparam("body"))
)
_PUT_STATE = (
    update(inbox)
    .where(inbox.c.number == bindparam("which"), IS_WAITING)
    .values(state=bindparam("new_state"))
)


def kept_from(row: Any) -> Kept:
    return Kept(
        number=row.number,
        lane=row.lane,
        session_key=row.session_key,
        agent=row.agent,
        person=row.person,
        message=load_message(row.message),
        kept_at=row.kept_at,
        not_before=row.not_before,
    )


def waiting_row(transaction: Transaction, number: int) -> Kept | None:
    """Return a message as it is now, edits included; None once it is done."""
    row = transaction.row(_WAITING, {"number": number})
    return None if row is None else kept_from(row)


def was_taken_back(transaction: Transaction, number: int) -> bool:
    row = transaction.row(_STATE, {"number": number})
    return row is not None and row.state in _TAKEN_BACK


def put_message(transaction: Transaction, number: int, message: Message) -> None:
    transaction.run(_PUT_MESSAGE, {"which": number, "body": dump_message(message)})


def put_state(transaction: Transaction, number: int, state: str) -> None:
    """Take a message out of its line."""
    transaction.run(_PUT_STATE, {"which": number, "new_state": state})
