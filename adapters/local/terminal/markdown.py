"""Markdown as rows for a terminal."""

import io
from functools import lru_cache
from typing import ClassVar

from rich.console import Console
from rich.markdown import Heading, Markdown
from rich.padding import Padding

_INDENT = 2
_WIDEST = 100
"""Longer lines are hard to read."""


class _Heading(Heading):
    """A heading that begins where the text begins."""

    LEVEL_ALIGN: ClassVar = dict.fromkeys(Heading.LEVEL_ALIGN, "left")


class _Page(Markdown):
    elements: ClassVar = {**Markdown.elements, "heading_open": _Heading}


@lru_cache(maxsize=8)
def render(markdown: str, width: int) -> tuple[str, ...]:
    """Return rows no wider than `width`, with their colours."""
    console = Console(
        file=io.StringIO(), width=min(width, _WIDEST), force_terminal=True, legacy_windows=False
    )
    # Two spaces make each line's end a break, as in other chats; in code they are not seen.
    # Links are shown with their address: a hidden one could lead anywhere.
    page = _Page(markdown.replace("\n", "  \n"), code_theme="ansi_dark", hyperlinks=False)
    with console.capture() as capture:
        console.print(Padding(page, (0, 0, 0, _INDENT)))
    return tuple(row.rstrip() for row in capture.get().rstrip("\n").split("\n"))
