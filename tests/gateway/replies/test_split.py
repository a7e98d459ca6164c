import time
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gateway.replies.split import split

_FULL = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def plain(markdown: str) -> str:
    """Say all that a reader sees, without white space."""
    said: list[str] = []
    for token in _FULL.parse(markdown):
        if token.type in {"fence", "code_block", "html_block"}:
            said.append(token.content)
        for child in token.children or ():
            said.append(child.content)
            said.extend(str(value) for name, value in child.attrs.items() if name == "href")
    return "".join("".join(said).split())


def fences(page: str) -> list[str]:
    return [token.info for token in _FULL.parse(page) if token.type == "fence"]


def is_closed(page: str) -> bool:
    """Text put below a page must not land in its last fence."""
    tokens = _FULL.parse(f"{page}\n\nBELOW")
    return any(token.type == "inline" and token.content == "BELOW" for token in tokens)


_words = st.lists(
    st.sampled_from([
        "plain",
        "a",
        "**bold words here**",
        "_leaning text_",
        "`code span`",
        "x" * 30,
        "é́",
        "👩‍👩‍👧‍👦",
        "[a link](https://example.org/a_(b))",
        "end.",
        "Really?",
        "~~gone~~",
        "日本語。次です",
        "1 < 2",
        "**bold with `code` and [link](u://v) inside it**",
        "snake_case_name",
        "\\*no\\*",
        "5 * 3",
    ]),
    min_size=1,
    max_size=60,
)
_paragraph = st.builds(" ".join, _words)
_lines = st.builds("\n".join, st.lists(_paragraph, min_size=1, max_size=4))
_code = st.lists(
    st.sampled_from(["x = 1", "    indented()", "", "# note", "```inner", "y" * 70, "a b c d e"]),
    min_size=1,
    max_size=30,
).map("\n".join)
_fence = st.builds(
    lambda marker, info, code: f"{marker}{info}\n{code}\n{marker}",
    st.sampled_from(["````", "~~~", "~~~~"]),
    st.sampled_from(["", "python", "sh"]),
    _code,
)


def _listed(items: list[str]) -> str:
    return "\n".join("- " + item.replace("\n", "\n  ") for item in items)


def _numbered(items: list[str]) -> str:
    return "\n".join(f"{n}. " + item.replace("\n", "\n   ") for n, item in enumerate(items, 1))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


