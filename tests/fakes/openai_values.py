"""Checks of single values, in the words of the OpenAI API."""

from typing import Any

from tests.fakes.model import Rejected


def check_string(value: Any, where: str, longest: int | None = None) -> None:
    if not isinstance(value, str):
        raise Rejected(
            f"Invalid type for '{where}': expected a string, but got {_kind(value)} instead.",
            param=where,
            code="invalid_type",
        )
    if longest is not None and len(value) > longest:
        raise Rejected(
            f"Invalid '{where}': string too long. Expected a string with maximum length "
            f"{longest}, but got a string with length {len(value)} instead.",
            param=where,
            code="string_above_max_length",
        )


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", type(None): "null", bool: "a boolean"}
    return names.get(type(value), "a number")


def check_array(value: Any, where: str) -> None:
    if not isinstance(value, list):
        raise Rejected(
            f"Invalid type for '{where}': expected an array of objects, but got "
            f"{'a string' if isinstance(value, str) else _kind(value)} instead.",
            param=where,
            code="invalid_type",
        )
    if not value:
        raise Rejected(
            f"Invalid '{where}': empty array. Expected an array with minimum length 1, but got "
            "an empty array instead.",
            param=where,
            code="empty_array",
        )


def missing(where: str) -> Rejected:
    return Rejected(
        f"Missing required parameter: '{where}'.", param=where, code="missing_required_parameter"
    )
