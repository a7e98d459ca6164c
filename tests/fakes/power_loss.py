"""What a power loss can leave of what a `Disk` has noted, at any of its events."""

import hashlib
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.disk import Born, Cut, Event, FolderSynced, Gone, Synced, Told, Wrote

_SECTOR = 512


@dataclass(slots=True)
class _Change:
    """A write or a cut; safe once a sync after it came back."""

    what: Wrote | Cut
    is_safe: bool = False
    is_lost_to_syncs: bool = False


@dataclass(slots=True)
class _Content:
    """A file: what is on the disk for good, then what came later, in order."""

    safe: bytearray = field(default_factory=bytearray)
    changes: list[_Change] = field(default_factory=list)

    def sync(self, *, is_done: bool) -> None:
        for change in self.changes:
            if not is_done:
                change.is_lost_to_syncs = not change.is_safe
            elif not change.is_lost_to_syncs:
                change.is_safe = True
        while self.changes and self.changes[0].is_safe:
            _whole(self.safe, self.changes.pop(0).what)


@dataclass(slots=True)
class _Name:
    """A change of a folder."""

    what: Born | Gone
    is_safe: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """Files and folders (None) by their names, and what had been told by then."""

    files: dict[str, bytes | None]
    told: tuple[str, ...]

    @property
    def digest(self) -> bytes:
        seen = hashlib.sha256()
        for name, data in sorted(self.files.items()):
            seen.update(f"{name} {data is None} {len(data or b'')}\n".encode() + (data or b""))
        return seen.digest()

    def lay(self, folder: Path) -> None:
        """Write it into a folder that exists."""
        for name, data in sorted(self.files.items()):
            if data is None:
                (folder / name).mkdir()
            else:
                (folder / name).write_bytes(data)


Apply = Callable[[bytearray, Wrote | Cut], None]
Fate = Callable[[int], tuple[Callable[[int], Apply], Callable[[], bool]]]
"""Given the number of unsafe changes: what becomes of the n-th, and of each unsafe name."""


class State:
    """A disk at one moment: what is safe on it, and what may yet be."""

    def __init__(self) -> None:
        self._contents: dict[int, _Content] = {}
        self._names: list[_Name] = []
        self._told: list[str] = []

    def add(self, event: Event) -> None:
        match event:
            case Born() | Gone():
                self._names.append(_Name(event))
                if isinstance(event, Born) and not event.is_folder:
                    self._contents[event.file] = _Content()
            case Wrote() | Cut():
                self._contents[event.file].changes.append(_Change(event))
            case Synced():
                self._contents[event.file].sync(is_done=event.is_done)
            case FolderSynced():
                for name in self._names:
                    if (os.path.dirname(name.what.path) or ".") == event.path:  # noqa: PTH120
                        name.is_safe = True
            case Told():
                self._told.append(event.word)

    def image(self, fate: Fate) -> Image:
        """Return what is left if every change that is not safe meets its fate."""
        unsafe = sum(
            not change.is_safe for one in self._contents.values() for change in one.changes
        )
        of_change, of_name = fate(unsafe)
        met = 0
        made: dict[int, bytes] = {}
        for file, content in self._contents.items():
            data = bytearray(content.safe)
            for change in content.changes:
                if change.is_safe:
                    _whole(data, change.what)
                else:
                    of_change(met)(data, change.what)
                    met += 1
            made[file] = bytes(data)
        return Image(self._named(made, of_name), tuple(self._told))

    def _named(
        self, contents: dict[int, bytes], of_name: Callable[[], bool]
    ) -> dict[str, bytes | None]:
        files: dict[str, bytes | None] = {}
        for name in self._names:
            if name.is_safe or of_name():
                if isinstance(name.what, Born):
                    files[name.what.path] = contents.get(name.what.file)
                else:
                    files.pop(name.what.path, None)
        return {path: data for path, data in files.items() if _is_reached(path, files)}


def _is_reached(path: str, files: dict[str, bytes | None]) -> bool:
    folder = os.path.dirname(path)  # noqa: PTH120
    return not folder or (folder in files and _is_reached(folder, files))


# What can become of one change.


def _whole(data: bytearray, what: Wrote | Cut) -> None:
    if isinstance(what, Wrote):
        _put(data, what.offset, what.data)
    elif what.size < len(data):
        del data[what.size :]
    else:
        data.extend(bytes(what.size - len(data)))


