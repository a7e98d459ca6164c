"""Statements of SQLAlchemy, written as one dialect's SQL once and run on the driver itself.

What SQLAlchemy does for each execution costs more than SQLite's own work; what it does to
write SQL for a dialect is done once here (docs/decisions/0002-one-writer-thread.md).
"""

import sqlite3
from collections import namedtuple
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, UpdateBase
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

Statement = Select[*tuple[Any, ...]] | UpdateBase
"""Made once, at module level, with a `bindparam` for each value that changes."""


@dataclass(frozen=True, slots=True)
class Written:
    """A statement as SQL, with the values that never change and a type for its rows."""

    sql: str
    constants: Mapping[str, Any]
    row: Any


class Statements:
    """Writes each statement once."""

    def __init__(self) -> None:
        self._dialect = SQLiteDialect_pysqlite(paramstyle="named")
        self._written: dict[Statement, Written] = {}

    def written(self, statement: Statement) -> Written:
        found = self._written.get(statement)
        if found is None:
            found = self._written[statement] = self._write(statement)
        return found

    def _write(self, statement: Statement) -> Written:
        compiled = statement.compile(dialect=self._dialect)
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        names = [column.name for column in statement.exported_columns]
        row = namedtuple("Row", names)  # type: ignore[misc] # noqa: PYI024 - known only here
        return Written(str(compiled), constants, row)


class Transaction:
    """What an operation of the writer works with; rows have their columns as attributes."""

    def __init__(self, connection: sqlite3.Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements

    def rows(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Any]:
        written = self._statements.written(statement)
        found = self._connection.execute(written.sql, {**written.constants, **values})
        return list(map(written.row._make, found))

    def row(self, statement: Statement, values: Mapping[str, Any]) -> Any | None:
        """Return the first row, if any."""
        found = self.rows(statement, values)
        return found[0] if found else None

    def run(self, statement: Statement, values: Mapping[str, Any]) -> None:
        written = self._statements.written(statement)
        self._connection.execute(written.sql, {**written.constants, **values})

    def run_for_each(self, statement: Statement, values: Sequence[Mapping[str, Any]]) -> None:
        """Run it once for each, none of its values being constant."""
        self._connection.executemany(self._statements.written(statement).sql, values)
