"""What people type, as their client sends it: `text` for old apps, `rich_text` for new ones.

Facts: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block; that the client turns
emoji into names is as seen in its messages.
"""

import re
import unicodedata
from typing import Any

from tests.fakes.slack.text import escaped

_FENCE = re.compile(r"(?s)```\n?(.*?)\n?```")
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<@(?P<user>[UW][A-Z0-9]+)>"
    r"|<#(?P<channel>C[A-Z0-9]+)>"
    r"|(?P<link>https?://[^\s<>]+)"
    r"|(?P<emoji>(?:[\U0001F1E6-\U0001F1FF]{2})"
    r"|[\U0001F300-\U0001FAFF]\ufe0f?[\U0001F3FB-\U0001F3FF]?"
    r"(?:\u200d[\u2640-\U0001FAFF]\ufe0f?)*)"
)
_NAMES = {"\U0001f600": "grinning", "\U0001f44d": "+1", "\U0001f642": "slightly_smiling_face"}

Element = dict[str, Any]


def rich_text(words: str) -> tuple[str, list[dict[str, Any]]]:
    """Return `text` and `blocks` of a message that somebody typed."""
    texts: list[str] = []
    elements: list[Element] = []
    at = 0
    for found in _FENCE.finditer(words):
        _paragraphs(words[at : found.start()], texts, elements)
        texts.append(f"```{escaped(found[1])}```")
        code = {"type": "text", "text": found[1]}
        elements.append({"type": "rich_text_preformatted", "elements": [code], "border": 0})
        at = found.end()
    _paragraphs(words[at:], texts, elements)
    block = {"type": "rich_text", "block_id": "typed", "elements": elements}
    return "\n".join(texts), [block] if elements else []


def _paragraphs(words: str, texts: list[str], elements: list[Element]) -> None:
    """Add sections, and quotes where lines begin with the sign of one."""
    for part in re.findall(r"(?m)(?:^>.*\n?)+|(?:^(?!>).*\n?)+", words):
        lines = part.strip("\n")
        if not lines:
            continue
        is_quote = lines.startswith(">")
        shown = re.sub(r"(?m)^>[ ]?", "", lines) if is_quote else lines
        text, inner = _inline(shown)
        if is_quote:
            text = "\n".join(f"&gt; {line}" for line in text.split("\n"))
        texts.append(text)
        kind = "rich_text_quote" if is_quote else "rich_text_section"
        elements.append({"type": kind, "elements": inner})


def _inline(words: str) -> tuple[str, list[Element]]:
    text, elements, at = "", list[Element](), 0
    for found in _INLINE.finditer(words):
        plain = words[at : found.start()]
        if plain:
            elements.append({"type": "text", "text": plain})
        said, element = _piece(found)
        elements.append(element)
        text += escaped(plain) + said
        at = found.end()
    if words[at:]:
        elements.append({"type": "text", "text": words[at:]})
    return text + escaped(words[at:]), elements


def _piece(found: "re.Match[str]") -> tuple[str, Element]:
    value = found[str(found.lastgroup)]
    match found.lastgroup:
        case "code":
            code = {"type": "text", "text": value, "style": {"code": True}}
            return f"`{escaped(value)}`", code
        case "user":
            return f"<@{value}>", {"type": "user", "user_id": value}
        case "channel":
            return f"<#{value}>", {"type": "channel", "channel_id": value}
        case "link":
            return f"<{escaped(value)}>", {"type": "link", "url": value}
    point = "-".join(f"{ord(char):x}" for char in value)
    name = _NAMES.get(value) or unicodedata.name(value[0], "emoji").lower().replace(" ", "_")
    return f":{name}:", {"type": "emoji", "name": name, "unicode": point}
