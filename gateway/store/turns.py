"""Turns, their attempts and their steps."""

from typing import Any

from sqlalchemy import bindparam, exists, literal_column, or_, select, update
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.inbox import Kept, aside, put_back
from gateway.contracts.stores import SessionInfo, Turn, Turns, TurnState
from gateway.errors import LaneLost, MessageGone
from gateway.ids import NewId, TurnId
from gateway.store.codec import load_message
from gateway.store.database import Database
from gateway.store.inserts import insert, insert_or_skip
from gateway.store.kept import put_state, waiting_row, was_taken_back
from gateway.store.leases import claim, require
from gateway.store.reviving import let_wait_again
from gateway.store.schema import IS_WAITING, entries, inbox, outbox, steps, turns
from gateway.store.session_of_turn import session_of
from gateway.store.sessions import new_session
from gateway.store.statements import Transaction

_earlier = inbox.alias("earlier")
_FIRST = insert(turns)
_AGAIN = (
    update(turns)
    .where(turns.c.number == bindparam("of_number"))
    .values(state=TurnState.RUNNING.value, attempt=turns.c.attempt + 1)
    .returning(turns.c.id, turns.c.attempt, turns.c.started_at)
)
_POSTPONE = (
    update(turns)
    .where(turns.c.id == bindparam("turn"))
    .values(state=TurnState.POSTPONED.value, attempt=turns.c.attempt - 1)
)
_PUT_OFF = (
    update(inbox).where(inbox.c.number == bindparam("which")).values(not_before=bindparam("until"))
)
_PUT_ASIDE = (
    update(inbox)
    .where(IS_WAITING, inbox.c.lane == bindparam("of_lane"), inbox.c.account == bindparam("of"))
    .values(lane=bindparam("new_lane"))
)
_ASIDE = select(inbox.c.number, inbox.c.lane).where(IS_WAITING, inbox.c.lane.like("%!aside"))
_PUT_BACK = (
    update(inbox).where(inbox.c.number == bindparam("which")).values(lane=bindparam("new_lane"))
)
_FINISH = (
    update(turns)
    .where(turns.c.id == bindparam("turn"))
    .values(state=bindparam("new_state"), ended_at=bindparam("now"))
)
_PUT_REASON = (
    update(inbox).where(inbox.c.number == bindparam("which")).values(reason=bindparam("why"))
)
_IS_FIRST = ~exists().where(
    _earlier.c.state == literal_column("'waiting'"),
    _earlier.c.lane == inbox.c.lane,
    _earlier.c.number < inbox.c.number,
)
_FIRST_IN_LANE = select(inbox.c.number).where(inbox.c.number == bindparam("number"), _IS_FIRST)
_FORGET_WORDS = update(outbox).where(outbox.c.turn == bindparam("turn")).values(text="")
"""Nobody goes on with a turn that is done: its words are in the history, or for nobody to keep."""
_UNFINISHED = select(turns.c.id).join(inbox, inbox.c.number == turns.c.number).where(IS_WAITING)
_STEP = insert_or_skip(steps)
_STEPS = select(steps.c.call_id).where(steps.c.turn == bindparam("turn"))

_FAILED = or_(
    *(
        turns.c.state == state.value
        for state in (TurnState.FAILED, TurnState.STOPPED, TurnState.DEAD)
    )
)
_LAST_ASKED = (
    # Turns that left no entry and did not fail are commands: they hide nothing.
    select(
        turns.c.id,
        turns.c.number,
        inbox.c.person,
        inbox.c.message,
        _FAILED.label("has_failed"),
    )
    .join(inbox, inbox.c.number == turns.c.number)
    .where(
        inbox.c.session_key == bindparam("session_key"),
        or_(_FAILED, exists().where(entries.c.turn == turns.c.id)),
    )
    .order_by(turns.c.number.desc())
    .limit(1)
)


