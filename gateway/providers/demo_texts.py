"""The demo's longer texts."""

THOUGHT = "The user wants to see everything, so I use each tool once."

HELP = """\
I am the demo: no model, no network, always the same. Send one of these words:

- `tour`: everything in one answer
- `time`: I call a tool
- `file`: I write a file and send it
- `picture`: I paint a picture and send it
- `table`, `code`: formatted text
- `long`: an answer too long for one message
- `slow`: an answer with time to stop it
- `fail`: an answer that fails half-way

Anything else I repeat, and I tell how much I remember. `/new` makes me forget."""

HOW_TO_GO_ON = """\
I am only the demo: send `help` for what I can show. For a real model, set `ANTHROPIC_API_KEY` or \
`OPENAI_API_KEY` and start again, or name a provider in the configuration."""

NOTE = """\
# A note from the demo

This file was written by a tool into your workspace, and sent to you by another.
"""

TABLE = """\
| Word | What it shows | Tools |
|:-----|:--------------|------:|
| tour | everything | 4 |
| file | a file of your workspace | 2 |
| long | splitting at good places | 0 |"""

CODE = """\
```python
def greet(name: str) -> str:
    return f"Hello, {name}!"
```"""

TOUR_ENDS = "That was all: text, a thought, four tools, a picture, a file, a table and some code."

SLOW = (
    "I take my time with this answer, word by word, so that there is time to stop me, "
    "or to send another message that has to wait for its turn."
)

_PARAGRAPH = """\
Part {number} is here to fill the page. A long answer has to be cut into several messages, and \
the cut should fall between paragraphs, never inside a word, a table or a block of code. This \
sentence has **bold** and *slanted* words, `code` among them, and a \
[link](https://example.org/{number}), which must each stay whole. Umlauts (äöü), 日本語 and 🙂 \
count differently on different platforms."""

_NESTED = """\
````markdown
A block that quotes a block:

```python
for number in range({number}):
    print("inside", number)
```

and goes on after it.
````"""

_ROWS = "\n".join(f"| {row} | {row * row} | {row**3} |" for row in range(1, 13))
_NUMBERS = f"| Number | Square | Cube |\n|---:|---:|---:|\n{_ROWS}"


def _part(number: int) -> str:
    parts = [f"## Part {number}", _PARAGRAPH.format(number=number)]
    if number % 4 == 1:
        parts.append(_NUMBERS)
    if number % 4 == 3:  # noqa: PLR2004 -- tables and blocks take turns
        parts.append(_NESTED.format(number=number))
    parts.append("\n".join(f"{point}. Point {point} of part {number}" for point in range(1, 4)))
    return "\n\n".join(parts)


_PARTS = 17

LONG = "\n\n".join(["# A long answer", *map(_part, range(1, _PARTS + 1)), "That was all of it."])
"""A little over 9,000 characters."""
