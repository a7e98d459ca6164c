"""Choices as buttons, and what a message shows once one was pressed. Pure.

A button's data is the value of its choice and has no room for more. Whether a message was
still growing is read off its buttons, which a press brings along: a restart forgets nothing.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from adapters.telegram.entities import utf16_length
from gateway.chat_text import clean
from gateway.messages import Choice

CHOICES_AT_MOST = 24
STOP = "/stop"
"""What alone can be chosen while a message grows."""
_IN_A_ROW = 3
_TEXT_LIMIT = 4096
_LABEL_LIMIT = 64
_COPIED_LIMIT = 256

Json = Mapping[str, Any]
Parameters = dict[str, Any]


def keyboard(choices: Sequence[Choice]) -> Parameters:
    if not choices:
        return {}
    left = map(_button, choices)
    rows = list(iter(lambda: list(islice(left, _IN_A_ROW)), []))
    return {"reply_markup": {"inline_keyboard": rows}}


def _button(choice: Choice) -> Parameters:
    button = {"text": clean(choice.label), "callback_data": choice.value}
    return {**button, "style": "danger"} if choice.is_danger else button


def label_to_settle(press: Json) -> str | None:
    """Return what the pressed button says; None where its message grows or has it no more."""
    rows = press["message"].get("reply_markup", {}).get("inline_keyboard", ())
    buttons = [button for row in rows for button in row]
    if all(button.get("callback_data") == STOP for button in buttons):
        return None
    labels = (one["text"] for one in buttons if one.get("callback_data") == press["data"])
    return next(labels, None)


def is_readable(message: Json) -> bool:
    """Say whether a press has brought its message along: not where it is old or deleted."""
    return bool(message["date"])


def chosen_line(label: str, who: str | None) -> str:
    """Say what was chosen, and by whom where several could have."""
    return "✓ " + " · ".join(" ".join(words.split()) for words in (label, who) if words)


def settled_text(message: Json, line: str) -> Parameters | None:
    """Return the message with a line more and without buttons; None where that has no room."""
    text = message.get("text")
    if not text:
        return None
    start = utf16_length(text) + 2
    length = utf16_length(line)
    if start + length > _TEXT_LIMIT:
        return None
    said = {"type": "italic", "offset": start, "length": length}
    return {
        **_named(message),
        "text": f"{text}\n\n{line}",
        "entities": [*message.get("entities", ()), said],
    }


def settled_keyboard(message: Json, line: str) -> Parameters:
    """Return one button in place of all, which says the line and calls nobody."""
    shown = line if len(line) <= _LABEL_LIMIT else f"{line[: _LABEL_LIMIT - 1]}…"
    button = {"text": shown, "copy_text": {"text": line[:_COPIED_LIMIT]}}
    return {**_named(message), "reply_markup": {"inline_keyboard": [[button]]}}


def without_keyboard(message: Json) -> Parameters:
    return _named(message)


def _named(message: Json) -> Parameters:
    return {"chat_id": message["chat"]["id"], "message_id": message["message_id"]}
