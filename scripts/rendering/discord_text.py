"""Discord's own Markdown, as its client draws it.

Headings have three levels; there are no tables, rules, pictures, HTML or task boxes: whatever
looks like one is shown with its signs.
"""

import re
import string
from collections.abc import Callable
from html import escape

from scripts.rendering.bubble import code_block, link

_FENCE = re.compile(r"```(?:([\w+#.-]+)\n)?\n*([\s\S]+?)\n*```")
_HEADING = re.compile(r"(#{1,3}|-#) +(\S[^\n]*)(?:\n|$)")
_ITEM = re.compile(r"( *)([-*]|\d+\.) +(\S[^\n]*)(?:\n|$)")
_QUOTE = re.compile(r"(?:> [^\n]*(?:\n|$))+")
_QUOTE_REST = re.compile(r">>> ([\s\S]*)")
_LINE_START = re.compile(r"(?:#{1,3}|-#) +\S| *(?:[-*]|\d+\.) +\S|>(?:>>)? ")
_LEAD = re.compile(r" *")
_BULLETS = "•◦▪"


def draw(text: str) -> str:
    return _blocks(text, in_quote=False)


def _blocks(text: str, *, in_quote: bool) -> str:
    pieces: list[str] = []
    depth = 0
    """How far the last item was indented."""
    position = 0
    while position < len(text):
        html, position, depth = _block(text, position, depth, in_quote=in_quote)
        pieces.append(html)
    return "".join(pieces)


def _block(text: str, at: int, depth: int, *, in_quote: bool) -> tuple[str, int, int]:
    """Draw what begins here: the drawing, where it ends, and how far it is indented."""
    if not in_quote and (quote := _QUOTE_REST.match(text, at)):
        return f"<blockquote>{_blocks(quote[1], in_quote=True)}</blockquote>", quote.end(), 0
    if not in_quote and (quote := _QUOTE.match(text, at)):
        inner = re.sub(r"^> ", "", quote[0].removesuffix("\n"), flags=re.MULTILINE)
        return f"<blockquote>{_blocks(inner, in_quote=True)}</blockquote>", quote.end(), 0
    if heading := _HEADING.match(text, at):
        tag = "small" if heading[1] == "-#" else f"h{len(heading[1])}"
        return f"<{tag}>{inline(heading[2])}</{tag}>", heading.end(), 0
    if item := _ITEM.match(text, at):
        return _item(item)
    if fence := _FENCE.match(text, at):
        end = fence.end() + text.startswith("\n", fence.end())
        return code_block(fence[2], fence[1] or ""), end, depth
    return _prose(text, at, depth)


def _item(item: "re.Match[str]") -> tuple[str, int, int]:
    depth = len(item[1]) // 2 + 1
    sign = item[2] if item[2][0].isdigit() else _BULLETS[min(depth, len(_BULLETS)) - 1]
    words = f'<div class="item" style="--depth:{depth}"><i>{sign}</i>{inline(item[3])}</div>'
    return words, item.end(), depth


def _prose(text: str, at: int, depth: int) -> tuple[str, int, int]:
    """Draw lines up to something that is no prose; those under an item stand in with it."""
    end = at
    while end < len(text):
        line_end = text.find("\n", end)
        line_end = len(text) if line_end < 0 else line_end + 1
        fence = _FENCE.search(text, end, len(text))
        if fence and fence.start() < line_end:
            end = max(fence.start(), at + 1)
            break
        end = line_end
        if _LINE_START.match(text, end):
            break
    lines = text[at:end]
    gap = "<br>" if lines.endswith("\n\n") else ""
    is_under_item = depth and lines.startswith("  " * depth)
    if not is_under_item:
        return f'<div class="prose">{inline(lines.removesuffix(chr(10)))}{gap}</div>', end, 0
    plain = "\n".join(_LEAD.sub("", line, count=1) for line in lines.removesuffix("\n").split("\n"))
    return f'<div class="item" style="--depth:{depth}">{inline(plain)}{gap}</div>', end, depth


def inline(text: str) -> str:
    """Draw what stands within lines."""
    pieces: list[str] = []
    position = 0
    while position < len(text):
        for pattern, drawn in _INLINE:
            if found := pattern.match(text, position):
                pieces.append(drawn(found))
                position = found.end()
                break
        else:
            pieces.append(escape(text[position], quote=False))
            position += 1
    return "".join(pieces)


def _tagged(tag: str) -> Callable[["re.Match[str]"], str]:
    return lambda found: f"<{tag}>{inline(found[1])}</{tag.partition(' ')[0]}>"


def _mention(found: "re.Match[str]") -> str:
    return f'<span class="mention">{escape(found[0])}</span>'


_SIGNS = re.escape(string.punctuation)
_INLINE: tuple[tuple["re.Pattern[str]", Callable[["re.Match[str]"], str]], ...] = tuple(
    (re.compile(pattern), drawn)
    for pattern, drawn in (
        (rf"\\([{_SIGNS}])", lambda found: escape(found[1], quote=False)),
        (
            r"(`{1,2})([^`](?:[\s\S]*?[^`])?)\1(?!`)",
            lambda found: f"<code>{escape(found[2])}</code>",
        ),
        (r"<(https?://[^\s<>]+)>", lambda found: link(found[1], escape(found[1]))),
        (r"<(?:@[!&]?|#)\d+>", _mention),
        (
            r"\[((?:\\.|[^\]\\\n])+)\]\(<?((?:[^()\s<>]|\([^()\s]*\))+)>?(?: \"[^\"]*\")?\)",
            lambda found: link(found[2], inline(found[1])),
        ),
        (r"https?://[^\s<>]+[^\s<>.,;:!?)*|]", lambda found: link(found[0], escape(found[0]))),
        (
            r"\*\*\*(?=\S)([\s\S]+?)(?<=\S)\*\*\*",
            lambda found: f"<b><em>{inline(found[1])}</em></b>",
        ),
        (r"\*\*(?=\S)([\s\S]+?)(?<=\S)\*\*(?!\*)", _tagged("b")),
        (r"__(?=\S)([\s\S]+?)(?<=\S)__(?!_)", _tagged("u")),
        (r"~~(?=\S)([\s\S]+?)(?<=\S)~~", _tagged("s")),
        (r"\|\|(?=\S)([\s\S]+?)(?<=\S)\|\|", _tagged('span class="spoiler"')),
        (r"\*(?=\S)((?:\*\*[^*]+\*\*|\\.|[^*\\])+?)(?<=\S)\*(?!\*)", _tagged("em")),
        (r"(?<!\w)_(?=\S)((?:\\.|[^_\\])+?)(?<=\S)_(?!\w)", _tagged("em")),
    )
)
