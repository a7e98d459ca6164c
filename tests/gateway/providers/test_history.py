"""Histories come out whole, whatever went in."""

from itertools import pairwise

from hypothesis import given

from gateway.providers.history import (
    GO_ON,
    LEFT_OUT,
    NO_RESULT,
    NOTHING_SAID,
    Answered,
    Asked,
    mend,
)
from gateway.transcript import (
    AssistantEntry,
    Entry,
    FileBlock,
    SummaryEntry,
    TextBlock,
    ToolCall,
    ToolResultEntry,
    UserEntry,
)
from tests.fakes.histories import histories

NOW = ToolCall("call_1", "now", {})
CAT = FileBlock("cat.png", "cat.png", "image/png", 10)


def said(text: str) -> Asked:
    return Asked((TextBlock(text),))


def test_a_plain_conversation_stays_as_it_is() -> None:
    assert mend([UserEntry("hi"), AssistantEntry("hello"), UserEntry("bye")]) == [
        said("hi"),
        Answered("hello"),
        said("bye"),
    ]


def test_calls_take_their_results_with_them_in_the_order_of_the_calls() -> None:
    first, second = ToolCall("a", "now", {}), ToolCall("b", "now", {})
    results = [ToolResultEntry("b", "now", "two"), ToolResultEntry("a", "now", "one")]
    history: list[Entry] = [UserEntry("hi"), AssistantEntry("", (first, second)), *results]
    rounds = mend(history)
    assert rounds[1] == Answered("", (first, second), (results[1], results[0]))


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    rounds = mend([UserEntry("hi"), AssistantEntry("", (NOW,)), UserEntry("and?")])
    assert rounds[1] == Answered(
        "", (NOW,), (ToolResultEntry("call_1", "now", NO_RESULT, is_error=True),)
    )


def test_a_result_without_its_call_is_dropped() -> None:
    orphan = ToolResultEntry("call_9", "now", "noon")
    assert mend([UserEntry("hi"), orphan]) == [said("hi")]


def test_the_second_result_of_a_call_is_dropped() -> None:
    twice = [ToolResultEntry("call_1", "now", "noon"), ToolResultEntry("call_1", "now", "one")]
    history: list[Entry] = [UserEntry("hi"), AssistantEntry("", (NOW,)), *twice]
    (_, answered) = mend(history)
    assert isinstance(answered, Answered)
    assert [result.text for result in answered.results] == ["noon"]


def test_a_partial_answer_is_plain_text_without_its_calls() -> None:
    history: list[Entry] = [
        UserEntry("hi"),
        AssistantEntry("Let me", (NOW,), is_partial=True),
        ToolResultEntry("call_1", "now", "noon"),
        UserEntry("go"),
    ]
    assert mend(history) == [said("hi"), Answered("Let me"), said("go")]


def test_the_users_messages_in_a_row_become_one() -> None:
    (asked,) = mend([UserEntry("one"), UserEntry((CAT,)), UserEntry("two")])
    assert asked == Asked((TextBlock("one"), CAT, TextBlock("two")))


def test_answers_in_a_row_become_one() -> None:
    history: list[Entry] = [
        UserEntry("hi"),
        AssistantEntry("one"),
        AssistantEntry("two"),
        UserEntry("ok"),
    ]
    assert mend(history)[1] == Answered("one\n\ntwo")


def test_a_speaker_stands_before_the_words() -> None:
    (asked,) = mend([UserEntry("hi", speaker="Ann\nOwner"), UserEntry((CAT,), speaker="Bob")])
    assert asked == Asked((TextBlock("Ann Owner: hi"), TextBlock("Bob:"), CAT))


def test_a_summary_says_what_it_is() -> None:
    (asked,) = mend([SummaryEntry("They met.")])
    assert isinstance(asked, Asked)
    (block,) = asked.blocks
    assert isinstance(block, TextBlock)
    assert "summary" in block.text
    assert "They met." in block.text


def test_an_answer_never_stands_first_or_last() -> None:
    assert mend([AssistantEntry("hello")]) == [said(LEFT_OUT), Answered("hello"), said(GO_ON)]


def test_nothing_at_all_is_still_a_question() -> None:
    assert mend([]) == [said(NOTHING_SAID)]
    assert mend([UserEntry("  ")]) == [said(NOTHING_SAID)]


def test_ids_that_a_server_would_refuse_are_replaced_and_stay_paired() -> None:
    long = "x" * 60
    history: list[Entry] = [UserEntry("hi")]
    for _ in range(2):
        history += [
            AssistantEntry("", (ToolCall(long, "now", {}),)),
            ToolResultEntry(long, "now", "noon"),
        ]
    _, first, second = mend(history)
    assert isinstance(first, Answered)
    assert isinstance(second, Answered)
    assert first.calls[0].call_id == first.results[0].call_id
    assert first.calls[0].call_id != second.calls[0].call_id
    assert first.results[0].text == "noon"


def test_without_calls_they_are_told_in_words() -> None:
    history: list[Entry] = [
        UserEntry("hi"),
        AssistantEntry("Look.", (NOW,)),
        ToolResultEntry("call_1", "now", "noon"),
    ]
    (_, answered, _) = mend(history, with_calls=False)
    assert isinstance(answered, Answered)
    assert not answered.calls
    assert "now" in answered.text
    assert "noon" in answered.text


@given(histories)
def test_sides_take_turns_and_every_call_has_one_result(history: tuple[Entry, ...]) -> None:
    rounds = mend(history)
    assert isinstance(rounds[0], Asked)
    last = rounds[-1]
    assert isinstance(last, Asked) or last.calls
    for one, other in pairwise(rounds):
        assert isinstance(one, Answered) or isinstance(other, Answered)
        assert isinstance(one, Asked) or one.calls or isinstance(other, Asked)
    answers = [one for one in rounds if isinstance(one, Answered)]
    ids = [call.call_id for one in answers for call in one.calls]
    assert len(set(ids)) == len(ids)
    assert ids == [result.call_id for one in answers for result in one.results]


@given(histories, histories)
def test_what_was_said_is_told_the_same_way_later(
    before: tuple[Entry, ...], after: tuple[Entry, ...]
) -> None:
    """A prompt that only grows stays in the server's cache."""
    whole = (*before, AssistantEntry("done"), UserEntry("next"), *after)
    begun = mend((*before, AssistantEntry("done"), UserEntry("next")))
    assert mend(whole)[: len(begun) - 1] == begun[:-1]


@given(histories)
def test_without_calls_none_are_left(history: tuple[Entry, ...]) -> None:
    rounds = mend(history, with_calls=False)
    assert not any(isinstance(one, Answered) and one.calls for one in rounds)
    assert isinstance(rounds[-1], Asked)