def _nothing(data: bytearray, what: Wrote | Cut) -> None:
    """Leave it as it was."""


def _put(data: bytearray, offset: int, new: bytes) -> None:
    if offset > len(data):
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(new)] = new


def _first_bytes(chance: random.Random) -> Apply:
    def apply(data: bytearray, what: Wrote | Cut) -> None:
        if isinstance(what, Wrote):
            _put(data, what.offset, what.data[: chance.randrange(len(what.data) + 1)])

    return apply


def _some_sectors(chance: random.Random) -> Apply:
    """Let each sector that a write touches arrive or not; the file has grown in any case."""

    def apply(data: bytearray, what: Wrote | Cut) -> None:
        if isinstance(what, Cut):
            return
        end = what.offset + len(what.data)
        at = what.offset
        while at < end:
            stop = min(end, (at // _SECTOR + 1) * _SECTOR)
            if chance.random() < 0.5:
                _put(data, at, what.data[at - what.offset : stop - what.offset])
            at = stop
        data.extend(bytes(max(0, end - len(data))))

    return apply


def _only_length(data: bytearray, what: Wrote | Cut) -> None:
    """Let a file grow by zeros: its length is on the disk, and its data is not."""
    if isinstance(what, Wrote):
        data.extend(bytes(max(0, what.offset + len(what.data) - len(data))))


def everything(_: int) -> tuple[Callable[[int], Apply], Callable[[], bool]]:
    """As a kill leaves it."""
    return (lambda _: _whole), (lambda: True)


def nothing(_: int) -> tuple[Callable[[int], Apply], Callable[[], bool]]:
    """Lose all that may be lost."""
    return (lambda _: _nothing), (lambda: False)


def torn_at_last(chance: random.Random) -> Fate:
    """Let writes arrive in order, up to one that arrives in part."""

    def fate(unsafe: int) -> tuple[Callable[[int], Apply], Callable[[], bool]]:
        last = chance.randrange(unsafe + 1)
        torn = _any_part(chance)
        return (
            lambda met: _whole if met < last else torn if met == last else _nothing,
            lambda: chance.random() < 0.7,
        )

    return fate


def in_any_order(chance: random.Random) -> Fate:
    """Let any of the writes arrive, or a part of each."""

    def fate(_: int) -> tuple[Callable[[int], Apply], Callable[[], bool]]:
        share = chance.random()

        def of_change(_: int) -> Apply:
            drawn = chance.random()
            if drawn < 0.25:
                return _any_part(chance)
            return _whole if chance.random() < share else _nothing

        return of_change, lambda: chance.random() < 0.5

    return fate


def _any_part(chance: random.Random) -> Apply:
    return chance.choice((_first_bytes(chance), _some_sectors(chance), _only_length))


def state_at(events: Sequence[Event], cut: int) -> State:
    state = State()
    for event in events[:cut]:
        state.add(event)
    return state


@dataclass(frozen=True, slots=True)
class Sampling:
    """At how many moments the power fails, and how many images are drawn for each."""

    between: int
    """Moments chosen by chance, beside the very last."""
    tries: int
    """Images for each kind of chance."""
    at_syncs: bool = True
    """Whether it fails before and after each sync, too."""

    def cuts(self, events: Sequence[Event], since: int, chance: random.Random) -> set[int]:
        moments = range(since, len(events) + 1)
        drawn = chance.sample(moments, min(self.between, len(moments)))
        syncs = [n for n in moments[:-1] if isinstance(events[n], Synced | FolderSynced)]
        around = [*syncs, *(n + 1 for n in syncs)] if self.at_syncs else []
        return {len(events), *drawn, *around}


def images(
    events: Sequence[Event], sampling: Sampling, *, seed: int, since: int = 0
) -> Iterator[Image]:
    """Yield what can be left at many moments, each once: with the most that it must hold.

    The power does not fail before `since`.
    """
    chance = random.Random(seed)
    chosen = sampling.cuts(events, since, chance)
    state, found = State(), dict[bytes, Image]()
    for cut in range(len(events) + 1):
        if cut in chosen:
            fates: list[Fate] = [nothing, everything]
            for make in (torn_at_last, in_any_order):
                fates += [make(chance) for _ in range(sampling.tries)]
            for image in map(state.image, fates):
                found[image.digest] = image
        if cut < len(events):
            state.add(events[cut])
    yield from found.values()
