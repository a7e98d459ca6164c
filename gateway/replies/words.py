"""Where one block may be cut inside its lines, and where not at all."""

import re
import unicodedata
from collections.abc import Iterator

from gateway.replies.blocks import Cut, Kind, Leaf, Outline, Rank
from gateway.replies.spans import Span, find_spans

_STOPS = "\u3002\uff01\uff1f\uff1b"
"""What ends a sentence in scripts that set no space after it."""
_CLOSERS = "\"'\u201d\u2019)\\]\u00bb\u300d\u300f\uff09*_"
_GAP = re.compile(
    rf"""(?<=\S)\s+(?=\S)
         (?!(?:[-+*]|\#{{1,6}}|\d{{1,9}}[.)]|=+)(?:\s|$)|[>|]|`{{3}}|~{{3}})
       | (?<=[{_STOPS}])(?=[^\s{_STOPS}{_CLOSERS}])""",
    re.VERBOSE,
)
"""Where words part, unless what follows would read as a list, a quote or a heading."""
_SENTENCE_END = re.compile(rf"[.!?\u2026:;{_STOPS}][{_CLOSERS}]{{0,3}}\s*$")
_LONGEST_GRAPHEME = 32
_JOINERS = ("\u200d", "\ufe0e", "\ufe0f")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)


def word_cuts(outline: Outline, leaf: Leaf) -> list[Cut]:
    """Return the cuts between the words of a block; none inside a link."""
    if leaf.kind in {Kind.TEXT, Kind.HEADING}:
        begin = outline.starts[leaf.first]
        last = leaf.end - 1
        text = outline.text[begin : outline.starts[last] + len(outline.lines[last])]
        return list(_outside_spans(_text_cuts(outline, leaf), find_spans(text), begin))
    reopen = _reopening(leaf)
    return [
        Cut(outline.starts[line] + column, line, column, Rank.WORD, reopen=reopen)
        for line in _code_lines(leaf)
        for column in _gaps(outline, line)
    ]


def character_cuts(outline: Outline, leaf: Leaf | None, begin: int, end: int) -> list[Cut]:
    """Return the cuts between the characters from `begin` to `end`, none inside a grapheme."""
    reopen = _reopening(leaf)
    cuts: list[Cut] = []
    last = begin
    for line in _cuttable_lines(outline, leaf, begin, end):
        start = outline.starts[line]
        first = start + outline.content_column(line) + 1
        for offset in range(max(begin, first), min(end, start + len(outline.lines[line]))):
            if not _joins(outline.text, offset) or offset - last > _LONGEST_GRAPHEME:
                cuts.append(Cut(offset, line, offset - start, Rank.ANYWHERE, reopen=reopen))
                last = offset
    return cuts


def _reopening(leaf: Leaf | None) -> str:
    """Return what makes the rest of a torn line of indented code be code again."""
    return "    " if leaf is not None and leaf.kind is Kind.CODE else ""


def _cuttable_lines(outline: Outline, leaf: Leaf | None, begin: int, end: int) -> Iterator[int]:
    for line in range(outline.line_at(begin), outline.line_at(end - 1) + 1):
        if leaf is None or line in _code_lines(leaf):
            yield line


def _code_lines(leaf: Leaf) -> range:
    if leaf.kind is not Kind.FENCE:
        return range(leaf.first, leaf.end)
    return range(leaf.first + 1, leaf.end - leaf.is_closed)


def _gaps(outline: Outline, line: int) -> Iterator[int]:
    for gap in _GAP.finditer(outline.lines[line], outline.content_column(line)):
        yield gap.end()


def _text_cuts(outline: Outline, leaf: Leaf) -> Iterator[Cut]:
    for line in range(leaf.first, leaf.end):
        start, text = outline.starts[line], outline.lines[line]
        if line > leaf.first:
            yield Cut(start, line, rank=Rank.LINE)
        for column in _gaps(outline, line):
            is_end = _SENTENCE_END.search(text, max(column - 8, 0), column)
            rank = Rank.SENTENCE if is_end else Rank.WORD
            yield Cut(start + column, line, column, rank)


def _outside_spans(cuts: Iterator[Cut], spans: list[Span], begin: int) -> Iterator[Cut]:
    """Leave out cuts in links; let those in code and emphasis close and reopen it."""
    around: list[Span] = []
    coming = 0
    for cut in cuts:
        at = cut.offset - begin
        while coming < len(spans) and spans[coming].start < at:
            around.append(spans[coming])
            coming += 1
        around = [span for span in around if span.end > at]
        markers = [span.marker for span in around]
        if not markers:
            yield cut
        elif None not in markers:
            signs = [marker for marker in markers if marker]
            yield Cut(
                cut.offset,
                cut.line,
                cut.column,
                cut.rank - Rank.LINE + Rank.IN_EMPHASIS,
                close="".join(reversed(signs)),
                reopen="".join(signs),
            )


def _joins(text: str, at: int) -> bool:
    """Say whether the characters around `at` are seen as one."""
    before, after = text[at - 1], text[at]
    if before == "\u200d" or after in _JOINERS or unicodedata.combining(after):
        return True
    if ord(after) in _SKIN_TONES:
        return True
    return ord(after) in _FLAG_LETTERS and _flags_before(text, at) % 2 == 1


def _flags_before(text: str, at: int) -> int:
    count = 0
    while count < at and ord(text[at - 1 - count]) in _FLAG_LETTERS:
        count += 1
    return count
