"""`parse_mode`: HTML and MarkdownV2, with the real server's complaints.

Facts: https://core.telegram.org/bots/api#html-style and #markdownv2-style
"""

import html
import re
from dataclasses import dataclass, field

from tests.fakes.telegram.refusal import bad_request
from tests.fakes.telegram.text import Entity, Formatted, trimmed, units

_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
_HTML = re.compile(
    r"<(?P<close>/?)(?P<tag>[a-zA-Z][a-zA-Z0-9-]*)(?P<rest>[^<>]*)>|(?P<bad><)|(?P<text>[^<]+)"
)
_ATTRIBUTE = re.compile(r"([a-z-]+)\s*(?:=\s*(?:\"([^\"]*)\"|'([^']*)'|(\S+)))?", re.IGNORECASE)
_RESERVED = set("_*[]()~`>#+-=|{}.!")
_MARKS = {"*": "bold", "__": "underline", "_": "italic", "~": "strikethrough", "||": "spoiler"}


def parse(text: str, mode: str) -> Formatted:
    """Read a text in one of the parse modes."""
    match mode.lower():
        case "html":
            return _Html(text).read()
        case "markdownv2":
            return _Markdown(text).read()
    raise bad_request("unsupported parse_mode")


def _wrong(words: str) -> Exception:
    return bad_request(f"can't parse entities: {words}")


@dataclass(slots=True)
class _Open:
    name: str
    at: int
    extra: dict[str, str] = field(default_factory=dict)


class _Html:
    """Reads tags with a stack; text between them is unescaped."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._out = ""
        self._stack: list[_Open] = []
        self._entities: list[Entity] = []

    def read(self) -> Formatted:
        for match in _HTML.finditer(self._source):
            if match["bad"]:
                raise _wrong(f"Unclosed start tag at byte offset {match.start()}")
            if match["text"]:
                self._out += html.unescape(match["text"])
            elif match["close"]:
                self._close(match["tag"].lower(), match.start())
            else:
                self._open(match["tag"].lower(), match["rest"], match.start())
        if self._stack:
            name = self._stack[-1].name
            raise _wrong(f'Can\'t find end tag corresponding to start tag "{name}"')
        self._entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
        return trimmed(self._out, self._entities)

    def _open(self, tag: str, rest: str, at: int) -> None:
        if tag not in _TAGS:
            raise _wrong(f'Unsupported start tag "{tag}" at byte offset {at}')
        given = {
            match[1].lower(): html.unescape(match[2] or match[3] or match[4] or "")
            for match in _ATTRIBUTE.finditer(rest)
        }
        if tag == "span" and given.get("class") != "tg-spoiler":
            raise _wrong(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
        self._stack.append(_Open(tag, units(self._out), given))

    def _close(self, tag: str, at: int) -> None:
        if not self._stack:
            raise _wrong(f"Unexpected end tag at byte offset {at}")
        opened = self._stack.pop()
        if opened.name != tag:
            raise _wrong(
                f'Unmatched end tag at byte offset {at}, expected "</{opened.name}>", '
                f'found "</{tag}>"'
            )
        length = units(self._out) - opened.at
        if length:
            self._entities.append(self._entity(opened, length))

    def _entity(self, opened: _Open, length: int) -> Entity:
        entity = {"type": _TAGS[opened.name], "offset": opened.at, "length": length}
        if opened.name == "a":
            entity["url"] = opened.extra.get("href") or self._out[-length:]
        if opened.name == "blockquote" and "expandable" in opened.extra:
            entity["type"] = "expandable_blockquote"
        if opened.name == "code" and opened.extra.get("class", "").startswith("language-"):
            entity = {**entity, "type": "pre", "language": opened.extra["class"][9:]}
        return entity


class _Markdown:
    """Reads MarkdownV2: every reserved character is a mark or escaped."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._out = ""
        self._stack: list[_Open] = []
        self._entities: list[Entity] = []

    def read(self) -> Formatted:
        while self._at < len(self._source):
            self._step()
        if self._stack:
            kind, at = _kind(self._stack[-1].name), self._stack[-1].at
            raise _wrong(f"Can't find end of {kind} entity at byte offset {at}")
        self._entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
        return trimmed(self._out, self._entities)

    def _step(self) -> None:
        rest = self._source[self._at :]
        if rest[0] == "\\" and len(rest) > 1:
            self._out += rest[1]
            self._at += 2
        elif rest.startswith("```"):
            self._code("```", "pre")
        elif rest[0] == "`":
            self._code("`", "code")
        elif rest[0] == "[":
            self._stack.append(_Open("[", units(self._out)))
            self._at += 1
        elif rest[0] == "]" and self._stack and self._stack[-1].name == "[":
            self._link()
        elif rest[0] == ">" and (not self._out or self._out.endswith("\n")):
            self._quote()
        else:
            self._mark_or_text(rest)

    def _mark_or_text(self, rest: str) -> None:
        mark = next((one for one in ("||", "__", "*", "_", "~") if rest.startswith(one)), None)
        if mark is not None:
            self._toggle(mark)
        elif rest[0] in _RESERVED:
            raise _wrong(
                f"Character '{rest[0]}' is reserved and must be escaped with the preceding '\\'"
            )
        else:
            self._out += rest[0]
            self._at += 1

    def _toggle(self, mark: str) -> None:
        self._at += len(mark)
        if self._stack and self._stack[-1].name == mark:
            self._add(self._stack.pop().at, _kind(mark))
        else:
            self._stack.append(_Open(mark, units(self._out)))

    def _add(self, start: int, kind: str, **extra: str) -> None:
        length = units(self._out) - start
        if length:
            self._entities.append({"type": kind, "offset": start, "length": length, **extra})

    def _code(self, fence: str, kind: str) -> None:
        end = self._source.find(fence, self._at + len(fence))
        if end < 0:
            raise _wrong(f"Can't find end of {kind} entity at byte offset {self._at}")
        inner = self._source[self._at + len(fence) : end]
        start, extra = units(self._out), {}
        if kind == "pre":
            first, newline, rest = inner.partition("\n")
            if newline and re.fullmatch(r"[\w+#.-]*", first):
                inner, extra = rest, {"language": first} if first else {}
        self._out += re.sub(r"\\([`\\])", r"\1", inner)
        self._add(start, kind, **extra)
        self._at = end + len(fence)

    def _link(self) -> None:
        match = re.compile(r"\]\(((?:\\.|[^)\\])*)\)").match(self._source, self._at)
        if match is None:
            raise _wrong("Character ']' is reserved and must be escaped with the preceding '\\'")
        self._add(self._stack.pop().at, "text_link", url=re.sub(r"\\(.)", r"\1", match[1]))
        self._at = match.end()

    def _quote(self) -> None:
        """Take the lines of a quotation, read on their own."""
        match = re.compile(r"(?:>[^\n]*\n?)+").match(self._source, self._at)
        lines = match[0] if match else ""
        inner = _Markdown(re.sub(r"(?m)^>", "", lines.rstrip("\n"))).read()
        start = units(self._out)
        self._out += inner.text
        self._entities.extend(
            {**entity, "offset": entity["offset"] + start} for entity in inner.entities
        )
        self._add(start, "blockquote")
        self._out += "\n" if lines.endswith("\n") else ""
        self._at += len(lines)


def _kind(mark: str) -> str:
    return "text_link" if mark == "[" else _MARKS[mark]
