"""Markdown as models write it, in the dialect that Discord shows.

No word is lost: tables become aligned code, images and addresses that are no web links become
text, HTML and formulas are shown as they were written.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pyromark

from adapters.discord.escapes import address, block_code, escaped, inline_code
from gateway.chat_text import Record, clean, format_table, is_too_wide, table_records

_OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_FOOTNOTES
    | pyromark.Options.ENABLE_MATH  # so that no sign in a formula is taken for Markdown
)
UNSEEN = "…"
_RULE = "─" * 10
_STYLES = {"Strong": "**", "Emphasis": "*", "Strikethrough": "~~"}
_HEADINGS = {"H1": "# ", "H2": "## ", "H3": "### "}
_HEADING_SIGNS = tuple(_HEADINGS.values())
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_WEB_ADDRESS = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
_LANGUAGE = re.compile(r"[\w+#.-]+")
_PLAIN = re.compile(r"[^\W\d_][^\\*_~`|<>#\[\]@&\n:/]*")
_SHOWN = re.compile(r"[^\s\u200b]")


def render(markdown: str) -> str:
    """Render a text; one that would show nothing becomes an ellipsis, as nothing is refused."""
    return _rendered(markdown) or UNSEEN


def rendered_length(markdown: str) -> int:
    """Count the characters that will be sent; 0 for a text that would show nothing."""
    return len(_rendered(markdown))


def _rendered(markdown: str) -> str:
    if _PLAIN.fullmatch(markdown) and markdown.isprintable():
        return markdown.rstrip()
    written = _Renderer().render(clean(markdown))
    return written if _SHOWN.search(written) else ""


def _named(tag: Any) -> tuple[str, Any]:
    """Split what the parser gives, `"Item"` or `{"List": 1}`, into name and data."""
    if isinstance(tag, str):
        return tag, None
    name: str
    name, data = next(iter(tag.items()))
    return name, data


@dataclass(slots=True)
class _Frame:
    """What stands inside one container, block by block."""

    blocks: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    """Text as it is meant, gathered before it is escaped: the parser cuts it anywhere."""
    number: int | None = None
    """Of a list: its next item's number, None where items have none."""
    is_inside_item: bool = False

    def tail(self) -> str:
        return self.line[-1] if self.line else ""

    def settle_words(self) -> None:
        if self.words:
            is_first = not self.line or self.tail().endswith("\n")
            self.line.append(escaped("".join(self.words), at_line_start=is_first))
            self.words.clear()

    def end_block(self) -> None:
        self.settle_words()
        text = "".join(self.line).strip("\n")
        self.line.clear()
        if text.strip():
            self.blocks.append(text)


