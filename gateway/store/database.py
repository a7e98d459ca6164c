"""One database as its tables' classes see it: write in the writer, read beside it."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select

from gateway.errors import GatewayError, StoreBusy, StoreFailed
from gateway.store.engine import open_for_writing, too_new
from gateway.store.failures import told, unusable
from gateway.store.location import prepare
from gateway.store.lock import StoreLock
from gateway.store.reader import Reader
from gateway.store.schema import VERSION, alembic_version
from gateway.store.statements import Statement
from gateway.store.writer import Operation, Writer

T = TypeVar("T")

_VERSION = select(alembic_version.c.version_num)


class Database:
    """A file with one writer and readers; nothing but gateway errors comes out of it."""

    def __init__(self, path: Path, *, is_read_only: bool) -> None:
        self.path = path
        self._is_read_only = is_read_only
        self._lock = StoreLock(path)
        self._reader = Reader(path)
        self._writer = Writer(self._open_for_writing, lambda error: told(error, path))
        self._is_open = False

    async def open(self) -> None:
        """Take the database for this process, or for reading only what another has written."""
        self._is_open = True
        try:
            await (self._look() if self._is_read_only else self._writer.open())
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of the database; the reader goes first, so that the writer can tidy up."""
        self._is_open = False
        await self._reader.close()
        await self._writer.close()
        self._lock.release(in_order=True)

    async def write(self, operation: Operation[T]) -> T:
        """Return the operation's value after its commit, or raise with nothing kept."""
        self._refuse_to_write_when_reading()
        return await self._writer.run(operation)

    def write_later(self, operation: Operation[None]) -> None:
        self._refuse_to_write_when_reading()
        self._writer.run_later(operation)

    async def scrub(self) -> None:
        """Leave nothing in the log of what was erased."""
        await self._writer.empty_log()

    async def read(self, statement: Statement, **values: Any) -> Sequence[Any]:
        """Run a module-level statement; rows have their columns as attributes."""
        if not self._is_open:
            raise StoreFailed("the store is closed")
        try:
            return await self._reader.rows(statement, **values)
        except sqlite3.Error as error:
            failure = told(error, self.path)
            if failure is error:
                raise
            raise failure from error

    async def read_one(self, statement: Statement, **values: Any) -> Any | None:
        rows = await self.read(statement, **values)
        return rows[0] if rows else None

    def _open_for_writing(self) -> sqlite3.Connection:
        try:
            prepare(self.path)
            is_in_order = self._lock.acquire() or not self.path.stat().st_size
            try:
                return open_for_writing(self.path, is_trusted=is_in_order)
            except BaseException:
                self._lock.release(in_order=is_in_order)
                raise
        except (OSError, sqlite3.Error, GatewayError) as error:
            raise unusable(self.path, told(error, self.path)) from error

    async def _look(self) -> None:
        if not self.path.exists():
            raise StoreFailed(f"there is no database {self.path} yet: start the gateway once")
        try:
            found = await self.read_one(_VERSION)
        except (sqlite3.Error, StoreBusy) as error:
            raise unusable(self.path, error) from error
        if found is None or found.version_num < VERSION:
            raise StoreFailed(f"the database {self.path} is older: start the gateway once")
        if found.version_num > VERSION:
            raise too_new(self.path, found.version_num)

    def _refuse_to_write_when_reading(self) -> None:
        if self._is_read_only:
            raise StoreFailed("the store was opened for reading only")
