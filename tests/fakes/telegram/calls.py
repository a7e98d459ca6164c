"""A call to the Bot API: its parameters, however they travelled, and the log of calls.

Facts: https://core.telegram.org/bots/api#making-requests
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.telegram.refusal import Refusal, bad_request


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a multipart body."""

    name: str
    mime: str
    data: bytes


@dataclass(slots=True)
class CallRecord:
    """What happened to one call, for history checkers."""

    at: float
    method: str
    chat_id: int | None
    parameters: dict[str, Any]
    applied: bool = False
    """Whether the server did it, also when the client never heard of it."""
    refused: str | None = None
    message_ids: tuple[int, ...] = ()
    in_penalty: bool = False


@dataclass(slots=True)
class Call:
    """One call while it is answered."""

    method: str
    parameters: dict[str, Any]
    files: dict[str, Upload]
    record: CallRecord
    asked: set[str] = field(default_factory=set)

    def has(self, name: str) -> bool:
        return self.parameters.get(name) not in {None, ""}

    def text(self, name: str) -> str:
        value = self.parameters.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int = 0) -> int:
        value = self.parameters.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad_request(f"invalid {name} specified") from None

    def flag(self, name: str) -> bool:
        return str(self.parameters.get(name, "")).lower() in {"true", "1", "yes"}

    def json(self, name: str) -> Any:
        """Return a nested value; in forms those are JSON strings."""
        value = self.parameters.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None


async def read_call(request: web.BaseRequest, method: str, at: float) -> Call:
    """Read a call from query, form, multipart or JSON body."""
    parameters: dict[str, Any] = dict(request.query)
    files: dict[str, Upload] = {}
    kind = request.content_type
    if request.method not in {"GET", "POST"}:
        raise Refusal(405, "Method Not Allowed")
    if kind == "application/json":
        parameters |= _from_json(await request.read())
    elif kind == "application/x-www-form-urlencoded" or kind.startswith("multipart/"):
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                files[name] = Upload(value.filename, value.content_type, value.file.read())
                value.file.close()
            else:
                parameters[name] = value
    record = CallRecord(at, method, _chat_id(parameters), parameters)
    return Call(method, parameters, files, record)


def _from_json(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        raise bad_request("can't parse request JSON object") from None
    if not isinstance(body, dict):
        raise bad_request("can't parse request JSON object")
    return body


def _chat_id(parameters: Mapping[str, Any]) -> int | None:
    try:
        return int(parameters["chat_id"])
    except (KeyError, TypeError, ValueError):
        return None
