"""Checks of single values, in the words of the Anthropic API."""

import base64
import binascii
import re
from collections.abc import Collection
from typing import Any

from tests.fakes.model import Rejected


def require(value: dict[str, Any], name: str, where: str = "") -> Any:
    if name not in value:
        raise Rejected(f"{where}{name}: Field required")
    return value[name]


def forbid_others(value: dict[str, Any], known: Collection[str], where: str = "") -> None:
    for name in value:
        if name not in known:
            raise Rejected(f"{where}{name}: Extra inputs are not permitted")


def check_pattern(value: Any, pattern: str, where: str) -> None:
    if not isinstance(value, str):
        raise Rejected(f"{where}: Input should be a valid string")
    if not re.fullmatch(pattern, value):
        raise Rejected(f"{where}: String should match pattern '^{pattern}$'")


def check_object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Rejected(f"{where}: Input should be a valid dictionary")
    return value


def check_list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise Rejected(f"{where}: Input should be a valid list")
    return value


def decoded(data: Any, where: str) -> bytes:
    if not isinstance(data, str):
        raise Rejected(f"{where}: Input should be a valid string")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise Rejected(f"{where}: invalid base64 data") from None
