import re

import pytest

from adapters.local.terminal.markdown import render

_CODES = re.compile(r"\x1b\[[0-9;]*m")


def plain(markdown: str, width: int = 60) -> list[str]:
    return [_CODES.sub("", row).rstrip() for row in render(markdown, width)]


def test_lines_end_where_their_writer_ended_them() -> None:
    assert plain("one\ntwo\n\nthree") == ["  one", "  two", "", "  three"]


def test_a_heading_begins_where_the_text_begins() -> None:
    assert plain("# Title\n\ntext")[0] == "  Title"


def test_code_keeps_its_lines() -> None:
    rows = plain("```python\nif x:\n    y()\n```")
    assert [row.strip() for row in rows if row] == ["if x:", "y()"]


def test_a_link_shows_where_it_leads() -> None:
    assert plain("[safe](https://evil.example)") == ["  safe (https://evil.example)"]
    assert "\x1b]8" not in "".join(render("[safe](https://evil.example)", 60))


@pytest.mark.parametrize("text", ["word " * 100, "x" * 500, "| a | b |\n|--|--|\n| 1 | 2 |", ""])
def test_rows_fit_the_terminal(text: str) -> None:
    assert all(len(row) <= 30 for row in plain(text, 30))


def test_an_open_fence_is_shown_as_code_while_it_grows() -> None:
    assert "print(1)" in "\n".join(plain("Look:\n\n```python\nprint(1)"))
