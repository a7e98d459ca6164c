"""The one writer: a thread that owns the writing connection and commits in groups."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog

from gateway.errors import StoreBusy, StoreFailed
from gateway.store.statements import Statements, Transaction

log = structlog.get_logger()

T = TypeVar("T")
Operation = Callable[[Transaction], T]
"""Reads and writes in one transaction; runs on the writer's thread and must not wait."""

_GROUP_AT_MOST = 256
_WAITING_AT_MOST = 10_000
_PAUSE = 1.0
_COMPANY = 0.05
"""Seconds that what nobody waits for may wait for company, which spares a commit."""


@dataclass(slots=True)
class _Write:
    operation: Operation[Any]
    done: asyncio.Future[Any] | None
    """None when nobody waits for the outcome."""
    value: Any = None
    error: Exception | None = None

    @property
    def is_withdrawn(self) -> bool:
        return self.done is not None and self.done.cancelled()

    def resolve(self) -> None:
        if self.done is None:
            if self.error is not None:
                log.warning("write.lost", error=type(self.error).__name__)
        elif self.done.cancelled():
            return
        elif self.error is None:
            self.done.set_result(self.value)
        else:
            self.done.set_exception(self.error)


class Writer:
    """Runs operations in the order they were asked for, each as a whole or not at all.

    What waits when a commit ends goes into the next one together; an operation that
    fails takes nothing of its group with it. A caller that is cancelled withdraws its
    operation if that has not begun.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        told: Callable[[Exception], Exception],
        *,
        waiting_at_most: int = _WAITING_AT_MOST,
    ) -> None:
        self._connect = connect
        self._told = told
        self._waiting_at_most = waiting_at_most
        self._waiting = 0
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_log_to_be_emptied = False

    async def open(self) -> None:
        """Connect; raises whatever `connect` raises."""
        self._loop = asyncio.get_running_loop()
        # A daemon, as a process that dies without `close` must not wait for it.
        self._thread = threading.Thread(target=self._main, name="store-writer", daemon=True)
        self._thread.start()
        try:
            await self.run(_nothing)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Do what still waits, then disconnect."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(thread.join)

    async def run(self, operation: Operation[T]) -> T:
        """Return the operation's value once it is committed, or raise its error."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._submit(_Write(operation, done))
        return await done

    def run_later(self, operation: Operation[None]) -> None:
        """Have it done without waiting; a failure is only logged."""
        self._submit(_Write(operation, None))

    async def empty_log(self) -> None:
        """Move all that the log holds into the database, and leave nothing of it in the log."""
        self._is_log_to_be_emptied = True
        await self.run(_nothing)

    def _submit(self, write: _Write) -> None:
        if self._thread is None:
            raise StoreFailed("the store is closed")
        if self._waiting >= self._waiting_at_most:
            raise StoreBusy("too many writes are waiting", _PAUSE)
        self._waiting += 1
        self._queue.put(write)

    def _main(self) -> None:
        try:
            connection = self._connect()
        except Exception as error:  # noqa: BLE001 - everybody who asks is told
            self._work(partial(_refuse, error))
        else:
            self._work(partial(self._commit, connection, Transaction(connection, Statements())))
            connection.close()

    def _work(self, settle: Callable[[Sequence[_Write]], None]) -> None:
        is_open = True
        while is_open:
            group, is_open = self._next_group()
            settle([write for write in group if not write.is_withdrawn])
            self._loop.call_soon_threadsafe(self._resolve, group)

    def _next_group(self) -> tuple[list[_Write], bool]:
        """Wait for a write and take those behind it; the flag says whether to go on."""
        group: list[_Write] = []
        patience: float | None = None
        with suppress(queue.Empty):
            while len(group) < _GROUP_AT_MOST:
                write = self._queue.get(timeout=patience)
                if write is None:
                    return group, False
                group.append(write)
                if write.done is not None:
                    patience = 0
                elif patience is None:
                    patience = _COMPANY
        return group, True

    def _commit(
        self, connection: sqlite3.Connection, transaction: Transaction, group: Sequence[_Write]
    ) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for write in group:
                self._apply(connection, transaction, write)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - everybody of the group is told
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            for write in group:
                write.error = self._told(error)
        else:
            self._empty_log(connection)

    def _empty_log(self, connection: sqlite3.Connection) -> None:
        if self._is_log_to_be_emptied:
            self._is_log_to_be_emptied = False
            with suppress(sqlite3.Error):  # a reader that is at it for long: the next one does it
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _apply(
        self, connection: sqlite3.Connection, transaction: Transaction, write: _Write
    ) -> None:
        connection.execute("SAVEPOINT one")
        try:
            write.value = write.operation(transaction)
        except Exception as error:
            if not connection.in_transaction:
                raise  # the whole group is undone: a full or failing disk
            connection.execute("ROLLBACK TO one")
            write.error = self._told(error)
        connection.execute("RELEASE one")

    def _resolve(self, group: Sequence[_Write]) -> None:
        self._waiting -= len(group)
        for write in group:
            write.resolve()


def _nothing(_: Transaction) -> None:
    """Only proves that the connection is there."""


def _refuse(error: Exception, group: Sequence[_Write]) -> None:
    for write in group:
        write.error = error
