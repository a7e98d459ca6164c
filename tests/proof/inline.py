"""The store's two connections on the loop's own thread, a commit or a read to a step.

Nothing else is changed: what waits when a commit begins goes into it together, and its
callers hear of it in a later step. So no copy of the files is made in the middle of a commit.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from typing_extensions import override

from gateway.errors import StoreFailed
from gateway.store.reader import Reader
from gateway.store.statements import Statement, Statements, Transaction
from gateway.store.writer import _COMPANY, Operation, T, Writer, _Write
from tests.proof.steps import StepLoop

_STATEMENTS = Statements()
"""Written once for all lives: it takes a tenth of one."""


class InlineWriter(Writer):
    """Commits in steps of its loop."""

    _own: sqlite3.Connection | None = None

    @override
    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, StepLoop)
        self._steps = loop
        self._own = self._connect()
        self._transaction = Transaction(self._own, _STATEMENTS)
        self._group: list[_Write] = []
        self._due: asyncio.Handle | None = None

    @override
    async def close(self) -> None:
        own, self._own = self._own, None
        if own is not None:
            if self._due is not None:
                self._due.cancel()
                self._commit_group(own)
            own.close()

    @override
    async def run(self, operation: Operation[T]) -> T:
        done: asyncio.Future[T] = self._steps.create_future()
        self._submit(_Write(operation, done))
        return await done

    @override
    def _submit(self, write: _Write) -> None:
        if self._own is None:
            raise StoreFailed("the store is closed")
        self._group.append(write)
        if write.done is None:
            if self._due is None:
                self._due = self._steps.call_later(_COMPANY, self._commit_group, self._own)
        elif sum(one.done is not None for one in self._group) == 1:
            if self._due is not None:
                self._due.cancel()
            self._due = self._steps.call_soon(self._commit_group, self._own)

    def _commit_group(self, own: sqlite3.Connection) -> None:
        group, self._group, self._due = self._group, [], None
        self._waiting += len(group)
        self._commit(own, self._transaction, [one for one in group if not one.is_withdrawn])
        self._steps.commits += 1
        self._steps.call_soon(self._resolve, group)


class InlineReader(Reader):
    """Reads in steps of its loop."""

    _own: sqlite3.Connection | None = None

    @override
    async def rows(self, statement: Statement, **values: Any) -> Sequence[Any]:
        written = _STATEMENTS.written(statement)
        await asyncio.sleep(0)
        if self._own is None:
            name = f"file:{quote(str(self._path.absolute()))}?mode=ro"
            self._own = sqlite3.connect(name, uri=True, isolation_level=None)
        found = self._own.execute(written.sql, {**written.constants, **values}).fetchall()
        await asyncio.sleep(0)
        return list(map(written.row._make, found))

    @override
    async def close(self) -> None:
        own, self._own = self._own, None
        if own is not None:
            own.close()
