"""Tool lines are short, one line each, and tell the most useful part."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.runners.summaries import summarize_error, summarize_input, summarize_result


@pytest.mark.parametrize(
    ("arguments", "summary"),
    [
        ({}, ""),
        ({"content": "long text", "path": "a/b.txt"}, "a/b.txt"),
        ({"pattern": "the\n  cat", "regex": True}, "the cat"),
        ({"count": 3}, '{"count": 3}'),
        ({"path": 5, "name": "Ann"}, "Ann"),
        ({"command": "x" * 100}, "x" * 79 + "…"),
    ],
)
def test_an_input_is_its_path_or_its_first_words(arguments: dict[str, Any], summary: str) -> None:
    assert summarize_input(arguments) == summary


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("", ""),
        ("done\n", "done"),
        ("é" * 80, "é" * 80),
        ("x" * 81, "81 characters"),
        ("a\nb\n", "2 lines"),
        ("\n\na\n", "a"),
    ],
)
def test_a_result_is_told_whole_or_by_its_size(text: str, summary: str) -> None:
    assert summarize_result(text) == summary


def test_an_error_is_its_first_line() -> None:
    assert summarize_error("bad\nworse") == "bad"
    assert summarize_error("x" * 200) == "x" * 119 + "…"


@given(st.text(), st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.none())))
def test_a_summary_is_one_short_line(text: str, arguments: dict[str, Any]) -> None:
    assert len(summarize_input(arguments)) <= 80
    assert len(summarize_result(text)) <= 80
    assert len(summarize_error(text)) <= 120
    for summary in (summarize_input(arguments), summarize_error(text), summarize_result(text)):
        assert len(summary.splitlines()) <= 1
