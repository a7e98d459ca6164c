"""A disk that becomes read-only while its files are in use, as failing ones do.

    READ_ONLY=folder READ_ONLY_WHILE=file python -m tests.fakes.read_only_disk serve ...

serves with a disk on which nothing beneath the folder can be written for as long as the file
exists. Rights and mounts would not do: they bind neither root nor files that are open already.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, c_char_p, c_int, c_int64, c_size_t, c_ssize_t, c_void_p
from pathlib import Path
from typing import Any

from gateway.cli.main import main
from tests.fakes.sqlite_vfs import library

_CALLS = {
    b"open": CFUNCTYPE(c_int, c_char_p, c_int, c_int, use_errno=True),
    b"write": CFUNCTYPE(c_ssize_t, c_int, c_void_p, c_size_t, use_errno=True),
    b"pwrite": CFUNCTYPE(c_ssize_t, c_int, c_void_p, c_size_t, c_int64, use_errno=True),
    b"pwrite64": CFUNCTYPE(c_ssize_t, c_int, c_void_p, c_size_t, c_int64, use_errno=True),
    b"ftruncate": CFUNCTYPE(c_int, c_int, c_int64, use_errno=True),
    b"unlink": CFUNCTYPE(c_int, c_char_p, use_errno=True),
}
"""The system calls by which SQLite changes files."""
_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_EVENTS = frozenset({"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate"})


@contextmanager
def read_only_for_sqlite(is_now: Callable[[], bool]) -> Iterator[None]:
    """Refuse what SQLite writes while the body runs, whenever `is_now` says so."""
    vfs = library().sqlite3_vfs_find(None)
    calls = vfs.contents
    held = []

    def refusing(kind: Any, own: Any) -> Any:
        def call(first: Any, *given: int) -> int:
            changes = not isinstance(first, bytes) or not given or bool(given[0] & _CHANGES)
            if changes and is_now():
                ctypes.set_errno(errno.EROFS)
                return -1
            return int(own(first, *given))

        return kind(call)

    for name, kind in _CALLS.items():
        if address := calls.xGetSystemCall(vfs, name):
            put = refusing(kind, kind(address))
            held.append(put)  # SQLite keeps none of it alive
            calls.xSetSystemCall(vfs, name, ctypes.cast(put, c_void_p))
    try:
        yield
    finally:
        for name in _CALLS:
            calls.xSetSystemCall(vfs, name, None)


def refuse_python(folder: str, is_now: Callable[[], bool]) -> None:
    """Refuse what Python itself writes beneath a folder, from now on and for good."""

    def look(event: str, given: tuple[Any, ...]) -> None:
        changes = event in _EVENTS or (event == "open" and bool(given[2] & _CHANGES))
        if changes and str(given[0]).startswith(folder) and is_now():
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(given[0]))

    sys.addaudithook(look)


if __name__ == "__main__":
    sign = Path(os.environ["READ_ONLY_WHILE"])
    refuse_python(os.environ["READ_ONLY"], sign.exists)
    with read_only_for_sqlite(sign.exists):
        main()
