"""How Discord says no: an HTTP status, a code of its own, and the errors of a form, nested.

Facts: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from dataclasses import dataclass
from typing import Any

from typing_extensions import override


@dataclass(slots=True)
class Refusal(Exception):
    """A call that is not done."""

    status: int
    code: int
    message: str
    errors: dict[str, Any] | None = None

    @override
    def __str__(self) -> str:
        return f"{self.code} {self.message}" + (f" {self.errors}" if self.errors else "")

    def body(self) -> dict[str, Any]:
        extra = {} if self.errors is None else {"errors": self.errors}
        return {"message": self.message, "code": self.code, **extra}


_KNOWN: dict[int, tuple[int, str]] = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10014: (400, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50021: (403, "Cannot execute action on a system message"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    160002: (403, "Cannot reply without permission to read message history"),
    160004: (400, "A thread has already been created for this message"),
}


def refused(code: int) -> Refusal:
    """Refuse with one of the codes that say all there is to say."""
    status, message = _KNOWN[code]
    return Refusal(status, code, message)


def plain(status: int, words: str) -> Refusal:
    """Refuse what did not get as far as a code of its own."""
    return Refusal(status, 0, f"{status}: {words}")


class Form:
    """Gathers what is wrong with a body, to refuse it once, with everything named."""

    def __init__(self) -> None:
        self._errors: dict[str, Any] = {}

    def wrong(self, path: str, code: str, message: str) -> None:
        """Note an error at a path such as `components.0.components.1.label`."""
        place = self._errors
        for name in path.split("."):
            place = place.setdefault(name, {})
        place.setdefault("_errors", []).append({"code": code, "message": message})

    def length(self, path: str, value: Any, most: int, least: int = 0) -> None:
        """Note a text that is no text, too short or too long; `None` is as good as absent."""
        if value is None and not least:
            return
        if not isinstance(value, str):
            missing = value is None
            code = "BASE_TYPE_REQUIRED" if missing else "STRING_TYPE_CONVERT"
            self.wrong(path, code, _REQUIRED if missing else "Could not interpret as string.")
        elif len(value) < least and not value:
            self.wrong(path, "BASE_TYPE_REQUIRED", _REQUIRED)
        elif not least <= len(value) <= most:
            if least:
                words = f"Must be between {least} and {most} in length."
                self.wrong(path, "BASE_TYPE_BAD_LENGTH", words)
            else:
                words = f"Must be {most} or fewer in length."
                self.wrong(path, "BASE_TYPE_MAX_LENGTH", words)

    def required(self, path: str) -> None:
        self.wrong(path, "BASE_TYPE_REQUIRED", _REQUIRED)

    def check(self) -> None:
        """Refuse the body if anything was noted."""
        if self._errors:
            raise Refusal(400, 50035, "Invalid Form Body", self._errors)


_REQUIRED = "This field is required"
