# ruff: noqa: RUF001 - the signs of these scripts are meant
"""Markdown as models write it, and what of it a person must be able to read."""

from dataclasses import dataclass

from gateway.messages import Limits

_LONG_ENOUGH = 20_000
"""Where nobody counts characters, a message need not be longer."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, and pieces that are shown of it whatever the platform makes of the rest."""

    text: str
    shown: tuple[str, ...]


SAMPLES = {
    "a table": Sample(
        "| Name | Größe |\n|:--|---:|\n| Ann | **12** |\n| `a\\|b` | — |\n\nThat is all.",
        ("Name", "Größe", "Ann", "12", "a|b", "—", "That is all."),
    ),
    "nested lists": Sample(
        "1. first\n   - inner `code`\n     1. deep **down**\n2. second\n\n- [ ] open\n- [x] done",
        ("first", "inner", "code", "deep", "down", "second", "open", "done"),
    ),
    "fences with backticks": Sample(
        "Look:\n\n````md\n```py\nprint('a `b` c')\n```\n````\n\nand ``x ` y`` too",
        ("Look:", "print('a `b` c')", "and", "x ` y", "too"),
    ),
    "links with parentheses": Sample(
        "[Tau (τ)](https://example.org/Tau_(number)?a=1&b=2), "
        '[a title](https://example.org/t "Title"), <https://example.org/x_(y)> and **on**',
        ("Tau (τ)", "a title", "https://example.org/x_(y)", "and", "on"),
    ),
    "emoji": Sample(
        "Family 👨‍👩‍👧‍👦, flag 🇵🇱, hand 👋🏽, heart ❤️ and 1️⃣ **bold 😀** end",
        ("Family 👨‍👩‍👧‍👦, flag 🇵🇱, hand 👋🏽, heart ❤️ and 1️⃣", "bold 😀", "end"),
    ),
    "right to left": Sample(
        "שלום **עולם** and مرحبا `كود` 123\n\n> اقتباس",
        ("שלום", "עולם", "and", "مرحبا", "كود", "123", "اقتباس"),
    ),
    "Chinese, Japanese and Korean": Sample(
        "你好，**世界**！「引用」はここ。한국어 *강조* 끝\n\n- 第一\n- 第二",
        ("你好，", "世界", "「引用」はここ。", "한국어", "강조", "끝", "第一", "第二"),
    ),
    "mentions": Sample(
        "Hi @everyone, @here, <@42>, <@!42>, <@&7>, <@U0ANN>, <!channel>, <!here>, "
        "<!subteam^S0TEAM>, <#9>, [Ann](tg://user?id=42), [Bob](<@42>) and `@everyone`. Bye.",
        ("Hi", "everyone", "here", "Ann", "Bob", "and", "Bye."),
    ),
    "signs that mean something elsewhere": Sample(
        "5 < 6 & 7 > 2; a_b_c, __init__, 2 * 3 * 4, 1 ~ 2, \\*not\\*, x^2, {y}, #1, -- and $a$ end",
        ("5 < 6 & 7 > 2; a_b_c,", "2 * 3 * 4,", "*not*", "x^2", "{y}", "#1", "and", "$a$", "end"),
    ),
    "headings, quotes and a rule": Sample(
        "# Title\n\n> quoted **bold**\n>\n> > deeper\n\n---\n\n#### Small\n\nlast",
        ("Title", "quoted", "bold", "deeper", "Small", "last"),
    ),
    "what is not closed": Sample(
        "**bold and *more and ~~gone and [a link](https://example.org/a\n\n```py\nprint(1)",
        ("bold and", "more and", "gone and", "a link", "print(1)"),
    ),
}


def filled(sample: Sample, limits: Limits) -> tuple[str, int]:
    """Return the sample as often as it goes into one message, and how often that is."""
    block = f"{sample.text}\n\n"
    if "```" in sample.text and sample.text.count("```") % 2:
        block = f"{sample.text}\n```\n\n"
    times = max(1, min(limits.text, _LONG_ENOUGH) // max(1, limits.measure(block)))
    while times > 1 and limits.measure(_ended(block, times)) > limits.text:
        times -= 1
    text = _ended(block, times)
    padding = "x" * (min(limits.text, _LONG_ENOUGH) - limits.measure(text))
    return (f"{text}{padding}" if limits.measure(text + padding) <= limits.text else text), times


def _ended(block: str, times: int) -> str:
    return block * times + "The end."
