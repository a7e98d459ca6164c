"""Who did what: rows that are only added, each sealed with the seal of the row before it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.linking import Audit, Seal
from gateway.store.codec import dump_facts, load_facts, storable
from gateway.store.database import Database
from gateway.store.inserts import insert
from gateway.store.schema import audit
from gateway.store.statements import Transaction

_AT_ONCE = 1000
_FIRST_SEAL = ""

_INSERT = insert(audit).values(number=bindparam("number"))
_LAST = select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)
_ONE = select(audit.c.number, audit.c.hash).where(audit.c.number == bindparam("number"))
_NEWEST = select(audit).order_by(audit.c.number.desc()).limit(bindparam("at_most"))
_FOLLOWING = (
    select(audit)
    .where(audit.c.number > bindparam("after"))
    .order_by(audit.c.number)
    .limit(_AT_ONCE)
)


def note(
    transaction: Transaction, now: float, action: str, actor: str, facts: Mapping[str, str]
) -> None:
    """Add a row, with the change that it tells of."""
    last = transaction.row(_LAST, {})
    row = {
        "number": 1 if last is None else last.number + 1,
        "happened_at": now,
        "action": action,
        "actor": storable(actor),
        "facts": dump_facts(facts),
    }
    seal = _seal(_FIRST_SEAL if last is None else last.hash, row)
    transaction.run(_INSERT, {**row, "hash": seal})


def _seal(before: str, row: Mapping[str, Any]) -> str:
    parts = (before, *(repr(row[name]) for name in ("number", "happened_at")))
    texts = (row["action"], row["actor"], row["facts"])
    # Lengths go in, too: what one column ends with is not what the next begins with.
    sealed = "\0".join([*parts, *(f"{len(text)} {text}" for text in texts)])
    return hashlib.sha256(sealed.encode()).hexdigest()


class SqlAudit(Audit):
    """Numbers have no gaps, so that a row that was taken out is missed as well."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @override
    async def note(self, action: str, actor: str, facts: Mapping[str, str]) -> None:
        now = self._clock.now()
        await self._database.write(lambda transaction: note(transaction, now, action, actor, facts))

    @override
    async def newest(self, at_most: int) -> Sequence[dict[str, Any]]:
        rows = await self._database.read(_NEWEST, at_most=at_most)
        return [
            {
                "number": row.number,
                "happened_at": row.happened_at,
                "action": row.action,
                "actor": row.actor,
                "facts": load_facts(row.facts),
            }
            for row in rows
        ]

    @override
    async def seal(self, number: int | None = None) -> Seal | None:
        asked = {} if number is None else {"number": number}
        row = await self._database.read_one(_LAST if number is None else _ONE, **asked)
        return None if row is None else Seal(row.number, row.hash)

    @override
    async def first_broken(self) -> int | None:
        expected, seal = 1, _FIRST_SEAL
        while rows := await self._database.read(_FOLLOWING, after=expected - 1):
            for row in rows:
                seal = _seal(seal, row._asdict())
                if row.number != expected or row.hash != seal:
                    return expected
                expected += 1
        return None
