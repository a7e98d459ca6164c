"""What a model server's refusals mean, in words fit for the user: never a key, never a URL.

Codes: https://platform.openai.com/docs/guides/error-codes and
https://docs.anthropic.com/en/api/errors
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from pydantic_core import from_json

from gateway.errors import ProviderFailed, ProviderUnavailable

LONGEST_WAIT = 300.0
"""Seconds; a server that asks for more is asked again after this long."""

_SHOWN = 200
_LOOKED_AT = 600
_OF_THIS_REQUEST = frozenset({HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
"""May pass, and say nothing about the server."""
_TIMES_OUT = frozenset({HTTPStatus.REQUEST_TIMEOUT, *_OF_THIS_REQUEST})
_NO_CREDIT = re.compile(r"insufficient_quota|billing_error|credit balance is too low")
_TOO_LONG = re.compile(
    r"context_length_exceeded|model_context_window_exceeded|(maximum|exceeds? the) context|"
    r"context (length|window|size)|(prompt|input) is too long|too many tokens",
    re.IGNORECASE,
)
_OVERLOADED = re.compile(r"overloaded|rate_limit|timeout|unavailable|server_error|api_error")
_SECRETS = re.compile(r"\S+://\S+|\b(sk|key|pk)-[\w*-]{6,}|Bearer \S+", re.IGNORECASE)

TOO_LONG = (
    "This conversation has grown too long for the model. /compact shortens it, /new starts afresh."
)
SAID_NOTHING = (
    "The model used up its {limit} tokens before it said a word. "
    "The operator may raise the agent's max_output_tokens."
)
NO_MODEL_SERVER = (
    "What the model server sent is no answer of a model. "
    "The operator must check the agent's base_url."
)
NO_CREDIT = "The account with the model provider has no credit left."
_KEY_REFUSED = (
    "The model provider refused the API key. The operator must check the agent's api_key."
)
_FINAL: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: _KEY_REFUSED,
    HTTPStatus.FORBIDDEN: _KEY_REFUSED,
    HTTPStatus.PAYMENT_REQUIRED: NO_CREDIT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "This conversation and its files are too large for the model. "
        "/compact shortens it, /new starts afresh."
    ),
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a server said about a request, as far as it could be read."""

    words: str
    kind: str = ""
    code: str = ""
    param: str = ""

    @property
    def everything(self) -> str:
        """All of it, to look for names in; but not in a request that is quoted at length."""
        return f"{self.kind} {self.code} {self.param} {self.words[:_LOOKED_AT]}"


class Rejected(Exception):
    """A server answered with an error status; `failure` tells what becomes of it."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.complaint = read_complaint(body)


def read_complaint(body: bytes) -> Complaint:
    """Read an error body in any of the shapes that are about."""
    try:
        content = from_json(body)
    except ValueError:
        return Complaint(body[:4096].decode(errors="replace"))
    return complaint_of(content)


def complaint_of(content: Any) -> Complaint:
    """As `read_complaint`, of parsed JSON."""
    error = content.get("error", content) if isinstance(content, dict) else content
    if not isinstance(error, dict):
        return Complaint(str(error))
    words = error.get("message") or error.get("detail") or error.get("error") or error
    named = (str(error.get(field) or "") for field in ("type", "code", "param"))
    return Complaint(str(words), *named)


def failure(rejected: Rejected, *, model: str, now: float) -> ProviderFailed:
    """Say what an error status means for the turn."""
    status, complaint = rejected.status, rejected.complaint
    words = _final(status, complaint, model)
    if words is not None:
        return ProviderFailed(words)
    wait = retry_after(rejected.headers, now)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        words = "The model provider takes no more requests at the moment."
        return ProviderUnavailable(words, wait)
    if status in _TIMES_OUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        words = "The model server has trouble at the moment."
        is_server_down = status not in _OF_THIS_REQUEST
        return ProviderUnavailable(words, wait, is_server_down=is_server_down)
    return ProviderFailed(f"The model server refused the request: {shown(complaint.words)}")


def _final(status: int, complaint: Complaint, model: str) -> str | None:
    """Return the words for what no waiting mends."""
    if _NO_CREDIT.search(complaint.everything):
        return NO_CREDIT
    if status != HTTPStatus.TOO_MANY_REQUESTS and _TOO_LONG.search(complaint.everything):
        return TOO_LONG
    if status == HTTPStatus.NOT_FOUND:
        return (
            f'The model server does not know the model "{model}". '
            "The operator must check the agent's model and base_url."
        )
    return _FINAL.get(status)


def stream_failure(content: Any) -> ProviderFailed:
    """Say what an error in the midst of an answer means."""
    complaint = complaint_of(content)
    if _NO_CREDIT.search(complaint.everything):
        return ProviderFailed(NO_CREDIT)
    if _TOO_LONG.search(complaint.everything):
        return ProviderFailed(TOO_LONG)
    named = f"{complaint.kind} {complaint.code}"
    code = int(complaint.code) if complaint.code.isdecimal() else 0
    is_passing = code == HTTPStatus.TOO_MANY_REQUESTS or code >= HTTPStatus.INTERNAL_SERVER_ERROR
    if is_passing or not named.strip() or _OVERLOADED.search(named):
        return ProviderUnavailable("The model server had trouble in the midst of its answer.")
    return ProviderFailed(f"The model server broke off its answer: {shown(complaint.words)}")


def shown(words: str) -> str:
    """Cut a server's words to one short line without addresses and keys."""
    line = " ".join(_SECRETS.sub("***", words).split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1].rstrip() + "…"


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Read how long the server asks us to wait, in seconds; None when it does not say."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _number(value)
    if seconds is None:
        seconds = _until(value, now)
    return None if seconds is None else _bounded(seconds)


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _until(value: str, now: float) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp() - now
    except (ValueError, OverflowError):
        return None
