"""What was spent: one row for each model call."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

from sqlalchemy import bindparam, delete, func, select
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.money import Payer, UsageLedger, UsageShare, UsageTotal
from gateway.ids import HoldId, PersonId, SessionId
from gateway.store.database import Database
from gateway.store.holds import end_hold
from gateway.store.inserts import insert
from gateway.store.schema import usage as ledger
from gateway.store.statements import Statement, Transaction
from gateway.transcript import Usage

_SPEND = insert(ledger)

_COUNTED = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
_ALL = (
    select(
        ledger.c.model,
        func.count().label("calls"),
        *(func.sum(ledger.c[name]).label(name) for name in (*_COUNTED, "micros")),
    )
    .where(ledger.c.spent_at >= bindparam("since"))
    .group_by(ledger.c.model)
    .order_by(ledger.c.model)
)
_OF_PERSON = ledger.c.person == bindparam("person")
_OF_SESSION = ledger.c.session == bindparam("session")
_TOTALS: dict[tuple[bool, bool], Statement] = {
    (False, False): _ALL,
    (True, False): _ALL.where(_OF_PERSON),
    (False, True): _ALL.where(_OF_SESSION),
    (True, True): _ALL.where(_OF_PERSON, _OF_SESSION),
}
"""By whether a person is asked about, and whether a session is."""

_DROP = delete(ledger).where(ledger.c.spent_at < bindparam("before")).returning(ledger.c.number)
_TOKENS = func.sum(ledger.c.input_tokens + ledger.c.output_tokens)


def _by(column: str) -> Statement:
    return (
        select(
            ledger.c[column].label("name"),
            func.count().label("calls"),
            *(func.sum(ledger.c[name]).label(name) for name in (*_COUNTED, "micros")),
        )
        .where(ledger.c.spent_at >= bindparam("since"))
        .group_by(ledger.c[column])
        .order_by(_TOKENS.desc())
    )


_SHARES: dict[str, Statement] = {
    column: _by(column) for column in ("person", "place", "agent", "model")
}


def spend(
    transaction: Transaction,
    session: SessionId,
    payer: Payer,
    model: str,
    usage: Usage,
    micros: int,
    hold: HoldId | None,
    now: float,
) -> None:
    """Write a call down; what was held for it is held no more."""
    row = {"session": session, "model": model, "spent_at": now, "micros": micros}
    transaction.run(_SPEND, {**row, **asdict(payer), **asdict(usage)})
    if hold is not None:
        end_hold(transaction, hold)


class SqlUsage(UsageLedger):
    """Sums at the time of asking."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @override
    async def record(
        self,
        session: SessionId,
        payer: Payer,
        model: str,
        usage: Usage,
        micros: int,
        hold: HoldId | None,
    ) -> None:
        now = self._clock.now()
        await self._database.write(
            lambda transaction: spend(transaction, session, payer, model, usage, micros, hold, now)
        )

    @override
    async def totals(
        self,
        *,
        person: PersonId | None = None,
        session: SessionId | None = None,
        since: float = 0.0,
    ) -> Sequence[UsageTotal]:
        asked = {"person": person, "session": session}
        given = {name: value for name, value in asked.items() if value is not None}
        statement = _TOTALS[person is not None, session is not None]
        return [
            UsageTotal(row.model, row.calls, _usage(row), int(row.micros))
            for row in await self._database.read(statement, since=since, **given)
        ]

    @override
    async def drop(self, before: float) -> int:
        rows = await self._database.write(
            lambda transaction: transaction.rows(_DROP, {"before": before})
        )
        return len(rows)

    @override
    async def shares(
        self, by: Literal["person", "place", "agent", "model"], since: float
    ) -> Sequence[UsageShare]:
        return [
            UsageShare(row.name or "", row.calls, _usage(row), int(row.micros))
            for row in await self._database.read(_SHARES[by], since=since)
        ]


def _usage(row: Any) -> Usage:
    return Usage(*(int(getattr(row, name)) for name in _COUNTED))
