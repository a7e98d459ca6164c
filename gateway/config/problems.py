"""What is wrong with a value, in words for the person who wrote it."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from gateway.config.environment import Borrowed, SettingPath, dotted
from gateway.errors import ConfigInvalid
from gateway.settings import UNITS

_SHOWN_AT_MOST = 24
"""Characters of a wrong value that are shown: real tokens and keys are longer."""

_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda _: "must be set",
    "bool_parsing": lambda _: "must be true or false",
    "bool_type": lambda _: "must be true or false",
    "dict_type": lambda _: "must be a mapping of names to settings",
    "float_parsing": lambda _: "must be a number",
    "float_type": lambda _: "must be a number",
    "greater_than": lambda known: f"must be above {known['gt']}",
    "greater_than_equal": lambda known: f"must be at least {known['ge']}",
    "int_from_float": lambda _: "must be a whole number",
    "int_parsing": lambda _: "must be a whole number",
    "int_type": lambda _: "must be a whole number",
    "less_than": lambda known: f"must be less than {known['lt']}",
    "less_than_equal": lambda known: f"must be at most {known['le']}",
    "literal_error": lambda known: "must be " + known["expected"].replace("'", ""),
    "model_type": lambda _: "must be a mapping of settings",
    "path_type": lambda _: "must be a path",
    "string_type": lambda _: "must be text (put it in quotes)",
    "tuple_type": lambda _: "must be a list",
    "value_error": lambda known: str(known["error"]),
}


def problems_of(
    error: ValidationError, model: type[BaseModel], written: object, at: SettingPath = ()
) -> list[ConfigInvalid]:
    """Turn a model's complaints about `written`, found at `at`, into one line for each path."""
    found: dict[SettingPath, ConfigInvalid] = {}
    for details in error.errors(include_url=False):
        path = _path_as_written(details["loc"], written)
        problem = ConfigInvalid(dotted((*at, *path)), _describe(details, model, path))
        found.setdefault(path, problem)
    # A value that fits no form of a union is refused once for each: the deepest path is
    # about the form that its writer meant.
    return [
        problem
        for path, problem in found.items()
        if not any(other[: len(path)] == path != other for other in found)
    ]


def all_in_one(problems: Iterable[ConfigInvalid]) -> ConfigInvalid:
    """Return one error that lists them all, a line each; only the first of each path."""
    first = list({problem.path: problem for problem in reversed(list(problems))}.values())[::-1]
    return first[0] if len(first) == 1 else ConfigInvalid("", "\n".join(map(str, first)))


def suggest(name: str, known: Sequence[str]) -> str:
    """Return the known name that was probably meant, or all of them."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}"


def _describe(details: ErrorDetails, model: type[BaseModel], path: SettingPath) -> str:
    if details["type"] == "extra_forbidden":
        fields = sorted(_model_at(model, path[:-1]).model_fields)
        return f"is no setting; {suggest(str(path[-1]), fields)}"
    if details["type"] == "greater_than" and _holds(model, path, int):
        return f"must be at least {details['ctx']['gt'] + 1}{_shown(details, model, path)}"
    words = _WORDS.get(details["type"])
    known = {name: _as_written(bound, details) for name, bound in details.get("ctx", {}).items()}
    text = words(known) if words else _lower_first(details["msg"])
    return f"{text}{_shown(details, model, path)}"


def _as_written(bound: object, details: ErrorDetails) -> object:
    """Put the bound of a duration in the days, hours or minutes in which it was written."""
    written = str(details["input"]).strip()[-1:]
    size = UNITS.get(written, 1)
    return f"{bound / size:g}{written}" if size > 1 and isinstance(bound, int | float) else bound


def _shown(details: ErrorDetails, model: type[BaseModel], path: SettingPath) -> str:
    """Quote the wrong value, unless it is or may be a secret."""
    value = details["input"]
    if details["type"] == "missing" or _holds(model, path, SecretStr):
        return ""
    if value is None:
        return " (got nothing)"
    if isinstance(value, str):
        is_fit = len(value) <= _SHOWN_AT_MOST and not isinstance(value, Borrowed)
        return f" (got `{value}`)" if is_fit else ""
    return f" (got {value})" if isinstance(value, (int, float)) else ""


def _path_as_written(loc: Iterable[str | int], written: object) -> SettingPath:
    """Drop the steps that only name a form of a union; keep a missing last one."""
    path: list[str | int] = []
    steps = list(loc)
    for place, step in enumerate(steps):
        inside = isinstance(written, dict) and step in written
        if inside or (isinstance(written, list) and isinstance(step, int)):
            written = written[step]  # type: ignore[index] # it is one of the two
            path.append(step)
        elif place == len(steps) - 1 and isinstance(written, dict) and "[" not in str(step):
            path.append(step)
    return tuple(path)


def _model_at(model: type[BaseModel], path: SettingPath) -> type[BaseModel]:
    for step in path:
        if (field := model.model_fields.get(str(step))) is not None:
            model = next(_inside(field.annotation, BaseModel), model)
    return model


def _holds(model: type[BaseModel], path: SettingPath, kind: type) -> bool:
    """Tell whether the setting at `path` may be of this kind."""
    parent = _model_at(model, path[:-1])
    field = parent.model_fields.get(str(path[-1])) if path else None
    return field is not None and any(_inside(field.annotation, kind))


def _inside(annotation: Any, kind: type) -> Iterator[Any]:
    """Return the classes of a kind that an annotation is made of."""
    if isinstance(annotation, type) and issubclass(annotation, kind):
        yield annotation
    for argument in get_args(annotation):
        yield from _inside(argument, kind)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
