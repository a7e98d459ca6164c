"""Reading beside the writer: one connection that cannot write, opened at the first read."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiosqlite

from gateway.store.statements import Statement, Statements

_BUSY_TIMEOUT = 5.0


class Reader:
    """Sees every commit that was made before the read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._statements = Statements()
        self._opening = asyncio.Lock()
        self._connection: aiosqlite.Connection | None = None

    async def rows(self, statement: Statement, **values: Any) -> Sequence[Any]:
        """Return rows with their columns as attributes."""
        written = self._statements.written(statement)
        connection = self._connection or await self._open()
        found = await connection.execute_fetchall(written.sql, {**written.constants, **values})
        return list(map(written.row._make, found))

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _open(self) -> aiosqlite.Connection:
        async with self._opening:
            if self._connection is None:
                self._connection = await aiosqlite.connect(
                    f"file:{quote(str(self._path.absolute()))}?mode=ro",
                    uri=True,
                    isolation_level=None,
                    timeout=_BUSY_TIMEOUT,
                )
            return self._connection
