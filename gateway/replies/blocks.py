"""The block structure of Markdown, line by line: where it may be cut, and what a cut costs."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum, IntEnum

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark").enable("table").disable(["inline", "text_join", "reference"])
_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)])(?: {1,4}(?=\S)|[ \t]|$)")

_LONGEST_FENCE_SIGN = 100
"""A fence with a longer opening line is cut like text: there is no room to repeat it."""


class Rank(IntEnum):
    """How much a cut hurts; the space between two ranks is for depth."""

    BLOCK = 0
    ITEM = 10
    ROW = 40
    CODE_LINE = 50
    AFTER_HEADING = 60
    LINE = 70
    SENTENCE = 71
    WORD = 72
    IN_EMPHASIS = 80
    ANYWHERE = 90


class Kind(Enum):
    """What a block without blocks inside is."""

    TEXT = "text"
    HEADING = "heading"
    TABLE = "table"
    FENCE = "fence"
    CODE = "code"


_KINDS = {
    "paragraph_open": Kind.TEXT,
    "heading_open": Kind.HEADING,
    "table_open": Kind.TABLE,
    "fence": Kind.FENCE,
    "code_block": Kind.CODE,
    "html_block": Kind.TEXT,
    "hr": Kind.TEXT,
}


@dataclass(frozen=True, slots=True)
class Container:
    """A block quote, or a list item whose content stands `indent` columns in."""

    first: int
    indent: int | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A block of lines `first` to `end` (exclusive)."""

    kind: Kind
    first: int
    end: int
    marker: str = ""
    info: str = ""
    is_closed: bool = True


@dataclass(frozen=True, slots=True)
class Cut:
    """A place between two pages."""

    offset: int
    line: int
    column: int = 0
    """0 means before the whole line."""
    rank: int = Rank.BLOCK
    close: str = ""
    reopen: str = ""
    is_bare: bool = False
    """The page after it goes without the fence or header it should repeat: no room."""


