"""Writes a prompt as Anthropic's messages want it; pure.

https://docs.anthropic.com/en/api/messages; three cache breakpoints: after the tools, after the
system prompt, after the newest message.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.contracts.provider import ToolSpec
from gateway.providers.files import Document, Picture, Shown
from gateway.providers.history import NO_OUTPUT, Answered, Asked, Round
from gateway.providers.prompt import Prompt
from gateway.transcript import FileBlock, TextBlock, ToolCall, ToolResultEntry

_UP_TO_HERE = {"cache_control": {"type": "ephemeral"}}

Message = dict[str, Any]
ContentBlock = dict[str, Any]


def messages_body(
    prompt: Prompt, *, limit: int, echoes: Mapping[str, list[ContentBlock]]
) -> dict[str, Any]:
    """Return the whole request; `echoes` are answers word for word, by their first call."""
    body: dict[str, Any] = {
        "model": prompt.model,
        "max_tokens": limit,
        "messages": messages(prompt.rounds, prompt.shown, echoes),
        "stream": True,
    }
    if prompt.system.strip():
        body["system"] = [{**_text(prompt.system), **_UP_TO_HERE}]
    if prompt.tools:
        tools = [_tool(tool) for tool in prompt.tools]
        body["tools"] = [*tools[:-1], {**tools[-1], **_UP_TO_HERE}]
    return body


def messages(
    rounds: Iterable[Round],
    shown: Mapping[FileBlock, Shown],
    echoes: Mapping[str, list[ContentBlock]],
) -> list[Message]:
    """Return messages that alternate; the last block of all is marked for the cache."""
    written: list[Message] = []
    for one in rounds:
        match one:
            case Asked():
                _add(written, "user", _asked(one, shown))
            case Answered():
                _add(written, "assistant", _answered(one, echoes))
                _add(written, "user", [_result(result) for result in one.results])
    content = written[-1]["content"]
    content[-1] = {**content[-1], **_UP_TO_HERE}
    return written


def _add(written: list[Message], role: str, content: list[ContentBlock]) -> None:
    if written and written[-1]["role"] == role:
        written[-1]["content"] += content
    elif content:
        written.append({"role": role, "content": content})


def _asked(asked: Asked, shown: Mapping[FileBlock, Shown]) -> list[ContentBlock]:
    content: list[ContentBlock] = []
    for block in asked.blocks:
        if isinstance(block, TextBlock):
            content.append(_text(block.text))
            continue
        file = shown[block]
        content.append(_text(file.words))
        if file.media is not None:
            content.append(_media(file.media))
    return content


def _answered(answered: Answered, echoes: Mapping[str, list[ContentBlock]]) -> list[ContentBlock]:
    echo = echoes.get(answered.calls[0].call_id) if answered.calls else None
    if echo is not None:
        return list(echo)
    said = [_text(answered.text)] if answered.text.strip() else []
    return [*said, *(_call(call) for call in answered.calls)]


def _text(text: str) -> ContentBlock:
    return {"type": "text", "text": text}


def _media(media: Picture | Document) -> ContentBlock:
    match media:
        case Picture(mime, data):
            source = {"type": "base64", "media_type": mime, "data": data}
            return {"type": "image", "source": source}
        case Document(name, data):
            source = {"type": "base64", "media_type": "application/pdf", "data": data}
            return {"type": "document", "source": source, "title": name}


def _call(call: ToolCall) -> ContentBlock:
    return {"type": "tool_use", "id": call.call_id, "name": call.tool, "input": call.arguments}


def _result(result: ToolResultEntry) -> ContentBlock:
    text = result.text if result.text.strip() else NO_OUTPUT
    block: ContentBlock = {
        "type": "tool_result",
        "tool_use_id": result.call_id,
        "content": text,
    }
    return {**block, "is_error": True} if result.is_error else block


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": tool.parameters,
    }
