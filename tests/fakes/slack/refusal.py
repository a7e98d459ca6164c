"""How the Web API says no: `{"ok": false, "error": ...}` with status 200, or 429.

Facts: https://docs.slack.dev/apis/web-api/using-the-slack-web-api#responses
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override


@dataclass(slots=True)
class Refusal(Exception):
    """A call that is not done."""

    error: str
    messages: tuple[str, ...] = ()
    """What `response_metadata.messages` says in more words."""
    fields: dict[str, Any] = field(default_factory=dict)
    retry_after: float | str | None = None
    """Seconds; given exactly when the refusal is a rate limit."""

    @override
    def __str__(self) -> str:
        return " ".join([self.error, *self.messages])

    @property
    def status(self) -> int:
        return 200 if self.retry_after is None else 429

    def envelope(self) -> dict[str, Any]:
        said: dict[str, Any] = {"ok": False, "error": self.error, **self.fields}
        if self.messages:
            said["response_metadata"] = {"messages": list(self.messages)}
        return said


def invalid(*words: str) -> Refusal:
    return Refusal("invalid_arguments", tuple(f"[ERROR] {one}" for one in words))


def rate_limited(seconds: float) -> Refusal:
    return Refusal("ratelimited", retry_after=seconds)


def missing_scope(needed: str, provided: Iterable[str]) -> Refusal:
    shown = ",".join(sorted(provided))
    return Refusal("missing_scope", fields={"needed": needed, "provided": shown})
