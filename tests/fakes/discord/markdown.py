"""Discord's Markdown as a person reads it, as far as journeys need.

Outside code, a backslash before punctuation is not seen, emphasis and links are reduced to
their words, and the angle brackets that keep a link from a preview go. Code is seen as it is,
without its fences. Headings, lists and quotes stay as they were written.
"""

import re
import string

_CODE = re.compile(
    r"```(?:[\w+#.-]*\n)?(?P<block>[\s\S]+?)\n?```|(?P<ticks>`{1,2})(?P<inline>[^`][\s\S]*?)(?P=ticks)"
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_LINK = re.compile(r"\[([^\]\n]+)\]\(<?((?:[^()\s<>]|\([^()\s]*\))+)>?\)")
_ADDRESS = re.compile(r"<(https?://[^\s<>]+)>|https?://[^\s<>*|]+")
_PAIRS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"\*\*\*(?=\S)(.+?)(?<=\S)\*\*\*",
        r"\*\*(?=\S)(.+?)(?<=\S)\*\*",
        r"__(?=\S)(.+?)(?<=\S)__",
        r"~~(?=\S)(.+?)(?<=\S)~~",
        r"\|\|(?=\S)(.+?)(?<=\S)\|\|",
        r"\*(?=\S)([^*]+?)(?<=\S)\*",
        r"(?<!\w)_(?=\S)([^_]+?)(?<=\S)_(?!\w)",
    )
)
_SIGNS = frozenset(string.punctuation)
_HIDDEN = 0xE100
"""Where escaped characters are kept from being read as signs, in the private use area."""


def plain(content: str) -> str:
    """Return what a message shows, without its signs."""
    shown, end = [], 0
    guarded = _guard(content)
    for match in _CODE.finditer(guarded):
        shown.append(_outside(guarded[end : match.start()]))
        code = match["block"] if match["block"] is not None else match["inline"]
        shown.append(_unguard(code, in_code=True))
        end = match.end()
    shown.append(_outside(guarded[end:]))
    return "".join(shown)


def _guard(text: str) -> str:
    """Put each escaped sign out of sight, so that it neither opens nor closes anything."""
    return _ESCAPED.sub(lambda match: _hidden(match[1]), text)


def _hidden(text: str) -> str:
    return "".join(chr(_HIDDEN + ord(one)) if one in _SIGNS else one for one in text)


def _unguard(text: str, *, in_code: bool) -> str:
    lead = "\\" if in_code else ""
    return re.sub(
        f"[{chr(_HIDDEN + 0x21)}-{chr(_HIDDEN + 0x7E)}]",
        lambda match: lead + chr(ord(match[0]) - _HIDDEN),
        text,
    )


def _outside(text: str) -> str:
    text = _LINK.sub(r"\1", text)
    text = _ADDRESS.sub(lambda match: _hidden(match[1] or match[0]), text)
    for pair in _PAIRS:
        text = pair.sub(r"\1", text)
    return _unguard(text, in_code=False)
