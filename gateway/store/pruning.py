"""Forgetting what is of no more use, a few rows at a time: the writer is never held for long."""

from functools import partial

from sqlalchemy import Delete, bindparam, delete, not_, select

from gateway.store.database import Database
from gateway.store.schema import (
    IS_UNSETTLED_NOTICE,
    approvals,
    code_tries,
    holds,
    inbox,
    link_codes,
    outbox,
    overheard,
    pairings,
    steps,
    turns,
)
from gateway.store.statements import Transaction

_AT_ONCE = 500

_MESSAGES = (
    select(inbox.c.number, inbox.c.state, inbox.c.kept_at)
    .where(inbox.c.number > bindparam("after"))
    .order_by(inbox.c.number)
    .limit(_AT_ONCE)
)
_TURN = select(turns.c.id).where(turns.c.number == bindparam("of_number")).scalar_subquery()
_DROP_MESSAGE = (
    delete(steps).where(steps.c.turn == _TURN),
    delete(outbox).where(outbox.c.turn == _TURN),
    delete(turns).where(turns.c.number == bindparam("of_number")),
    delete(inbox).where(inbox.c.number == bindparam("of_number")),
)
_NOTICES = (
    select(outbox.c.id)
    .where(
        outbox.c.turn.is_(None),
        not_(IS_UNSETTLED_NOTICE),
        outbox.c.created_at < bindparam("before"),
    )
    .limit(_AT_ONCE)
)
_DROP_NOTICE = delete(outbox).where(outbox.c.id == bindparam("of_id"))
_DROP_REQUESTS = delete(pairings).where(pairings.c.expires_at < bindparam("before"))
"""They are few: a request makes room for itself."""
_DROP_CODES = delete(link_codes).where(link_codes.c.created_at < bindparam("before"))
_DROP_TRIES = delete(code_tries).where(code_tries.c.tried_at < bindparam("before"))
_DROP_OVERHEARD = delete(overheard).where(overheard.c.said_at < bindparam("before"))
_DROP_APPROVALS = delete(approvals).where(approvals.c.asked_at < bindparam("before"))
_DROP_HOLDS = delete(holds).where(holds.c.expires_at < bindparam("before"))
"""Only crashes leave them."""
_DROP_EXPIRED = (
    _DROP_REQUESTS,
    _DROP_CODES,
    _DROP_TRIES,
    _DROP_OVERHEARD,
    _DROP_APPROVALS,
    _DROP_HOLDS,
)


async def prune(database: Database, before: float) -> int:
    """Forget messages from before that time, with their turns and what these sent.

    Settled notices, pairing requests and codes that have expired go, too. Returns how many
    messages and notices that was.
    """
    values = {"before": before}
    for statement in _DROP_EXPIRED:
        await database.write(partial(_run, statement=statement, values=values))
    dropped = 0
    last: int | None = 0
    while last is not None:
        count, last = await database.write(partial(_drop_messages, before=before, after=last))
        dropped += count
    while count := await database.write(lambda transaction: _drop_notices(transaction, before)):
        dropped += count
    return dropped


def _run(transaction: Transaction, statement: Delete, values: dict[str, float]) -> None:
    transaction.run(statement, values)


def _drop_messages(transaction: Transaction, before: float, after: int) -> tuple[int, int | None]:
    """Look at the messages that follow; return how many went, and where to go on."""
    rows = transaction.rows(_MESSAGES, {"after": after})
    old = [row for row in rows if row.kept_at < before]
    settled = [{"of_number": row.number} for row in old if row.state != "waiting"]
    for statement in _DROP_MESSAGE:
        transaction.run_for_each(statement, settled)
    return len(settled), old[-1].number if old else None


def _drop_notices(transaction: Transaction, before: float) -> int:
    rows = transaction.rows(_NOTICES, {"before": before})
    transaction.run_for_each(_DROP_NOTICE, [{"of_id": row.id} for row in rows])
    return len(rows)
