"""Buttons, menus and the newer layout parts of a message, checked as Discord checks them.

Facts: https://discord.com/developers/docs/components/reference
"""

from collections.abc import Iterator
from typing import Any

from tests.fakes.discord.refusal import Form

Component = dict[str, Any]

ROW, BUTTON, SELECT, TEXT = 1, 2, 3, 10
_SELECTS = frozenset({3, 5, 6, 7, 8})
_LAYOUT = frozenset({9, 10, 11, 12, 13, 14, 17})
_ROWS, _BUTTONS, _OPTIONS = 5, 5, 25
_LONGEST_LABEL, _LONGEST_ID, _LONGEST_PLACEHOLDER = 80, 100, 150
_LINK_STYLE, _STYLES = 5, range(1, 7)
_PARTS_V2, _CHARACTERS_V2 = 40, 4000


def walk(components: list[Component]) -> Iterator[Component]:
    """Give each component and those inside it, in the order in which they are seen."""
    for one in components:
        yield one
        yield from walk(one.get("components") or [])
        if isinstance(one.get("accessory"), dict):
            yield one["accessory"]


def buttons(components: list[Component]) -> Iterator[Component]:
    return (one for one in walk(components) if one.get("type") == BUTTON)


def selects(components: list[Component]) -> Iterator[Component]:
    return (one for one in walk(components) if one.get("type") in _SELECTS)


def texts(components: list[Component]) -> Iterator[str]:
    return (one["content"] for one in walk(components) if one.get("type") == TEXT)


def check_components(form: Form, components: Any, *, is_v2: bool) -> None:
    """Note what is wrong with the components of a body."""
    if not isinstance(components, list):
        form.wrong("components", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if is_v2:
        _check_totals(form, components)
    elif len(components) > _ROWS:
        words = f"Must be {_ROWS} or fewer in length."
        form.wrong("components", "BASE_TYPE_MAX_LENGTH", words)
    check = _Check(form, is_v2=is_v2)
    for number, one in enumerate(components):
        check.top(f"components.{number}", one)


def _check_totals(form: Form, components: list[Component]) -> None:
    if len(list(walk(components))) > _PARTS_V2:
        words = f"Must be {_PARTS_V2} or fewer in length."
        form.wrong("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", words)
    if sum(map(len, texts(components))) > _CHARACTERS_V2:
        words = f"The displayable text size of components exceeds {_CHARACTERS_V2}"
        form.wrong("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", words)


class _Check:
    """One message's components, whose custom ids must differ."""

    def __init__(self, form: Form, *, is_v2: bool) -> None:
        self._form = form
        self._is_v2 = is_v2
        self._ids: set[str] = set()

    def top(self, path: str, component: Any) -> None:
        kind = component.get("type") if isinstance(component, dict) else None
        if kind == ROW:
            self._row(path, component.get("components"))
        elif self._is_v2 and kind in _LAYOUT:
            self._layout(path, component)
        else:
            allowed = "(1,)" if not self._is_v2 else "(1, 9, 10, 12, 13, 14, 17)"
            words = f'Value of field "type" must be one of {allowed}.'
            self._form.wrong(f"{path}.type", "UNION_TYPE_CHOICES", words)

    def _layout(self, path: str, component: Component) -> None:
        if component["type"] == TEXT:
            self._form.length(f"{path}.content", component.get("content"), _CHARACTERS_V2, 1)
        for number, one in enumerate(component.get("components") or []):
            self.top(f"{path}.components.{number}", one)
        accessory = component.get("accessory")
        if isinstance(accessory, dict) and accessory.get("type") == BUTTON:
            self._button(f"{path}.accessory", accessory)

    def _row(self, path: str, parts: Any) -> None:
        if not isinstance(parts, list) or not 1 <= len(parts) <= _BUTTONS:
            words = f"Must be between 1 and {_BUTTONS} in length."
            self._form.wrong(f"{path}.components", "BASE_TYPE_BAD_LENGTH", words)
            return
        if len(parts) > 1 and any(part.get("type") != BUTTON for part in parts):
            words = "A row holds either buttons or one menu"
            self._form.wrong(f"{path}.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", words)
        for number, part in enumerate(parts):
            at = f"{path}.components.{number}"
            if part.get("type") == BUTTON:
                self._button(at, part)
            elif part.get("type") in _SELECTS:
                self._select(at, part)
            else:
                words = 'Value of field "type" must be one of (2, 3, 5, 6, 7, 8).'
                self._form.wrong(f"{at}.type", "UNION_TYPE_CHOICES", words)

    def _button(self, path: str, button: Component) -> None:
        style = button.get("style")
        if style not in _STYLES:
            words = f"Value must be one of {tuple(_STYLES)}."
            self._form.wrong(f"{path}.style", "BASE_TYPE_CHOICES", words)
        self._form.length(f"{path}.label", button.get("label"), _LONGEST_LABEL)
        if not button.get("label") and not button.get("emoji"):
            words = "A button must have a label or emoji"
            self._form.wrong(path, "BUTTON_COMPONENT_MISSING_LABEL", words)
        if style == _LINK_STYLE:
            self._link(path, button)
            return
        if button.get("url") is not None:
            words = "A url may only be given to link buttons"
            self._form.wrong(f"{path}.url", "BUTTON_COMPONENT_URL_NOT_ALLOWED", words)
        self._custom_id(path, button)

    def _link(self, path: str, button: Component) -> None:
        if button.get("custom_id") is not None:
            words = "A custom id and url cannot both be specified"
            self._form.wrong(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", words)
        if not str(button.get("url") or "").startswith(("http://", "https://", "discord://")):
            words = "Scheme must be one of ('http', 'https', 'discord')."
            self._form.wrong(f"{path}.url", "URL_TYPE_INVALID_SCHEME", words)

    def _select(self, path: str, select: Component) -> None:
        self._custom_id(path, select)
        self._form.length(f"{path}.placeholder", select.get("placeholder"), _LONGEST_PLACEHOLDER)
        if select.get("type") != SELECT:
            return
        options = select.get("options")
        if not isinstance(options, list) or not 1 <= len(options) <= _OPTIONS:
            words = f"Must be between 1 and {_OPTIONS} in length."
            self._form.wrong(f"{path}.options", "BASE_TYPE_BAD_LENGTH", words)
            return
        for number, option in enumerate(options):
            at = f"{path}.options.{number}"
            self._form.length(f"{at}.label", option.get("label"), _LONGEST_ID, 1)
            self._form.length(f"{at}.value", option.get("value"), _LONGEST_ID, 1)
            self._form.length(f"{at}.description", option.get("description"), _LONGEST_ID)

    def _custom_id(self, path: str, component: Component) -> None:
        given = component.get("custom_id")
        self._form.length(f"{path}.custom_id", given, _LONGEST_ID, 1)
        if isinstance(given, str) and given in self._ids:
            words = "Component custom id cannot be duplicated"
            self._form.wrong(f"{path}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", words)
        self._ids.add(str(given))
