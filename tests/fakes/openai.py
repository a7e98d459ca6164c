"""A small OpenAI on loopback: chat completions, streamed or whole, and the list of models.

    async with FakeOpenAI() as server:
        client = AsyncOpenAI(api_key=server.key, base_url=server.base_url)
        server.say("Let me look.", call("read_file", path="a.txt"))
        ...
        assert server.asked[-1].user_text == "What is in a.txt?"

Refuses what the real one refuses, in its words (`openai_request.py`). Unscripted, it
echoes the last user text. In a process of its own:
`python -m tests.fakes.openai --port 8081 --key sk-test`, scripted through `/_control/`.
"""

import json
from collections.abc import AsyncGenerator, Iterable
from typing import Any

from aiohttp import web
from typing_extensions import override

from gateway.clock import Clock
from tests.fakes.model import Asked, Call, FakeModelServer, Rejected, Said, Thought, tokens
from tests.fakes.openai_request import check, unknown_model
from tests.fakes.process import run_model_server
from tests.fakes.web import Reply, Stream, always, json_reply

_SSE = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
_FLUSH = b""


class FakeOpenAI(FakeModelServer):
    """`base_url` ends in `/v1`; `say`, `brain`, `pace`, `faults`, `asked` steer and show it."""

    def __init__(
        self,
        *,
        key: str = "sk-test",
        models: Iterable[str] = ("gpt-4.1-mini", "gpt-5-mini", "test-model"),
        port: int = 0,
        clock: Clock | None = None,
        pieces: int = 4,
    ) -> None:
        super().__init__(key=key, models=models, port=port, clock=clock, pieces=pieces)

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @override
    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = await self._admit(request)
        except Rejected as rejected:
            self.refused.append(str(rejected))
            return await self.perform(request, {}, always(_error(rejected)))
        if request.method == "GET":
            return await self.perform(request, {}, always(self._model_list(request.path)))
        headers = {name.lower(): value for name, value in request.headers.items()}

        async def apply() -> Reply | Stream:
            return self._complete(body, headers)

        return await self.perform(request, body, apply)

    @override
    def is_known_key(self, headers: Any) -> bool:
        return bool(headers.get("Authorization") == f"Bearer {self.key}")

    @override
    def error(self, status: int, message: str, *, retry_after: float | str | None = None) -> Reply:
        kinds = {401: "invalid_request_error", 429: "rate_limit_exceeded"}
        default = "Rate limit reached for requests" if status == 429 else "The server had an error"
        code = "rate_limit_exceeded" if status == 429 else None
        rejected = Rejected(
            message or default, status, kinds.get(status, "server_error"), code=code
        )
        if retry_after is not None:
            rejected.headers["Retry-After"] = str(retry_after)
        return _error(rejected)

    async def _admit(self, request: web.BaseRequest) -> dict[str, Any]:
        """Check address, key and body as the real server would."""
        given = request.headers.get("Authorization", "")
        if not given:
            raise Rejected(
                "You didn't provide an API key. You need to provide your API key in an "
                "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
                status=401,
            )
        if not self.is_known_key(request.headers):
            raise Rejected(
                f"Incorrect API key provided: {given[7:10]}***. You can find your API key at "
                "https://platform.openai.com/account/api-keys.",
                status=401,
                code="invalid_api_key",
            )
        if request.method == "GET" and request.path.startswith("/v1/models"):
            return {}
        if (request.method, request.path) != ("POST", "/v1/chat/completions"):
            raise Rejected(f"Invalid URL ({request.method} {request.path})", status=404)
        try:
            body = json.loads(await request.read())
        except ValueError:
            body = None
        check(body, self.models)
        return dict(body)

    def _model_list(self, path: str) -> Reply:
        models = {name: _model_info(name) for name in self.models}
        wanted = path.removeprefix("/v1/models").strip("/")
        if not wanted:
            return json_reply({"object": "list", "data": list(models.values())})
        if wanted not in models:
            return _error(unknown_model(wanted))
        return json_reply(models[wanted])

    def _complete(self, body: dict[str, Any], headers: dict[str, str]) -> Reply | Stream:
        asked = Asked(body, headers, self.clock.now(), _user_text(body), _system(body))
        answer = self.remember(asked)
        completion = _Completion(self.next_id("chatcmpl-"), body, int(self.clock.now()), answer)
        for one in answer.calls:
            completion.call_ids.append(one.call_id or self.next_id("call_"))
        if body.get("stream"):
            pieces = self._streamed(asked, answer, completion)
            return Stream(pieces, {**_SSE, "x-request-id": completion.id}, _error_event)
        asked.outcome = "answered"
        self.watch.changed()
        return json_reply(completion.whole(), headers={"x-request-id": completion.id})

    async def _streamed(
        self, asked: Asked, answer: Said, completion: "_Completion"
    ) -> AsyncGenerator[bytes, None]:
        try:
            yield completion.first()
            async for piece in self.paced(answer):
                if piece is None:
                    yield _FLUSH
                else:
                    for event in completion.events(piece):
                        yield event
            for event in completion.last():
                yield event
            asked.outcome = "answered"
        finally:
            if asked.outcome == "open":
                asked.outcome = "abandoned"
            self.watch.changed()


