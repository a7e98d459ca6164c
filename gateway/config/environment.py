"""`${NAME}` in a value, read from the environment."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.errors import ConfigInvalid

_REFERENCE = re.compile(r"\$(\$\{)|\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

SettingPath = tuple[str | int, ...]
"""The names that lead to a setting, outermost first."""


class Borrowed(str):
    """Text that came from the environment, wholly or in part: not to be shown to anyone."""

    __slots__ = ()


class Expansion:
    """Expands a document, noting what could not be expanded and which values it put in."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[ConfigInvalid] = []
        self.used: dict[str, str] = {}
        """Variables that were read, and their values."""

    def expand(self, value: Any, path: SettingPath = ()) -> Any:
        """Return `value` with every reference in it replaced; `$${` stands for `${`."""
        if isinstance(value, dict):
            return {name: self.expand(inner, (*path, name)) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.expand(inner, (*path, place)) for place, inner in enumerate(value)]
        if isinstance(value, str):
            text = _REFERENCE.sub(lambda found: self._replace(found, path), value)
            return Borrowed(text) if _borrows(value) else text
        return value

    def _replace(self, found: re.Match[str], path: SettingPath) -> str:
        if found[1]:
            return "${"
        name = found[2]
        value = self._environ.get(name, "")
        if value:
            self.used[name] = value
        elif _NAME.fullmatch(name):
            self._refuse(path, f"the environment variable {name} is not set or empty")
        else:
            self._refuse(path, f"`{found[0]}` must name an environment variable")
        return value

    def _refuse(self, path: SettingPath, words: str) -> None:
        self.problems.append(ConfigInvalid(dotted(path), words))


def _borrows(written: str) -> bool:
    return any(found[1] is None for found in _REFERENCE.finditer(written))


def dotted(path: SettingPath) -> str:
    return ".".join(str(step) for step in path)
