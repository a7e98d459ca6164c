"""What models write, as it is shown: nothing lost, every entity where it belongs."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.telegram.entities import ENTITIES_AT_MOST, Rendered, utf16_length
from adapters.telegram.markdown import render, rendered_length
from gateway.chat_text import clean

STYLES = {"bold", "italic", "strikethrough"}


def seen(markdown: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the text, and for each entity its kind (with its detail) and its words."""
    rendered = render(markdown)
    units = rendered.text.encode("utf-16-le")
    return rendered.text, [
        (
            ":".join(filter(None, [one["type"], one.get("url") or one.get("language")])),
            units[2 * one["offset"] : 2 * (one["offset"] + one["length"])].decode("utf-16-le"),
        )
        for one in rendered.entities
    ]


@pytest.mark.parametrize(
    ("markdown", "text", "entities"),
    [
        ("plain", "plain", []),
        ("**a _b** c_", "a _b c_", [("bold", "a _b")]),
        ("***both***", "both", [("bold", "both"), ("italic", "both")]),
        ("~~gone~~ ~5 EUR", "gone ~5 EUR", [("strikethrough", "gone")]),
        ("`__init__` in code", "__init__ in code", [("code", "__init__")]),
        ("snake_case_name", "snake_case_name", []),
        (
            "**a `b` c**",
            "a b c",
            [("bold", "a "), ("code", "b"), ("bold", " c")],
        ),
        (
            '[A (b)](https://e.org/A_(b)?q="x"&y=/_foo_/)',
            "A (b)",
            [('text_link:https://e.org/A_(b)?q="x"&y=/_foo_/', "A (b)")],
        ),
        ("[`x`](https://e.org)", "x", [("text_link:https://e.org", "x")]),
        (
            "<https://e.org/a_b>",
            "https://e.org/a_b",
            [("text_link:https://e.org/a_b", "https://e.org/a_b")],
        ),
        ("![a cat](https://e.org/c.png)", "a cat", [("text_link:https://e.org/c.png", "a cat")]),
        ("[file](./src/a.py)", "file (./src/a.py)", []),
        ("[ping](tg://user?id=5)", "ping (tg://user?id=5)", []),
        ("[mail](mailto:a@b.c)", "mail (mailto:a@b.c)", []),
        ("<a@b.org>", "a@b.org", []),
        ("# Title\n\nText", "Title\nText", [("bold", "Title")]),
        ("Text\n# One\n## Two", "Text\n\nOne\n\nTwo", [("bold", "One"), ("bold", "Two")]),
        ("> a\n> > b", "a\n\nb", [("blockquote", "a\n\nb")]),
        ("---", "──────────", []),
        ("one\ntwo  \nthree", "one\ntwo\nthree", []),
        ("- a\n- b\n  - c\n\nd", "• a\n• b\n  • c\n\nd", []),
        ("3. a\n4. b", "3. a\n4. b", []),
        ("- [ ] a\n- [x] b", "☐ a\n☑ b", []),
        ("- a\n\n- b", "• a\n\n• b", []),
        ("- a\n\n  - b\n- c\n\n  more\n\n- d", "• a\n  • b\n• c\n\n  more\n\n• d", []),
        ("-\n- a", "• \n• a", []),
        ("1. a\n   ```py\n   x\n   ```\n2. b", "1. a\nx\n\n2. b", [("pre:py", "x")]),
        ("```python\nprint(1)\n```", "print(1)", [("pre:python", "print(1)")]),
        ("````md\n```py\nx\n```\n````", "```py\nx\n```", [("pre:md", "```py\nx\n```")]),
        ("```\n  indented\n```", "  indented", [("pre", "  indented")]),
        ("```\nnever closed", "never closed", [("pre", "never closed")]),
        ("note[^1]\n\n[^1]: why", "note[1]\n\n[1] why", []),
        ("line<br>break", "line\nbreak", []),
    ],
)
def test_markdown_becomes_text_and_entities(
    markdown: str, text: str, entities: list[tuple[str, str]]
) -> None:
    assert seen(markdown) == (text, entities)


@pytest.mark.parametrize(
    "text",
    [
        "Use List<String> and Map<K, V>.",
        "<div>\nhello\n</div>",
        "x <!-- note --> y",
        "cp $HOME/$USER to $5 or $10",
        "if (a || b || c) then",
        "f(x) = x^2 and \\alpha",
        "$a*b*c$ and\n$$\n\\int_0^1 x_i\\,dx \\\\ y\n$$\nfor $5 or $10.",
        "a & b &x;",
        "@everyone /stop #tag",
    ],
)
def test_n10_what_is_no_markdown_stays_as_it_was_written(text: str) -> None:
    assert render(text) == Rendered(text)


def test_tables_are_aligned_by_what_letters_fill() -> None:
    table = "| Name | n |\n|:--|--:|\n| 你好 | 1 |\n| [a](https://e.org) | 100 |\n| b<br>c || "
    lines = [
        "Name              |   n",
        "------------------+----",
        "你好              |   1",
        "a (https://e.org) | 100",
        "b c               |",
    ]
    assert seen(table) == ("\n".join(lines), [("pre", "\n".join(lines))])


