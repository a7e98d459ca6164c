"""Letting a message whose turn has ended wait again."""

from sqlalchemy import bindparam, null, update

from gateway.contracts.stores import OutboxKind, OutboxState, TurnState
from gateway.store.schema import inbox, outbox, turns
from gateway.store.statements import Transaction

_RENEW = (
    update(turns)
    .where(turns.c.id == bindparam("turn"))
    # What was tried before counts as one attempt: what it sent is to be looked up.
    .values(
        state=TurnState.POSTPONED.value,
        attempt=1,
        started_at=bindparam("now"),
        ended_at=null(),
    )
)
_WAIT_AGAIN = (
    update(inbox)
    .where(inbox.c.number == bindparam("which"))
    .values(state="waiting", reason=null(), not_before=0.0)
)
_LEAVE_MESSAGES = (
    update(outbox)
    .where(outbox.c.turn == bindparam("turn_id"), outbox.c.kind == OutboxKind.TEXT.value)
    .values(state=OutboxState.ABANDONED.value)
)


def let_wait_again(transaction: Transaction, turn: str, number: int, now: float) -> None:
    """Begin a turn anew; what it sent before stays as it is."""
    transaction.run(_RENEW, {"turn": turn, "now": now})
    transaction.run(_LEAVE_MESSAGES, {"turn_id": turn})
    transaction.run(_WAIT_AGAIN, {"which": number})
