"""A small Anthropic on loopback: messages, streamed or whole, and the list of models.

    async with FakeAnthropic() as server:
        client = AsyncAnthropic(api_key=server.key, base_url=server.base_url)
        server.say(Thought("easy"), "The sky is ", "blue.")
        ...
        assert server.asked[-1].system == "You are Parley."

Refuses what the real one refuses, in its words (`anthropic_request.py`). Unscripted, it
echoes the last user text. In a process of its own:
`python -m tests.fakes.anthropic --port 8082 --key sk-test`, scripted through `/_control/`.
"""

import json
from collections.abc import AsyncGenerator, Iterable
from typing import Any

from aiohttp import web
from typing_extensions import override

from gateway.clock import Clock
from tests.fakes.anthropic_cache import PromptCache
from tests.fakes.anthropic_messages import signature
from tests.fakes.anthropic_request import check
from tests.fakes.model import Asked, Call, FakeModelServer, Rejected, Said, Thought, tokens
from tests.fakes.process import run_model_server
from tests.fakes.web import Reply, Stream, always, json_reply

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_WORDS = {
    429: "This request would exceed your organization's rate limit.",
    529: "Overloaded",
}
_FLUSH = b""


class FakeAnthropic(FakeModelServer):
    """`say`, `brain`, `pace`, `faults`, `asked` steer and show it; `cache` counts its cache."""

    def __init__(
        self,
        *,
        key: str = "sk-test",
        models: Iterable[str] = ("claude-sonnet-5-5", "claude-haiku-4-5", "test-model"),
        port: int = 0,
        clock: Clock | None = None,
        pieces: int = 4,
    ) -> None:
        super().__init__(key=key, models=models, port=port, clock=clock, pieces=pieces)
        self.cache = PromptCache(minimum=1_024)

    @property
    def base_url(self) -> str:
        return self.url

    @override
    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = await self._admit(request)
        except Rejected as rejected:
            self.refused.append(str(rejected))
            return await self.perform(request, {}, always(self._error(rejected)))
        if request.method == "GET":
            return await self.perform(request, {}, always(self._models(request.path)))
        headers = {name.lower(): value for name, value in request.headers.items()}

        async def apply() -> Reply | Stream:
            return self._answer(body, headers)

        return await self.perform(request, body, apply)

    @override
    def is_known_key(self, headers: Any) -> bool:
        return self.key in {
            headers.get("x-api-key"),
            headers.get("Authorization", "").removeprefix("Bearer "),
        }

    @override
    def error(self, status: int, message: str, *, retry_after: float | str | None = None) -> Reply:
        words = message or _WORDS.get(status, "Internal server error")
        rejected = Rejected(words, status, _KINDS.get(status, "api_error"))
        if retry_after is not None:
            rejected.headers["retry-after"] = str(retry_after)
        return self._error(rejected)

    def _error(self, rejected: Rejected) -> Reply:
        name = self.next_id("req_")
        error = {"type": rejected.kind, "message": rejected.message}
        body = {"type": "error", "error": error, "request_id": name}
        return json_reply(body, rejected.status, {"request-id": name, **rejected.headers})

    async def _admit(self, request: web.BaseRequest) -> dict[str, Any]:
        """Check key, version, address and body as the real server would."""
        headers = request.headers
        if "x-api-key" not in headers and "Authorization" not in headers:
            raise Rejected("x-api-key header is required", 401, "authentication_error")
        if not self.is_known_key(headers):
            raise Rejected("invalid x-api-key", 401, "authentication_error")
        if "anthropic-version" not in headers:
            raise Rejected("anthropic-version: header is required")
        if request.method == "GET" and request.path.startswith("/v1/models"):
            return {}
        if (request.method, request.path) != ("POST", "/v1/messages"):
            raise Rejected("Not Found", 404, "not_found_error")
        try:
            body = json.loads(await request.read())
        except ValueError as wrong:
            raise Rejected(f"The request body is not valid JSON: {wrong}") from None
        check(body, self.models)
        return dict(body)

    def _models(self, path: str) -> Reply:
        wanted = path.removeprefix("/v1/models").strip("/")
        if wanted and wanted not in self.models:
            return self._error(Rejected(f"model: {wanted}", 404, "not_found_error"))
        infos = [_model_info(name) for name in self.models]
        if wanted:
            return json_reply(_model_info(wanted))
        ends = {"first_id": self.models[0], "last_id": self.models[-1]}
        return json_reply({"data": infos, "has_more": False, **ends})

    def _answer(self, body: dict[str, Any], headers: dict[str, str]) -> Reply | Stream:
        system = _text(body.get("system", ""))
        asked = Asked(body, headers, self.clock.now(), _user_text(body), system)
        answer = self.remember(asked)
        message = _Message(self, body, answer)
        head = {"request-id": self.next_id("req_")}
        if body.get("stream"):
            sse = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
            return Stream(self._streamed(asked, answer, message), {**sse, **head}, _error_event)
        asked.outcome = "answered"
        self.watch.changed()
        return json_reply(message.whole(), headers=head)

    async def _streamed(
        self, asked: Asked, answer: Said, message: "_Message"
    ) -> AsyncGenerator[bytes, None]:
        try:
            yield message.start()
            async for piece in self.paced(answer):
                if piece is None:
                    yield _FLUSH
                else:
                    for event in message.events(piece):
                        yield event
            for event in message.last():
                yield event
            asked.outcome = "answered"
        finally:
            if asked.outcome == "open":
                asked.outcome = "abandoned"
            self.watch.changed()


