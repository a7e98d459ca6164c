"""Whom a text is meant for, whatever its letters."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telegram.addressing import Me, Wording, read_wording
from adapters.telegram.entities import utf16_length

ME = Me(7, "parley_bot")
LETTERS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/@ "))


def mention(before: str, name: str = "@parley_bot") -> dict[str, Any]:
    return {"type": "mention", "offset": utf16_length(before), "length": len(name)}


@given(LETTERS, LETTERS)
def test_a6_our_name_is_found_behind_any_letters(before: str, after: str) -> None:
    text = f"x{before} @parley_bot y{after}"
    wording = read_wording(text, [mention(f"x{before} ")], ME, is_typed=True)
    assert wording == Wording(text, calls_us=True)


@given(LETTERS)
def test_our_name_is_taken_from_the_ends(words: str) -> None:
    words = f"a{words}z"
    start = read_wording(f"@parley_bot, {words}", [mention("")], ME, is_typed=True)
    end = read_wording(f"{words} @parley_bot", [mention(f"{words} ")], ME, is_typed=True)
    assert start == end == Wording(words, calls_us=True)


@pytest.mark.parametrize("name", ["@parley_bot2", "@myparley_bot", "@parley"])
def test_n12_a_name_that_holds_ours_is_not_ours(name: str) -> None:
    wording = read_wording(f"{name} hi", [mention("", name)], ME, is_typed=True)
    assert not wording.calls_us


def test_words_that_only_look_like_a_mention_call_nobody() -> None:
    assert not read_wording("mail me@parley_bot.org", [], ME, is_typed=True).calls_us


def test_nothing_but_our_name_leaves_no_words() -> None:
    assert read_wording("@parley_bot", [mention("")], ME, is_typed=True) == Wording("", True)


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ("/new", Wording("/new", calls_us=True)),
        ("/new@parley_bot", Wording("/new", calls_us=True)),
        ("/NEW@PARLEY_BOT x", Wording("/NEW x", calls_us=True)),
        ("/new@other_bot", Wording("/new@other_bot", calls_us=False, calls_another=True)),
        ("/usr/bin/env", Wording("/usr/bin/env", calls_us=False)),
        ("/x@a@b", Wording("/x@a@b", calls_us=False)),
        ("/", Wording("/", calls_us=False)),
        ("see /new", Wording("see /new", calls_us=False)),
    ],
)
def test_n11_commands_say_whom_they_are_for(text: str, wording: Wording) -> None:
    assert read_wording(text, [], ME, is_typed=True) == wording


def test_a_caption_is_never_a_command() -> None:
    assert read_wording("/new", [], ME, is_typed=False) == Wording("/new", calls_us=False)
