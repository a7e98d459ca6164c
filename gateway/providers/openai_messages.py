"""Writes a prompt as chat completions want it; pure.

https://platform.openai.com/docs/api-reference/chat/create
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.contracts.provider import ToolSpec
from gateway.providers.files import Document, Picture, Shown
from gateway.providers.history import NO_OUTPUT, Answered, Asked, Round
from gateway.providers.openai_dialect import Dialect
from gateway.providers.prompt import Prompt
from gateway.transcript import FileBlock, TextBlock, ToolCall, ToolResultEntry


def chat_body(prompt: Prompt, dialect: Dialect, *, limit: int) -> dict[str, Any]:
    """Return the whole request."""
    body: dict[str, Any] = {
        "model": prompt.model,
        "messages": list(chat_messages(prompt.system, prompt.rounds, prompt.shown)),
        "stream": True,
    }
    for field in dialect.limit_fields[:1]:
        body[field] = limit
    if dialect.with_usage:
        body["stream_options"] = {"include_usage": True}
    if dialect.with_cache_key:
        body["prompt_cache_key"] = _cache_key(prompt.session)
    if prompt.tools and dialect.with_tools:
        body["tools"] = [_tool(tool) for tool in prompt.tools]
        if dialect.effort is not None:
            body["reasoning_effort"] = dialect.effort
    return body


def chat_messages(
    system: str, rounds: Iterable[Round], shown: Mapping[FileBlock, Shown]
) -> Iterator[dict[str, Any]]:
    if system.strip():
        yield {"role": "system", "content": system}
    for one in rounds:
        match one:
            case Asked():
                yield {"role": "user", "content": _user_content(one, shown)}
            case Answered(calls=()):
                yield {"role": "assistant", "content": one.text}
            case Answered():
                yield {
                    "role": "assistant",
                    "content": one.text if one.text.strip() else None,
                    "tool_calls": [_call(call) for call in one.calls],
                }
                yield from map(_result, one.results)


def _user_content(asked: Asked, shown: Mapping[FileBlock, Shown]) -> str | list[dict[str, Any]]:
    """Return plain text where it is all there is: every server takes that."""
    texts: list[str] = []
    parts: list[dict[str, Any]] = []
    for block in asked.blocks:
        if isinstance(block, TextBlock):
            texts.append(block.text)
            continue
        file = shown[block]
        texts.append(file.words)
        if file.media is not None:
            parts += [_text("\n\n".join(texts)), _media(file.media)]
            texts = []
    if not parts:
        return "\n\n".join(texts)
    return [*parts, _text("\n\n".join(texts))] if texts else parts


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _media(media: Picture | Document) -> dict[str, Any]:
    match media:
        case Picture(mime, data):
            return {"type": "image_url", "image_url": {"url": f"data:{mime};base64,{data}"}}
        case Document(name, data):
            content = f"data:application/pdf;base64,{data}"
            return {"type": "file", "file": {"filename": name, "file_data": content}}


def _call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {
        "id": call.call_id,
        "type": "function",
        "function": {"name": call.tool, "arguments": arguments},
    }


def _result(result: ToolResultEntry) -> dict[str, Any]:
    text = result.text if result.text.strip() else NO_OUTPUT
    content = f"Error: {text}" if result.is_error else text
    return {"role": "tool", "tool_call_id": result.call_id, "content": content}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    }


def _cache_key(session: str) -> str:
    """Name a session to the server without naming anybody in it."""
    return hashlib.sha256(session.encode()).hexdigest()
