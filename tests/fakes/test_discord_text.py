"""How a message reads: signs of Markdown become looks, and what was escaped comes back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.discord.markdown import plain

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Co"], exclude_characters="\\"), max_size=60
)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("**bold** *it* _it_ __u__ ~~s~~ ||spoiler||", "bold it it u s spoiler"),
        ("***both*** **a *b* c**", "both a b c"),
        ("snake_case_name 2*3*4", "snake_case_name 234"),
        (r"\*not\* \_this\_ \`nor\` \[that](x)", "*not* _this_ `nor` [that](x)"),
        ("[words](https://e.org/a_(b))", "words"),
        ("[words](<https://e.org/>) <https://e.org>", "words https://e.org"),
        ("https://e.org/_foo_/ *x*", "https://e.org/_foo_/ x"),
        ("`a *b*` and ``c ` d``", "a *b* and c ` d"),
        ("```py\nx = *y*\n```", "x = *y*"),
        ("before\n```\na\n\nb\n```\nafter", "before\na\n\nb\nafter"),
        ("```one```", "one"),
        (r"`C:\*`", r"C:\*"),
        ("# Title\n- point\n> quote", "# Title\n- point\n> quote"),
        ("5 < 6 & 7 > 2 ☃ 😀", "5 < 6 & 7 > 2 ☃ 😀"),
        (r"ends with \\", "ends with \\"),
    ],
)
def test_what_people_read(content: str, shown: str) -> None:
    assert plain(content) == shown


@given(TEXTS)
def test_escaped_texts_come_back_as_they_were(text: str) -> None:
    assert plain(re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)) == text
