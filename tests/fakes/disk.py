"""A folder on a disk that remembers what it was made to hold, and may forget the rest.

    disk = Disk(folder)
    with disk.watching():
        ...  # databases are written to, in the folder
        disk.tell("kept")  # something outside now relies on what was written
    for image in images(disk.events, random.Random(1)):
        image.lay(elsewhere)  # what a power loss can leave

What is on the disk for good is what was written to a file before `fsync` on it came back, and the
names in a folder before `fsync` on the folder did: no more than POSIX says. A write whose sync
failed is on the disk by chance, whatever syncs come later, unless it is written again.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import override

from tests.fakes.sqlite_vfs import Watcher, watched


@dataclass(frozen=True, slots=True)
class Born:
    """A name appears in a folder."""

    path: str
    file: int
    is_folder: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    path: str


@dataclass(frozen=True, slots=True)
class Wrote:
    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    file: int
    is_done: bool = True


@dataclass(frozen=True, slots=True)
class FolderSynced:
    path: str


@dataclass(frozen=True, slots=True)
class Told:
    word: str


Event = Born | Gone | Wrote | Cut | Synced | FolderSynced | Told


def _always(_: int) -> bool:
    return True


class Disk(Watcher):
    """Notes all that happens to files beneath a folder, in order."""

    def __init__(
        self, root: Path, past: Sequence[Event] = (), *, obeys: Callable[[int], bool] = _always
    ) -> None:
        """`past` is what made the folder's content; `obeys` is asked at the n-th sync."""
        self._root = str(root.resolve())
        self._obeys = obeys
        self.events: list[Event] = list(past)
        self._files: dict[str, int] = {}
        for event in past:
            if isinstance(event, Born):
                self._files[event.path] = event.file
            elif isinstance(event, Gone):
                del self._files[event.path]
        self._born_so_far = sum(isinstance(event, Born) for event in past)
        self.syncs = 0

    def tell(self, word: str) -> None:
        self.events.append(Told(word))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch; what was opened meanwhile must be closed before the end."""
        with ExitStack() as stack:
            stack.enter_context(watched(self))
            stack.enter_context(self._calls_watched())
            yield

    # What SQLite does.

    @override
    def opened(self, path: str, *, is_new: bool) -> None:
        if is_new:
            self._born(path)

    @override
    def wrote(self, path: str, offset: int, data: bytes) -> None:
        if (name := self._name(path)) is not None:
            self.events.append(Wrote(self._files[name], offset, data))

    @override
    def cut(self, path: str, size: int) -> None:
        if (name := self._name(path)) is not None:
            self.events.append(Cut(self._files[name], size))

    @override
    def removed(self, path: str) -> None:
        if (name := self._name(path)) is not None:
            del self._files[name]
            self.events.append(Gone(name))

    @override
    def may_sync(self, path: str) -> bool:
        if (name := self._name(path)) is None:
            return True
        self.syncs += 1
        if self._obeys(self.syncs):
            return True
        self.events.append(Synced(self._files[name], is_done=False))
        return False

    @override
    def synced(self, path: str) -> None:
        if (name := self._name(path)) is not None:
            self.events.append(Synced(self._files[name]))

    @override
    def synced_folder(self, path: str) -> None:
        if (name := self._name(path)) is not None:
            self.events.append(FolderSynced(name))

    # What Python itself does.

    @contextmanager
    def _calls_watched(self) -> Iterator[None]:
        own = {
            name: getattr(os, name) for name in ("open", "mkdir", "pwrite", "ftruncate", "fsync")
        }

        def opening(path: Any, flags: int, *given: Any, **more: Any) -> int:
            is_new = bool(flags & os.O_CREAT) and not os.path.lexists(path)
            file: int = own["open"](path, flags, *given, **more)
            if is_new:
                self._born(os.fspath(path))
            return file

        def mkdir(path: Any, *given: Any, **more: Any) -> None:
            own["mkdir"](path, *given, **more)
            self._born(os.fspath(path), is_folder=True)

        def pwrite(file: int, data: bytes, offset: int) -> int:
            written: int = own["pwrite"](file, data, offset)
            self.wrote(_path_of(file), offset, data[:written])
            return written

        def ftruncate(file: int, size: int) -> None:
            own["ftruncate"](file, size)
            self.cut(_path_of(file), size)

        def fsync(file: int) -> None:
            path = _path_of(file)
            own["fsync"](file)
            (self.synced_folder if os.path.isdir(path) else self.synced)(path)  # noqa: PTH112

        for name, call in zip(own, (opening, mkdir, pwrite, ftruncate, fsync), strict=True):
            setattr(os, name, call)
        try:
            yield
        finally:
            for name, call in own.items():
                setattr(os, name, call)

    def _name(self, path: str) -> str | None:
        """Return the path from the folder on; None if it is elsewhere or has no content."""
        if path.endswith("-shm"):
            return None  # shared memory: what is left of it is never read after a restart
        if path == self._root:
            return "."
        return path[len(self._root) + 1 :] if path.startswith(self._root + os.sep) else None

    def _born(self, path: str, *, is_folder: bool = False) -> None:
        if (name := self._name(path)) is not None:
            file = self._files[name] = self._born_so_far
            self._born_so_far += 1
            self.events.append(Born(name, file, is_folder))


def _path_of(file: int) -> str:
    return os.readlink(f"/proc/self/fd/{file}")  # noqa: PTH115 - a link of the system's own
