"""How the fake reads texts, and what it finds live in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.adapter_contract import TRICKY
from tests.fakes.slack.blocks import read_blocks
from tests.fakes.slack.text import escaped, live_tokens, read_markdown, read_mrkdwn
from tests.fakes.slack.typed import rich_text

SIGNS = "*_~`>#+-|[]()!\\\ue000\ue001"
PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=SIGNS), max_size=60)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize("read", [read_markdown, read_mrkdwn])
def test_the_tricky_text_comes_back(read: object) -> None:
    assert callable(read)
    assert read(escaped(TRICKY)) == TRICKY


@given(PLAIN)
def test_escaped_texts_come_through_both_markups(text: str) -> None:
    assert read_markdown(escaped(text)) == text
    assert read_mrkdwn(escaped(text)) == text


@given(ANY)
def test_nothing_escaped_is_live(text: str) -> None:
    words = escaped(f"{text}<!channel> <@U1>{text}")
    assert live_tokens(words, markdown=True) == live_tokens(words, markdown=False) == []


@given(ANY)
def test_any_text_can_be_read(text: str) -> None:
    read_markdown(text)
    read_mrkdwn(text)
    rich_text(text)


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("# Title\n\nand **bold _both_** *it* ~~gone~~", "Title\n\nand bold both it gone"),
        ("***all***", "all"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        ("[a label](http://x.y/a_(b)) ![alt](http://x.y/p.png)", "a label alt"),
        ("`a*b*c` and `` a`b ``", "a*b*c and a`b"),
        ("```python\nx = a**b**c\n```\nafter", "x = a**b**c\nafter"),
        ("````\n```\n````", "```"),
        ("```\nnever closed *x*", "never closed *x*"),
        ("```\na &lt; b\n```", "a < b"),
        ("- one\n  - two\n1. three", "\u2022 one\n  \u2022 two\n1. three"),
        ("> quoted\n> twice", "quoted\ntwice"),
        (r"\*not\* \_so\_", "*not* _so_"),
        ("&amp;lt;", "&lt;"),
        ("<http://x.y|label> <http://x.y?a=1&amp;b=2>", "label http://x.y?a=1&b=2"),
        ("a <b> c", "a <b> c"),
        ("<!here> <@U1>", "@here @U1"),
    ],
)
def test_markdown_as_a_person_reads_it(markdown: str, shown: str) -> None:
    assert read_markdown(markdown) == shown


@pytest.mark.parametrize(
    ("mrkdwn", "shown"),
    [
        ("*bold* _it_ ~gone~ *_both_*", "bold it gone both"),
        ("a*b*c snake_case_name", "a*b*c snake_case_name"),
        ("`a*b*` ```x\n*y*```", "a*b* x\n*y*"),
        ("> quoted\n&gt; not", "quoted\n> not"),
        ("<http://x.y|label> **two**", "label **two**"),
    ],
)
def test_mrkdwn_as_a_person_reads_it(mrkdwn: str, shown: str) -> None:
    assert read_mrkdwn(mrkdwn) == shown


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<!channel> <!here|here>", ["<!channel>", "<!here|here>"]),
        ("<@U0ANN> <@W1|w> <#C1|c> <!subteam^S1>", None),
        ("`<!channel>` and\n```\n<!here>\n```", []),
        ("```\n<!here>", []),
        ("&lt;!channel&gt; <!chan nel>", []),
        ("<!date^1^{date}|d> <http://x.y>", []),
    ],
)
@pytest.mark.parametrize("markdown", [True, False])
def test_what_is_live(text: str, found: list[str] | None, *, markdown: bool) -> None:
    assert live_tokens(text, markdown=markdown) == (text.split() if found is None else found)


def test_names_are_live_only_where_names_are_linked() -> None:
    text = "@here a@channel.org `@everyone` @everyone"
    assert live_tokens(text, markdown=True) == []
    assert live_tokens(text, markdown=True, by_name=True) == ["@here", "@everyone"]


def test_what_people_type() -> None:
    text, blocks = rich_text(
        "see <@U0BOT>\n> a <q>\n```x = 1\n```\n`c` https://x.y/?a=1&b=2 \U0001f600"
    )
    assert text == (
        "see <@U0BOT>\n&gt; a &lt;q&gt;\n```x = 1```\n`c` <https://x.y/?a=1&amp;b=2> :grinning:"
    )
    [block] = blocks
    kinds = [element["type"] for element in block["elements"]]
    assert kinds == [
        "rich_text_section",
        "rich_text_quote",
        "rich_text_preformatted",
        "rich_text_section",
    ]
    assert read_blocks(blocks) == ("see @U0BOT\na <q>\nx = 1\nc https://x.y/?a=1&b=2 \U0001f600")
