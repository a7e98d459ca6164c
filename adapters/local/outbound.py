"""What the terminal shows of a message: text that cannot play tricks, numbered choices."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from gateway.messages import Choice, OutgoingFile, OutgoingMessage

_TRICKS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LONGEST_NAME = 60
"""Characters: in four bytes each they still fit what file systems take."""
_LONGEST_ENDING = 10


def show_text(text: str) -> str:
    """Drop what would move the cursor, change colours or reorder what is read."""
    return _TRICKS.sub("", text).expandtabs(4)


def show_message(message: OutgoingMessage) -> str:
    """Return the message as Markdown, with its choices as a numbered list.

    While it grows there are none: they come and go, and Ctrl-C stops what is running.
    """
    if message.is_growing:
        return show_text(message.text)
    hint = "*Type a number to choose.*" if message.choices else ""
    return "\n\n".join(filter(None, (show_text(message.text), _list(message.choices), hint)))


def file_name(file: OutgoingFile) -> str:
    """Return a name to save a file under: no directories, nothing hidden, not too long."""
    shown = show_text(PurePath(file.name.replace("\\", "/")).name)
    path = PurePath(" ".join(shown.split()).strip(" .") or "file")
    ending = path.suffix[:_LONGEST_ENDING]
    return f"{path.stem[: _LONGEST_NAME - len(ending)]}{ending}"


def show_size(size: int) -> str:
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:  # noqa: PLR2004 - a kilo is a thousand
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _list(choices: Sequence[Choice]) -> str:
    return "\n".join(
        f"{number}. {show_text(choice.label)}" for number, choice in enumerate(choices, 1)
    )