class SqlTurns(Turns):
    """A turn's row is made when work on its message first begins, and never again."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    @override
    async def begin(self, kept: Kept) -> Turn:
        turn, now = TurnId(self._new_id("t")), self._clock.now()
        return await self._database.write(lambda transaction: _begin(transaction, kept, turn, now))

    @override
    async def session(self, turn: Turn) -> SessionInfo:
        kept = turn.kept
        new = new_session(kept.agent, kept.session_key, None, self._new_id, self._clock.now())
        return await self._database.write(lambda transaction: session_of(transaction, turn, new))

    @override
    async def postpone(self, turn: Turn, until: float) -> None:
        await self._database.write(lambda transaction: _postpone(transaction, turn, until))

    @override
    async def put_aside(self, turn: Turn) -> None:
        lane = turn.kept.lane
        of = {"of_lane": lane, "of": turn.kept.message.address.account, "new_lane": aside(lane)}

        def operation(transaction: Transaction) -> None:
            _postpone(transaction, turn, 0.0)
            transaction.run(_PUT_ASIDE, of)

        await self._database.write(operation)

    @override
    async def take_up_aside(self) -> None:
        if await self._database.read(_ASIDE):
            await self._database.write(_take_up_aside)

    @override
    async def finish(self, turn: Turn, state: TurnState, reason: str = "") -> None:
        values = {"turn": turn.id, "new_state": state.value, "now": self._clock.now()}

        def operation(transaction: Transaction) -> None:
            require(transaction, turn)
            transaction.run(_FINISH, values)
            if state is TurnState.DONE:
                transaction.run(_FORGET_WORDS, values)
            if reason:
                transaction.run(_PUT_REASON, {"which": turn.kept.number, "why": reason})
            put_state(transaction, turn.kept.number, "done")

        await self._database.write(operation)

    @override
    async def revive(self, session_key: str, *, by: Kept | None = None) -> Kept | None:
        now = self._clock.now()
        return await self._database.write(
            lambda transaction: _revive(transaction, session_key, by, now)
        )

    @override
    async def unfinished(self) -> frozenset[TurnId]:
        return frozenset(row.id for row in await self._database.read(_UNFINISHED))

    @override
    async def start_step(self, turn: Turn, call_id: str, tool: str) -> None:
        row = {
            "turn": turn.id, "call_id": call_id, "tool": tool, "started_at": self._clock.now(),
        }  # fmt: skip

        def operation(transaction: Transaction) -> None:
            require(transaction, turn)
            transaction.run(_STEP, row)

        await self._database.write(operation)

    @override
    async def started_steps(self, turn: TurnId) -> frozenset[str]:
        return frozenset(row.call_id for row in await self._database.read(_STEPS, turn=turn))


def _begin(transaction: Transaction, kept: Kept, turn: TurnId, now: float) -> Turn:
    # Read again: an edit may have come, or another owner may have been faster.
    fresh = waiting_row(transaction, kept.number)
    if fresh is None:
        if was_taken_back(transaction, kept.number):
            raise MessageGone(f"message {kept.number} was taken back")
        raise LaneLost(f"message {kept.number} is done already")
    if fresh.lane != kept.lane:
        raise MessageGone(f"message {kept.number} waits in another lane now")
    if transaction.row(_FIRST_IN_LANE, {"number": kept.number}) is None:
        raise MessageGone(f"before message {kept.number} an earlier one waits again")
    fence = claim(transaction, fresh.lane)
    again = transaction.row(_AGAIN, {"of_number": kept.number})
    if again is not None:
        return Turn(again.id, fresh, fence, again.attempt, again.started_at, is_resumed=True)
    first = {"state": TurnState.RUNNING.value, "attempt": 1, "started_at": now, "ended_at": None}
    transaction.run(_FIRST, {"id": turn, "number": kept.number, **first})
    return Turn(turn, fresh, fence, 1, now)


def _postpone(transaction: Transaction, turn: Turn, until: float) -> None:
    require(transaction, turn)
    transaction.run(_POSTPONE, {"turn": turn.id})
    transaction.run(_PUT_OFF, {"which": turn.kept.number, "until": until})


def _take_up_aside(transaction: Transaction) -> None:
    for row in transaction.rows(_ASIDE, {}):
        transaction.run(_PUT_BACK, {"which": row.number, "new_lane": put_back(row.lane)})


def _revive(transaction: Transaction, session_key: str, by: Kept | None, now: float) -> Kept | None:
    last = transaction.row(_LAST_ASKED, {"session_key": session_key})
    if last is None or not last.has_failed or not (by is None or _is_own(last, by)):
        return None
    let_wait_again(transaction, last.id, last.number, now)
    return waiting_row(transaction, last.number)


def _is_own(asked: Any, by: Kept) -> bool:
    """Say whether both were written by one account, or by accounts of one person."""
    if asked.person is not None and asked.person == by.person:
        return True
    return load_message(asked.message).address.identity == by.message.address.identity
