"""Tool calls in a few words, for the lines that people see. Pure."""

import json
from typing import Any

_INPUT = 80
_RESULT = 80
_ERROR = 120


def summarize_input(arguments: dict[str, Any]) -> str:
    """Show the path a call is about, or else its first words."""
    words = [value for value in arguments.values() if isinstance(value, str)]
    path = arguments.get("path")
    if isinstance(path, str):
        return _one_line(path, _INPUT)
    if words:
        return _one_line(words[0], _INPUT)
    return _one_line(json.dumps(arguments), _INPUT) if arguments else ""


def summarize_result(text: str) -> str:
    """Show a short result whole, and of any other only its size."""
    lines = text.strip().splitlines()
    if len(lines) > 1:
        return f"{len(lines)} lines"
    line = lines[0] if lines else ""
    return line if len(line) <= _RESULT else f"{len(line)} characters"


def summarize_error(text: str) -> str:
    return _one_line(text.strip().partition("\n")[0], _ERROR)


def _one_line(text: str, limit: int) -> str:
    # No more than this can matter, and an argument may be a whole file.
    line = " ".join(text[: 4 * limit].split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