_simple = _lines | _fence | st.builds("## {}".format, st.sampled_from(["One", "Two words"]))
_nested = st.recursive(
    _simple,
    lambda inner: (
        st.builds(_listed, st.lists(inner, min_size=1, max_size=4))
        | st.builds(_numbered, st.lists(inner, min_size=1, max_size=4))
        | st.builds(_quoted, inner)
        | st.builds("\n\n".join, st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=8,
)
documents = st.lists(_nested, min_size=1, max_size=6).map("\n\n".join)
measures = st.sampled_from([len, utf16, lambda text: len(text.encode())])


@settings(max_examples=150, deadline=None)
@given(documents, st.integers(150, 900), measures)
def test_pages_fit_and_say_everything_once(
    markdown: str, limit: int, measure: Callable[[str], int]
) -> None:
    pages = split(markdown, limit, measure)
    assert all(measure(page) <= limit for page in pages)
    assert "".join(plain(page) for page in pages) == plain(markdown)
    assert all(is_closed(page) for page in pages)


@settings(max_examples=100, deadline=None)
@given(documents, st.integers(150, 600), st.data())
def test_half_written_markdown_fits_and_loses_nothing(
    markdown: str, limit: int, data: st.DataObject
) -> None:
    half = markdown[: data.draw(st.integers(0, len(markdown)))]
    pages = split(half, limit, len)
    assert all(len(page) <= limit for page in pages)
    assert "".join(plain(page) for page in pages) == plain(half)


def _is_in_order(what: str, where: str) -> bool:
    rest = iter(where)
    return all(sign in rest for sign in what)


_nasty = st.text(
    st.sampled_from("ab1 \n\t`~*_[]()<>#|-+.!\\>=:é日😀\u0301\u200d🇩🇪\ud800"), max_size=1500
) | st.text(max_size=600)


@settings(max_examples=300, deadline=None)
@given(_nasty, st.integers(120, 400), measures.filter(lambda one: one is len or one is utf16))
@example("> " * 30 + "x " * 400, 120, len)
@example("```" + "i" * 99 + "\n" + "x" * 500, 120, len)
@example("|a|b|\n|-|-|\n" + "|c|d|\n" * 80 + "|" + "e" * 500 + "|f|\n|g|h|", 120, len)
@example("e\u0301" + "\u0301" * 900, 120, len)
@example("-\n" * 500, 120, len)
@example("\n".join("    " * depth + "- deep" for depth in range(40)), 120, len)
def test_any_text_fits_and_loses_no_letter(
    text: str, limit: int, measure: Callable[[str], int]
) -> None:
    pages = split(text, limit, measure)
    assert all(measure(page) <= limit for page in pages)
    letters = "".join(sign for sign in text if sign.isalnum())
    assert _is_in_order(letters, "".join(pages))


@settings(max_examples=60, deadline=None)
@given(documents, st.integers(200, 500))
def test_earlier_pages_stay_as_they_are_while_text_grows(markdown: str, limit: int) -> None:
    shown: list[str] = []
    steps = range(0, len(markdown), max(len(markdown) // 40, 20))
    moved = 0
    for end in steps:
        pages = split(markdown[:end], limit, len)
        moved += shown[:-1] != pages[: len(shown) - 1] if shown else 0
        shown = pages
    assert moved <= 1 + len(steps) // 8


def test_code_and_prose_never_move_while_they_grow() -> None:
    body = "\n".join(f"    step_{n} = call({n})  # and a remark" for n in range(400))
    markdown = (
        f"Here it is. {'Some words. ' * 60}\n\n```python\n{body}\n```\n\n" + "The end. " * 300
    )
    shown: list[str] = []
    for end in range(0, len(markdown), 97):
        pages = split(markdown[:end], 1000, len)
        assert pages[: max(len(shown) - 1, 0)] == shown[:-1]
        shown = pages


SAMPLES = {
    "empty": "",
    "one_line": "x" * 5000,
    "code_line": "```\n" + "y" * 20_000 + "\n```",
    "open_fence": "Look:\n\n```python\n" + "print('hi')\n" * 500,
    "nested_fences": "````md\n```py\nx = 1\n```\n" * 1 + "text\n" * 700 + "````\nafter",
    "tilde_fence": "~~~ruby title\n" + "puts 1\n" * 900 + "~~~",
    "fence_in_list": "1. do\n   ```sh\n" + "   run it\n" * 700 + "   ```\n2. done",
    "fence_in_quote": "> ```\n" + "> said\n" * 900 + "> ```",
    "half_link": "word " * 700 + "[text](https://example.or",
    "half_table": "| a | b |\n|---|",
    "only_bold": "**" + "bold words " * 900 + "**",
    "links": "[name](https://example.org/" + "p" * 300 + ") " * 40,
    "emoji": "👨‍👩‍👧 family 🇩🇪🇫🇷 " * 500,
    "cjk": "日本語の文章です。続きます。" * 500,
    "blank": "\n\n   \n\n",
    "crlf": "a line\r\n\r\n" * 900,
    "html": "<div>\n" + "<b>x</b>\n" * 900 + "</div>",
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("limit", [500, 2000])
def test_nasty_samples(name: str, limit: int) -> None:
    pages = split(SAMPLES[name], limit, utf16)
    assert pages
    assert all(utf16(page) <= limit for page in pages)
    said = "".join(plain(page) for page in pages)
    assert said == plain(SAMPLES[name])


def test_text_that_fits_comes_back_as_it_is() -> None:
    assert split("**Hi**, _you_", 4096, len) == ["**Hi**, _you_"]


def test_lesson_23_no_word_is_cut_unless_longer_than_a_page() -> None:
    words = [f"word{n}" for n in range(2000)]
    pages = split(" ".join(words), 300, len)
    assert [word for page in pages for word in page.split()] == words


def test_lesson_23_rendered_length_counts_not_the_source() -> None:
    def escaped(text: str) -> int:
        return len(text.replace("&", "&amp;").replace("<", "&lt;"))

    pages = split("if a < b & c then\n" * 400, 2000, escaped)
    assert all(escaped(page) <= 2000 for page in pages)
    assert len(pages) <= 8


def test_lesson_24_a_20k_code_line_gives_balanced_fences() -> None:
    pages = split("```js\n" + "z" * 20_000 + "\n```", 4096, len)
    assert all(fences(page) == ["js"] and is_closed(page) for page in pages)
    assert sum(page.count("z") for page in pages) == 20_000
    assert len(pages) == 5


def test_n23_code_keeps_its_indent_and_language() -> None:
    source = [f"{'    ' * (n % 4)}line({n})" for n in range(400)]
    pages = split("```python\n" + "\n".join(source) + "\n```", 2000, len)
    assert all(fences(page) == ["python"] for page in pages)
    code = [line for page in pages for line in page.split("\n")[1:-1]]
    assert code == source


def test_a9_a_short_first_line_does_not_stand_alone() -> None:
    pages = split("Hi\n\n```py\n" + "call()\n" * 2000 + "```", 4096, len)
    assert pages[0].startswith("Hi\n\n```py\ncall()")
    assert len(pages[0]) > 3000


def test_a_longer_fence_is_reopened_with_its_own_marker() -> None:
    pages = split("````md\n" + "```py\nx\n```\n" * 300 + "````", 1000, len)
    assert all(page.startswith("````md\n") and page.endswith("\n````") for page in pages)


def test_table_header_is_repeated() -> None:
    rows = [f"| {n} | value {n} |" for n in range(200)]
    pages = split("| n | v |\n|---|---|\n" + "\n".join(rows), 600, len)
    assert all(page.startswith("| n | v |\n|---|---|\n") for page in pages)
    assert [row for page in pages for row in page.split("\n")[2:]] == rows


def test_list_is_cut_between_items() -> None:
    items = [f"- item {n} with some words" for n in range(100)]
    pages = split("\n".join(items), 500, len)
    assert [line for page in pages for line in page.split("\n")] == items


def test_nested_list_goes_on_without_becoming_code() -> None:
    markdown = "- top\n  - middle\n" + "\n".join(f"    - deep number {n}" for n in range(80))
    for page in split(markdown, 400, len):
        assert "code_block" not in {token.type for token in _FULL.parse(page)}


def test_blocks_are_kept_whole_where_they_fit() -> None:
    block = "A paragraph of some words that belong together.\n\n```\ncode\nmore code\n```"
    pages = split("\n\n".join([block] * 40), 500, len)
    assert all(page.count("```") % 2 == 0 for page in pages)
    assert all(page.startswith(("A paragraph", "```")) for page in pages)


def test_heading_does_not_end_a_page() -> None:
    part = "## Heading\n\n" + "Words of the part. " * 12
    for page in split("\n\n".join([part] * 30), 700, len):
        assert not page.rstrip().endswith("## Heading")


def test_emphasis_over_a_cut_is_closed_and_opened_again() -> None:
    pages = split("**" + "bold words " * 200 + "end**", 500, len)
    assert all(page.startswith("**") and page.endswith("**") for page in pages)


def test_links_stay_whole() -> None:
    link = "[the page](https://example.org/a/very/long/path?with=query)"
    pages = split(f"text {link} " * 100, 300, len)
    assert sum(page.count(link) for page in pages) == 100


def test_a_link_that_fits_in_a_page_goes_to_the_next_rather_than_be_torn() -> None:
    link = f"[{'linked words ' * 25}](https://example.org)"
    pages = split(f"{'before ' * 25}{link} {'after ' * 60}", 500, len)
    assert pages[1].startswith(link)


def test_long_code_lines_and_rows_are_not_torn() -> None:
    lines = [f"call({'x, ' * 90}{n})" for n in range(6)]
    pages = split("\n".join(["```py", *lines, "```"]), 500, len)
    assert [page.split("\n")[1] for page in pages] == lines
    rows = [f"| {'long cell ' * 25} | {n} |" for n in range(6)]
    pages = split("\n".join(["| a | b |", "|---|---|", *rows]), 500, len)
    assert [page.split("\n")[2] for page in pages] == rows


def test_words_that_would_read_as_a_list_do_not_begin_a_page() -> None:
    for page in split("count - 1 * 2 + 3 # 4 > 5. " * 200, 300, len):
        assert page[0] not in "-*+#>"


def test_graphemes_are_not_torn() -> None:
    family = "👨‍👩‍👧‍👦"
    pages = split(family * 300, 100, utf16)
    assert all(not page.startswith("\u200d") and not page.endswith("\u200d") for page in pages)
    flags = split("🇩🇪" * 300, 102, utf16)
    assert all(page.count("🇩") == page.count("🇪") for page in flags)


def test_pages_that_would_show_nothing_are_left_out() -> None:
    def rendered(text: str) -> int:
        return len(text.replace("<!-- x -->", "").strip())

    pages = split(("<!-- x -->\n\n" * 300) + "word " * 300, 500, rendered)
    assert all(rendered(page) for page in pages)


def test_few_measures_for_50k() -> None:
    calls = 0

    def measure(text: str) -> int:
        nonlocal calls
        calls += 1
        return len(text)

    part = (
        "# T\n\nSome **bold** words. " + "More text here. " * 20 + "\n\n- a\n- b\n\n```\nx\n```\n\n"
    )
    markdown = part * 140
    assert len(markdown) > 50_000
    pages = split(markdown, 4096, measure)
    assert calls <= 8 * len(pages)


@pytest.mark.parametrize(
    "unit", ["[", "*a", "](", "`", "> ", "- ", "_x_ ", "|", "<a", "a\n\n", "\\", "~~"]
)
def test_no_text_of_50k_takes_minutes(unit: str) -> None:
    started = time.perf_counter()
    pages = split(unit * (50_000 // len(unit)), 4096, len)
    assert time.perf_counter() - started < 30.0
    assert all(len(page) <= 4096 for page in pages)
