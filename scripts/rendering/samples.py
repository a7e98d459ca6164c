# ruff: noqa: RUF001 - the signs of these scripts are meant
"""Markdown as models write it, by what it is a sample of."""

SAMPLES = {
    "Headings": (
        "# First level\n\nBelow the first.\n\n## Second level\n\nBelow the second.\n\n"
        "### Third level\n\nBelow the third.\n\n#### Fourth level\n\nBelow the fourth.\n\n"
        "##### Fifth, with `code`\n\nBelow the fifth."
    ),
    "Bold, italic, struck, code": (
        "**Bold**, *italic*, _italic too_, ***both***, ~~struck out~~, `code`, "
        "**bold with *italic* inside**, un**frag**mented, and snake_case_names stay.\n"
        "A line of its own, ``code with a ` in it``, 2 * 3 * 4 and 5 < 6 & 7 > 2."
    ),
    "A table": (
        "| Fruit | Pieces | Price |\n|:--|--:|:-:|\n| Apple | 12 | **0.40 €** |\n"
        "| Pear | 7 | 0.55 € |\n| `a\\|b` | 105 | — |\n\nThat is all there is."
    ),
    "A wide table": (
        "| Language | First released | Typing | Where it is mostly used today | Remarks |\n"
        "|---|---|---|---|---|\n"
        "| Python | 1991 | dynamic, strong | data, web services, scripts, teaching | "
        "reads almost like English |\n"
        "| Rust | 2015 | static, strong | systems, command lines, embedded devices | "
        "no garbage collector, a strict compiler |\n"
        "| JavaScript | 1995 | dynamic, weak | browsers, and servers by way of Node | "
        "runs everywhere |\n\nAsk for more."
    ),
    "A table in Chinese and Japanese": (
        "| 城市 | 人口（万） | 备注 |\n|---|--:|---|\n| 北京 | 2189 | 首都 |\n"
        "| 東京 | 1404 | 日本の首都 |\n| Kraków | 80 | dawna stolica |"
    ),
    "Nested lists": (
        "Pack this:\n\n1. Clothes\n   - two shirts, one of them **warm**\n   - socks\n"
        "     - wool\n     - cotton\n2. Papers\n   1. passport\n   2. ticket\n3. Food\n\n"
        "   Bread keeps best, and this is a paragraph of its own.\n\n"
        "* a list with stars\n* and `code` in it"
    ),
    "Task lists": "- [x] book the train\n- [ ] pack\n  - [x] charger\n  - [ ] book\n- [ ] go",
    "Code": (
        "Write `greet.py`:\n\n```python\ndef greet(name: str) -> str:\n"
        '    """Greet somebody."""\n    return f"Hello, <{name}> & *others*!"\n```\n\n'
        "Then run it:\n\n```\n$ python greet.py\nHello, <Ann> & *others*!\n```\n\nDone."
    ),
    "Fences with backticks inside": (
        "In Markdown, code stands in fences:\n\n"
        "````markdown\n```python\nprint('`hi`')\n```\n````\n\n"
        "1. In a list, too:\n\n   ```sh\n   echo `date`\n   ```\n2. And on."
    ),
    "A long line of code": (
        "```sh\ncurl --silent --show-error --location --header 'Accept: application/json' "
        '--data \'{"name": "a rather long value", "other": [1, 2, 3]}\' '
        "https://api.example.org/v2/things?expand=all\n```"
    ),
    "Links": (
        "[Tau](https://example.org/wiki/Tau_(number)?a=1&b=2), "
        '[with a title](https://example.org/t "Title"), <https://example.org/x_(y)>, '
        "https://example.org/plain_link, [**bold** and `code`](https://example.org/b), "
        "[a file](file:///etc/hosts) and [mail](mailto:ann@example.org)."
    ),
    "Pictures": (
        "A cat:\n\n![A grey cat](https://example.org/cat.png)\n\n"
        "and one in a link: [![small](https://example.org/s.png)](https://example.org/big)"
    ),
    "Quotes": (
        "She wrote:\n\n> The first line, **bold**,\n> and the second.\n>\n> - a list\n"
        "> - in a quote\n>\n> > He had said no.\n\nI agree."
    ),
    "A rule": "Above the rule.\n\n---\n\nBelow the rule.",
    "HTML": (
        "Press <kbd>Ctrl</kbd>+<kbd>C</kbd>, H<sub>2</sub>O, one<br>two.\n\n"
        "<details>\n<summary>More</summary>\n\nHidden **words**.\n\n</details>"
    ),
    "Emoji": "Family 👨‍👩‍👧‍👦, flag 🇵🇱, hand 👋🏽, heart ❤️, keycap 1️⃣, :smile: and **bold 😀**.",
    "Right to left": (
        "שלום **עולם**, זה `קוד` ו-[קישור](https://example.org/he).\n\n"
        "مرحبا بالعالم:\n\n- الأول\n- الثاني **مهم**\n\n> اقتباس"
    ),
    "Chinese, Japanese, Korean": (
        "你好，**世界**！「引用」は*ここ*。한국어 **강조** 끝。\n\n1. 第一\n2. 第二，`代码`"
    ),
    "Formulas": (
        "Inline $E = mc^2$ and \\(a_1 + b_1\\), and apart:\n\n"
        "$$\\int_0^1 x^2\\,dx = \\frac{1}{3}$$\n\nThat costs $5 or $10."
    ),
    "Names that must not ring": (
        "Hi @everyone, @here, @channel, <@42>, <@!42>, <@&7>, <@U0ANN>, <!channel>, <!here>, "
        "<!subteam^S0TEAM>, <#9>, [Ann](tg://user?id=42) and `@everyone`."
    ),
    "Spoilers and footnotes": (
        "The murderer is ||the gardener||. It rained[^1].\n\n[^1]: On the third day."
    ),
}


def long_answer() -> str:
    """Return a text that no platform takes in one message."""
    parts = ["# A day in the harbour"]
    for number, hour in enumerate(_HOURS, 1):
        parts.append(f"## {number}. {hour}")
        parts.extend(_PARAGRAPHS)
    code = "\n".join(f"    moor(berth={berth}, rope='{berth * 7} m')" for berth in range(1, 45))
    parts.insert(6, f"```python\ndef evening():\n{code}\n```")
    rows = "\n".join(
        f"| Berth {berth} | ship {berth * 3} | {berth * 11} t |" for berth in range(1, 31)
    )
    parts.insert(14, f"| Where | Who | Load |\n|---|---|--:|\n{rows}")
    return "\n\n".join([*parts, "**The very end.**"])


_HOURS = (
    *("Before dawn", "Dawn", "Early morning", "Morning", "Before noon", "Noon", "After noon"),
    *("Afternoon", "Before dusk", "Evening", "Night"),
)
_PARAGRAPHS = (
    """\
The water is *still*, and the first boats go out without a sound. Gulls sit on the piles and wait, \
as they have waited every morning since there was a pier to wait on. Somebody lights a lamp in the \
harbour office, and the window is the only warm thing far and wide.""",
    """\
What there is to do is written on a board: who comes in, who goes out, and who owes for last week. \
Nobody reads it, since everybody knows; but it would be missed. When it rains the chalk runs, and \
then it is written anew, in the same words and by the same hand.""",
    "- ropes are looked over, **every one**\n- the crane is greased\n- the clock is put right",
    """\
By the time the second bell rings, the fish is sold, the nets hang to dry, and the talk turns to \
the weather. It will hold, says one. It will not, says another. Both are written down in a book \
that nobody has ever opened again.""",
)