class _Renderer:
    """Follows a parser's events; every container is written apart, then put into the outer one."""

    def __init__(self) -> None:
        self._frames = [_Frame()]
        self._links: list[tuple[str, int]] = []
        self._notes: list[str] = []
        self._quotes = 0
        self._cells = 0
        self._language = ""
        self._raw: list[str] | None = None
        """Code or HTML, as it comes; None outside both."""
        self._alignments: tuple[str, ...] = ()
        self._rows: list[list[str]] = []
        self._events: dict[str, Callable[[Any], None]] = {
            "Text": self._text,
            "Html": self._text,
            "Code": self._code,
            "InlineMath": lambda formula: self._text(f"${formula}$"),
            "DisplayMath": lambda formula: self._text(f"$${formula}$$"),
            "InlineHtml": self._inline_html,
            "FootnoteReference": lambda label: self._text(f"[{label}]"),
            "TaskListMarker": lambda is_done: self._sign("☑ " if is_done else "☐ "),
            "SoftBreak": self._line_break,
            "HardBreak": self._line_break,
            "Rule": self._rule,
            "Start": lambda tag: self._start(*_named(tag)),
            "End": lambda tag: self._end(*_named(tag)),
        }
        self._starts: dict[str, Callable[[Any], None]] = {
            "Paragraph": self._start_block,
            "Heading": self._start_heading,
            "List": self._start_list,
            "Item": self._start_item,
            "BlockQuote": self._start_quote,
            "CodeBlock": self._start_code,
            "HtmlBlock": self._start_raw,
            "FootnoteDefinition": self._start_footnote,
            "Table": self._start_table,
            "TableHead": self._start_row,
            "TableRow": self._start_row,
            "TableCell": self._start_cell,
            "Link": self._start_link,
            "Image": self._start_link,
        }
        self._ends: dict[str, Callable[[Any], None]] = {
            "Paragraph": self._end_block,
            "Heading": self._end_heading,
            "List": self._end_list,
            "Item": self._end_item,
            "BlockQuote": self._end_quote,
            "CodeBlock": self._end_code,
            "HtmlBlock": self._end_html,
            "FootnoteDefinition": self._end_footnote,
            "Table": self._end_table,
            "TableCell": self._end_cell,
            "Link": self._end_link,
            "Image": self._end_link,
        }

    def render(self, source: str) -> str:
        for event in pyromark.events(source, options=_OPTIONS):
            name, data = _named(event)
            self._events[name](data)
        self._frame.end_block()
        return _apart(self._frame.blocks)

    @property
    def _frame(self) -> _Frame:
        return self._frames[-1]

    def _start(self, name: str, data: Any) -> None:
        if name in _STYLES:
            self._style(_STYLES[name])
        elif name in self._starts:
            self._starts[name](data)

    def _end(self, name: str, data: Any) -> None:
        if name in _STYLES:
            self._style(_STYLES[name])
        elif name in self._ends:
            self._ends[name](data)

    # Within a line.

    def _text(self, text: str) -> None:
        if self._raw is not None:
            self._raw.append(text)
        else:
            self._frame.words.append(text)

    def _sign(self, sign: str) -> None:
        """Write something that is Discord's already."""
        self._frame.settle_words()
        self._frame.line.append(sign)

    def _style(self, sign: str) -> None:
        if self._cells:
            return  # a table is code, where nothing has a style
        self._frame.settle_words()
        if self._frame.tail().endswith(sign[0]):
            sign = f"\u200b{sign}"  # so that two signs are not read as one
        self._frame.line.append(sign)

    def _code(self, text: str) -> None:
        if self._cells:
            self._frame.words.append(text)
        else:
            self._sign(inline_code(text))

    def _inline_html(self, html: str) -> None:
        if _LINE_BREAK.fullmatch(html):
            self._line_break()
        else:
            self._text(html)

    def _line_break(self, _: Any = None) -> None:
        self._text(" " if self._cells else "\n")

    def _start_link(self, link: dict[str, str]) -> None:
        self._frame.settle_words()
        self._links.append((link["dest_url"], len(self._frame.line)))

    def _end_link(self, _: Any) -> None:
        url, start = self._links.pop()
        literal = "".join(self._frame.words)
        if literal and len(self._frame.line) == start and literal in (url, f"mailto:{url}"):
            self._frame.words.clear()
            self._frame.line.append(escaped(literal, at_line_start=False))
            return
        self._frame.settle_words()
        label = "".join(self._frame.line[start:])
        if not label.strip():
            self._text(url)
        elif _WEB_ADDRESS.fullmatch(url) and not self._links and not self._cells:
            quoted = quote(url, safe=_IN_AN_ADDRESS)
            self._frame.line[start:] = [f"[{label}](<{address(quoted)}>)"]
        elif self._links and _WEB_ADDRESS.fullmatch(url):
            return  # a picture inside a link leaves the link to it
        elif url and url.removeprefix("mailto:") != label:
            self._text(f" ({url})")

    # Blocks.

    def _start_block(self, _: Any = None) -> None:
        self._frame.end_block()

    def _end_block(self, _: Any = None) -> None:
        self._frame.end_block()

    def _start_heading(self, heading: dict[str, Any]) -> None:
        self._frame.end_block()
        self._frame.line.append(_HEADINGS.get(heading["level"], "**"))

    def _end_heading(self, level: str) -> None:
        frame = self._frame
        frame.settle_words()
        if level not in _HEADINGS:
            inside = "".join(frame.line[1:]).replace("**", "")
            frame.line[:] = [f"**{inside}**" if inside.strip() else ""]
        frame.end_block()

    def _rule(self, _: Any) -> None:
        self._frame.end_block()
        self._frame.blocks.append(_RULE)

    def _start_list(self, first_number: int | None) -> None:
        self._frame.end_block()
        self._frames.append(_Frame(number=first_number))

    def _end_list(self, _: Any) -> None:
        items = self._frames.pop().blocks
        self._frame.blocks.append("\n".join(items))

    def _start_item(self, _: Any) -> None:
        self._frames.append(_Frame(is_inside_item=True))

    def _end_item(self, _: Any) -> None:
        item = self._frames.pop()
        item.end_block()
        sign = "- "
        if self._frame.number is not None:
            sign = f"{self._frame.number}. "
            self._frame.number += 1
        self._frame.blocks.append(sign + _indented("\n".join(item.blocks), "  "))

    def _start_quote(self, _: Any) -> None:
        self._frame.end_block()
        self._quotes += 1
        self._frames.append(_Frame())

    def _end_quote(self, _: Any) -> None:
        quoted = self._frames.pop()
        quoted.end_block()
        self._quotes -= 1
        text = _apart(quoted.blocks)
        if text and not self._quotes:  # Discord has no quote inside a quote
            text = "\n".join(f"> {line}" for line in text.split("\n"))
        if text:
            self._frame.blocks.append(text)

    def _start_code(self, kind: Any) -> None:
        _, info = _named(kind)
        language = _LANGUAGE.match(info or "")
        self._language = language[0] if language else ""
        self._start_raw()

    def _start_raw(self, _: Any = None) -> None:
        self._frame.end_block()
        self._raw = []

    def _end_raw(self) -> str:
        text = "".join(self._raw or ())
        self._raw = None
        return text

    def _end_code(self, _: Any) -> None:
        self._frame.blocks.append(block_code(self._end_raw().removesuffix("\n"), self._language))

    def _end_html(self, _: Any) -> None:
        self._frame.words.append(self._end_raw().strip("\n"))
        self._frame.end_block()

    def _start_footnote(self, label: str) -> None:
        self._frame.end_block()
        self._notes.append(label)
        self._frames.append(_Frame())

    def _end_footnote(self, _: Any) -> None:
        note = self._frames.pop()
        note.end_block()
        sign = escaped(f"[{self._notes.pop()}]", at_line_start=True)
        first, *rest = note.blocks or [""]
        between = "\n" if first.startswith("```") else " "
        self._frame.blocks += [sign + between + first, *rest]

    def _start_table(self, alignments: tuple[str, ...]) -> None:
        self._frame.end_block()
        self._alignments = alignments
        self._rows = []

    def _start_row(self, _: Any) -> None:
        self._rows.append([])

    def _start_cell(self, _: Any) -> None:
        self._cells += 1
        self._frames.append(_Frame())

    def _end_cell(self, _: Any) -> None:
        """Take a cell's words as they are meant: they will stand in code."""
        cell = self._frames.pop()
        self._cells -= 1
        self._rows[-1].append("".join([*cell.line, *cell.words]))

    def _end_table(self, _: Any) -> None:
        if is_too_wide(self._rows):
            self._frame.blocks += [_listed(record) for record in table_records(self._rows)]
        else:
            self._frame.blocks.append(block_code(format_table(self._rows, self._alignments)))


_IN_AN_ADDRESS = "!#$%&'*+,-./:;=?@[]_~"
"""What stays as it is in a link; brackets would end it early."""


def _apart(blocks: Sequence[str]) -> str:
    """Put an empty line between blocks, but not below a heading, which has room of its own."""
    lines = [block + ("\n" if block.startswith(_HEADING_SIGNS) else "\n\n") for block in blocks]
    return "".join(lines).rstrip("\n")


def _listed(record: Record) -> str:
    title, lines = record
    items = (f"- {escaped(line, at_line_start=False)}" for line in lines)
    return "\n".join([f"**{escaped(title, at_line_start=False)}**", *items])


def _indented(text: str, by: str) -> str:
    """Put what follows an item's first line under its words; code keeps its own lines."""
    lines, in_code = [], False
    for number, line in enumerate(text.split("\n")):
        opens_or_ends = line.lstrip().startswith("```")
        lines.append(line if not number or in_code or opens_or_ends else by + line)
        in_code ^= opens_or_ends
    return "\n".join(lines)
