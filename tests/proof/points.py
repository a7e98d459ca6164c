"""What a kill would leave, at every step of a life, and what follows from each.

A copy holds the database and its log as they are, the other files, and the world. Two copies
that nobody outside could tell apart are one state, and are recovered from once.
"""

import pickle
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from typing_extensions import override

from tests.proof import golden
from tests.proof.happened import Died, Drafted, Happened
from tests.proof.history import Breach, breaches
from tests.proof.life import Life
from tests.proof.world import Request, World

DOWN = 2.0
"""Seconds between a kill and the next start."""
LONG_DOWN = 200.0
"""By then no platform knows a key any more."""
KEYLESS = ("keyless",)
_CHUNK = 1 << 16
_NOT_COPIED = ("-shm", ".sock")
"""Shared memory dies with its process; a socket is no file."""

Chunks = tuple[bytes, ...]
Tree = dict[str, Chunks]


@dataclass(frozen=True, slots=True)
class Copy:
    """All that a kill leaves at one step."""

    step: int
    stand: int
    """Equal for copies whose files are the same."""
    tree: Tree
    world: bytes

    def restore(self, folder: Path) -> None:
        """Make the folder what it was."""
        shutil.rmtree(folder, ignore_errors=True)
        for name, chunks in self.tree.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(b"".join(chunks))

    @property
    def under_way(self) -> tuple[Request, ...]:
        world: World = pickle.loads(self.world)
        return tuple(world.under_way)


@dataclass(frozen=True, slots=True)
class Branch:
    """A copy, and what became of the requests that were under way."""

    copy: Copy
    applied: tuple[int, ...] = ()
    late: bool = False
    down: float = DOWN

    def world(self) -> World:
        """Return the world as the next process finds it."""
        world: World = pickle.loads(self.copy.world)
        under_way = list(world.under_way)
        for at in () if self.late else self.applied:
            world.arrive(under_way[at])
        world.die()
        world.time += self.down
        return world

    @property
    def state(self) -> int:
        """Equal for branches that nobody can tell apart."""
        return hash((self.copy.stand, _outside(self.world()), repr(self.arriving)))

    @property
    def arriving(self) -> tuple[Request, ...]:
        under_way = self.copy.under_way
        return tuple(under_way[at] for at in self.applied) if self.late else ()

    @override
    def __str__(self) -> str:
        under_way = self.copy.under_way
        what = ", ".join(f"{under_way[at].kind} at {under_way[at].to}" for at in self.applied)
        how = f"with {what} {'late' if self.late else 'applied'}" if what else "with none applied"
        return f"step {self.copy.step}, {how}"


class Copies:
    """Copies each state of a life once; set `look` as its `after_step`."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._tree: Tree = {}
        self._stamp: object = None
        self._glance: object = None
        self._stand = 0
        self._known: set[int] = set()
        self.taken: list[Copy] = []
        life.after_step = self.look

    def look(self) -> None:
        life = self._life
        glance = (life.loop.commits, life.loop.works, len(life.world.log), life.world.requests)
        if glance != self._glance:
            self._glance = glance
            self._look_closely(life)

    def _look_closely(self, life: Life) -> None:
        stamp = (life.loop.commits, life.loop.works)
        if stamp != self._stamp:
            self._stamp = stamp
            if (tree := _read(life.folder, self._tree)) != self._tree:
                self._tree, self._stand = tree, self._stand + 1
        world = life.world
        state = hash((self._stand, _outside(world), repr(world.under_way)))
        if state not in self._known:
            self._known.add(state)
            world.time = life.loop.time()
            self.taken.append(Copy(life.loop.steps, self._stand, self._tree, world.copy()))


def _outside(world: World) -> tuple[Happened, ...]:
    return tuple(one for one in world.log if not isinstance(one, Drafted | Died))


def _read(folder: Path, before: Tree) -> Tree:
    """Read all files; pieces that are as they were are kept once."""
    tree: Tree = {}
    for path in folder.rglob("*"):
        if path.name.endswith(_NOT_COPIED) or not path.is_file():
            continue
        name = str(path.relative_to(folder))
        data, old = path.read_bytes(), before.get(name, ())
        pieces = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)] or [b""]
        tree[name] = tuple(
            old[at] if at < len(old) and old[at] == piece else piece
            for at, piece in enumerate(pieces)
        )
    return tree


def branches(copy: Copy) -> Iterator[Branch]:
    """Every way in which what was under way may have ended."""
    under_way = copy.under_way
    marked = [at for at, one in enumerate(under_way) if one.kind not in {"sign", "find", "draft"}]
    for count in range(len(marked) + 1):
        if count <= 1 or count == len(marked):
            for applied in combinations(marked, count):
                yield Branch(copy, applied)
    for at in marked:
        if under_way[at].is_send:
            yield Branch(copy, (at,), late=True)


def distinct(copies: Iterable[Copy]) -> list[Branch]:
    """Return all branches of all copies, each state once."""
    found: dict[int, Branch] = {}
    for copy in copies:
        for branch in branches(copy):
            found.setdefault(branch.state, branch)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one recovery, and what a kill in the midst of it would have left."""

    world: World
    found: list[Breach]
    copies: list[Copy]


def recover(branch: Branch, folder: Path, script: str, *, is_copied: bool = False) -> Outcome:
    """Start a new process on what a kill left, and see what comes of it."""
    world = branch.world()
    if world.script != script:
        world.script, world.people = script, {}
    branch.copy.restore(folder)
    life = Life(folder, world, branch.arriving)
    copies = Copies(life) if is_copied else None
    life.live()
    return Outcome(world, check(world), copies.taken if copies else [])


def check(world: World) -> list[Breach]:
    """Hold what happened against the promises; nobody may be left waiting."""
    found = breaches(world.log, KEYLESS)
    if not golden.is_over(world):
        found.append(Breach("R1", f"people still wait: {world.people}"))
    return found
