"""What was spent: one row for each model call."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import bindparam, func, select
from typing_extensions import override

from gateway.contracts.stores import UsageLedger, UsageTotal
from gateway.ids import PersonId, SessionId
from gateway.store.database import Database
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
        *(func.sum(ledger.c[name]).label(name) for name in _COUNTED),
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


def spend(
    transaction: Transaction,
    session: SessionId,
    person: PersonId | None,
    model: str,
    usage: Usage,
    now: float,
) -> None:
    row = {"session": session, "person": person, "model": model, "spent_at": now}
    transaction.run(_SPEND, {**row, **asdict(usage)})


class SqlUsage(UsageLedger):
    """Sums at the time of asking."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
            UsageTotal(row.model, row.calls, Usage(*(int(getattr(row, name)) for name in _COUNTED)))
            for row in await self._database.read(statement, since=since, **given)
        ]
