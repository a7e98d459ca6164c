"""The checker finds what it is there to find; it knows nothing of the gateway."""

import ast
from pathlib import Path
from types import ModuleType

import pytest

from tests.proof import happened, history
from tests.proof.happened import (
    Accepted,
    Asked,
    Charged,
    Died,
    Drafted,
    Edited,
    Happened,
    Removed,
    Shown,
    Wrote,
)
from tests.proof.history import Breach, breaches

ANN, BOB = "keyless/ann", "keyed/bob"


def answer(marker: str, *, step: int = 1, generation: int = 1, of: int = 4) -> str:
    return part(marker, 1, of, step=step, generation=generation, of=of)


def part(
    marker: str, first: int, last: int, *, step: int = 1, generation: int = 1, of: int = 4
) -> str:
    numbers = range(first, last + 1)
    return " ".join(f"{marker}s{step}g{generation}w{n:02}of{of:02}" for n in numbers)


def found(*log: Happened) -> set[str]:
    return {one.promise for one in breaches(log, ["keyless"])}


ASKED: list[Happened] = [Wrote(ANN, "u1", "q1"), Wrote(ANN, "u2", "q2"), Wrote(BOB, "u1", "q3")]
WELL: list[Happened] = [
    *ASKED,
    Shown(ANN, "m1", answer("q1")),
    Shown(BOB, "m1", answer("q3")),
    Shown(ANN, "m2", answer("q2")),
]


def test_it_imports_nothing_but_the_standard_library_and_its_log() -> None:
    log = {"tests.proof.happened"}
    assert imported(history) == {"re", "collections", "collections.abc", "dataclasses"} | log
    assert imported(happened) == {"dataclasses"}


