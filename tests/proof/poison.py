"""A message that kills the process whenever work on it has come to a certain step."""

from collections.abc import Callable
from pathlib import Path

from typing_extensions import override

from tests.proof import golden
from tests.proof.happened import Asked
from tests.proof.history import Breach, breaches
from tests.proof.life import Life
from tests.proof.points import KEYLESS, Branch, Copies, Copy
from tests.proof.world import World

KILLS_AT_MOST = 3
_LIVES_AT_MOST = 6

Kills = Callable[[World], int]
"""Counts the moments so far that would each have killed the process."""


def asks(marker: str) -> Kills:
    return lambda world: sum(isinstance(one, Asked) and one.marker == marker for one in world.log)


class _Fuse(Copies):
    """Keeps a copy of the first state in which it blows."""

    def __init__(self, life: Life, kills: Kills) -> None:
        super().__init__(life)
        self._kills = kills
        self._before = kills(life.world)
        self.blown: Copy | None = None

    @override
    def look(self) -> None:
        if self.blown is None:
            super().look()
            if self._kills(self._life.world) > self._before:
                self.blown = self.taken[-1]
            self.taken = self.taken[-1:]


def outlive(folder: Path, kills: Kills) -> list[Breach]:
    """Start anew after each kill until none comes, and check what people have seen by then.

    Whoever's turn was at work at each of the kills is given up with it, and told so. After
    the last one people only look whether all is well.
    """
    world = golden.begin()
    life = Life(folder, world)
    for killed in range(_LIVES_AT_MOST):
        fuse = _Fuse(life, kills)
        life.live()
        if fuse.blown is None:
            return breaches(world.log, KEYLESS)
        if killed == KILLS_AT_MOST:
            return [Breach("R9", f"it has killed the gateway {killed + 1} times")]
        branch = Branch(fuse.blown)
        world = branch.world()
        if killed + 1 == KILLS_AT_MOST:
            world.script, world.people = "probes", {}
        branch.copy.restore(folder)
        life = Life(folder, world)
    raise AssertionError("counting ends before")
