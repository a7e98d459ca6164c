"""What people write, as Markdown for the model: rich text, or Slack's own mark-up of old."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.chat_text import clean

Json = Mapping[str, Any]

_US = "\x00"
"""Stands where our name stood; nothing else can be it, as it is cleaned away elsewhere."""
_AFTER_A_NAME = " \t\n,:"
_TOKEN = re.compile(r"<([^<>\n]+)>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_TICKS = re.compile(r"`+")


@dataclass(frozen=True, slots=True)
class Wording:
    """A text without our name at its ends, and whom it calls."""

    text: str
    calls_us: bool
    calls_another: bool = False
    """It begins with the name of somebody else."""


def read_wording(message: Json, us: str, our_name: str) -> Wording:
    """Read a message's words, from its blocks where a person's client has made them."""
    rich = [block for block in message.get("blocks") or () if block.get("type") == "rich_text"]
    first = _Names(us)
    if rich:
        text = "\n".join(_rich_text(block.get("elements", ()), first) for block in rich)
    else:
        text = _old_text(message.get("text") or "", first)
    text = text.strip("\n")
    calls_us = _US in text
    bare = _without_us_at_the_ends(text)
    if bare.lstrip().startswith("/"):
        bare = bare.lstrip()  # a space keeps Slack from taking a command for its own
    return Wording(bare.replace(_US, f"@{our_name}"), calls_us, first.is_another)


class _Names:
    """Writes names as they are met, and notes whose stands at the very beginning."""

    def __init__(self, us: str) -> None:
        self._us = us
        self.is_another = False
        self._is_first = True

    def user(self, user: str, label: str = "") -> str:
        if user == self._us:
            self._is_first = False
            return _US
        self.is_another |= self._is_first
        self._is_first = False
        return f"@{clean(label) or user}"

    def words(self, text: str) -> str:
        self._is_first &= not text.strip()
        return clean(text)


def _without_us_at_the_ends(text: str) -> str:
    bare = text
    while bare.lstrip(_AFTER_A_NAME).startswith(_US):
        bare = bare.lstrip(_AFTER_A_NAME)[1:].lstrip(_AFTER_A_NAME)
    while bare.rstrip().endswith(_US):
        bare = bare.rstrip()[:-1].rstrip()
    return bare


def _old_text(text: str, names: _Names) -> str:
    """Decode mark-up in which `<...>` is a name or a link, and three characters are escaped."""
    pieces: list[str] = []
    end = 0
    for match in _TOKEN.finditer(text):
        pieces.append(names.words(_unescaped(text[end : match.start()])))
        pieces.append(_token(match[1], names))
        end = match.end()
    pieces.append(names.words(_unescaped(text[end:])))
    return "".join(pieces)


def _token(inside: str, names: _Names) -> str:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return names.user(target[1:], _unescaped(label))
    if target.startswith("#"):
        return names.words(f"#{_unescaped(label) or target[1:]}")
    if target.startswith("!"):
        return names.words(_special(target[1:], _unescaped(label)))
    return names.words(_link(_unescaped(target), _unescaped(label)))


def _special(name: str, label: str) -> str:
    if name in {"here", "channel", "everyone"}:
        return f"@{name}"
    if name.startswith("subteam^"):
        return label or "@" + name.removeprefix("subteam^")
    return label or name.partition("^")[2]


def _link(url: str, label: str) -> str:
    plain = url.removeprefix("mailto:").removeprefix("tel:")
    bare = plain.removeprefix("https://").removeprefix("http://").rstrip("/")
    if not label or label in {url, plain} or label.rstrip("/") == bare:
        return label if label and url != plain else url if url == plain else plain
    return f"{label} ({url})"


def _unescaped(text: str) -> str:
    for escaped, plain in _ENTITIES:
        text = text.replace(escaped, plain)
    return text


def _rich_text(elements: Sequence[Json], names: _Names) -> str:
    return "\n".join(_part(element, names) for element in elements)


def _part(element: Json, names: _Names) -> str:
    inside = element.get("elements", ())
    match element.get("type"):
        case "rich_text_preformatted":
            return _fenced(_inline(inside, names, is_code=True), element.get("language") or "")
        case "rich_text_quote":
            return "\n".join(f"> {line}" for line in _inline(inside, names).split("\n"))
        case "rich_text_list":
            return "\n".join(_items(element, names))
        case _:
            return _inline(inside, names).removesuffix("\n")


def _fenced(code: str, language: str) -> str:
    longest = max((len(ticks) for ticks in _TICKS.findall(code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{clean(language)}\n{code.removesuffix(chr(10))}\n{fence}"


def _items(element: Json, names: _Names) -> Iterator[str]:
    indent = "   " * int(element.get("indent") or 0)
    number = int(element.get("offset") or 0)
    for item in element.get("elements", ()):
        number += 1
        sign = f"{number}." if element.get("style") == "ordered" else "-"
        words = _part(item, names).replace("\n", f"\n{indent}{' ' * (len(sign) + 1)}")
        yield f"{indent}{sign} {words}"


def _inline(elements: Sequence[Json], names: _Names, *, is_code: bool = False) -> str:
    return "".join(_styled(one, _piece(one, names), is_code=is_code) for one in elements)


def _piece(element: Json, names: _Names) -> str:
    kind = element.get("type")
    if kind == "user":
        return names.user(element.get("user_id") or "")
    read = _PIECES.get(kind or "")
    return names.words(read(element)) if read is not None else ""


def _emoji(element: Json) -> str:
    """Give the character where Slack names it; custom emoji have only a name."""
    try:
        return "".join(chr(int(code, 16)) for code in element["unicode"].split("-"))
    except (KeyError, ValueError, AttributeError, OverflowError):
        return f":{element.get('name')}:"


_PIECES: dict[str, Callable[[Json], str]] = {
    "text": lambda one: one.get("text") or "",
    "link": lambda one: _link(one.get("url") or "", one.get("text") or ""),
    "emoji": _emoji,
    "channel": lambda one: f"#{one.get('channel_id')}",
    "usergroup": lambda one: f"@{one.get('usergroup_id')}",
    "broadcast": lambda one: f"@{one.get('range')}",
    "date": lambda one: one.get("fallback") or str(one.get("timestamp") or ""),
    "color": lambda one: one.get("value") or "",
}
_SIGNS = (("bold", "**"), ("italic", "_"), ("strike", "~~"))


def _styled(element: Json, words: str, *, is_code: bool) -> str:
    style = element.get("style") or {}
    core = words.strip()
    if is_code or not style or not core or _US in core:
        return words
    marked = _as_code(core) if style.get("code") else core
    for name, sign in _SIGNS:
        if style.get(name):
            marked = f"{sign}{marked}{sign}"
    before, _, after = words.partition(core)
    return f"{before}{marked}{after}"


def _as_code(text: str) -> str:
    longest = max((len(ticks) for ticks in _TICKS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    room = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{room}{text}{room}{fence}"
