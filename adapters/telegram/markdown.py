"""Markdown to text and entities: what a model writes, as Telegram can show it.

Entities cannot fail to parse, as a markup language can. No text is lost: HTML, formulas and
addresses that are no web links are shown as they were written.
"""

import re
from collections.abc import Callable
from typing import Any

import pyromark

from adapters.telegram.entities import Rendered, Writing, utf16_length
from gateway.chat_text import clean, format_table, is_too_wide, table_records

_OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_FOOTNOTES
    | pyromark.Options.ENABLE_MATH  # so that no sign in a formula is taken for Markdown
)
_UNSEEN = Rendered("…")
_RULE = "─" * 10
_DEEPEST = 8
"""Lists that are indented more than those around them; a phone's screen has no room for more."""
_STYLES = {"Strong": "bold", "Emphasis": "italic", "Strikethrough": "strikethrough"}
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_WEB_ADDRESS = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
_LANGUAGE = re.compile(r"[\w+#.-]+")


def render(markdown: str) -> Rendered:
    """Render a text; one that would show nothing becomes an ellipsis, as nothing is refused."""
    rendered = _Renderer().render(clean(markdown))
    return rendered if rendered.is_visible else _UNSEEN


def rendered_length(markdown: str) -> int:
    """Count what will be shown; 0 for a text that would show nothing."""
    rendered = _Renderer().render(clean(markdown))
    return utf16_length(rendered.text) if rendered.is_visible else 0


def _named(tag: Any) -> tuple[str, Any]:
    """Split what the parser gives, `"Item"` or `{"List": 1}`, into name and data."""
    if isinstance(tag, str):
        return tag, None
    name: str
    name, data = next(iter(tag.items()))
    return name, data


