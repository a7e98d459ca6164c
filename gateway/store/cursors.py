"""Named positions in platforms' event streams."""

from sqlalchemy import bindparam, select
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.stores import Cursors
from gateway.store.database import Database
from gateway.store.inserts import insert_or_replace
from gateway.store.schema import cursors
from gateway.store.statements import Transaction

_LOAD = select(cursors.c.position).where(cursors.c.name == bindparam("name"))
_SAVE = insert_or_replace(cursors)


class SqlCursors(Cursors):
    """One row for each name."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @override
    async def load(self, name: str) -> str | None:
        row = await self._database.read_one(_LOAD, name=name)
        return None if row is None else str(row.position)

    @override
    async def save(self, name: str, position: str) -> None:
        row = {"name": name, "position": position, "saved_at": self._clock.now()}

        def operation(transaction: Transaction) -> None:
            transaction.run(_SAVE, row)

        await self._database.write(operation)
