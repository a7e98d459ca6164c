"""`reply_markup`, checked as the real server checks it.

Facts: https://core.telegram.org/bots/api#inlinekeyboardmarkup
"""

from typing import Any

from tests.fakes.telegram.refusal import bad_request

_ACTIONS = frozenset({
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
})
_STYLES = ("danger", "success", "primary")
_PER_ROW = 8
_IN_ALL = 100
_DATA_BYTES = 64

Keyboard = list[list[dict[str, Any]]]


def inline_keyboard(markup: Any) -> Keyboard | None:
    """Return the checked rows of an inline keyboard; other markups are only looked at."""
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" not in markup:
        return None
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request("can't parse inline keyboard: expected an Array of Arrays")
    keyboard = [[_button(button) for button in row] for row in rows if row]
    count = sum(len(row) for row in keyboard)
    if count > _IN_ALL or any(len(row) > _PER_ROW for row in keyboard):
        raise bad_request("reply markup is too long")
    return keyboard or None


def _button(button: Any) -> dict[str, Any]:
    if not isinstance(button, dict) or "text" not in button:
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    if not button["text"]:
        raise bad_request("inline keyboard button text is empty")
    actions = [name for name in button if name in _ACTIONS]
    if len(actions) != 1:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if button.get("style") not in {None, *_STYLES}:
        raise bad_request("can't parse inline keyboard button: invalid button style specified")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= _DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    url = button.get("url")
    if url is not None and not str(url).startswith(("http://", "https://", "tg://")):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    return button
