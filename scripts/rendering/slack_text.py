"""Markdown blocks and the mark-up of old, as a Slack client draws them."""

import re
from html import escape
from typing import Any

from markdown_it import MarkdownIt

from scripts.rendering.bubble import link

_ENTITY_IN_ENTITY = re.compile(r"&amp;(lt|gt|amp);")
_ADDRESS = re.compile(r"https?://[^\s<>]+[^\s<>.,;:!?)]")
_LINK = re.compile(r'<a href="([^"]*)"[^>]*>')
_TASK = re.compile(r"<li>(<p>)?\[([ xX])\] ")
_PARSER = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable([
    "table",
    "strikethrough",
])
_TOKEN = re.compile(r"<([^<>|\n]+)(?:\|([^<>\n]*))?>")
_OLD_CODE = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
_OLD_STYLES = tuple(
    (re.compile(rf"(?<![\w{sign}]){sign}(?=\S)([^{sign}\n]+?)(?<=\S){sign}(?![\w{sign}])"), tag)
    for sign, tag in ((r"\*", "b"), ("_", "em"), ("~", "s"))
)


def draw_markdown(text: str) -> str:
    """Draw standard Markdown; a mention that Slack would take for one is drawn as live."""
    tokens = _PARSER.parse(_LIVE_MENTION.sub("\ue000\\1\ue001", text))
    for token in tokens:
        for child in token.children or ():
            _name_address(child)
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    html = _ENTITY_IN_ENTITY.sub(r"&\1;", html)
    html = _LINK.sub(r'<a title="\1">', html)
    html = _TASK.sub(lambda found: f"<li>{found[1] or ''}{_box(found[2])} ", html)
    html = html.replace("\ue002", '<a title="link">').replace("\ue003", "</a>")
    html = html.replace("\ue000", '<span class="live">').replace("\ue001", "</span>")
    return f'<div class="markdown">{html.strip()}</div>'


_LIVE_MENTION = re.compile(r"<([@#!][^<>\n|]+)(?:\|[^<>\n]*)?>")


def _name_address(token: Any) -> None:
    if token.type == "text":
        token.content = _ADDRESS.sub(lambda found: f"\ue002{found[0]}\ue003", token.content)


def _box(sign: str) -> str:
    return "☐" if sign == " " else "☑"


def draw_mrkdwn(text: str) -> str:
    """Draw text in which three characters are escaped and `<...>` is a link or a name."""
    pieces: list[str] = []
    end = 0
    for code in _OLD_CODE.finditer(text):
        pieces.append(_old_prose(text[end : code.start()]))
        tag, inside = ("pre", code[1]) if code[1] else ("code", code[2])
        pieces.append(f"<{tag}>{inside}</{tag}>")
        end = code.end()
    pieces.append(_old_prose(text[end:]))
    return f'<div class="old">{"".join(pieces)}</div>'


def _old_prose(text: str) -> str:
    links: list[str] = []

    def keep(found: "re.Match[str]") -> str:
        links.append(_token(found[1], found[2]))
        return f"\ue004{len(links) - 1}\ue005"

    text = _TOKEN.sub(keep, text)
    for sign, tag in _OLD_STYLES:
        text = sign.sub(rf"<{tag}>\1</{tag}>", text)
    return re.sub(r"\ue004(\d+)\ue005", lambda found: links[int(found[1])], text)


def _token(target: str, label: str | None) -> str:
    if target[0] in "@#!":
        return f'<span class="live">{escape(target)}</span>'
    return link(target, label or target)