def imported(module: ModuleType) -> set[str | None]:
    tree = ast.parse(Path(str(module.__file__)).read_text())
    return {
        node.module if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def test_what_is_well_has_no_breach() -> None:
    assert breaches(WELL, ["keyless"]) == []


def test_a_lost_answer_is_found() -> None:
    assert breaches(WELL[:-1], ["keyless"]) == [
        Breach("R1", "q2 in keyless/ann was never answered", ANN)
    ]
    assert found(*WELL, Removed(ANN, "m2")) == {"R1"}


def test_half_an_answer_is_found() -> None:
    assert found(*WELL, Shown(ANN, "m2", part("q2", 1, 3))) == {"R1"}
    assert found(*WELL, Shown(ANN, "m2", part("q2", 2, 4))) == {"R1"}


def test_a_step_that_is_not_there_is_found() -> None:
    assert found(Wrote(ANN, "u1", "q1", steps=2), Shown(ANN, "m1", answer("q1"))) == {"R1"}


def test_a_second_answer_is_found() -> None:
    assert found(*WELL, Shown(ANN, "m3", answer("q2"))) >= {"R6"}
    assert found(*WELL, Shown(ANN, "m3", answer("q2", generation=2))) == {"R6"}
    assert found(*WELL, Shown(ANN, "m3", part("q2", 3, 4))) == {"R6"}


def test_an_answer_that_is_sewn_from_two_tries_is_found() -> None:
    sewn = f"{part('q2', 1, 2)} {part('q2', 3, 4, generation=2)}"
    assert found(*WELL, Shown(ANN, "m2", sewn)) == {"R7"}


def test_words_and_steps_in_the_wrong_order_are_found() -> None:
    shuffled = f"{part('q2', 3, 4)} {part('q2', 1, 2)}"
    assert found(*WELL, Shown(ANN, "m2", shuffled)) == {"R7"}
    steps = f"{answer('q1', step=2)} {answer('q1')}"
    assert found(Wrote(ANN, "u1", "q1", steps=2), Shown(ANN, "m1", steps)) == {"R7"}


def test_a_long_answer_in_parts_is_whole() -> None:
    parts: list[Happened] = [Shown(ANN, "m1", part("q1", 1, 2)), Shown(ANN, "m2", part("q1", 3, 4))]
    assert found(Wrote(ANN, "u1", "q1"), *parts) == set()
    assert found(Wrote(ANN, "u1", "q1"), *reversed(parts)) == {"R7"}


def test_answers_out_of_order_are_found() -> None:
    swapped = [Shown(ANN, "m1", answer("q2")), Shown(ANN, "m2", answer("q1"))]
    assert found(*ASKED, *swapped, Shown(BOB, "m1", answer("q3"))) == {"R3"}
    assert found(*WELL, Asked("q2", 1), Asked("q3", 1), Asked("q1", 1)) == {"R3"}
    assert found(*WELL, Asked("q3", 1), Asked("q1", 1), Asked("q2", 1)) == set()


@pytest.mark.parametrize(
    "elsewhere", [Shown(BOB, "m9", part("q1", 1, 2)), Drafted(BOB, part("q1", 1, 1))]
)
def test_a_word_in_the_wrong_place_is_found_though_it_passes(elsewhere: Happened) -> None:
    gone = Removed(BOB, "m9")
    assert found(*WELL, elsewhere, gone) == {"place"}


def test_a_word_that_nobody_asked_for_is_found() -> None:
    assert found(*WELL, Shown(ANN, "m9", answer("q9"))) == {"place"}


def test_stubs_are_counted_against_the_sends_in_doubt() -> None:
    stub, other = Shown(ANN, "m7", f"{part('q1', 1, 1)}…"), Shown(ANN, "m8", "…")
    assert found(*WELL, stub) == {"R6"}
    assert found(*WELL, Died((ANN,)), stub) == set()
    assert found(*WELL, Died((ANN,)), stub, other) == {"R6"}
    assert found(*WELL, Died((BOB,)), stub) == {"R6"}
    assert found(*WELL, Died((BOB,)), Shown(BOB, "m7", "…")) == {"R6"}
    assert found(*WELL, Died((ANN,)), Shown(ANN, "m7", f"{answer('q1') * 2}…")) >= {"R6"}


def test_a_command_has_one_answer() -> None:
    asked = Wrote(ANN, "u1", expects="^It is done")
    assert found(asked, Shown(ANN, "m1", "It is done.")) == set()
    assert found(asked) == {"R1"}
    twice = [Shown(ANN, "m1", "It is done."), Shown(ANN, "m2", "It is done!")]
    assert found(asked, *twice) == {"R6"}
    assert found(Wrote(ANN, "u1", expects="^It is done", answers=2), *twice) == set()


def test_the_same_words_said_twice_are_found() -> None:
    assert found(Shown(ANN, "m1", "News!"), Shown(BOB, "m1", "News!")) == set()
    assert found(Shown(ANN, "m1", "News!"), Shown(ANN, "m2", "News!")) == {"R6"}


def test_a_step_is_asked_for_once_and_once_more_for_each_death() -> None:
    again = [Asked("q1", 1), Asked("q1", 1)]
    assert found(*WELL, *again) == {"R4"}
    assert found(*WELL, Died(), *again) == set()
    assert found(*WELL, Died(), Asked("q1", 2), Asked("q1", 1)) == {"R4"}


def test_money_is_taken_once_and_truly() -> None:
    paid = Shown(ANN, "m1", f"{answer('q1')} PAID q1")
    assert found(*WELL, Charged("q1"), paid) == set()
    assert found(*WELL, Charged("q1"), Charged("q1")) == {"R5"}
    assert found(*WELL, paid) == {"R5"}


def test_an_edit_takes_the_place_of_what_it_changes() -> None:
    edit = Edited(ANN, "u2", "e2", "edit")
    new = Shown(ANN, "m2", answer("e2"))
    assert found(*WELL, edit, new) == set()
    assert found(*WELL, edit) == set()
    assert found(*WELL, edit, Asked("q2", 1), Accepted("edit")) == set()
    assert found(*WELL, edit, Accepted("edit"), Asked("q2", 1)) == {"R2"}
    assert found(*WELL, edit, Shown(ANN, "m3", answer("e2"))) >= {"R2"}


def test_a_stopped_answer_may_be_cut_and_says_so() -> None:
    asked = Wrote(ANN, "u1", "q1", may_stop=True)
    assert found(asked, Shown(ANN, "m1", f"{part('q1', 1, 2)} Stopped.")) == set()
    assert found(asked, Shown(ANN, "m1", "Stopped.")) == set()
    assert found(asked, Shown(ANN, "m1", part("q1", 1, 2))) == {"R1"}


def test_files_are_sent_once_or_said_to_be_missing() -> None:
    asked: list[Happened] = [Wrote(ANN, "u1", "q1", file="a.txt"), Shown(ANN, "m1", answer("q1"))]
    sent = Shown(ANN, "m2", "", (("a.txt", "of q1"),))
    assert found(*asked, sent) == set()
    assert found(*asked) == {"R1"}
    missing = Shown(ANN, "m1", f"{answer('q1')} A file may be missing: a.txt")
    assert found(*asked, missing) == set()
    assert found(*asked, sent, Shown(ANN, "m3", "", (("a.txt", "of q1"),))) == {"R6"}
    assert found(*asked, Shown(ANN, "m2", "", (("a.txt", "of q2"),))) == {"R1"}


def test_a_message_may_be_given_up_after_three_deaths_only() -> None:
    log: list[Happened] = [
        Wrote(ANN, "u1", "q1"),
        Shown(ANN, "m1", "I was interrupted, so I gave up."),
    ]
    assert found(*log, Died(), Died()) == {"R1"}
    assert found(*log, Died(), Died(), Died()) == set()
    assert found(*log, Died(), Died(), Died(), Wrote(ANN, "u2", "q2")) == {"R1"}
    assert found(*log, Died(), Died(), Died(), Wrote(BOB, "u2", "q2")) == {"R1"}


def test_both_sides_say_the_same_of_a_link() -> None:
    asked = [Wrote(place, "u1", expects=history.LINKED_OR_NOT) for place in (ANN, BOB)]
    linked = "1. Keyed: Bob, since 2027\n2. Keyless: Ann, since 2027"
    alone = "There is no other account that is linked with this one."
    assert found(*asked, Shown(ANN, "m1", linked), Shown(BOB, "m1", linked)) == set()
    assert found(*asked, Shown(ANN, "m1", linked), Shown(BOB, "m1", alone)) == {"links"}