def test_a_table_too_wide_for_a_telephone_is_told_row_by_row() -> None:
    head, rule = f"| Name | {'long ' * 9}| |", "|---|---|---|"
    text, entities = seen(f"{head}\n{rule}\n| **Ann** | 1 | x |\n| Bob | | y |\n\nEnd")
    long = ("long " * 9).strip()
    assert text == (f"Name: Ann\n• {long}: 1\n• x\n\nName: Bob\n• {long}: —\n• y\n\nEnd")
    assert entities == [("bold", "Name: Ann"), ("bold", "Name: Bob")]


@pytest.mark.parametrize("markdown", ["", ">", "```\n```", "\u200b", "# ", "-", "|"])
def test_n7_a_text_that_shows_nothing_is_still_a_message(markdown: str) -> None:
    assert render(markdown).text.strip()
    shows_nothing = render(markdown).text == "…"
    assert rendered_length(markdown) == (0 if shows_nothing else len(render(markdown).text))


def test_control_characters_and_halves_of_letters_are_taken_out() -> None:
    assert render("a\x00b\x1b[1m\ud83d\u202ec\r\nd").text == "ab[1m\ufffdc\nd"


def test_the_most_important_entities_are_kept() -> None:
    markdown = " ".join(["_i_"] * 80 + ["`c`"] * 60 + ["[l](https://e.org)"] * 20)
    kinds = [entity["type"] for entity in render(markdown).entities]
    assert len(kinds) == ENTITIES_AT_MOST
    assert kinds.count("code") == 60
    assert kinds.count("text_link") == 20
    assert kinds.count("italic") == 20


@given(st.text(), st.integers(2, 40))
def test_shortened_texts_fit_and_their_entities_with_them(words: str, limit: int) -> None:
    rendered = render(f"**{words}** `code`")
    short = rendered.shortened(limit)
    assert utf16_length(short.text) <= max(limit, 1)
    check_entities(short)
    if short != rendered:
        assert short.text.endswith("…")


PIECES = st.sampled_from(
    [
        "**", "*", "_", "__", "~~", "`", "```\n", "````py\n", "> ", "- ", "1. ", "# ", "\n", "\n\n",
        "[", "](https://e.org/a_(b))", "![", "](x)", "<b>", "<br>", "</div>", "|", "|--|",
        "| a |\n", "\\", "||", "$", "&amp;", "[^1]", "word", " ", "😀", "你好",
        "e\u0301", "  ", "\t", "[ ] ",
    ]
)  # fmt: skip
MARKDOWN = st.lists(PIECES | st.text(max_size=5), max_size=60).map("".join)


def check_entities(rendered: Rendered) -> None:
    """Entities lie on whole letters, within the text, nested and as Telegram allows."""
    units = rendered.text.encode("utf-16-le")
    assert len(rendered.entities) <= ENTITIES_AT_MOST
    spans: list[tuple[int, int, str]] = []
    for entity in rendered.entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        assert 0 <= start < end <= len(units) // 2
        units[2 * start : 2 * end].decode("utf-16-le")
        spans.append((start, end, entity["type"]))
    for first in spans:
        for second in spans:
            check_pair(first, second)


def check_pair(first: tuple[int, int, str], second: tuple[int, int, str]) -> None:
    if first is second or first[1] <= second[0] or second[1] <= first[0]:
        return
    nested = (first[0] <= second[0] and second[1] <= first[1]) or (
        second[0] <= first[0] and first[1] <= second[1]
    )
    assert nested, f"{first} and {second} cross"
    kinds = {first[2], second[2]}
    assert len(kinds) == 2, f"{first} in {second}"
    if kinds & {"code", "pre"}:
        assert kinds - {"code", "pre"} == {"blockquote"}, f"{first} in {second}"


@given(MARKDOWN)
@example("**[`a`](https://e.org)** > b")
@example("| **a | b** |\n|--|--|\n| `c | d` |")
def test_entities_are_valid_whatever_is_written(markdown: str) -> None:
    rendered = render(markdown)
    check_entities(rendered)
    assert rendered.text == rendered.text.rstrip() != ""
    assert rendered_length(markdown) in {0, utf16_length(rendered.text)}


WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)


def letters(value: Any) -> str:
    return "".join(letter for letter in str(value) if letter.isalnum())


@given(st.lists(WORDS | PIECES.filter(lambda piece: not letters(piece)), max_size=40))
def test_n10_no_word_is_lost(pieces: list[str]) -> None:
    """Marks may go, as they are what becomes style; what is said stays, in order."""
    markdown = " ".join(pieces)
    rendered = letters(render(markdown).text)
    for word in pieces:
        if word.isalnum():
            assert word in rendered


@given(st.text())
def test_cleaned_text_can_always_be_sent(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert cleaned.encode().decode() == cleaned


def test_t67_lists_in_lists_are_indented_only_so_far() -> None:
    depth = 40
    markdown = "\n".join("  " * level + f"- {level}" for level in range(depth))
    lines = render(markdown).text.split("\n")
    assert [line.strip() for line in lines] == [f"• {level}" for level in range(depth)]
    assert [len(line) - len(line.lstrip()) for line in lines] == [
        2 * min(level, 8) for level in range(depth)
    ]