class Outline:
    """Markdown seen as lines, each with its block and the containers it stands in."""

    def __init__(self, markdown: str) -> None:
        self.text = markdown.replace("\r\n", "\n").replace("\r", "\n")
        self.lines = self.text.split("\n")
        count = len(self.lines)
        self.starts = [0] * count
        for number in range(1, count):
            self.starts[number] = self.starts[number - 1] + len(self.lines[number - 1]) + 1
        self.leaves: list[Leaf | None] = [None] * count
        self._containers: list[tuple[Container, ...]] = [()] * count
        self._deepening = [0] * (count + 1)
        self._read(_PARSER.parse(self.text))

    @property
    def start(self) -> Cut:
        return Cut(0, 0)

    @property
    def end(self) -> Cut:
        return Cut(len(self.text), len(self.lines))

    def open_fence(self) -> str:
        """Return the marker of a fence outside any container that was never closed, or ''."""
        for leaf, containers in zip(reversed(self.leaves), reversed(self._containers), strict=True):
            if leaf is not None:
                is_open = leaf.kind is Kind.FENCE and not leaf.is_closed and not containers
                return leaf.marker if is_open else ""
        return ""

    def line_cuts(self) -> list[Cut]:
        """Return every cut before a whole line, in order, the end of the text last."""
        cuts: list[Cut] = []
        depth = self._deepening[0]
        before: Leaf | None = self.leaves[0]
        for number in range(1, len(self.lines)):
            depth += self._deepening[number]
            leaf = self.leaves[number]
            rank = self._rank(number, leaf, before, depth)
            if rank is not None:
                cuts.append(Cut(self.starts[number], number, rank=rank))
            before = leaf or before
        cuts.append(self.end)
        return cuts

    def page(self, start: Cut, end: Cut) -> str:
        """Return the text between two cuts as Markdown that stands by itself."""
        body = self._body(start, end)
        return f"{self._opening(start)}{body}{self._closing(start, end)}"

    def leaf_at(self, cut: Cut) -> Leaf | None:
        """Return the block that the text after a cut belongs to."""
        return self.leaves[cut.line] if cut.line < len(self.lines) else None

    def line_at(self, offset: int) -> int:
        return bisect_right(self.starts, offset) - 1

    def content_column(self, number: int) -> int:
        """Return where a line's own text begins, past the signs of its containers."""
        return self._skip(number, self._containers[number])

    def _content(self, number: int) -> str:
        return self.lines[number][self.content_column(number) :]

    def _read(self, tokens: list[Token]) -> None:
        open_containers: list[Container] = []
        for token in tokens:
            if token.type in {"blockquote_close", "list_item_close"}:
                open_containers.pop()
            if token.map is None:
                continue
            first, end = token.map[0], min(token.map[1], len(self.lines))
            if (kind := _KINDS.get(token.type)) is not None:
                self._add_leaf(kind, first, end, token)
            elif token.type in {"blockquote_open", "list_item_open"}:
                open_containers.append(self._container(token, first))
                self._containers[first:end] = [tuple(open_containers)] * (end - first)
            if token.type.endswith(("blockquote_open", "list_open", "list_item_open")):
                self._deepening[first + 1] += 1
                self._deepening[end] -= 1

    def _add_leaf(self, kind: Kind, first: int, end: int, token: Token) -> None:
        leaf = Leaf(kind, first, end)
        if kind is Kind.FENCE and len(token.markup + token.info) > _LONGEST_FENCE_SIGN:
            leaf = Leaf(Kind.TEXT, first, end)
        elif kind is Kind.FENCE:
            marker = token.markup
            last = self._content(end - 1).strip()
            is_closed = end - 1 > first and last.startswith(marker) and not last.strip(marker[0])
            leaf = Leaf(kind, first, end, marker, token.info.strip(), is_closed)
        self.leaves[first:end] = [leaf] * (end - first)

    def _container(self, token: Token, first: int) -> Container:
        if token.type == "blockquote_open":
            return Container(first, None)
        found = _ITEM.match(self.lines[first], self._skip(first, self._containers[first]))
        return Container(first, len(found[0]) if found else 2)

    def _skip(self, number: int, containers: tuple[Container, ...]) -> int:
        """Return where a line goes on once the signs of these containers are taken off."""
        line, at = self.lines[number], 0
        for container in containers:
            if container.indent is None:
                found = _QUOTE.match(line, at)
                at = found.end() if found else at
            elif number == container.first:
                at = min(len(line), at + container.indent)
            else:
                rest = line[at : at + container.indent]
                at += len(rest) - len(rest.lstrip(" \t"))
        return at

    def _rank(self, number: int, leaf: Leaf | None, before: Leaf | None, depth: int) -> int | None:
        if leaf is not None and leaf.first < number:
            return _rank_inside(leaf, number)
        if leaf is None and not self.lines[number].strip():
            return None
        if before is not None and before.kind is Kind.HEADING:
            return Rank.AFTER_HEADING
        return min(Rank.ITEM + depth, Rank.ROW - 1) if depth else Rank.BLOCK

    def _continued(self, number: int, start: Cut) -> tuple[Container, ...]:
        """Return the containers of a line that began before the page did."""
        first = start.line + (1 if start.column else 0)
        return tuple(one for one in self._containers[number] if one.first < first)

    def _body(self, start: Cut, end: Cut) -> str:
        if not self._continued(start.line, start):
            return start.reopen + self.text[start.offset : end.offset].rstrip()
        last = end.line if end.column else end.line - 1
        lines = []
        around = self._continued(start.line, start)
        for number in range(start.line, last + 1):
            line = self.lines[number]
            continued = self._continued(number, start)
            begin = self._skip(number, continued)
            if number == start.line:
                begin = max(begin, start.column)
            elif len(continued) < len(around):
                # What ended by its indent alone must not run on into what follows.
                lines.append(_quotes(continued))
            around = continued
            stop = end.column if number == end.line else len(line)
            reopen = start.reopen if number == start.line else ""
            lines.append(f"{_quotes(continued)}{reopen}{line[begin:stop]}")
        return "\n".join(lines).rstrip()

    def _opening(self, start: Cut) -> str:
        leaf = self._torn(start)
        if leaf is None or start.is_bare:
            return ""
        lead = _quotes(self._containers[leaf.first])
        if leaf.kind is Kind.FENCE:
            return f"{lead}{leaf.marker}{leaf.info}\n"
        if leaf.kind is Kind.TABLE and not start.column:
            head = (self._content(leaf.first), self._content(leaf.first + 1))
            return "".join(f"{lead}{line}\n" for line in head)
        return ""

    def _closing(self, start: Cut, end: Cut) -> str:
        leaf = self._torn(end)
        if leaf is None or leaf.kind is not Kind.FENCE:
            return end.close
        if start.is_bare and leaf is self._torn(start):
            return ""
        first = start.line + (1 if start.column else 0)
        lead = "".join(
            "> " if one.indent is None else " " * one.indent * (one.first >= first)
            for one in self._containers[leaf.first]
        )
        return f"\n{lead}{leaf.marker}"

    def _torn(self, cut: Cut) -> Leaf | None:
        """Return the block that a cut goes through, if it goes through one."""
        leaf = self.leaf_at(cut)
        if leaf is None or (leaf.first == cut.line and not cut.column):
            return None
        return leaf


def _rank_inside(leaf: Leaf, number: int) -> int | None:
    """Rank a cut before a later line of a block; None where it would tear what it must not."""
    match leaf.kind:
        case Kind.TABLE:
            return Rank.ROW if number > leaf.first + 2 else None
        case Kind.FENCE:
            is_marker = leaf.is_closed and number == leaf.end - 1
            return None if is_marker or number == leaf.first + 1 else Rank.CODE_LINE
        case Kind.CODE:
            return Rank.CODE_LINE
        case Kind.TEXT:
            return Rank.LINE
        case Kind.HEADING:
            return None


def _quotes(containers: tuple[Container, ...]) -> str:
    return "> " * sum(one.indent is None for one in containers)


def close_fence(markdown: str) -> str:
    """Close a fence that was left open, so that text put below it is not code."""
    if "```" not in markdown and "~~~" not in markdown:
        return markdown
    marker = Outline(markdown).open_fence()
    return f"{markdown}\n{marker}" if marker else markdown