class _Renderer:
    """Follows a parser's events. A table's cells and code are written apart first."""

    def __init__(self) -> None:
        self._out = Writing()
        self._outer: list[Writing] = []
        self._lists: list[int | None] = []
        """For each open list the number of its next item, None where it has none."""
        self._quotes: list[int] = []
        self._links: list[tuple[str, int]] = []
        self._language = ""
        self._alignments: tuple[str, ...] = ()
        self._rows: list[list[str]] = []
        self._events: dict[str, Callable[[Any], None]] = {
            "Text": self._write,
            "Html": self._write,
            "Code": self._code,
            "InlineMath": lambda formula: self._write(f"${formula}$"),
            "DisplayMath": lambda formula: self._write(f"$${formula}$$"),
            "InlineHtml": self._inline_html,
            "FootnoteReference": lambda label: self._write(f"[{label}]"),
            "TaskListMarker": self._task,
            "SoftBreak": self._line_break,
            "HardBreak": self._line_break,
            "Rule": self._rule,
            "Start": lambda tag: self._start(*_named(tag)),
            "End": lambda tag: self._end(*_named(tag)),
        }
        self._starts: dict[str, Callable[[Any], None]] = {
            "Paragraph": self._start_paragraph,
            "Heading": self._start_heading,
            "List": self._start_list,
            "Item": self._start_item,
            "BlockQuote": self._start_quote,
            "CodeBlock": self._start_code,
            "HtmlBlock": self._start_apart,
            "FootnoteDefinition": self._start_footnote,
            "Table": self._start_table,
            "TableHead": self._start_row,
            "TableRow": self._start_row,
            "TableCell": self._start_apart,
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
            "Table": self._end_table,
            "TableCell": self._end_cell,
            "Link": self._end_link,
            "Image": self._end_link,
        }

    def render(self, source: str) -> Rendered:
        for event in pyromark.events(source, options=_OPTIONS):
            name, data = _named(event)
            self._events[name](data)
        return self._out.finish()

    def _start(self, name: str, data: Any) -> None:
        if name in _STYLES:
            self._out.open_style(_STYLES[name])
        elif name in self._starts:
            self._starts[name](data)

    def _end(self, name: str, data: Any) -> None:
        if name in _STYLES:
            self._out.close_style(_STYLES[name])
        elif name in self._ends:
            self._ends[name](data)

    def _start_block(self) -> None:
        self._out.owe_breaks(1)

    def _end_block(self, _: Any = None) -> None:
        self._out.owe_breaks(2)

    def _start_apart(self, _: Any = None) -> None:
        self._outer.append(self._out)
        self._out = Writing()

    def _end_apart(self) -> Writing:
        inner, self._out = self._out, self._outer.pop()
        return inner

    def _write(self, text: str) -> None:
        self._out.write(text)

    def _code(self, text: str) -> None:
        if self._links:
            self._out.write(text)  # Telegram has no code inside a link
        else:
            self._out.write_code(text)

    def _inline_html(self, html: str) -> None:
        if _LINE_BREAK.fullmatch(html):
            self._line_break()
        else:
            self._out.write(html)

    def _line_break(self, _: Any = None) -> None:
        self._out.write(" " if self._rows else "\n" + self._indent(len(self._lists)))

    def _rule(self, _: Any) -> None:
        self._start_block()
        self._out.write(_RULE)
        self._end_block()

    def _start_paragraph(self, _: Any) -> None:
        """Let a further paragraph of a list's item stand under the first."""
        if self._lists and not self._quotes and not self._out.owes_sign:
            self._out.owe_sign(self._indent(len(self._lists)))

    def _start_heading(self, _: Any) -> None:
        self._out.owe_breaks(1 if self._lists else 2)
        self._out.open_style("bold")

    def _end_heading(self, _: Any) -> None:
        self._out.close_style("bold")
        self._start_block()  # the words are right below it

    def _start_list(self, first_number: int | None) -> None:
        self._start_block()
        if self._lists:
            self._out.owe_breaks_at_most(1)
        self._lists.append(first_number)

    def _end_list(self, _: Any) -> None:
        self._lists.pop()
        self._out.owe_breaks(1 if self._lists else 2)

    def _start_item(self, _: Any) -> None:
        self._out.pay_sign()
        self._start_block()
        number = self._lists[-1]
        sign = "•"
        if number is not None:
            sign = f"{number}."
            self._lists[-1] = number + 1
        self._out.owe_sign(f"{self._indent(len(self._lists) - 1)}{sign} ")

    def _end_item(self, _: Any) -> None:
        self._out.pay_sign()
        self._start_block()

    def _task(self, is_done: bool) -> None:
        self._out.change_sign(f"{self._indent(len(self._lists) - 1)}{'☑' if is_done else '☐'} ")

    def _indent(self, levels: int) -> str:
        return "  " * min(levels, _DEEPEST)

    def _start_footnote(self, label: str) -> None:
        self._start_block()
        self._out.owe_sign(f"[{label}] ")

    def _start_quote(self, _: Any) -> None:
        self._start_block()
        self._quotes.append(self._out.here())

    def _end_quote(self, _: Any) -> None:
        start = self._quotes.pop()
        if not self._quotes:  # Telegram has no quote inside a quote
            self._out.add("blockquote", start)
        self._end_block()

    def _start_code(self, kind: Any) -> None:
        _, info = _named(kind)
        language = _LANGUAGE.match(info or "")
        self._language = language[0] if language else ""
        self._start_apart()

    def _end_code(self, _: Any) -> None:
        code = self._end_apart().all_text().removesuffix("\n")
        details = {"language": self._language} if self._language else {}
        self._write_pre(code, **details)

    def _write_pre(self, text: str, **details: str) -> None:
        self._start_block()
        start = self._out.here()
        self._out.write(text)
        self._out.add("pre", start, **details)
        self._end_block()

    def _end_html(self, _: Any) -> None:
        html = self._end_apart().all_text().strip("\n")
        self._start_block()
        self._out.write(html)
        self._end_block()

    def _start_table(self, alignments: tuple[str, ...]) -> None:
        self._alignments = alignments
        self._rows = []

    def _start_row(self, _: Any) -> None:
        self._rows.append([])

    def _end_cell(self, _: Any) -> None:
        self._rows[-1].append(self._end_apart().all_text())

    def _end_table(self, _: Any) -> None:
        rows, self._rows = self._rows, []
        if is_too_wide(rows):
            self._write_records(rows)
        else:
            self._write_pre(format_table(rows, self._alignments))

    def _write_records(self, rows: list[list[str]]) -> None:
        for title, lines in table_records(rows):
            self._start_block()
            self._out.open_style("bold")
            self._write(title)
            self._out.close_style("bold")
            for line in lines:
                self._start_block()
                self._write(f"• {line}")
            self._end_block()

    def _start_link(self, link: dict[str, str]) -> None:
        self._links.append((link["dest_url"], self._out.here()))

    def _end_link(self, _: Any) -> None:
        address, start = self._links.pop()
        label = self._out.text_since(start)
        if not label:
            self._out.write(address)
        elif _WEB_ADDRESS.fullmatch(address) and not self._rows:
            if not self._links:  # an image inside a link leaves the link to it
                self._out.add("text_link", start, url=address)
        elif address not in (label, f"mailto:{label}"):
            self._out.write(f" ({address})")
