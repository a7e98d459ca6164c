"""The proof is worth something: with any one guard of the gateway switched off it fails."""

import pytest

from tests.proof import golden, guards
from tests.proof.guards import Guard
from tests.proof.history import Breach
from tests.proof.life import Life
from tests.proof.points import check
from tests.proof.poison import asks, outlive
from tests.proof.prove import Report, prove_share, quick_folder, silence

pytestmark = pytest.mark.timeout(600)

EVERY = 5
"""Of so many branches one is tried: enough to meet each guard's moment."""


def tried_without(guard: Guard, promise: str) -> Report:
    with pytest.MonkeyPatch.context() as patch, silence(), quick_folder() as folder:
        guard(patch)
        return prove_share(
            folder / "data", 0, EVERY, is_enough=lambda report: report.after_kills(promise) > 0
        )


@pytest.mark.parametrize(
    ("guard", "promise"),
    [
        (guards.know_no_repeats, "R6"),
        (guards.acknowledge_before_the_commit, "R1"),
        (guards.note_messages_after_they_were_sent, "R6"),
        (guards.note_no_tools, "R5"),
    ],
)
def test_without_a_guard_a_promise_is_broken(guard: Guard, promise: str) -> None:
    assert tried_without(guard, promise).after_kills(promise)


def test_without_counted_attempts_a_message_kills_for_ever() -> None:
    with pytest.MonkeyPatch.context() as patch, silence(), quick_folder() as folder:
        guards.count_no_attempts(patch)
        assert [one.promise for one in outlive(folder / "data", asks("q3"))] == ["R9"]


@pytest.mark.promise("R3")
@pytest.mark.parametrize("moment", [1.0, 1.2, 1.6, 2.0, 3.0])
def test_r3_only_the_fence_keeps_one_that_was_taken_for_dead_from_answering(moment: float) -> None:
    """Edits pass no fence, and one may come late: several workers are no promise yet."""
    assert found_beside_a_rival(moment) == []
    assert found_beside_a_rival(moment, guards.know_no_fence) != []


def found_beside_a_rival(moment: float, *off: Guard) -> list[Breach]:
    with pytest.MonkeyPatch.context() as patch, silence(), quick_folder() as folder:
        for guard in off:
            guard(patch)
        world = golden.begin()
        world.script = "long"
        life = Life(folder / "data", world)
        life.rival_at = moment
        life.live()
        # Each that takes the turn from the other asks the model anew; no kill has cost that.
        return [one for one in check(world) if one.promise != "R4"]
