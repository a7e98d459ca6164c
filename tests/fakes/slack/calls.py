"""A call to the Web API: its arguments, however they travelled, and the log of calls.

Facts: https://docs.slack.dev/apis/web-api/using-the-slack-web-api#http-methods
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.slack.refusal import Refusal, invalid


@dataclass(slots=True)
class CallRecord:
    """What happened to one call, for history checkers."""

    at: float
    method: str
    channel: str | None
    arguments: dict[str, Any]
    applied: bool = False
    """Whether the server did it, also when the client never heard of it."""
    refused: str | None = None
    ts: str | None = None
    """The message that it made or changed."""
    in_penalty: bool = False


@dataclass(slots=True)
class Call:
    """One call while it is answered."""

    method: str
    arguments: dict[str, Any]
    token: str
    record: CallRecord

    def has(self, name: str) -> bool:
        return self.arguments.get(name) not in (None, "")

    def text(self, name: str) -> str:
        value = self.arguments.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def needed(self, name: str) -> str:
        if not self.has(name):
            raise invalid(f"missing required field: {name}")
        return self.text(name)

    def integer(self, name: str, default: int = 0) -> int:
        value = self.arguments.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise invalid(f"must be an integer [json-pointer:/{name}]") from None

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.arguments.get(name)
        return default if value is None else str(value).lower() in {"true", "1", "yes"}

    def json(self, name: str, broken: str = "invalid_arguments") -> Any:
        """Return a nested value; in forms, and where the caller likes it, a JSON string."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise Refusal(broken, (f"[ERROR] failed to parse {name}",)) from None

    @property
    def channel(self) -> str:
        return str(self.arguments.get("channel") or self.arguments.get("channel_id") or "")


async def read_call(request: web.BaseRequest, method: str, at: float) -> Call:
    """Read a call from query, form or JSON body."""
    arguments: dict[str, Any] = dict(request.query)
    kind = request.content_type
    if kind == "application/json":
        arguments |= _from_json(await request.read())
    elif kind == "application/x-www-form-urlencoded" or kind.startswith("multipart/"):
        form = await request.post()
        arguments |= {name: value for name, value in form.items() if isinstance(value, str)}
    token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    token = str(arguments.pop("token", None) or token)
    record = CallRecord(at, method, None, arguments)
    call = Call(method, arguments, token, record)
    record.channel = call.channel or None
    return call


def _from_json(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        raise Refusal("invalid_json") from None
    if not isinstance(body, dict):
        raise Refusal("json_not_object")
    return body
