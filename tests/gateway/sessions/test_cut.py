"""A history is cut before a person's turn, and nowhere else."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.sessions.cut import choose_cut, history_tokens
from gateway.settings import CompactionSettings
from gateway.transcript import (
    AssistantEntry,
    Entry,
    StoredEntry,
    SummaryEntry,
    ToolCall,
    ToolResultEntry,
    UserEntry,
)

KEEP_4 = CompactionSettings(max_tokens=None, keep_tail=4)


def kept(*entries: Entry) -> list[StoredEntry]:
    return [StoredEntry(seq, entry) for seq, entry in enumerate(entries, 1)]


def exchange(words: str = "word") -> tuple[Entry, Entry]:
    return UserEntry(words), AssistantEntry(words)


def tool_exchange(words: str = "word") -> tuple[Entry, ...]:
    calls = (ToolCall("1", "now", {}),)
    return (
        UserEntry(words),
        AssistantEntry("", calls),
        ToolResultEntry("1", "now", words),
        AssistantEntry(words),
    )


def test_a_short_history_is_left_alone() -> None:
    assert choose_cut([], KEEP_4) == 0
    assert choose_cut(kept(*exchange(), *exchange()), KEEP_4) == 0


def test_the_newest_entries_stay() -> None:
    assert choose_cut(kept(*exchange(), *exchange(), *exchange()), KEEP_4) == 2


def test_the_cut_moves_back_to_a_turn_so_that_calls_keep_their_results() -> None:
    history = kept(*exchange(), *tool_exchange(), *exchange())
    assert choose_cut(history, CompactionSettings(max_tokens=None, keep_tail=4)) == 2


def test_a_summary_alone_is_not_folded_again() -> None:
    history = kept(SummaryEntry("old"), *exchange(), *exchange())
    assert choose_cut(history, KEEP_4) == 0


def test_a_summary_is_folded_with_what_follows_it() -> None:
    history = kept(SummaryEntry("old"), *exchange(), *exchange(), *exchange())
    assert choose_cut(history, KEEP_4) == 3


def test_a_tail_over_the_limit_is_folded_down_to_half_of_it() -> None:
    settings = CompactionSettings(max_tokens=100, keep_tail=20)
    history = kept(*exchange("x" * 100), *exchange("x" * 100), *exchange("x" * 40))
    cut = choose_cut(history, settings)
    assert cut == 4
    assert history_tokens(history[cut:]) <= 50


def test_a_last_turn_that_alone_is_over_the_limit_is_folded_once_it_is_over() -> None:
    settings = CompactionSettings(max_tokens=100, keep_tail=20)
    history = kept(*exchange(), *tool_exchange("x" * 400))
    assert choose_cut(history, settings) == len(history)
    assert choose_cut(history[:-1], settings) == 2


entries = st.lists(
    st.sampled_from([exchange("word " * 5), tool_exchange("word " * 30)]), max_size=12
).map(lambda turns: kept(*(entry for turn in turns for entry in turn)))


@given(entries, st.integers(1, 30), st.sampled_from([None, 10, 100, 1000]))
def test_a_cut_never_parts_a_call_from_its_result(
    history: list[StoredEntry], keep_tail: int, max_tokens: int | None
) -> None:
    cut = choose_cut(history, CompactionSettings(max_tokens=max_tokens, keep_tail=keep_tail))
    assert cut == len(history) or cut == 0 or isinstance(history[cut].entry, UserEntry)
    if max_tokens is None and cut:
        assert len(history) - cut >= keep_tail
