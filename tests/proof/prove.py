"""Layer A as a whole: the golden scenario is killed at every step, and at every step of that.

Run as a process it does one share of the work, as a machine has more than one core: each share
lives the same golden life in a folder of its own. `prove` starts them all and adds them up.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog
from typing_extensions import override

from tests.proof import golden
from tests.proof.happened import Wrote
from tests.proof.history import Breach
from tests.proof.life import Life
from tests.proof.points import (
    LONG_DOWN,
    Branch,
    Copies,
    Copy,
    Outcome,
    branches,
    check,
    distinct,
    recover,
)

ROOT = Path(__file__).parents[2]
SHARES = 2
GOLDEN = "the golden life"
GOES_ON_EVERY = 4
"""Of so many branches one is recovered from a second time, while people go on as they were."""
NESTED_EVERY = 10
NESTED_AT_MOST = 8
"""Of so many branches one is killed again in its recovery, at so many states of it."""
_MEMORY = Path("/dev/shm")


@dataclass(slots=True)
class Report:
    """What was tried, and what did not hold."""

    steps: int = 0
    states: int = 0
    branches: int = 0
    lives: int = 0
    nested: int = 0
    questions: int = 0
    breaches: list[tuple[str, str, str]] = field(default_factory=list)
    """A promise, what was found, and where."""

    def take(self, outcome: Outcome, where: str) -> None:
        self.lives += 1
        self.questions += sum(isinstance(one, Wrote) for one in outcome.world.log)
        self.note(outcome.found, where)

    def note(self, found: list[Breach], where: str) -> None:
        self.breaches += [(one.promise, one.words, where) for one in found]

    def after_kills(self, promise: str) -> int:
        """Count what was found against a promise in recoveries."""
        return sum(one == promise and where != GOLDEN for one, _, where in self.breaches)

    def of(self, *promises: str) -> list[tuple[str, str]]:
        """Return what was found against promises, each once, with how often."""
        at = {words: where for promise, words, where in self.breaches if promise in promises}
        count = Counter(words for _, words, _ in self.breaches)
        return [(f"{count[words]} times: {words}", where) for words, where in at.items()]

    @override
    def __str__(self) -> str:
        return (
            f"{self.steps} steps, {self.states} different states, {self.branches} branches; "
            f"{self.lives} recoveries, {self.nested} of them from a kill in a recovery; "
            f"{self.questions} messages checked, {len(self.breaches)} breaches"
        )


@contextmanager
def quick_folder() -> Iterator[Path]:
    """Lend a folder, in memory where there is one: a kill is survived there as on a disk."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="proof", dir=place) as folder:
        yield Path(folder)


def golden_life(folder: Path, report: Report) -> list[Copy]:
    """Live the golden life, which must be well itself, and return a copy of each state."""
    world = golden.begin()
    life = Life(folder, world)
    copies = Copies(life)
    life.live()
    report.steps, report.states = life.loop.steps, len(copies.taken)
    report.note(check(world), GOLDEN)
    return copies.taken


def prove_share(
    folder: Path, share: int, of: int, *, is_enough: Callable[[Report], bool] = lambda _: False
) -> Report:
    report = Report()
    branches = distinct(golden_life(folder, report))
    report.branches = len(branches)
    for number in range(share, len(branches), of):
        if is_enough(report):
            break
        turn = number // of
        _prove_one(branches[number], folder, report, turn)
    return report


def _prove_one(branch: Branch, folder: Path, report: Report, turn: int) -> None:
    is_nested = turn % NESTED_EVERY == 0
    outcome = recover(branch, folder, "probes", is_copied=is_nested)
    report.take(outcome, str(branch))
    if turn % GOES_ON_EVERY == 0:
        later = branch if branch.late else replace(branch, down=LONG_DOWN)
        report.take(recover(later, folder, "golden"), f"{branch}, going on after {later.down} s")
    for second in _some(outcome.copies):
        report.take(recover(second, folder, "probes"), f"{branch}, then {second}")
        report.nested += 1


def _some(copies: list[Copy]) -> Iterator[Branch]:
    """Return a few branches, from the whole of a recovery and of all sorts."""
    for number, copy in enumerate(copies[:: max(1, len(copies) // NESTED_AT_MOST)]):
        of_copy = list(branches(copy))
        yield of_copy[number % len(of_copy)]


def prove() -> Report:
    """Have all shares done at once, and add up what they report."""
    environ = {**os.environ, "PYTHONHASHSEED": "0"}
    shares = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.proof.prove", str(share), str(SHARES)],
            cwd=ROOT, env=environ, stdout=subprocess.PIPE,
        )
        for share in range(SHARES)
    ]  # fmt: skip
    try:
        written = [share.communicate()[0] for share in shares]
    finally:
        for share in shares:
            share.kill()
    return _summed([Report(**json.loads(one)) for one in written])


def _summed(parts: list[Report]) -> Report:
    """Add them up; what all must have seen alike is taken once."""
    first = parts[0]
    assert len({(one.steps, one.states, one.branches) for one in parts}) == 1, "lives differ"
    added: dict[str, Any] = {
        name: sum(getattr(one, name) for one in parts) for name in ("lives", "nested", "questions")
    }
    breaches = [breach for one in parts for breach in one.breaches]
    return Report(first.steps, first.states, first.branches, **added, breaches=breaches)


@contextmanager
def silence() -> Iterator[None]:
    """Have the gateway log nothing: thousands of lives would fill the screen."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


if __name__ == "__main__":
    with silence(), quick_folder() as place:
        made = prove_share(place / "data", int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(json.dumps(asdict(made)))
