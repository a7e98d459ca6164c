"""Opening the one connection that writes: pragmas, a check after a crash, the schema."""

import os
import sqlite3
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import structlog
from sqlalchemy import Connection, StaticPool, create_engine

from gateway.errors import StoreFailed
from gateway.store.failures import damaged
from gateway.store.schema import VERSION, alembic_version, metadata

log = structlog.get_logger()

_PRAGMAS = (
    "busy_timeout=5000",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "mmap_size=0",
    "journal_size_limit=67108864",
    "secure_delete=ON",
)
_AT_ONCE = 1 << 20


def open_for_writing(path: Path, *, is_trusted: bool) -> sqlite3.Connection:
    """Return a connection to a sound database of this version, upgraded if need be.

    A database that was not left in order is looked through first.
    """
    # No isolation level: Python would begin transactions of its own, and too late.
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in _PRAGMAS:
            # To its end, or a failure to write the mode down would go unseen.
            connection.execute(f"PRAGMA {pragma}").fetchall()
        _require_log(connection, path)
        if not is_trusted:
            _check(connection, path)
        _rewrite_log(connection, path.with_name(f"{path.name}-wal"))
        _bring_up_to_date(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def change_tables(connection: sqlite3.Connection, change: Callable[[Connection], object]) -> None:
    """Let SQLAlchemy change tables, all or none."""
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    with engine.connect() as view:
        view.begin()  # in its own books only: it would begin nothing before a table is made
        connection.execute("BEGIN IMMEDIATE")
        change(view)
        connection.execute("COMMIT")


def too_new(path: Path, found: str) -> StoreFailed:
    return StoreFailed(
        f"the database {path} was written by a newer version of parley "
        f"(schema {found}, this one knows {VERSION}): install that version"
    )


def _require_log(connection: sqlite3.Connection, path: Path) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        raise StoreFailed(
            f"the disk of {path} cannot hold a write-ahead log (it lacks shared memory): "
            "put the database on a local disk by data_dir or store.url"
        )


def _check(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise damaged(path, found.splitlines()[-1])
    log.info("store.checked", reason="it was not closed in order")


def _rewrite_log(connection: sqlite3.Connection, log: Path) -> None:
    """Write the log that another process has left once more, as it is, and sync it.

    SQLite takes all of it for kept, though that process may have died before its sync, or have
    been told that the sync failed. After a failure a sync alone is no use: the system holds what
    it could not write for written.
    """
    connection.execute("BEGIN IMMEDIATE")  # so that no other program changes it meanwhile
    try:
        file = os.open(log, os.O_RDWR)
        try:
            at = 0
            while part := os.pread(file, _AT_ONCE, at):
                at += os.pwrite(file, part, at)
            if at:
                os.fsync(file)
        finally:
            os.close(file)
    finally:
        connection.execute("ROLLBACK")


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not tables:
        change_tables(connection, _create)
        return
    if alembic_version.name not in tables:
        raise StoreFailed(f"{path} is a database of something else: choose another by store.url")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    found = row[0] if row else ""  # Alembic's own word for having run nothing yet
    if found > VERSION:
        raise too_new(path, found)
    if found < VERSION:
        # Alembic is imported only where it has work to do: it costs a tenth of a second.
        change_tables(connection, import_module("gateway.store.upgrade").upgrade)
        log.info("store.upgraded", before=found, after=VERSION)


def _create(connection: Connection) -> None:
    metadata.create_all(connection, checkfirst=False)
    connection.execute(alembic_version.insert().values(version_num=VERSION))
