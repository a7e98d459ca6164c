"""A kill at any step loses nothing, doubles nothing, reorders nothing and misplaces nothing."""

import pytest

from tests.proof.poison import asks, outlive
from tests.proof.prove import Report, quick_folder, silence

pytestmark = pytest.mark.timeout(900)


def test_the_proof_is_as_large_as_it_should_be(proof: Report) -> None:
    assert proof.states > 250
    assert proof.lives > 1_000
    assert proof.nested > 300
    assert proof.questions > 10_000


@pytest.mark.promise("R1")
def test_r1_what_was_accepted_is_answered_after_a_kill_at_any_step(proof: Report) -> None:
    assert proof.of("R1") == []


@pytest.mark.promise("R2")
def test_r2_what_is_delivered_again_is_answered_once(proof: Report) -> None:
    assert proof.of("R2") == []


@pytest.mark.promise("R3")
def test_r3_answers_keep_the_order_of_their_questions(proof: Report) -> None:
    assert proof.of("R3") == []


@pytest.mark.promise("R4")
def test_r4_steps_that_are_behind_are_not_asked_for_again(proof: Report) -> None:
    assert proof.of("R4") == []


@pytest.mark.promise("R5")
def test_r5_what_cannot_be_repeated_is_done_once_at_most(proof: Report) -> None:
    assert proof.of("R5") == []


@pytest.mark.promise("R6")
def test_r6_nothing_is_shown_twice_but_a_stub_where_nobody_can_know(proof: Report) -> None:
    assert proof.of("R6") == []


@pytest.mark.promise("R7")
def test_r7_an_answer_goes_on_in_its_own_message_and_is_of_one_piece(proof: Report) -> None:
    assert proof.of("R7") == []


def test_no_word_of_an_answer_is_shown_in_another_place(proof: Report) -> None:
    assert proof.of("place") == []


def test_two_accounts_are_linked_on_both_sides_or_on_neither(proof: Report) -> None:
    assert proof.of("links") == []


@pytest.mark.promise("R9")
@pytest.mark.parametrize("marker", ["q1", "q3", "q4", "q5", "q7", "q8", "q10"])
def test_r9_a_message_that_kills_the_process_is_given_up_and_the_next_is_answered(
    marker: str,
) -> None:
    with silence(), quick_folder() as folder:
        assert outlive(folder / "data", asks(marker)) == []
