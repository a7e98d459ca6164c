"""What a page of pictures is made of: each platform's formatting, as tags."""

import pytest

from scripts.rendering import discord_text, slack_text, telegram_text
from scripts.rendering.bubble import Bubble
from scripts.rendering.page import page
from scripts.rendering.stage import Shot

ITEM = '<div class="item" style="--depth:'


def entity(kind: str, offset: int, length: int, **details: str) -> dict[str, object]:
    return {"type": kind, "offset": offset, "length": length, **details}


@pytest.mark.parametrize(
    ("text", "entities", "html"),
    [
        ("a < b", [], "a &lt; b"),
        ("😀 bold", [entity("bold", 3, 4)], "😀 <b>bold</b>"),
        (
            "abcd",
            [entity("bold", 0, 3), entity("italic", 2, 2)],
            "<b>ab<em>c</em></b><em>d</em>",
        ),
        (
            "x\n\nprint()\n\ny",
            [entity("pre", 3, 7, language="py")],
            "x\n\n<pre><i>py</i>print()</pre>\ny",
        ),
        ("</b> /new", [], '&lt;/b&gt; <a title="bot_command">/new</a>'),
        ("`/new`", [entity("code", 0, 6)], "<code>`/new`</code>"),
    ],
)
def test_telegram_draws_entities(text: str, entities: list[dict[str, object]], html: str) -> None:
    assert telegram_text.draw(text, entities) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** *b* __c__ ~~d~~", "<b>a</b> <em>b</em> <u>c</u> <s>d</s>"),
        (r"\*a\* snake_case", "*a* snake_case"),
        ("`` a ` b ``", "<code> a ` b </code>"),
        ("[a **b**](<https://e.x/(1)>)", '<a title="https://e.x/(1)">a <b>b</b></a>'),
        ("<@42> @everyone", '<span class="mention">&lt;@42&gt;</span> @everyone'),
        ("||no||", '<span class="spoiler">no</span>'),
    ],
)
def test_discord_draws_what_stands_in_a_line(text: str, html: str) -> None:
    assert discord_text.inline(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("## a\n#### b", '<h2>a</h2><div class="prose">#### b</div>'),
        (
            "- a\n  2. b",
            f'{ITEM}1"><i>•</i>a</div>{ITEM}2"><i>2.</i>b</div>',
        ),
        (
            "> # b\nc",
            '<blockquote><h1>b</h1></blockquote><div class="prose">c</div>',
        ),
        ("a\n\n```py\n*x*\n```", '<div class="prose">a\n<br></div><pre><i>py</i>*x*</pre>'),
        ("| b |", '<div class="prose">| b |</div>'),
        ("-# small", "<small>small</small>"),
    ],
)  # fmt: skip
def test_discord_draws_blocks_that_it_knows(text: str, html: str) -> None:
    assert discord_text.draw(text) == html


def test_slack_draws_markdown_and_shows_what_would_ring() -> None:
    html = slack_text.draw_markdown("- [x] **a** &lt;b&gt; `&lt;c&gt;`\n\n<!here> https://e.x/a_b.")
    assert "<li>☑ <strong>a</strong> &lt;b&gt; <code>&lt;c&gt;</code></li>" in html
    assert '<span class="live">!here</span>' in html
    assert '<a title="link">https://e.x/a_b</a>.' in html


def test_slack_draws_its_markup_of_old() -> None:
    html = slack_text.draw_mrkdwn("*b* _i_ `x` <https://e.x|page> &lt;3 <@U1>")
    assert html == (
        '<div class="old"><b>b</b> <em>i</em> <code>x</code> <a title="https://e.x">page</a> '
        '&lt;3 <span class="live">@U1</span></div>'
    )


def test_the_page_stands_alone_and_asks_each_question_once() -> None:
    shots = [Shot([Bubble("one", {"text": "<1>"})], "first", "Why?"), Shot([], "then", "Why?")]
    html = page({"telegram": {("Act", "Scene"): shots}})
    assert html.count("Why?") == 1
    assert "&lt;1&gt;" in html
    assert "<script" not in html
    assert "http" not in html