class _Message:
    """One answer on its way into Anthropic's wire format."""

    def __init__(self, server: FakeAnthropic, body: dict[str, Any], answer: Said) -> None:
        self._answer = answer
        self._usage = server.cache.count(body)
        if answer.usage is not None:
            self._usage["input_tokens"] = answer.usage[0]
        self._frame = {
            "id": server.next_id("msg_"),
            "type": "message",
            "role": "assistant",
            "model": body["model"],
        }
        self._call_ids = [one.call_id or server.next_id("toolu_") for one in answer.calls]
        self._calls_begun = 0
        self._index = -1
        self._open: type | None = None
        self._thought = ""

    @property
    def stop(self) -> str:
        return self._answer.stop or ("tool_use" if self._answer.calls else "end_turn")

    def start(self) -> bytes:
        usage = {**self._usage, "output_tokens": 1, "service_tier": "standard"}
        message = {**self._frame, "content": [], "stop_reason": None, "stop_sequence": None}
        return _event("message_start", message={**message, "usage": usage})

    def events(self, piece: Any) -> list[bytes]:
        match piece:
            case str():
                begun = self._begin(str, {"type": "text", "text": ""})
                return [*begun, self._delta(type="text_delta", text=piece)]
            case Thought(text):
                empty = {"type": "thinking", "thinking": "", "signature": ""}
                begun = self._begin(Thought, empty)
                self._thought += text
                return [*begun, self._delta(type="thinking_delta", thinking=text)]
            case Call():
                return self._call(piece)
        return []

    def _begin(self, kind: type, block: dict[str, Any]) -> list[bytes]:
        """Open a block of this kind, unless one is open that takes more of it."""
        if self._open is kind:
            return []
        events = self._end()
        self._index += 1
        self._open = kind
        events.append(_event("content_block_start", index=self._index, content_block=block))
        if self._index == 0:
            events.append(_event("ping"))
        return events

    def _end(self) -> list[bytes]:
        if self._open is None:
            return []
        events = []
        if self._open is Thought:
            events.append(self._delta(type="signature_delta", signature=signature(self._thought)))
            self._thought = ""
        self._open = None
        return [*events, _event("content_block_stop", index=self._index)]

    def _delta(self, **delta: str) -> bytes:
        return _event("content_block_delta", index=self._index, delta=delta)

    def _call(self, piece: Call) -> list[bytes]:
        name = self._call_ids[self._calls_begun]
        self._calls_begun += 1
        block = {"type": "tool_use", "id": name, "name": piece.name, "input": {}}
        begun = [*self._end(), *self._begin(Call, block)]
        arguments = piece.json()
        parts = ["", *(arguments[start : start + 8] for start in range(0, len(arguments), 8))]
        deltas = [self._delta(type="input_json_delta", partial_json=part) for part in parts]
        return [*begun, *deltas, *self._end()]

    def last(self) -> list[bytes]:
        delta = {"stop_reason": self.stop, "stop_sequence": None}
        usage = {**self._usage, "output_tokens": self._made()}
        return [
            *self._end(),
            _event("message_delta", delta=delta, usage=usage),
            _event("message_stop"),
        ]

    def _made(self) -> int:
        if self._answer.usage is not None:
            return self._answer.usage[1]
        calls = "".join(one.json() for one in self._answer.calls)
        return tokens(self._answer.text + self._answer.thoughts + calls)

    def whole(self) -> dict[str, Any]:
        usage = {**self._usage, "output_tokens": self._made(), "service_tier": "standard"}
        stop = {"stop_reason": self.stop, "stop_sequence": None}
        return {**self._frame, "content": self._content(), **stop, "usage": usage}

    def _content(self) -> list[dict[str, Any]]:
        content: list[dict[str, Any]] = []
        thoughts = self._answer.thoughts
        if thoughts:
            signed = signature(thoughts)
            content.append({"type": "thinking", "thinking": thoughts, "signature": signed})
        if self._answer.text:
            content.append({"type": "text", "text": self._answer.text})
        for name, one in zip(self._call_ids, self._answer.calls, strict=True):
            use = {"type": "tool_use", "id": name, "name": one.name, "input": one.arguments}
            content.append(use)
        return content


def _event(kind: str, **fields: Any) -> bytes:
    data = json.dumps({"type": kind, **fields}, separators=(",", ":"))
    return f"event: {kind}\ndata: {data}\n\n".encode()


def _error_event(message: str) -> bytes:
    return _event("error", error={"type": "overloaded_error", "message": message or "Overloaded"})


def _model_info(name: str) -> dict[str, Any]:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
    }


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block.get("type") == "text")


def _user_text(body: dict[str, Any]) -> str:
    users = [one for one in body["messages"] if one["role"] == "user" and _text(one["content"])]
    return _text(users[-1]["content"]) if users else ""


if __name__ == "__main__":
    run_model_server(FakeAnthropic)
