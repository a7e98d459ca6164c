"""Where a turn stands is read from what was kept of it."""

from gateway.runners.unfinished import Standing, standing
from gateway.transcript import (
    AssistantEntry,
    Entry,
    SummaryEntry,
    ToolCall,
    ToolResultEntry,
    UserEntry,
)
from tests.gateway.runners.stage import ASKED, asks

RESULT = ToolResultEntry("c1", "look", "done")


def test_a_fresh_question_has_everything_before_it() -> None:
    earlier: list[Entry] = [SummaryEntry("x"), ASKED, asks(("c0", "look")), AssistantEntry("a")]
    assert standing([*earlier, UserEntry("b")]) == Standing(0, (), None)
    assert standing([]) == Standing(0, (), None)


def test_calls_without_results_are_open() -> None:
    both: AssistantEntry = asks(("c1", "look"), ("c2", "look"))
    call = ToolCall("c2", "look", {})
    asked: list[Entry] = [ASKED, both]
    assert standing(asked) == Standing(1, both.calls, None)
    assert standing([*asked, RESULT]) == Standing(1, (call,), None)


def test_only_the_last_steps_calls_can_be_open() -> None:
    history: list[Entry] = [ASKED, asks(("c1", "look")), RESULT, asks(("c2", "look"))]
    assert standing(history).open_calls == (ToolCall("c2", "look", {}),)
    assert standing(history).steps == 2


def test_a_whole_answer_is_all_that_is_left() -> None:
    assert standing([ASKED, AssistantEntry("noon")]).answer == "noon"
    assert standing([ASKED, AssistantEntry("no", is_partial=True)]).answer is None
    assert standing([AssistantEntry("noon"), ASKED]).answer is None
    assert standing([ASKED, asks(("c1", "look"), text="I look.")]).answer is None
