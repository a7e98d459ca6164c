"""Turns the chunks of a streamed chat completion into parts; pure.

https://platform.openai.com/docs/api-reference/chat-streaming, and what compatible servers make
of it: reasoning in a field of its own, calls without index or id, no mark of the end.
"""

import json
from collections.abc import Iterator
from typing import Any, Literal

from typing_extensions import override

from gateway.contracts.provider import EndPart, Part, TextPart, ThinkingPart
from gateway.errors import ProviderFailed, ProviderUnavailable
from gateway.providers.calls import GrowingCall
from gateway.providers.exchange import Answer
from gateway.providers.failures import SAID_NOTHING, stream_failure
from gateway.transcript import Usage


class ChatAnswer(Answer):
    """One streamed chat completion."""

    def __init__(self, *, limit: int) -> None:
        self.has_begun = False
        self.is_whole = False
        self.is_over = False
        self.size = 0
        self._limit = limit
        self._reason: str | None = None
        self._usage = Usage()
        self._calls: list[GrowingCall] = []
        self._by_index: dict[int, GrowingCall] = {}
        self._has_text = False
        self._has_refused = False

    @override
    def take(self, event: Any) -> list[Part]:
        if not isinstance(event, dict):
            return []
        if event.get("error"):
            raise stream_failure(event)
        self.has_begun = True
        if usage := event.get("usage"):
            self._usage = read_usage(usage)
        choices = event.get("choices")
        if not choices:
            return []
        choice = choices[0]
        if reason := choice.get("finish_reason"):
            self._reason, self.is_whole = reason, True
        delta = choice.get("delta")
        return list(self._parts(delta)) if delta else []

    def _parts(self, delta: dict[str, Any]) -> Iterator[Part]:
        if thought := delta.get("reasoning_content") or delta.get("reasoning"):
            self.size += len(str(thought))
            yield ThinkingPart(str(thought))
        if content := delta.get("content"):
            yield from self._said(content)
        if refusal := delta.get("refusal"):
            self._has_refused = True
            yield from self._said(refusal)
        for call in delta.get("tool_calls") or ():
            self._take_call(call)

    def _said(self, content: str | list[dict[str, Any]]) -> Iterator[Part]:
        """Yield the words; some servers send them as a list that holds thoughts as well."""
        text = content if isinstance(content, str) else _joined(content)
        if text:
            self._has_text = True
            self.size += len(text)
            yield TextPart(text)

    def _take_call(self, delta: dict[str, Any]) -> None:
        function = delta.get("function") or {}
        call_id, name = str(delta.get("id") or ""), str(function.get("name") or "")
        call = self._growing(delta.get("index"), call_id, name)
        piece = function.get("arguments")
        if piece:
            piece = piece if isinstance(piece, str) else json.dumps(piece)
            self.size += len(piece)
            call.pieces.append(piece)

    def _growing(self, index: int | None, call_id: str, name: str) -> GrowingCall:
        """Find the call a piece belongs to: by index, unless a new id tells another one."""
        last = self._calls[-1] if self._calls else None
        call = last if index is None else self._by_index.get(index)
        if call is None or (call_id and call.call_id and call_id != call.call_id):
            call = GrowingCall(call_id, name)
            self._calls.append(call)
        elif name and not call.tool:
            call.tool = name
        if index is not None:
            self._by_index[index] = call
        return call

    @override
    def end(self) -> list[Part]:
        if self._reason is None and not self.is_over:
            raise ProviderUnavailable("The model's answer broke off.")
        if self._reason == "error":
            raise ProviderUnavailable("The model server had trouble in the midst of its answer.")
        if not self.has_begun:
            raise ProviderUnavailable("The model server sent an empty answer.")
        calls = self._calls
        if self._reason == "length":
            calls = [call for call in calls if not call.is_cut]
            if not calls and not self._has_text:
                raise ProviderFailed(SAID_NOTHING.format(limit=self._limit))
        parts: list[Part] = [call.whole(number) for number, call in enumerate(calls, 1)]
        return [*parts, EndPart(self._end_reason(has_calls=bool(calls)), self._usage)]

    def _end_reason(self, *, has_calls: bool) -> Literal["finished", "length", "tools", "refused"]:
        if has_calls:
            return "tools"
        if self._reason == "length":
            return "length"
        if self._reason == "content_filter" or self._has_refused:
            return "refused"
        return "finished"


def _joined(content: list[dict[str, Any]]) -> str:
    return "".join(item.get("text") or "" for item in content if item.get("type") == "text")


def read_usage(usage: dict[str, Any]) -> Usage:
    details = usage.get("prompt_tokens_details") or {}
    return Usage(
        input_tokens=int(usage.get("prompt_tokens") or 0),
        output_tokens=int(usage.get("completion_tokens") or 0),
        cache_read_tokens=int(details.get("cached_tokens") or 0),
        cache_write_tokens=int(details.get("cache_write_tokens") or 0),
    )
