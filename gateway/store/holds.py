"""What is held for model calls under way; looked at and held in one step."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, delete, func, literal, select
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.money import Amount, Cap, Holds, Payer, Scope
from gateway.ids import HoldId, NewId
from gateway.store.database import Database
from gateway.store.inserts import insert
from gateway.store.schema import holds, usage
from gateway.store.statements import Statement, Transaction

_HOLD = insert(holds)
_RELEASE = delete(holds).where(holds.c.id == bindparam("hold"))


def _is_of(table: Table, scope: Scope) -> ColumnElement[bool]:
    if scope is Scope.TOTAL:
        return literal(value=True)
    return table.c[scope.value] == bindparam(scope.value)


def _spent(scope: Scope) -> Statement:
    tokens = usage.c.input_tokens + usage.c.output_tokens
    return select(
        func.coalesce(func.sum(tokens), 0).label("tokens"),
        func.coalesce(func.sum(usage.c.micros), 0).label("micros"),
    ).where(usage.c.spent_at >= bindparam("since"), _is_of(usage, scope))


def _held(scope: Scope) -> Statement:
    return select(
        func.coalesce(func.sum(holds.c.tokens), 0).label("tokens"),
        func.coalesce(func.sum(holds.c.micros), 0).label("micros"),
    ).where(holds.c.expires_at > bindparam("now"), _is_of(holds, scope))


_SPENT = {scope: _spent(scope) for scope in Scope}
_HELD = {scope: _held(scope) for scope in Scope}


class SqlHolds(Holds):
    """A cap's use is summed from the ledger each time: there is no second count to go wrong."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    @override
    async def hold(
        self, payer: Payer, worst: Amount, caps: Sequence[Cap], *, lasts: float
    ) -> HoldId | Cap:
        now, made = self._clock.now(), HoldId(self._new_id("hold"))
        row = {
            "id": made, "person": payer.person, "place": payer.place, "tokens": worst.tokens,
            "micros": worst.micros, "expires_at": now + lasts,
        }  # fmt: skip

        def operation(transaction: Transaction) -> HoldId | Cap:
            for cap in caps:
                asked = _asked(cap, payer, now)
                spent = transaction.rows(_SPENT[cap.scope], asked)
                if not cap.has_room(_sum(spent, transaction.rows(_HELD[cap.scope], asked)), worst):
                    return cap
            transaction.run(_HOLD, row)
            return made

        return await self._database.write(operation)

    @override
    async def release(self, hold: HoldId) -> None:
        await self._database.write(lambda transaction: end_hold(transaction, hold))

    @override
    async def used(self, cap: Cap, payer: Payer) -> Amount:
        asked = _asked(cap, payer, self._clock.now())
        spent = await self._database.read(_SPENT[cap.scope], **asked)
        return _sum(spent, await self._database.read(_HELD[cap.scope], **asked))


def end_hold(transaction: Transaction, hold: HoldId) -> None:
    transaction.run(_RELEASE, {"hold": hold})


def _asked(cap: Cap, payer: Payer, now: float) -> dict[str, Any]:
    return {"since": cap.since, "now": now, "person": payer.person, "place": payer.place}


def _sum(*found: Sequence[Any]) -> Amount:
    rows = [row for rows in found for row in rows]
    return Amount(sum(int(row.tokens) for row in rows), sum(int(row.micros) for row in rows))
