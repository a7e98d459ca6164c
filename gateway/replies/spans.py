"""Where a paragraph's inline spans lie, so that a cut can keep clear of them.

A light reading of CommonMark: enough to know what must not be torn, not to render.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<escape>\\[!-/:-@\[-`{-~])
      | (?P<code>`+)
      | (?P<auto><[a-zA-Z][a-zA-Z0-9+.@_-]*[^<>\s]*>)
      | (?P<open>!?\[)
      | (?P<shut>\])
      | (?P<run>\*+|_+|~~+)""",
    re.VERBOSE,
)
_TARGET = re.compile(
    r"""\(\s*(?:<[^<>\n]*>|[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)
        (?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?\s*\)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` belong together."""

    start: int
    end: int
    marker: str | None
    """What closes and reopens it around a cut; None for what must stay whole."""


def find_spans(text: str) -> list[Span]:
    """Return links, code and emphasis, outer ones first where two start together."""
    scan = _Scan(text)
    scan.run()
    return sorted(scan.spans, key=lambda span: (span.start, -span.end))


@dataclass(slots=True)
class _Run:
    """A delimiter run that may still open emphasis."""

    at: int
    length: int


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self.spans: list[Span] = []
        self._brackets: list[int] = []
        self._runs: dict[str, list[_Run]] = {"*": [], "_": [], "~": []}
        self._code_ends: dict[int, list[int]] | None = None

    def run(self) -> None:
        at = 0
        while (found := _TOKEN.search(self._text, at)) is not None:
            at = self._take(found)

    def _take(self, found: re.Match[str]) -> int:
        start, end = found.span()
        match found.lastgroup:
            case "code":
                return self._code(start, end)
            case "auto":
                self.spans.append(Span(start, end, None))
            case "open":
                self._brackets.append(start)
            case "shut":
                return self._link(end)
            case "run":
                self._emphasis(start, end)
        return end

    def _code(self, start: int, end: int) -> int:
        """A code span ends at the next run of backticks of the same length."""
        if self._code_ends is None:
            self._code_ends = {}
            for run in re.finditer("`+", self._text):
                self._code_ends.setdefault(len(run[0]), []).append(run.start())
            for ends in self._code_ends.values():
                ends.reverse()
        length = end - start
        ends = self._code_ends.get(length, [])
        while ends and ends[-1] <= start:
            ends.pop()
        if not ends:
            return end
        stop = ends.pop() + length
        self.spans.append(Span(start, stop, "`" * length))
        return stop

    def _link(self, end: int) -> int:
        if not self._brackets:
            return end
        start = self._brackets.pop()
        target = _TARGET.match(self._text, end)
        if target is None:
            return end
        self.spans.append(Span(start, target.end(), None))
        return target.end()

    def _emphasis(self, start: int, end: int) -> None:
        text = self._text
        before = text[start - 1] if start else " "
        after = text[end] if end < len(text) else " "
        if text[start] == "_" and before.isalnum() and after.isalnum():
            return
        left = end - start
        if not before.isspace():
            left = self._match(text[start], start, left)
        if left and not after.isspace():
            self._runs[text[start]].append(_Run(end - left, left))

    def _match(self, sign: str, start: int, left: int) -> int:
        """Pair a closing run with openers; return how much of it is left over."""
        openers = self._runs[sign]
        used = 0
        while openers and left:
            opener = openers[-1]
            size = min(opener.length, left, 2)
            opener.length -= size
            left -= size
            used += size
            self.spans.append(Span(opener.at + opener.length, start + used, sign * size))
            if not opener.length:
                openers.pop()
        return left
