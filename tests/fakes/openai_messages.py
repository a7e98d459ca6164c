"""How the messages of a chat completion must fit together.

Facts: https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages
"""

import base64
import binascii
import re
from typing import Any

from tests.fakes.model import Rejected
from tests.fakes.openai_values import check_array, check_string, missing

_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
_PARTS = {
    "user": ("text", "image_url", "input_audio", "file"),
    "assistant": ("text", "refusal"),
    "system": ("text",),
    "developer": ("text",),
    "tool": ("text",),
    "function": ("text",),
}
_IMAGE_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")


def check_messages(messages: Any) -> None:
    if messages is None:
        raise missing("messages")
    check_array(messages, "messages")
    waiting: list[str] = []
    for index, message in enumerate(messages):
        _check_role(message, index)
        if message["role"] == "tool":
            waiting = _answered(message, index, waiting)
        elif waiting:
            raise _unanswered(waiting, index)
        _check_content(message, index)
        if message["role"] == "assistant":
            waiting = _calls(message, index)
    if waiting:
        raise _unanswered(waiting, len(messages))


def _check_role(message: Any, index: int) -> None:
    role = message.get("role") if isinstance(message, dict) else None
    if role is None:
        raise missing(f"messages[{index}].role")
    if role not in _ROLES:
        raise Rejected(
            f"Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', "
            "'function', 'tool', and 'developer'.",
            param=f"messages[{index}].role",
            code="invalid_value",
        )


def _answered(message: dict[str, Any], index: int, waiting: list[str]) -> list[str]:
    called = message.get("tool_call_id")
    if called is None:
        raise Rejected(
            "Missing parameter 'tool_call_id': messages with role 'tool' must have a "
            "'tool_call_id'.",
            param=f"messages.[{index}].tool_call_id",
        )
    if not waiting:
        raise Rejected(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
            "message with 'tool_calls'.",
            param=f"messages.[{index}].role",
        )
    if called not in waiting:
        raise Rejected(
            f"Invalid parameter: 'tool_call_id' of '{called}' not found in 'tool_calls' of "
            "previous message.",
            param=f"messages.[{index}].tool_call_id",
        )
    return [one for one in waiting if one != called]


def _unanswered(waiting: list[str], index: int) -> Rejected:
    return Rejected(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        + ", ".join(waiting),
        param=f"messages.[{index}].role",
    )


def _calls(message: dict[str, Any], index: int) -> list[str]:
    calls = message.get("tool_calls")
    if calls is None:
        return []
    where = f"messages[{index}].tool_calls"
    check_array(calls, where)
    for number, one in enumerate(calls):
        _check_call(one, f"{where}[{number}]")
    return [one["id"] for one in calls]


def _check_call(one: Any, where: str) -> None:
    for name in ("id", "type", "function"):
        if not isinstance(one, dict) or name not in one:
            raise missing(f"{where}.{name}")
    check_string(one["id"], f"{where}.id", longest=40)
    check_string(one["function"].get("name"), f"{where}.function.name", longest=64)
    check_string(one["function"].get("arguments"), f"{where}.function.arguments")


def _check_content(message: dict[str, Any], index: int) -> None:
    content = message.get("content")
    may_be_empty = message["role"] == "assistant" and (
        message.get("tool_calls") or message.get("refusal") or message.get("function_call")
    )
    if content is None:
        if may_be_empty:
            return
        raise Rejected(
            "Invalid value for 'content': expected a string, got null.",
            param=f"messages.[{index}].content",
        )
    if isinstance(content, str):
        return
    check_array(content, f"messages[{index}].content")
    for number, part in enumerate(content):
        _check_part(part, message["role"], f"messages[{index}].content[{number}]")


def _check_part(part: Any, role: str, where: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "image_url" and role != "user":
        raise Rejected(
            "Image URLs are only allowed for messages with role 'user', but this message with "
            f"role '{role}' contains an image URL.",
            param=where.partition(".")[0],
            code="invalid_value",
        )
    if kind not in _PARTS[role]:
        raise Rejected(
            f"Invalid value: '{kind}'. Supported values are: "
            + ", ".join(f"'{name}'" for name in _PARTS[role])
            + ".",
            param=f"{where}.type",
            code="invalid_value",
        )
    if kind == "text":
        check_string(part.get("text"), f"{where}.text")
    elif kind == "image_url":
        _check_image(part.get("image_url"), where)
    elif kind == "file":
        _check_file(part.get("file"), where)


def _check_image(image: Any, where: str) -> None:
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str):
        raise Rejected(
            f"Invalid type for '{where}.image_url': expected an object, but got a string instead.",
            param=f"{where}.image_url",
            code="invalid_type",
        )
    if url.startswith(("http://", "https://")):
        return
    head, _, data = url.partition(",")
    if not re.fullmatch(r"data:image/(png|jpeg|jpg|gif|webp);base64", head):
        raise Rejected(
            "You uploaded an unsupported image. Please make sure your image has of one the "
            "following formats: ['png', 'jpeg', 'gif', 'webp'].",
            code="invalid_image_format",
        )
    if not _decoded(data).startswith(_IMAGE_STARTS):
        raise Rejected(
            "You uploaded an unsupported image. Please make sure your image is valid.",
            code="image_parse_error",
        )


def _check_file(file: Any, where: str) -> None:
    if not isinstance(file, dict) or not (file.get("file_id") or file.get("file_data")):
        raise missing(f"{where}.file.file_id")
    if file.get("file_id"):
        return
    head, comma, data = file["file_data"].partition(",")
    if head != "data:application/pdf;base64" or not comma:
        raise Rejected(
            f"Invalid '{where}.file.file_data'. Expected a base64-encoded data URL with an "
            "application/pdf MIME type (e.g. 'data:application/pdf;base64,aW1nIGJ5dGVzIGhlcmU=')"
            f", but got '{head[:40]}'.",
            param=f"{where}.file.file_data",
            code="invalid_value",
        )
    if not file.get("filename"):
        raise missing(f"{where}.file.filename")
    _decoded(data)


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise Rejected("Invalid base64 data.", code="invalid_base64") from None
