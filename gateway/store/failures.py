"""What a database's errors mean to a caller."""

import sqlite3
from pathlib import Path

from gateway.errors import StoreBusy, StoreFailed

_EXTENDED = 0xFF
_WAIT_FOR_LOCK = 1.0
_WAIT_FOR_DISK = 5.0
_BUSY = {
    sqlite3.SQLITE_BUSY: ("another process holds a lock on it", _WAIT_FOR_LOCK),
    sqlite3.SQLITE_LOCKED: ("another process holds a lock on it", _WAIT_FOR_LOCK),
    sqlite3.SQLITE_PROTOCOL: ("another process holds a lock on it", _WAIT_FOR_LOCK),
    sqlite3.SQLITE_NOMEM: ("out of memory", _WAIT_FOR_DISK),
    sqlite3.SQLITE_READONLY: ("the disk is read-only", _WAIT_FOR_DISK),
    sqlite3.SQLITE_PERM: ("access denied", _WAIT_FOR_DISK),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", _WAIT_FOR_DISK),
    sqlite3.SQLITE_FULL: ("the disk is full", _WAIT_FOR_DISK),
    sqlite3.SQLITE_CANTOPEN: ("its files cannot be opened", _WAIT_FOR_DISK),
}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damaged(path: Path, detail: str) -> StoreFailed:
    """Say that a database cannot be trusted, and what to do."""
    return StoreFailed(
        f"the database {path} is damaged ({detail}): restore a backup in its place, "
        "or move it away to start with an empty one"
    )


def told(error: Exception, path: Path) -> Exception:
    """Return what to raise in place of `error`: itself, unless disk, lock or damage caused it."""
    code = getattr(error, "sqlite_errorcode", 0) & _EXTENDED
    if code in _DAMAGED:
        return damaged(path, str(error))
    if code in _BUSY:
        words, after = _BUSY[code]
        return StoreBusy(f"cannot use the database {path} now: {words}", after)
    return error


def unusable(path: Path, error: Exception) -> StoreFailed:
    """Say why a store cannot be opened."""
    if isinstance(error, StoreFailed):
        return error
    why = str(error)
    if isinstance(error, OSError) and error.strerror:
        why = f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return StoreFailed(
        f"cannot open the database {path}: {why}. Give the gateway a directory that it can "
        "write to, with free space, by data_dir or store.url"
    )
