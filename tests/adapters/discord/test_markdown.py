"""Markdown of models as Discord shows it: no word lost, nobody called, lengths honest."""

import re
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.markdown import UNSEEN, render, rendered_length
from adapters.discord.outbound import TEXT_LIMIT
from gateway.replies.split import split
from tests.fakes.discord.markdown import plain
from tests.fakes.discord.mentions import named

WIDE = "```\n漢字 | b\n-----+--\nx    | y\n```"
SAMPLES = {
    "headings": ("# One\n## Two\n### Three\n#### Four", "# One\n## Two\n### Three\n**Four**"),
    "deep_heading_with_bold": ("#### A **b** c", "**A b c**"),
    "styles": ("**b** *i* ~~s~~ `c` __also b__", "**b** *i* ~~s~~ `c` **also b**"),
    "signs_side_by_side": ("*a***b**", "*a*\u200b**b**"),
    "words_with_signs": ("snake_case 2 * 3 a~b", "snake_case 2 \\* 3 a~b"),
    "spoiler": ("||no||", "\\|\\|no\\|\\|"),
    "rule": ("a\n\n---\n\nb", "a\n\n──────────\n\nb"),
    "quote": ("> a\n> b\n\nc", "> a\n> b\n\nc"),
    "quote_in_quote": ("> a\n>> b", "> a\n> \n> b"),
    "nested_list": ("- a\n  - b\n    - c\n- d", "- a\n  - b\n    - c\n- d"),
    "numbers": ("3. a\n4. b", "3. a\n4. b"),
    "tasks": ("- [x] a\n- [ ] b", "- ☑ a\n- ☐ b"),
    "code": ("```py\nx = 1\n```", "```py\nx = 1\n```"),
    "code_without_end": ("```py\nx = 1", "```py\nx = 1\n```"),
    "indented_code": ("    x", "```\nx\n```"),
    "code_in_list": ("- a\n  ```\n  x\n  ```\n- b", "- a\n```\nx\n```\n- b"),
    "link": ("[a](https://e.x/b_(c))", "[a](<https://e.x/b_%28c%29>)"),
    "bare_link": ("<https://e.x/a_b_c>", "https://e.x/a_b_c"),
    "address_with_a_call": ("https://e.x/@hereafter", "https://e.x/%40hereafter"),
    "address_of_another_kind": ("<ab:*x*>", "ab:\\*x\\*"),
    "address_in_text": ("see https://e.x/a_b_c*d", "see https://e.x/a_b_c*d"),
    "no_web_link": ("[a](javascript:x)", "a (javascript:x)"),
    "what_is_no_link": ("\\[a [b] c](u) [d]", "\\[a \\[b] c](u) [d]"),
    "image": ("![cat](https://e.x/c.png)", "[cat](<https://e.x/c.png>)"),
    "image_in_a_link": ("[![cat](https://e.x/c.png)](https://e.x)", "[cat](<https://e.x>)"),
    "image_without_words": ("![](https://e.x/c.png)", "https://e.x/c.png"),
    "table": ("| a | b |\n|:--|--:|\n| x | 10 |", "```\na |  b\n--+---\nx | 10\n```"),
    "table_of_wide_letters": ("| 漢字 | b |\n|---|---|\n| x | y |", WIDE),
    "table_with_code": ("| a |\n|---|\n| `x` **y** |", "```\na\n---\nx y\n```"),
    "table_too_wide": (
        f"| Name | {'long ' * 9}|\n|---|---|\n| *A* | 1*2 |\n| B |\n\nEnd",
        f"**Name: A**\n- {'long ' * 9}".rstrip()
        + f": 1\\*2\n\n**Name: B**\n- {'long ' * 9}".rstrip()
        + ": —\n\nEnd",
    ),
    "html_block": ("<div>\n*x*\n</div>", "<div>\n\\*x\\*\n</div>"),
    "not_a_list": ("1\\. a\n\\- b", "1\\. a\n\\- b"),
    "html": ("<b>x</b> <script>", "<b>x</b> <script>"),
    "break": ("a<br>b", "a\nb"),
    "math": ("$x_1 + y^2$", "$x_1 + y^2$"),
    "math_with_signs": ("$a*b*c\\,d$ and $5", "$a\\*b\\*c\\\\,d$ and $5"),
    "code_with_a_tick": ("``a ` b`` ``` `` ```", "``a ` b`` `` `\u200b` ``"),
    "heading_in_a_quote": ("> # One\n> two\n>\n> three", "> # One\n> two\n> \n> three"),
    "small_print": ("-# a", "\\-# a"),
    "not_a_heading": ("\\# a", "\\# a"),
    "time": ("<t:1:R> <:a:1> </new:1>", "\\<t:1:R> \\<:a:1> \\</new:1>"),
    "nothing": ("", UNSEEN),
    "only_a_sign": (">", UNSEEN),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample(name: str) -> None:
    written, expected = SAMPLES[name]
    assert render(written) == expected


@pytest.mark.parametrize(
    "text",
    [
        "<https://e.x/@here>",
        "https://e.x/@everyone/x",
        "[a](https://e.x/@here)",
        "<ab:@here>",
        "<a@here.x>",
        "@everyone",
        "**@here**",
        "<@1> <@!1>",
        "<@&1>",
        "`@everyone`",
        "\\<@1>",
        "| @here |\n|---|",
    ],
)
def test_t56_nobody_is_called_by_the_text(text: str) -> None:
    shown = render(text)
    called = named(re.sub(r"\\<@", "", shown))
    assert not [*called.users, *called.roles]
    assert not called.everyone


@pytest.mark.parametrize(
    "text",
    ["[" * 20_000, "[a](" * 5_000, "1. " * 5_000, "> " * 5_000, "|" * 20_000, "<@</a" * 4_000],
    ids=["brackets", "links", "numbers", "quotes", "bars", "names"],
)
def test_no_text_takes_minutes(text: str) -> None:
    began = perf_counter()
    render(text)
    assert perf_counter() - began < 10.0


def test_a_fence_inside_code_cannot_end_it() -> None:
    shown = render("````\n```\nx\n```\n````")
    assert shown.count("```") == 2
    assert plain(shown).replace("\u200b", "") == "```\nx\n```"


_LETTERS = st.sampled_from("ab é漢😀*_~`|<>#[]()!@&\\-+1. \n")
_PIECES = st.sampled_from([
    "**b**", "\n```\nx\n```\n", "| a | b |\n|---|---|\n| c | d |\n", "- x\n", "1. y\n", "> q\n",
    "# h\n", "[l](https://e.x)", "<@1>", "@everyone", "`c`", "---\n", "word ", "\n\n",
])  # fmt: skip
_TEXTS = st.lists(st.one_of(_LETTERS, _PIECES), max_size=40).map("".join)


@settings(max_examples=300, deadline=None)
@given(_TEXTS)
def test_lengths_are_those_of_what_is_sent(text: str) -> None:
    shown = render(text)
    assert rendered_length(text) in ({0, 1} if shown == UNSEEN else {len(shown)})


@settings(max_examples=300, deadline=None)
@given(_TEXTS)
def test_no_word_is_lost(text: str) -> None:
    """What is left of both without signs is the same letters in the same order."""

    def letters(of: str) -> str:
        return re.sub(r"[^ab\u00e9漢cdxyqlhw]", "", of)

    assert letters(plain(render(text))) == letters(re.sub(r"https?://\S*", "", _read(text)))


def _read(text: str) -> str:
    """Return Markdown without addresses, which links show under their words."""
    return text.replace("](https://e.x)", "]")


@settings(max_examples=300, deadline=None)
@given(_TEXTS)
def test_t56_nobody_is_called_by_any_text(text: str) -> None:
    called = named(re.sub(r"\\<@", "", render(text)))
    assert not [*called.users, *called.roles]
    assert not called.everyone


@settings(max_examples=60, deadline=None)
@given(st.lists(_PIECES, min_size=50, max_size=400).map("".join))
def test_lesson_24_every_part_of_a_long_text_fits(text: str) -> None:
    for page in split(text, TEXT_LIMIT, rendered_length):
        assert len(render(page)) <= TEXT_LIMIT


def test_n23_a_long_block_of_code_keeps_every_line_in_parts_that_are_code() -> None:
    lines = [f"{'    ' * (number % 5)}x_{number} = '*{number}*'" for number in range(300)]
    text = "\n".join(["Hi.", "", "```python", *lines, "```", "", "Done."])
    parts = [render(page) for page in split(text, TEXT_LIMIT, rendered_length)]
    assert len(parts) > 2
    assert all(part.count("```") == 2 and len(part) <= TEXT_LIMIT for part in parts)
    code = [line for part in parts for line in part.split("```")[1].split("\n")[1:-1]]
    assert code == lines


def test_lesson_24_a_line_longer_than_a_message_fits_too() -> None:
    text = f"```\n{'x' * 20_000}\n```"
    parts = [render(page) for page in split(text, TEXT_LIMIT, rendered_length)]
    assert all(part.count("```") == 2 and len(part) <= TEXT_LIMIT for part in parts)
    assert sum(part.count("x") for part in parts) == 20_000


def test_plain_words_are_taken_as_they_are() -> None:
    assert render("Hello, world (and you)!") == "Hello, world (and you)!"
    assert rendered_length("abc") == 3


def test_a_footnote_stands_where_it_was_written_with_its_sign() -> None:
    assert (
        render("So[^1].\n\n[^1]: It *is*.\n\n    Really.\n") == "So[1].\n\n[1] It *is*.\n\nReally."
    )
    assert render("So[^1].\n\n[^1]:\n    ```\n    x\n    ```") == "So[1].\n\n[1]\n```\nx\n```"
