"""SQLite's file operations, seen and refused from Python: a layer over its own one.

The layer is put into the very library that the product's `sqlite3` runs on, as its default, so
that the product's own connections go through it, and nothing has to be built or installed. What
it does not look at goes straight to SQLite's own functions.
"""

import ctypes
import os
import sqlite3  # noqa: F401 - it loads the library that is asked below
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from typing import Any, Protocol

_OK = 0
IOERR_FSYNC = 10 | 4 << 8

_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_Delete = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_Close = CFUNCTYPE(c_int, c_void_p)
_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)
_OpenDirectory = CFUNCTYPE(c_int, c_char_p, c_void_p)
_SetSystemCall = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p)
_GetSystemCall = CFUNCTYPE(c_void_p, c_void_p, c_char_p)


class _Vfs(Structure):
    """`sqlite3_vfs`; what is not called from here has no type."""

    _fields_ = (
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        ("xOpen", _Open),
        ("xDelete", _Delete),
        *((f"other{number}", c_void_p) for number in range(11)),
        ("xSetSystemCall", _SetSystemCall),
        ("xGetSystemCall", _GetSystemCall),
        ("xNextSystemCall", c_void_p),
    )


class _Methods(Structure):
    """`sqlite3_io_methods`."""

    _fields_ = (
        ("iVersion", c_int),
        ("xClose", _Close),
        ("xRead", c_void_p),
        ("xWrite", _Write),
        ("xTruncate", _Truncate),
        ("xSync", _Sync),
        *((f"other{number}", c_void_p) for number in range(13)),
    )


class _File(Structure):
    """`sqlite3_file`."""

    _fields_ = (("pMethods", c_void_p),)


class Watcher(Protocol):
    """Is told what SQLite does to files with a name."""

    def opened(self, path: str, *, is_new: bool) -> None: ...

    def wrote(self, path: str, offset: int, data: bytes) -> None: ...

    def cut(self, path: str, size: int) -> None: ...

    def removed(self, path: str) -> None: ...

    def may_sync(self, path: str) -> bool:
        """Say whether the disk is to obey; it is not asked otherwise."""
        ...

    def synced(self, path: str) -> None: ...

    def synced_folder(self, path: str) -> None: ...


def library() -> Any:
    """Return the SQLite that Python's `sqlite3` runs on."""
    import _sqlite3  # noqa: PLC0415 - a part of Python that only this asks for

    # Where the module is a part of Python's own binary, the library is, too.
    found = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    found.sqlite3_vfs_find.restype = POINTER(_Vfs)
    return found


class _Layer:
    """A copy of SQLite's own functions, some of them with a word to the watcher."""

    def __init__(self, own: Any, watcher: Watcher) -> None:
        self._own = own.contents
        self._own_address = ctypes.cast(own, c_void_p).value
        self._watcher = watcher
        self._paths: dict[int, str] = {}
        self._tables: dict[int, _Methods] = {}
        self.vfs = _Vfs.from_buffer_copy(self._own)
        self.vfs.pNext = None
        self.vfs.zName = b"watched"
        self.vfs.xOpen = _Open(self._open)
        self.vfs.xDelete = _Delete(self._delete)
        self._open_directory = _OpenDirectory(self._own_call(b"openDirectory"))
        self.open_directory = _OpenDirectory(self._folder)

    def _own_call(self, name: bytes) -> Any:
        return self._own.xGetSystemCall(self._own_address, name)

    def watch_folders(self, call: Any) -> None:
        """Put `call` where SQLite opens a folder to sync it; None puts its own back."""
        address = None if call is None else ctypes.cast(call, c_void_p)
        self._own.xSetSystemCall(self._own_address, b"openDirectory", address)

    def _folder(self, path: bytes, file: int) -> int:
        code = int(self._open_directory(path, file))
        if code == _OK:
            self._watcher.synced_folder(str(os.path.dirname(os.fsdecode(path))))  # noqa: PTH120
        return code

    def _open(self, _: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        path = os.fsdecode(ctypes.string_at(name)) if name else ""
        is_new = bool(path) and not os.path.exists(path)  # noqa: PTH110 - as short as can be
        code = int(self._own.xOpen(self._own_address, name, file, flags, out))
        if code == _OK and path:
            held = _File.from_address(file)
            table = held.pMethods
            if table not in self._tables:
                self._tables[table] = self._watched(_Methods.from_address(table))
            held.pMethods = ctypes.addressof(self._tables[table])
            self._paths[file] = path
            self._watcher.opened(path, is_new=is_new)
        return code

    def _delete(self, _: int, name: int, sync_folder: int) -> int:
        path = os.fsdecode(ctypes.string_at(name))
        if os.path.exists(path):  # noqa: PTH110 - as short as can be
            self._watcher.removed(path)
        return int(self._own.xDelete(self._own_address, name, sync_folder))

    def _watched(self, own: _Methods) -> _Methods:
        def close(file: int) -> int:
            self._paths.pop(file, None)
            return int(own.xClose(file))

        def write(file: int, data: int, size: int, offset: int) -> int:
            code = int(own.xWrite(file, data, size, offset))
            if code == _OK:
                self._watcher.wrote(self._paths[file], offset, ctypes.string_at(data, size))
            return code

        def truncate(file: int, size: int) -> int:
            code = int(own.xTruncate(file, size))
            if code == _OK:
                self._watcher.cut(self._paths[file], size)
            return code

        def sync(file: int, flags: int) -> int:
            if not self._watcher.may_sync(self._paths[file]):
                return IOERR_FSYNC
            code = int(own.xSync(file, flags))
            if code == _OK:
                self._watcher.synced(self._paths[file])
            return code

        table = _Methods.from_buffer_copy(own)
        table.xClose, table.xWrite = _Close(close), _Write(write)
        table.xTruncate, table.xSync = _Truncate(truncate), _Sync(sync)
        return table


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Have every database that is opened while the body runs go by the watcher.

    All must be closed when it ends.
    """
    sqlite = library()
    own = sqlite.sqlite3_vfs_find(None)
    layer = _Layer(own, watcher)
    sqlite.sqlite3_vfs_register(ctypes.byref(layer.vfs), 1)
    layer.watch_folders(layer.open_directory)
    try:
        yield
    finally:
        layer.watch_folders(None)
        sqlite.sqlite3_vfs_unregister(ctypes.byref(layer.vfs))
        sqlite.sqlite3_vfs_register(own, 1)
