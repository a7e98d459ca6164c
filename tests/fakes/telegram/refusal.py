"""How the Bot API says no."""

from dataclasses import dataclass
from typing import Any

from typing_extensions import override


@dataclass(slots=True)
class Refusal(Exception):
    """A call that is not done; `code` is also the HTTP status."""

    code: int
    description: str
    parameters: dict[str, Any] | None = None

    @override
    def __str__(self) -> str:
        return self.description

    def envelope(self) -> dict[str, Any]:
        extra = {} if self.parameters is None else {"parameters": self.parameters}
        return {"ok": False, "error_code": self.code, "description": self.description, **extra}


def bad_request(words: str, **parameters: Any) -> Refusal:
    return Refusal(400, f"Bad Request: {words}", parameters or None)


def forbidden(words: str) -> Refusal:
    return Refusal(403, f"Forbidden: {words}")


def conflict(words: str) -> Refusal:
    return Refusal(409, f"Conflict: {words}")


def too_many(seconds: int) -> Refusal:
    words = f"Too Many Requests: retry after {seconds}"
    return Refusal(429, words, {"retry_after": seconds})
