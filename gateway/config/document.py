"""A YAML file as plain data. Refuses duplicate names and the surprises of YAML 1.1."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

from gateway.errors import ConfigInvalid

_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Plain values as YAML 1.2 reads them: `off` is a word, `12:30` no number of minutes."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - as the loader's base class has it

    @override
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen and key.tag != f"{_TAG}merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"`{name}` is set a second time", key.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep=deep)


for _kind, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(rf"(?:{_pattern})\Z"), list(_first))


def read_document(path: Path) -> dict[str, Any]:
    """Return the file's settings as written; an empty file has none.

    Raises:
        ConfigInvalid: with line and column where the file can be read but not understood.
    """
    try:
        document = yaml.load(_read(path), _Loader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.MarkedYAMLError as error:
        raise ConfigInvalid(_position(path, error), error.problem or "is not YAML") from error
    except yaml.YAMLError as error:
        raise ConfigInvalid(str(path), "holds characters that YAML does not allow") from error
    except RecursionError as error:
        raise ConfigInvalid(str(path), "is nested too deeply") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigInvalid(str(path), "must hold settings, as `name: value` on each line")
    return document


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigInvalid(str(path), "there is no such file") from error
    except UnicodeDecodeError as error:
        raise ConfigInvalid(str(path), "is not UTF-8 text") from error
    except OSError as error:
        raise ConfigInvalid(str(path), f"cannot be read ({error.strerror})") from error


def _position(path: Path, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return str(path) if mark is None else f"{path}:{mark.line + 1}:{mark.column + 1}"
