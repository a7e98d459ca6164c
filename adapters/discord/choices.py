"""Choices as buttons: what a button says of itself survives a restart. Pure.

Facts: https://discord.com/developers/docs/components/reference#button
"""

from collections.abc import Sequence
from typing import Any

from gateway.messages import Choice

CHOICES_AT_MOST = 25
_IN_A_ROW = 5
_LABEL_LIMIT = 80
_GREY, _RED = 2, 4
_ROW, _BUTTON = 1, 2
_GROWING, _SETTLED = "g", "c"


def buttons(choices: Sequence[Choice], *, is_growing: bool) -> list[dict[str, Any]]:
    """Return rows of buttons; each knows its place, as no two may have one `custom_id`."""
    kind = _GROWING if is_growing else _SETTLED
    made = [
        {
            "type": _BUTTON,
            "style": _RED if choice.is_danger else _GREY,
            "label": _shortened(choice.label),
            "custom_id": f"{kind}{number}:{choice.value}",
        }
        for number, choice in enumerate(choices)
    ]
    return [
        {"type": _ROW, "components": made[first : first + _IN_A_ROW]}
        for first in range(0, len(made), _IN_A_ROW)
    ]


def value_of(custom_id: str) -> str:
    return custom_id.partition(":")[2]


def is_of_growing(custom_id: str) -> bool:
    """Say whether the button was on a message that was still being written."""
    return custom_id.startswith(_GROWING)


def label_of(rows: Sequence[dict[str, Any]], custom_id: str) -> str:
    """Return what the pressed button of these rows says."""
    for row in rows:
        for button in row.get("components") or ():
            if button.get("custom_id") == custom_id:
                return str(button.get("label") or "")
    return ""


def _shortened(label: str) -> str:
    return label if len(label) <= _LABEL_LIMIT else f"{label[: _LABEL_LIMIT - 1]}…"
