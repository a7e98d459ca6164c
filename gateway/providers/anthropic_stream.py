"""Turns the events of a streamed Anthropic message into parts; pure.

https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from collections.abc import Callable
from typing import Any, Literal

from typing_extensions import override

from gateway.contracts.provider import EndPart, Part, TextPart, ThinkingPart
from gateway.errors import ProviderFailed, ProviderUnavailable
from gateway.providers.calls import GrowingCall, parse_arguments
from gateway.providers.exchange import Answer
from gateway.providers.failures import SAID_NOTHING, TOO_LONG, stream_failure
from gateway.transcript import Usage

_ENDS: dict[str, Literal["finished", "length", "tools", "refused"]] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}
"""Every other reason is a plain end."""

ContentBlock = dict[str, Any]


class MessageAnswer(Answer):
    """One streamed message."""

    def __init__(self, *, limit: int, keep: Callable[[list[ContentBlock]], None]) -> None:
        self.has_begun = False
        self.is_whole = False
        self.is_over = False
        self.size = 0
        self._limit = limit
        self._keep = keep
        self._reason = ""
        self._usage: dict[str, int] = {}
        self._blocks: dict[int, ContentBlock] = {}
        self._calls: dict[int, GrowingCall] = {}
        self._has_text = False

    @override
    def take(self, event: Any) -> list[Part]:
        match event:
            case {"type": "content_block_delta", "index": int(index), "delta": dict(delta)}:
                return self._grow(index, delta)
            case {"type": "content_block_start", "index": int(index), "content_block": dict(block)}:
                return self._begin(index, block)
            case {"type": "message_start", "message": dict(message)}:
                self.has_begun = True
                self._count(message.get("usage"))
            case {"type": "message_delta", "delta": dict(delta)}:
                self._reason = delta.get("stop_reason") or self._reason
                self.is_whole = bool(self._reason)
                self._count(event.get("usage"))
            case {"type": "message_stop"}:
                self.is_over = True
            case {"type": "error"}:
                raise stream_failure(event)
        return []

    def _count(self, usage: dict[str, Any] | None) -> None:
        """Take the newest figures: each is a total so far."""
        self._usage |= {
            name: value for name, value in (usage or {}).items() if isinstance(value, int)
        }

    def _begin(self, index: int, block: ContentBlock) -> list[Part]:
        self._blocks[index] = block
        if block.get("type") == "tool_use":
            self._calls[index] = GrowingCall(
                str(block.get("id") or ""), str(block.get("name") or "")
            )
        return self._grow(index, block)

    def _grow(self, index: int, delta: dict[str, Any]) -> list[Part]:
        """Add a piece to a block; a block's start may hold its first piece."""
        match delta:
            case {"type": "text_delta" | "text", "text": str(text)} if text:
                self._join(index, delta, "text")
                self._has_text = True
                return [TextPart(text)]
            case {"type": "thinking_delta" | "thinking", "thinking": str(thought)} if thought:
                self._join(index, delta, "thinking")
                return [ThinkingPart(thought)]
            case {"type": "signature_delta"}:
                self._join(index, delta, "signature")
            case {"type": "input_json_delta", "partial_json": str(piece)}:
                if index in self._calls:
                    self.size += len(piece)
                    self._calls[index].pieces.append(piece)
        return []

    def _join(self, index: int, delta: dict[str, Any], field: str) -> None:
        self.size += len(delta[field])
        block = self._blocks.setdefault(index, {"type": field})
        if block is not delta:
            block[field] = block.get(field, "") + delta[field]

    @override
    def end(self) -> list[Part]:
        if not self.is_whole and not self.is_over:
            raise ProviderUnavailable("The model's answer broke off.")
        calls = self._whole_calls()
        end = _ENDS.get(self._reason, "finished")
        if end == "length" and not calls and not self._has_text:
            is_full = self._reason == "model_context_window_exceeded"
            raise ProviderFailed(TOO_LONG if is_full else SAID_NOTHING.format(limit=self._limit))
        if calls and end != "refused":
            self._keep_thoughts(calls)
            parts: list[Part] = [call.whole(number) for number, call in enumerate(calls, 1)]
            return [*parts, EndPart("tools", self._read_usage())]
        return [EndPart(end, self._read_usage())]

    def _whole_calls(self) -> list[GrowingCall]:
        """Leave out what the limit cut off in the middle of its arguments."""
        is_cut_off = _ENDS.get(self._reason) == "length"
        return [call for call in self._calls.values() if not (is_cut_off and call.is_cut)]

    def _keep_thoughts(self, calls: list[GrowingCall]) -> None:
        """Hand over the answer word for word if it has thoughts: they must be sent back."""
        if not any("thinking" in block["type"] for block in self._blocks.values()):
            return
        arguments = {call.call_id: parse_arguments("".join(call.pieces)) or {} for call in calls}
        content = []
        for _, block in sorted(self._blocks.items()):
            if block["type"] != "tool_use":
                content.append(block)
            elif block.get("id") in arguments:
                content.append({**block, "input": arguments[block["id"]]})
        self._keep([block for block in content if block.get("text", "-").strip()])

    def _read_usage(self) -> Usage:
        read = self._usage.get("cache_read_input_tokens", 0)
        write = self._usage.get("cache_creation_input_tokens", 0)
        return Usage(
            input_tokens=self._usage.get("input_tokens", 0) + read + write,
            output_tokens=self._usage.get("output_tokens", 0),
            cache_read_tokens=read,
            cache_write_tokens=write,
        )
