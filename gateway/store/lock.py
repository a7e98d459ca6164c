"""One process to a database; and how the process before it ended."""

import fcntl
import os
from pathlib import Path

from gateway.errors import StoreFailed

_CLEAN = b"clean"


class StoreLock:
    """A file beside the database, locked for as long as a process owns it.

    It says who holds it or, once it is let go of, that everything was put in order first.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(f"{database.name}.lock")
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take it, and tell whether its last owner left in order.

        Raises:
            OSError: the file cannot be written.
            StoreFailed: another process has it.
        """
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            said = self._lock(file)
            # On the disk before anything else is: a torn database must not look well kept.
            _write(file, str(os.getpid()).encode())
        except BaseException:
            os.close(file)
            raise
        self._file = file
        return said == _CLEAN

    def _lock(self, file: int) -> bytes:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(file, 32, 0).decode(errors="replace")
            raise StoreFailed(
                f"another parley process (pid {owner}) uses the database {self._database}: "
                "stop it first, or give this one another data_dir"
            ) from None
        return os.pread(file, 32, 0)

    def release(self, *, in_order: bool) -> None:
        if self._file is None:
            return
        if in_order:
            _write(self._file, _CLEAN)
        os.close(self._file)
        self._file = None


def _write(file: int, words: bytes) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, words, 0)
    os.fsync(file)
