"""How the messages of an Anthropic request must fit together.

Facts: https://docs.anthropic.com/en/docs/build-with-claude/tool-use and
https://docs.anthropic.com/en/docs/build-with-claude/vision
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from tests.fakes.anthropic_values import (
    check_list,
    check_object,
    check_pattern,
    decoded,
    forbid_others,
    require,
)
from tests.fakes.model import Rejected

_ROLES = ("user", "assistant", "system")
_BLOCK_FIELDS = {
    "text": {"text", "citations"},
    "image": {"source", "transformations"},
    "document": {"source", "citations", "context", "title"},
    "tool_use": {"id", "name", "input", "caller", "toolset_name"},
    "tool_result": {"tool_use_id", "content", "is_error", "toolset_name"},
    "thinking": {"thinking", "signature"},
    "redacted_thinking": {"data"},
}
_ALLOWED = {
    "user": ("text", "image", "document", "tool_result"),
    "assistant": ("text", "tool_use", "thinking", "redacted_thinking"),
    "system": ("text",),
}
_IN_RESULTS = ("text", "image", "document")
_IMAGES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}
_IMAGE_BYTES = 5_242_880


def signature(thought: str) -> str:
    """Sign a thought as the server does, so that it knows its own again."""
    return sha256(f"signed {thought}".encode()).hexdigest()


def check_messages(messages: Any, *, has_tools: bool) -> None:
    """Raise `Rejected` unless these messages may follow one another."""
    if not check_list(messages, "messages"):
        raise Rejected("messages: at least one message is required")
    for index, message in enumerate(messages):
        _check_message(check_object(message, f"messages.{index}"), index, len(messages))
    if messages[0]["role"] != "user":
        raise Rejected('messages: first message must use the "user" role')
    if messages[-1]["role"] == "assistant":
        raise Rejected(
            "This model does not support assistant message prefill. The conversation must end "
            "with a user message."
        )
    turns = _turns(messages)
    uses = [one for _, content in turns for one in content if one["type"] == "tool_use"]
    if uses and not has_tools:
        raise Rejected(
            "Requests which include `tool_use` or `tool_result` blocks must define tools"
        )
    if len({one["id"] for one in uses}) < len(uses):
        raise Rejected("messages: `tool_use` ids must be unique")
    _check_pairs(turns)


def _check_message(message: dict[str, Any], index: int, count: int) -> None:
    where = f"messages.{index}"
    forbid_others(message, {"role", "content"}, f"{where}.")
    role, content = require(message, "role", f"{where}."), require(message, "content", f"{where}.")
    if role not in _ROLES:
        raise Rejected(f"{where}.role: Input should be 'user', 'assistant' or 'system'")
    if not content and index < count - 1:
        raise Rejected(
            f"{where}: all messages must have non-empty content except for the optional final "
            "assistant message"
        )
    if not content:
        raise Rejected(f"{where}: {role} messages must have non-empty content")
    if isinstance(content, str):
        _check_text(content, "messages")
    else:
        check_blocks(check_list(content, f"{where}.content"), f"{where}.content", _ALLOWED[role])


def check_blocks(blocks: list[Any], where: str, allowed: Sequence[str]) -> None:
    """Check content blocks; `allowed` are the types this place takes."""
    for index, block in enumerate(blocks):
        _check_block(check_object(block, f"{where}.{index}"), f"{where}.{index}", allowed)


def _check_block(block: dict[str, Any], where: str, allowed: Sequence[str]) -> None:
    kind = require(block, "type", f"{where}.")
    if kind not in _BLOCK_FIELDS:
        raise Rejected(
            f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected "
            f"tags: {', '.join(repr(name) for name in _BLOCK_FIELDS)}"
        )
    if kind not in allowed:
        raise Rejected(f"{where}: `{kind}` blocks are not allowed here")
    marks = set() if "thinking" in kind else {"cache_control"}
    forbid_others(block, {"type", *_BLOCK_FIELDS[kind], *marks}, f"{where}.{kind}.")
    match kind:
        case "text":
            _check_text(require(block, "text", f"{where}.text."), where.partition(".")[0])
        case "image":
            _check_image(require(block, "source", f"{where}.image."), f"{where}.image.source")
        case "document":
            source = require(block, "source", f"{where}.document.")
            _check_document(source, f"{where}.document.source")
        case "tool_use" | "tool_result" | "thinking":
            _CHECKS[kind](block, f"{where}.{kind}.")


def _check_text(text: Any, where: str) -> None:
    if not isinstance(text, str):
        raise Rejected(f"{where}: Input should be a valid string")
    if not text:
        raise Rejected(f"{where}: text content blocks must be non-empty")
    if not text.strip():
        raise Rejected(f"{where}: text content blocks must contain non-whitespace text")


def _check_use(block: dict[str, Any], where: str) -> None:
    check_pattern(require(block, "id", where), "[a-zA-Z0-9_-]+", f"{where}id")
    check_pattern(require(block, "name", where), "[a-zA-Z0-9_-]{1,200}", f"{where}name")
    check_object(require(block, "input", where), f"{where}input")


def _check_result(block: dict[str, Any], where: str) -> None:
    check_pattern(require(block, "tool_use_id", where), "[a-zA-Z0-9_-]+", f"{where}tool_use_id")
    content = block.get("content", "")
    if not isinstance(content, str):
        check_blocks(check_list(content, f"{where}content"), f"{where}content", _IN_RESULTS)


def _check_thinking(block: dict[str, Any], where: str) -> None:
    thought = require(block, "thinking", where)
    if require(block, "signature", where) != signature(thought):
        raise Rejected(
            f"{where.rpartition('.thinking.')[0]}: Invalid `signature` in `thinking` block"
        )


_CHECKS = {"tool_use": _check_use, "tool_result": _check_result, "thinking": _check_thinking}


def _check_image(source: Any, where: str) -> None:
    kind = require(check_object(source, where), "type", f"{where}.")
    if kind != "base64":
        if kind not in {"url", "file"}:
            raise Rejected(f"{where}: Input tag '{kind}' found using 'type' does not match any")
        return
    media = require(source, "media_type", f"{where}.base64.")
    if media not in _IMAGES:
        raise Rejected(
            f"{where}.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' "
            "or 'image/webp'"
        )
    raw = decoded(require(source, "data", f"{where}.base64."), f"{where}.base64")
    if len(raw) > _IMAGE_BYTES:
        raise Rejected(
            f"{where}.base64: image exceeds 5 MB maximum: {len(raw)} bytes > {_IMAGE_BYTES} bytes"
        )
    real = next((name for name, start in _IMAGES.items() if raw.startswith(start)), None)
    if real is None:
        raise Rejected("Could not process image")
    if real != media:
        raise Rejected(
            f"{where}: The image was specified using the {media} media type, but the image "
            f"appears to be a {real} image"
        )


def _check_document(source: Any, where: str) -> None:
    kind = require(check_object(source, where), "type", f"{where}.")
    media = source.get("media_type")
    if kind == "base64":
        if media != "application/pdf":
            raise Rejected(f"{where}.base64.media_type: Input should be 'application/pdf'")
        if not decoded(source.get("data"), f"{where}.base64").startswith(b"%PDF"):
            raise Rejected(f"{where}.base64.data: The PDF specified was not valid.")
    elif kind == "text":
        if media != "text/plain":
            raise Rejected(f"{where}.text.media_type: Input should be 'text/plain'")
        _check_text(source.get("data"), f"{where}.text.data")
    elif kind not in {"url", "file", "content"}:
        raise Rejected(f"{where}: Input tag '{kind}' found using 'type' does not match any")


_Turn = tuple[str, list[dict[str, Any]]]


def _turns(messages: list[dict[str, Any]]) -> list[_Turn]:
    """Join consecutive messages of one role, as the server does."""
    turns: list[_Turn] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if turns and turns[-1][0] == message["role"]:
            turns[-1][1].extend(blocks)
        else:
            turns.append((message["role"], list(blocks)))
    return turns


def _check_pairs(turns: list[_Turn]) -> None:
    called: set[str] = set()
    for index, (_, content) in enumerate(turns):
        given = [one["tool_use_id"] for one in content if one["type"] == "tool_result"]
        for name in given:
            if name not in called:
                raise Rejected(
                    f"messages.{index}.content.0: unexpected `tool_use_id` found in "
                    f"`tool_result` blocks: {name}. Each `tool_result` block must have a "
                    "corresponding `tool_use` block in the previous message."
                )
        if len(set(given)) < len(given):
            raise Rejected(
                f"messages.{index}.content: each tool_use must have a single result. Found "
                f"multiple `tool_result` blocks with id: {given[-1]}"
            )
        missing = called - _leading_results(content)
        if missing:
            raise Rejected(
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(sorted(missing))}. Each `tool_use` block must "
                "have a corresponding `tool_result` block in the next message."
            )
        called = {one["id"] for one in content if one["type"] == "tool_use"}


def _leading_results(content: list[dict[str, Any]]) -> set[str]:
    found: set[str] = set()
    for block in content:
        if block["type"] != "tool_result":
            break
        found.add(block["tool_use_id"])
    return found
