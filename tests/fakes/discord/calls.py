"""A call to the REST API: its body, however it travelled, and the log of calls."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.discord.refusal import Refusal, plain, refused

_FILE = re.compile(r"files\[(\d+)\]")
_WHOLE = 25 * 1024 * 1024


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
    name: str
    """Of the route: `send`, `edit`, `typing`, `respond`; see `routes.py`."""
    method: str
    path: str
    channel_id: int | None
    body: Any = None
    status: int | None = None
    applied: bool = False
    """Whether the server did it, also when the client never heard of it."""
    refused: str | None = None
    message_id: int | None = None
    in_penalty: bool = False


@dataclass(slots=True)
class Call:
    """One call while it is answered."""

    path: dict[str, str]
    query: dict[str, str]
    body: Any
    files: dict[int, Upload]
    record: CallRecord

    def id(self, name: str) -> int:
        """Return an id from the path."""
        return int(self.path[name])

    def number(self, name: str, default: int) -> int:
        """Return a number from the query."""
        try:
            return int(self.query.get(name, default))
        except ValueError:
            wrong = {name: {"_errors": [{"code": "NUMBER_TYPE_COERCE", "message": "..."}]}}
            raise Refusal(400, 50035, "Invalid Form Body", wrong) from None

    @property
    def fields(self) -> dict[str, Any]:
        """The body, where it has to be an object."""
        if not isinstance(self.body, dict):
            raise refused(50109)
        return self.body


@dataclass(slots=True)
class Body:
    """What a request carried."""

    value: Any = None
    files: dict[int, Upload] = field(default_factory=dict)


async def read_body(request: web.BaseRequest) -> Body:
    """Read a JSON body, or a multipart one with `payload_json` and `files[n]`."""
    if (request.content_length or 0) > _WHOLE:
        raise refused(40005)
    if request.content_type == "application/json":
        return Body(_from_json(await request.read()))
    if request.content_type == "multipart/form-data":
        return await _from_form(request)
    if await request.read():
        raise plain(415, "Unsupported Media Type")
    return Body()


async def _from_form(request: web.BaseRequest) -> Body:
    body, fields = Body(), {}
    for name, value in (await request.post()).items():
        if not isinstance(value, web.FileField):
            fields[name] = value
            continue
        number = _FILE.fullmatch(name)
        if number is None:
            raise plain(400, f"unexpected part {name}")
        upload = Upload(value.filename, value.content_type, value.file.read())
        body.files[int(number[1])] = upload
        value.file.close()
    if "payload_json" in fields:
        body.value = _from_json(str(fields["payload_json"]).encode())
    else:
        body.value = fields
    return body


def _from_json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        raise refused(50109) from None
