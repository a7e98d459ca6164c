"""One message as a page shows it."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True, slots=True)
class Bubble:
    """A message, drawn; `raw` is what the platform was sent of it."""

    html: str
    raw: Any = None
    label: str = ""
    """A small word beside it, as that it was edited."""
    is_bare: bool = False
    """No message of the bot, but a sign of its work."""


def picture(data: bytes, mime: str = "image/png") -> str:
    encoded = base64.b64encode(data).decode("ascii")
    return f'<img src="data:{mime};base64,{encoded}" alt="">'


def pictures(all_data: Iterable[bytes]) -> str:
    return f'<div class="pictures">{"".join(map(picture, all_data))}</div>'


def signs(all_emoji: Iterable[str]) -> str:
    """Draw reactions to a message."""
    return "".join(f'<span class="sign">{escape(emoji)}</span>' for emoji in all_emoji)


def file_card(name: str, size: int) -> str:
    return (
        f'<div class="file"><span>📄</span><div><b>{escape(name)}</b>'
        f"<small>{size:,} bytes</small></div></div>"
    )


def button(label: str, style: str = "") -> str:
    return f'<span class="button {style}">{escape(label)}</span>'


def button_row(buttons: Iterable[str]) -> str:
    return f'<div class="buttons">{"".join(buttons)}</div>'


def link(address: str, inside: str) -> str:
    """Show where a link leads without leading there: the page is only to be looked at."""
    return f'<a title="{escape(address)}">{inside}</a>'


def code_block(code: str, language: str = "") -> str:
    head = f"<i>{escape(language)}</i>" if language else ""
    return f"<pre>{head}{escape(code)}</pre>"