class _Completion:
    """One answer on its way into OpenAI's wire format."""

    def __init__(self, name: str, body: dict[str, Any], created: int, answer: Said) -> None:
        self.id = name
        self.call_ids: list[str] = []
        self._answer = answer
        self._calls_begun = 0
        self._has_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        self._prompt = sum(len(str(message.get("content"))) for message in body["messages"])
        self._frame = {
            "id": name,
            "object": "chat.completion.chunk",
            "created": created,
            "model": body["model"],
            "service_tier": "default",
            "system_fingerprint": "fp_fake",
        }
        head = json.dumps(self._frame, separators=(",", ":"))[:-1]
        self._head = f'data: {head},"choices":[{{"index":0,"delta":'
        end = ',"usage":null}\n\n' if self._has_usage else "}\n\n"
        self._tail = f',"logprobs":null,"finish_reason":null}}]{end}'
        self._finish = f',"logprobs":null,"finish_reason":"{self.stop}"}}]{end}'

    @property
    def stop(self) -> str:
        return self._answer.stop or ("tool_calls" if self._answer.calls else "stop")

    def _chunk(self, delta: Any) -> bytes:
        return f"{self._head}{json.dumps(delta)}{self._tail}".encode()

    def first(self) -> bytes:
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def events(self, piece: Any) -> list[bytes]:
        match piece:
            case str():
                return [f'{self._head}{{"content":{json.dumps(piece)}}}{self._tail}'.encode()]
            case Thought(text):
                return [self._chunk({"reasoning_content": text})]
            case Call():
                return self._call_events(piece)
        return []

    def _call_events(self, piece: Call) -> list[bytes]:
        index, arguments = self._calls_begun, piece.json()
        self._calls_begun += 1
        begun = {
            "index": index,
            "id": self.call_ids[index],
            "type": "function",
            "function": {"name": piece.name, "arguments": ""},
        }
        parts = [arguments[start : start + 8] for start in range(0, len(arguments), 8)]
        return [self._chunk({"tool_calls": [begun]})] + [
            self._chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
            for part in parts
        ]

    def last(self) -> list[bytes]:
        events = [f"{self._head}{{}}{self._finish}".encode()]
        if self._has_usage:
            usage = {**self._frame, "choices": [], "usage": self._usage()}
            events.append(f"data: {json.dumps(usage)}\n\n".encode())
        return [*events, b"data: [DONE]\n\n"]

    def _usage(self) -> dict[str, Any]:
        made = self._answer.text + self._answer.thoughts
        made += "".join(one.json() for one in self._answer.calls)
        prompt, completion = self._answer.usage or (max(1, self._prompt // 4), tokens(made))
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        }

    def whole(self) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self._answer.text or None,
            "refusal": None,
            "annotations": [],
        }
        if self._answer.calls:
            message["tool_calls"] = [
                {
                    "id": name,
                    "type": "function",
                    "function": {"name": one.name, "arguments": one.json()},
                }
                for name, one in zip(self.call_ids, self._answer.calls, strict=True)
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.stop}
        frame = {**self._frame, "object": "chat.completion"}
        return {**frame, "choices": [choice], "usage": self._usage()}


def _model_info(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_750_000_000, "owned_by": "system"}


def _error(rejected: Rejected) -> Reply:
    error = {
        "message": rejected.message,
        "type": rejected.kind,
        "param": rejected.param,
        "code": rejected.code,
    }
    return json_reply({"error": error}, rejected.status, rejected.headers)


def _error_event(message: str) -> bytes:
    error = {
        "message": message or "The server had an error while processing your request.",
        "type": "server_error",
        "param": None,
        "code": None,
    }
    return f"data: {json.dumps({'error': error})}\n\n".encode()


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content or [] if part.get("type") == "text")


def _user_text(body: dict[str, Any]) -> str:
    users = [one for one in body["messages"] if one["role"] == "user" and _text(one["content"])]
    return _text(users[-1]["content"]) if users else ""


def _system(body: dict[str, Any]) -> str:
    roles = {"system", "developer"}
    return "\n".join(_text(one["content"]) for one in body["messages"] if one["role"] in roles)


if __name__ == "__main__":
    run_model_server(FakeOpenAI)
