"""Shortening by rule: nothing is torn, nothing is left out that there is room for."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.sessions.digest import pack, render, shorten, shorten_all
from gateway.transcript import (
    AssistantEntry,
    Entry,
    FileBlock,
    SummaryEntry,
    TextBlock,
    ToolCall,
    ToolResultEntry,
    UserEntry,
    estimate_tokens,
)


def test_every_kind_of_entry_says_who_spoke() -> None:
    file = FileBlock("assets/a.png", "a.png", "image/png", 3)
    assert render(UserEntry("hi")) == "User: hi"
    assert render(UserEntry((TextBlock("look"), file), "Ann")) == "Ann: look [file a.png]"
    calls = (ToolCall("1", "now", {"zone": "UTC"}),)
    assert render(AssistantEntry("wait", calls)) == "Assistant: wait\n[asks now {'zone': 'UTC'}]"
    assert render(ToolResultEntry("1", "now", "12:00")) == "[now answers] 12:00"
    assert render(ToolResultEntry("1", "now", "no", is_error=True)) == "[now failed] no"
    assert render(SummaryEntry("old")) == "Summary of what came before: old"


def test_texts_are_packed_in_order() -> None:
    assert pack(["a" * 16, "b" * 16, "c" * 16], 11) == ["a" * 16 + "\n\n" + "b" * 16, "c" * 16]
    assert pack([], 10) == []


@given(st.lists(st.text(max_size=100), max_size=20), st.integers(4, 60))
def test_a_chunk_is_never_over_the_limit_and_no_character_is_lost(
    texts: list[str], limit: int
) -> None:
    chunks = pack(texts, limit)
    assert all(estimate_tokens(chunk) <= limit + 1 for chunk in chunks)
    assert "".join(chunks).replace("\n", "") == "".join(texts).replace("\n", "")


def test_text_is_cut_at_the_last_sentence_end_that_fits() -> None:
    assert shorten("One. Two! Three and more words here", 4) == "One. Two! …"
    assert shorten("一。二。三三三三三三", 4) == "一。二。 …"


def test_without_a_sentence_end_text_is_cut_between_words() -> None:
    assert shorten("alpha beta gamma delta", 3) == "alpha beta …"
    assert shorten("x" * 40, 2) == "x" * 8 + " …"


@given(st.text(max_size=300), st.integers(1, 40))
def test_a_shortened_text_fits(text: str, limit: int) -> None:
    assert estimate_tokens(shorten(text, limit)) <= limit + 1


def test_all_entries_have_their_share() -> None:
    entries = [UserEntry(f"Question {n}. " + "more " * 200) for n in range(4)]
    digest = shorten_all(entries, 400)
    assert all(f"Question {n}." in digest for n in range(4))
    assert estimate_tokens(digest) <= 400


def test_the_oldest_are_left_out_when_shares_would_say_nothing() -> None:
    entries = [UserEntry(f"Question {n}. " + "more " * 200) for n in range(100)]
    digest = shorten_all(entries, 300)
    assert "Question 99." in digest
    assert "Question 0." not in digest


def test_an_old_summary_has_half_of_the_room() -> None:
    entries: list[Entry] = [
        SummaryEntry("Fact. " * 300),
        *(UserEntry("more " * 200) for _ in range(50)),
    ]
    digest = shorten_all(entries, 400)
    assert digest.count("Fact.") > 100
    assert "User: more" in digest
