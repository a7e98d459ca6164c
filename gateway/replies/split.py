"""Cut Markdown into pages that each fit one message: pure functions, nothing lost.

A page is filled from the front as far as it goes, so text added at the end leaves the
earlier pages as they are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter

from gateway.replies.blocks import Cut, Kind, Leaf, Outline, Rank
from gateway.replies.words import character_cuts, word_cuts

Measure = Callable[[str], int]
"""Length of Markdown once rendered, in the platform's own unit."""

_WHOLE_AT_MOST = 4
"""Text that is so many limits long is taken to fit in no page without being measured."""
_GUESSES = 8
_offset = attrgetter("offset")


def split(markdown: str, limit: int, measure: Measure) -> list[str]:
    """Return pages of at most `limit`; at least one, even for no text.

    Cuts fall between blocks where that leaves a page half full, else between list items,
    table rows, code lines, sentences, words. Fences and table headers are repeated.
    """
    whole = markdown.strip("\n")
    if len(whole) <= limit * _WHOLE_AT_MOST and measure(whole) <= limit:
        return [whole]
    pages = _Splitter(Outline(whole), limit, measure).pages()
    return [page for page in pages if measure(page)] or pages[:1]


class _Splitter:
    def __init__(self, outline: Outline, limit: int, measure: Measure) -> None:
        self._outline = outline
        self._limit = limit
        self._measure = measure
        self._lines = outline.line_cuts()
        self._words: dict[int, list[Cut]] = {}
        self._sizes: dict[tuple[int, int, bool], int] = {}

    def pages(self) -> list[str]:
        pages: list[str] = []
        at = self._outline.start
        while at.offset < self._outline.end.offset:
            cut = self._next(at)
            if not self._fits(at, cut) and not at.is_bare:
                at = replace(at, is_bare=True)
                continue
            pages.append(self._outline.page(at, cut))
            at = cut
        return pages

    def _next(self, start: Cut) -> Cut:
        """Return where the page that begins at `start` had best end."""
        cuts = self._lines_from(start)
        reached, size = self._furthest(start, cuts)
        if reached == len(cuts) - 1:
            return cuts[reached]
        crossing, after = (cuts[reached] if reached >= 0 else start), cuts[reached + 1]
        best = self._best(start, cuts[: reached + 1], size)
        if best is not None and best.rank < Rank.LINE:
            return best
        leaf = self._outline.leaf_at(crossing)
        is_text = leaf is not None and leaf.kind is Kind.TEXT
        if reached >= 0 and not is_text and self._fits(crossing, after):
            # A code line or a row moves to the next page rather than be torn.
            return crossing
        return self._next_inside(start, crossing, after)

    def _next_inside(self, start: Cut, crossing: Cut, after: Cut) -> Cut:
        """Return a cut in the block at `crossing`, of which only a part fits."""
        leaf = self._outline.leaf_at(crossing)
        cuts = self._words_between(leaf, start, after)
        reached, size = self._furthest(start, cuts)
        best = self._best(start, cuts[: reached + 1], size)
        if best is not None:
            return best
        last = cuts[reached] if reached >= 0 else crossing
        following = cuts[reached + 1] if reached + 1 < len(cuts) else after
        if last.offset > start.offset and self._fits(last, following):
            return last
        return self._tear(leaf, start, max(start, last, key=_offset), following)

    def _tear(self, leaf: Leaf | None, start: Cut, word: Cut, after: Cut) -> Cut:
        """Cut a word that is longer than a page; always gets on by a character at least."""
        end = min(after.offset, word.offset + self._limit + 1)
        cuts = character_cuts(self._outline, leaf, word.offset + 1, end)
        reached, _ = self._furthest(start, cuts)
        return cuts[max(reached, 0)] if cuts else after

    def _lines_from(self, start: Cut) -> Sequence[Cut]:
        first = bisect_right(self._lines, start.offset, key=_offset)
        leaf = self._outline.leaf_at(start)
        if start.column and leaf is not None and leaf.kind is Kind.TABLE:
            # The rest of a torn row stands alone: rows below it would lack their header.
            return self._lines[first : first + 1]
        return self._lines[first:]

    def _words_between(self, leaf: Leaf | None, start: Cut, after: Cut) -> list[Cut]:
        if leaf is None:
            return []
        if leaf.first not in self._words:
            self._words[leaf.first] = word_cuts(self._outline, leaf)
        words = self._words[leaf.first]
        first = bisect_right(words, start.offset, key=_offset)
        return words[first : bisect_left(words, after.offset, key=_offset)]

    def _furthest(self, start: Cut, cuts: Sequence[Cut]) -> tuple[int, int]:
        """Return the index of the last cut that fits on the page, and the page's size."""
        low, high, size, guesses = -1, len(cuts), 0, 0
        target = start.offset + self._limit
        while high - low > 1:
            probe = (low + high) // 2
            if guesses < _GUESSES:
                probe = bisect_right(cuts, target, low + 1, high, key=_offset) - 1
                probe = max(probe, low + 1)
            guesses += 1
            measured = self._size(start, cuts[probe])
            length = cuts[probe].offset - start.offset
            target = start.offset + length * self._limit // max(measured, 1)
            if measured <= self._limit:
                low, size = probe, measured
            else:
                high = probe
        return low, size

    def _best(self, start: Cut, cuts: Sequence[Cut], size: int) -> Cut | None:
        """Return the least harmful cut that leaves the page half full, the last of equals."""
        if size * 2 < self._limit:
            return None
        reach = cuts[-1].offset - start.offset
        floor = start.offset + reach * self._limit // (2 * size)
        first = bisect_left(cuts, floor, key=_offset)
        for cut in sorted(cuts[first:], key=lambda cut: (cut.rank, -cut.offset)):
            if self._fits(start, cut):
                return cut
        return None

    def _fits(self, start: Cut, end: Cut) -> bool:
        return self._size(start, end) <= self._limit

    def _size(self, start: Cut, end: Cut) -> int:
        length = end.offset - start.offset
        if length > self._limit * _WHOLE_AT_MOST:
            return length
        key = (start.offset, end.offset, start.is_bare)
        if key not in self._sizes:
            self._sizes[key] = self._measure(self._outline.page(start, end))
        return self._sizes[key]
