"""The page: each scene in a row, the platforms side by side, narrow ones below each other."""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from scripts.rendering.bubble import Bubble
from scripts.rendering.samples import SAMPLES
from scripts.rendering.stage import Shot, Shots

_STYLE = (Path(__file__).parent / "page.css").read_text()
_NAMES = {"telegram": "Telegram", "slack": "Slack", "discord": "Discord"}
_PAGE = Template(
    """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What people see of Parley</title>
<style>
$style</style>
<body>
<header>
<h1>What people see</h1>
<p>The same words and deeds of the model on each platform, drawn from what the platform was
really sent: a gateway ran against fake servers, and <code>scripts/draw_rendering.py</code> drew
what they had in the end, about as the platform's own client would. Unfold “sent” to see what a
message is made of.</p>
<nav>$contents</nav>
</header>
$acts
</body>
</html>
"""
)


def page(shots: Mapping[str, Shots]) -> str:
    """Write the page from what was seen, by platform."""
    scenes = list(dict.fromkeys(scene for seen in shots.values() for scene in seen))
    acts = list(dict.fromkeys(act for act, _ in scenes))
    contents = " · ".join(f'<a href="#{_anchor(act)}">{escape(act)}</a>' for act in acts)
    body = "\n".join(_act(act, [title for of, title in scenes if of == act], shots) for act in acts)
    return _PAGE.substitute(style=_STYLE, contents=contents, acts=body)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _act(act: str, titles: list[str], shots: Mapping[str, Shots]) -> str:
    scenes = "\n".join(_scene(act, title, shots) for title in titles)
    return f'<h2 id="{_anchor(act)}">{escape(act)}</h2>\n{scenes}'


def _scene(act: str, title: str, shots: Mapping[str, Shots]) -> str:
    columns = "\n".join(
        _column(platform, seen.get((act, title), [])) for platform, seen in shots.items()
    )
    source = _folded("the Markdown", SAMPLES[title]) if title in SAMPLES else ""
    head = f"<section><h3>{escape(title)}</h3>{source}"
    return f'{head}\n<div class="row">\n{columns}\n</div></section>'


def _column(platform: str, shots: list[Shot]) -> str:
    asked = ["", *(shot.question for shot in shots)]
    seen = "".join(
        _shot(shot, is_asked=shot.question != before)
        for shot, before in zip(shots, asked, strict=False)
    )
    return f'<div class="{platform}"><h4>{_NAMES[platform]}</h4>{seen}</div>'


def _shot(shot: Shot, *, is_asked: bool) -> str:
    when = f'<p class="when">{escape(shot.when)}</p>' if shot.when else ""
    asked = f'<div class="asked">{shot.question}</div>' if is_asked else ""
    return f"{when}{asked}{''.join(map(_bubble, shot.bubbles))}"


def _bubble(bubble: Bubble) -> str:
    label = f'<span class="label">{escape(bubble.label)}</span>' if bubble.label else ""
    if bubble.is_bare:
        return f'<div class="bare">{bubble.html} {label}</div>'
    return f'<div class="bubble">{bubble.html}{label}</div>{_raw(bubble.raw)}'


def _raw(raw: Any) -> str:
    return _folded("sent", json.dumps(raw, ensure_ascii=False, indent=1))


def _folded(title: str, text: str) -> str:
    inside = escape(text, quote=False)
    return f"<details><summary>{title}</summary><pre>{inside}</pre></details>"
