"""The model's Markdown, made safe for Slack, which reads Markdown itself but for a few signs.

Slack takes `<...>` for its own commands, also in Markdown, and shows `&lt;` as `<` again. An
`&` is escaped only where it would be read as such an entity: Slack does not turn it back in
the addresses of links.
"""

import re
from collections.abc import Iterator

from gateway.chat_text import clean

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"^[ ]*(?:[>*+-][ \t]*|\d{1,9}[.)][ \t]+)*(`{3,}|~{3,})(.*)$")
"""No character can be read in two ways, or trying all of them would take for ever."""
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\]\n]*)(\](?=\())?")
"""What begins like an image is taken as a whole, or many of them would be read again and again."""
_LINKED_IMAGE = re.compile(r"\[!\[([^\[\]\n]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)\](?=\()")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^\s<>]+)>")
_READ_AS_ENTITY = re.compile(r"&(?=(?:amp|lt|gt);)")
_QUOTE_SIGNS = re.compile(r"^(?:[ \t]*(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t])))*[ \t]*>[ \t]?")
_UNFINISHED_PICTURE = re.compile(
    r"\[!\[[^\[\]\n]*\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\([^()\s]*|\)\]?)?\Z"
)
_UNFINISHED_ENTITY = re.compile(r"&[a-z]{0,3}\Z")
_NOT_IN_A_SIGN = re.compile(r"[\s>]")


def safe(markdown: str) -> str:
    """Return Markdown in which nothing is a mention, and every character is shown as it was."""
    return "".join(_safe_pieces(clean(markdown)))


def measure(markdown: str) -> int:
    """Return the length that Slack will count: of what is sent, in UTF-16 code units."""
    sent = safe(markdown)
    return len(sent) if sent.isascii() else len(sent.encode("utf-16-le")) // 2


def settled(markdown: str) -> str:
    """Leave out an end that may still turn out to be a picture, a link or an entity."""
    end = len(markdown) - markdown.endswith("\n")
    begun = min(_unfinished(markdown[:end]), default=end)
    return markdown[:begun] + markdown[end:]


def _unfinished(text: str) -> Iterator[int]:
    """Yield where each kind begins that is unfinished; looks at no part of the text often."""
    for kind in (_UNFINISHED_PICTURE, _UNFINISHED_ENTITY):
        if found := kind.search(text):
            yield found.start()
    last_word = next(_NOT_IN_A_SIGN.finditer(text[::-1]), None)
    starts = [text.find("<", 0 if last_word is None else len(text) - last_word.start())]
    for told in (text, text.removesuffix("]")):
        starts += [told.find("![", max(told.rfind("]"), told.rfind("\n")) + 1)]
    yield from (start for start in starts if start >= 0)
    if text.endswith("!"):
        yield len(text) - 1


def escape(text: str) -> str:
    """Escape text for Slack's mark-up of old, in which nothing of it then has a meaning."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_mrkdwn(markdown: str) -> str:
    """Write a line of Markdown in Slack's mark-up of old: for what knows nothing else."""
    text = escape(markdown)
    text = re.sub(r"\*\*(?=\S)(.+?)(?<=\S)\*\*", r"*\1*", text)
    return re.sub(r"!?\[([^\]\n]+)\]\((https?://[^\s()|]+)\)", r"<\2|\1>", text)


def plain(markdown: str, limit: int) -> str:
    """Return a text for notifications: the words, escaped, cut to a length."""
    text = re.sub(r"^[^\S\n]*(?:`{3,}|~{3,}).*$", "", clean(markdown), flags=re.MULTILINE)
    text = re.sub(r"^#{1,6}\s+|\*\*|__|`", "", text, flags=re.MULTILINE)
    short = escape(text).strip()
    if len(short) <= limit:
        return short
    cut = short[: limit - 1]
    return re.sub(r"&[a-z]{0,3}$", "", cut) + "…"


def _safe_pieces(text: str) -> Iterator[str]:
    """Yield the text by what it is: code that is left alone, and prose."""
    prose: list[str] = []
    fence = ""
    for line in _LINE.findall(text):
        opening = _FENCE.match(line.rstrip("\n"))
        if fence:
            yield _escaped(line)
            if opening and opening[1].startswith(fence) and not opening[2].strip():
                fence = ""
        elif opening and not (opening[1][0] == "`" and "`" in opening[2]):
            yield _safe_prose("".join(prose))
            prose.clear()
            fence = opening[1]
            yield _escaped(line)
        else:
            prose.append(line)
    yield _safe_prose("".join(prose))


def _safe_prose(text: str) -> str:
    if not text:
        return ""
    pieces: list[str] = []
    end = 0
    for code in _CODE.finditer(text):
        pieces.append(_without_pictures(text[end : code.start()]))
        pieces.append(code[0])
        end = code.end()
    pieces.append(_without_pictures(text[end:]))
    return "".join(_escaped(line) for line in _LINE.findall("".join(pieces)))


def _without_pictures(text: str) -> str:
    text = _LINKED_IMAGE.sub(lambda image: f"[{image[1] or 'image'}]", text)
    linked = _IMAGE.sub(_as_link, text)
    return _AUTOLINK.sub(r"\1", linked)


def _as_link(image: re.Match[str]) -> str:
    return image[0] if image[2] is None else f"[{image[1] or 'image'}]"


def _escaped(line: str) -> str:
    """Escape a line, but for the signs at its beginning that make a quote of it."""
    signs = _QUOTE_SIGNS.match(line)
    start = signs.end() if signs else 0
    rest = _READ_AS_ENTITY.sub("&amp;", line[start:])
    return line[:start] + rest.replace("<", "&lt;").replace(">", "&gt;")
