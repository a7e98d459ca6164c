"""One small language for everything that can go wrong between a client and a fake server.

    fault = server.faults.add(Answer(502), path="sendMessage", nth=2)   # only the second call
    server.faults.add(RateLimit(retry_after=30), path="editMessageText", every=3)
    server.faults.add(Drop(), when=lambda facts: facts.get("chat_id") == "42", times=1)
    ...
    assert fault.used == 1

A rule fires on calls whose path contains `path`; the first rule that fires wins. The same
rules (but `Hold`) travel as JSON through `/_control/faults` of a fake that runs in its own process:
`{"effect": "rate_limit", "retry_after": 30, "path": "editMessageText", "every": 3}`.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer this instead of doing the call; without a body, the platform's own error form.

    A `str` or `bytes` body goes out as it is, so wrong types and bad UTF-8 can be said too.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Refuse with 429; `None` leaves the waiting time out, a string goes out as it is."""

    retry_after: float | str | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """Do the call only after `seconds` of the server's clock."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Do the call only once the gate is set."""

    gate: asyncio.Event


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answer; with `applies` the call is done all the same."""

    applies: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection before the call, or in the middle of or after its answer.

    In a stream, `middle` comes after `pieces` pieces.
    """

    when: Literal["before", "middle", "after"] = "before"
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class Drop:
    """Do the call, then close the connection without a word."""


@dataclass(frozen=True, slots=True)
class Truncate:
    """Do the call and send the first part of its JSON as if it were the whole."""

    keep: float = 0.5


@dataclass(frozen=True, slots=True)
class Silence:
    """Send so many pieces of a stream, then nothing more, with the connection open."""

    pieces: int = 1


@dataclass(frozen=True, slots=True)
class EndEarly:
    """Send so many pieces of a stream, then end it politely, without its closing events."""

    pieces: int = 1


@dataclass(frozen=True, slots=True)
class StreamError:
    """Send so many pieces of a stream, then the platform's error event, then end."""

    pieces: int = 1
    message: str = ""


@dataclass(frozen=True, slots=True)
class Drip:
    """Send the answer `size` bytes at a time, `every` seconds of the server's clock."""

    size: int = 1
    every: float = 1.0


@dataclass(frozen=True, slots=True)
class EndlessLine:
    """Answer with one line without an end, of at most `size` bytes."""

    size: int = 1_000_000_000


Effect = (
    Answer
    | RateLimit
    | Delay
    | Hold
    | Hang
    | Reset
    | Drop
    | Truncate
    | Silence
    | EndEarly
    | StreamError
    | Drip
    | EndlessLine
)

_BY_NAME: dict[str, Callable[..., Effect]] = {
    re.sub(r"(?<!^)([A-Z])", r"_\1", effect.__name__).lower(): effect
    for effect in (
        *(Answer, RateLimit, Delay, Hang, Reset, Drop, Truncate),
        *(Silence, EndEarly, StreamError, Drip, EndlessLine),
    )
}
_RULE_FIELDS = ("path", "method", "nth", "every", "times", "after")


@dataclass(slots=True)
class Fault:
    """A rule: which calls it meets, and what befalls them."""

    effect: Effect
    path: str = ""
    """Part of the path: `sendMessage`, `/v1/messages`."""
    method: str = ""
    """HTTP method; empty for any."""
    nth: int | None = None
    """Only the n-th matching call (from 1)."""
    every: int | None = None
    """Every k-th matching call."""
    times: int | None = None
    """At most so often."""
    after: int = 0
    """Leave the first so many matching calls alone."""
    when: Callable[[Mapping[str, Any]], bool] | None = None
    """Asked with the call's parameters or JSON body."""
    seen: int = 0
    used: int = 0

    def matches(self, method: str, path: str, facts: Mapping[str, Any]) -> bool:
        if self.path not in path or self.method not in {"", method}:
            return False
        return self.when is None or self.when(facts)

    def fires(self) -> bool:
        """Count one matching call; say whether the effect befalls it."""
        self.seen += 1
        due = (
            self.seen > self.after
            and (self.nth is None or self.seen == self.nth)
            and (self.every is None or self.seen % self.every == 0)
            and (self.times is None or self.used < self.times)
        )
        self.used += due
        return due


class Faults:
    """The rules of one server, in the order they were added."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def add(self, effect: Effect, **rule: Any) -> Fault:
        """Add a rule; keywords are the fields of `Fault`. Keep it to assert on `used`."""
        fault = Fault(effect, **rule)
        self._rules.append(fault)
        return fault

    def add_json(self, rule: dict[str, Any]) -> Fault:
        """Add a rule in its JSON form."""
        effect = _BY_NAME[rule["effect"]]
        scope = {name: rule[name] for name in _RULE_FIELDS if name in rule}
        rest = {name: rule[name] for name in rule if name not in {*_RULE_FIELDS, "effect"}}
        if effect is Drip and "every" in scope:
            rest["every"] = scope.pop("every")
        return self.add(effect(**rest), **scope)

    def clear(self) -> None:
        self._rules.clear()

    def take(self, method: str, path: str, facts: Mapping[str, Any]) -> Effect | None:
        """Return what befalls this call, if anything."""
        for fault in self._rules:
            if fault.matches(method, path, facts) and fault.fires():
                return fault.effect
        return None
