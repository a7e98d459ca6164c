"""Messages that were given up."""

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, exists, or_, select, update
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.dead_letters import DeadLetter, DeadLetters, NoRevival
from gateway.contracts.stores import TurnState
from gateway.ids import Lane
from gateway.store.database import Database
from gateway.store.reviving import let_wait_again
from gateway.store.schema import entries, inbox, turns
from gateway.store.statements import Transaction

_IS_DEAD = or_(
    turns.c.state == TurnState.FAILED.value,
    turns.c.state == TurnState.DEAD.value,
)
_NEWEST = (
    select(
        inbox.c.number,
        inbox.c.kept_at,
        inbox.c.account,
        inbox.c.agent,
        inbox.c.sender,
        inbox.c.session_key,
        turns.c.state,
        inbox.c.reason,
        turns.c.attempt,
        turns.c.ended_at,
    )
    .join(turns, turns.c.number == inbox.c.number)
    .where(_IS_DEAD)
    .order_by(inbox.c.number.desc())
    .limit(bindparam("most"))
)
_ONE = (
    select(inbox.c.number, inbox.c.lane, inbox.c.session_key, turns.c.id)
    .join(turns, turns.c.number == inbox.c.number)
    .where(inbox.c.number == bindparam("number"), _IS_DEAD)
)
_IS_AFTER = (inbox.c.session_key == bindparam("session_key"), inbox.c.number > bindparam("after"))
_LATER = (
    select(turns.c.id)
    .join(inbox, inbox.c.number == turns.c.number)
    .where(
        *_IS_AFTER,
        or_(
            exists().where(entries.c.turn == turns.c.id),
            and_(turns.c.state == TurnState.RUNNING.value, inbox.c.lane == bindparam("lane")),
        ),
    )
    .limit(1)
)
_DROP = (
    update(turns)
    .where(turns.c.number == bindparam("of_number"), _IS_DEAD)
    .values(state=TurnState.DROPPED.value)
    .returning(turns.c.id)
)


class SqlDeadLetters(DeadLetters):
    """Turns in state `failed` or `dead`, with the rows of their messages."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @override
    async def newest(self, most: int) -> Sequence[DeadLetter]:
        rows = await self._database.read(_NEWEST, most=most)
        return [
            DeadLetter(
                number=row.number,
                kept_at=row.kept_at,
                account=row.account,
                agent=row.agent,
                sender=row.sender,
                session_key=row.session_key,
                state=row.state,
                reason=row.reason or "",
                attempts=row.attempt,
                ended_at=row.ended_at,
            )
            for row in reversed(rows)
        ]

    @override
    async def revive(self, number: int) -> Lane | NoRevival:
        now = self._clock.now()
        return await self._database.write(lambda transaction: _revive(transaction, number, now))

    @override
    async def drop(self, number: int) -> bool:
        values = {"of_number": number}
        dropped = await self._database.write(lambda transaction: transaction.row(_DROP, values))
        return dropped is not None


def _revive(transaction: Transaction, number: int, now: float) -> Lane | NoRevival:
    dead = transaction.row(_ONE, {"number": number})
    if dead is None:
        return NoRevival.NOT_DEAD
    after = {"session_key": dead.session_key, "after": number, "lane": dead.lane}
    if transaction.row(_LATER, after) is not None:
        return NoRevival.OVERTAKEN
    let_wait_again(transaction, dead.id, number, now)
    return Lane(dead.lane)
