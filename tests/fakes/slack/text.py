"""Texts as people read them, and what in a text is live: mentions that notify somebody.

`&lt;`, `&gt;` and `&amp;` are decoded everywhere, once. A `<...>` that Slack knows (mention,
link) is live in mrkdwn and in Markdown alike; an escaped one never is.
Facts: https://docs.slack.dev/messaging/formatting-message-text
"""

import re
from collections.abc import Callable

_LIVE = re.compile(
    r"<(?:!(?:channel|here|everyone)|@[UW][A-Z0-9]+|#C[A-Z0-9]+|!subteam\^S[A-Z0-9]+)"
    r"(?:\|[^<>]*)?>"
)
_BY_NAME = re.compile(r"(?<!\w)@(?:channel|here|everyone)\b")
_URL = re.compile(r"(?:https?|mailto|tel):[^\s|<>]+")
_TOKEN = re.compile(r"<((?:[@#!]|https?:|mailto:|tel:)[^<>|\n]*)(?:\|([^<>\n]*))?>")
_FENCED = re.compile(r"(?ms)^[ ]{0,3}(`{3,}|~{3,})([^\n`]*)\n?(.*?)(?:^[ ]{0,3}\1[`~]*[ ]*$|\Z)")
_SPAN = re.compile(r"(?s)(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_SLACK_CODE = re.compile(r"(?s)```(.+?)(?:```|\Z)|`([^`\n]+)`")
_LINK = re.compile(r"!?\[((?:[^\[\]\\]|\\.)*)\]\(((?:[^()\s]|\([^()\s]*\))*)(?:\s+\"[^\"]*\")?\)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_KEPT = re.compile("\ue000(\\d+)\ue001")
_LINE_SIGNS = (
    (re.compile(r"(?m)^[ ]{0,3}#{1,6}[ ]+"), ""),
    (re.compile(r"(?m)^([ \t]*)[-*+][ ]+"), "\\1\u2022 "),
    (re.compile(r"(?m)^[ ]{0,3}>[ ]?"), ""),
)
_EMPHASIS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\*\*(?=\S)(.+?)(?<=\S)\*\*",
        r"(?<!\w)__(?=\S)(.+?)(?<=\S)__(?!\w)",
        r"~~(?=\S)(.+?)(?<=\S)~~",
        r"(?<![*\w])\*(?=[^\s*])([^*\n]*?)(?<=\S)\*(?!\*)",
        r"(?<!\w)_(?=\S)([^_\n]+?)(?<=\S)_(?!\w)",
    )
)
_SLACK_EMPHASIS = tuple(
    re.compile(rf"(?<![\w{sign}]){sign}(?=\S)([^{sign}\n]+?)(?<=\S){sign}(?![\w{sign}])")
    for sign in (r"\*", "_", "~")
)


def decoded(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class _Kept:
    """Sets pieces aside that nothing else may touch."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def keep(self, piece: str) -> str:
        self._pieces.append(piece)
        return f"\ue000{len(self._pieces) - 1}\ue001"

    def restore(self, text: str) -> str:
        while _KEPT.search(text):
            text = _KEPT.sub(lambda found: self._pieces[int(found[1])], text)
        return text


def read_markdown(text: str) -> str:
    """Return Markdown without its signs, as a `markdown` block shows it."""
    kept = _Kept()
    text = _FENCED.sub(lambda found: kept.keep(decoded(found[3].removesuffix("\n"))), text)
    text = _SPAN.sub(lambda found: kept.keep(decoded(_unpadded(found[2]))), text)
    text = _ESCAPED.sub(lambda found: kept.keep(found[1]), text)
    text = _TOKEN.sub(lambda found: kept.keep(_token(found)), text)
    text = _LINK.sub(lambda found: found[1], text)
    for sign, instead in _LINE_SIGNS:
        text = sign.sub(instead, text)
    return kept.restore(decoded(_without(_EMPHASIS, text)))


def read_mrkdwn(text: str) -> str:
    """Return Slack's own markup without its signs, as a section or a plain message shows it."""
    kept = _Kept()
    text = _SLACK_CODE.sub(
        lambda found: kept.keep(decoded((found[1] or found[2]).strip("\n"))), text
    )
    text = _TOKEN.sub(lambda found: kept.keep(_token(found)), text)
    text = re.sub(r"(?m)^>[ ]?", "", text)
    return kept.restore(decoded(_without(_SLACK_EMPHASIS, text)))


def live_tokens(text: str, *, markdown: bool, by_name: bool = False) -> list[str]:
    """Return what notifies or names somebody, outside code."""
    said = _SPAN.sub("", _FENCED.sub("", text)) if markdown else _SLACK_CODE.sub("", text)
    found = _LIVE.findall(said)
    return [*found, *_BY_NAME.findall(said)] if by_name else found


def has_link(text: str) -> bool:
    return _URL.search(text) is not None


def _token(found: "re.Match[str]") -> str:
    target, label = found[1], found[2]
    if label:
        return decoded(label)
    if target.startswith("!"):
        return f"@{target[1:].partition('^')[0]}"
    return decoded(target)


def _unpadded(code: str) -> str:
    has_padding = code.startswith(" ") and code.endswith(" ") and code.strip()
    return code[1:-1] if has_padding else code


def _without(signs: tuple["re.Pattern[str]", ...], text: str) -> str:
    for sign in signs:
        text = _again(sign.sub, text)
    return text


def _again(sub: Callable[[str, str], str], text: str) -> str:
    before = None
    while before != text:
        before, text = text, sub("\\1", text)
    return text
