"""Which calls must wait, and for how long: what Discord's headers and refusals tell.

Facts: https://discord.com/developers/docs/topics/rate-limits
"""

import math
from collections.abc import Mapping
from typing import Any

from gateway.clock import Clock, believed
from gateway.errors import RetryLater

_MAJOR = ("channel", "guild", "webhook")
"""What is in the path that has limits of its own."""
_APART = "webhook"
"""Answers to interactions do not count against the whole bot."""
_UNTOLD = 5.0
_REMEMBERED = 4096

Headers = Mapping[str, str]
Named = Mapping[str, str]


class Penalties:
    """Until when each route of each channel, and the whole bot, must be left alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._everything_until = -math.inf
        self._until: dict[str, float] = {}
        self._buckets: dict[str, str] = {}
        """By route: several may share one limit, as putting and taking away a reaction do."""

    def check(self, route: str, named: Named) -> None:
        """Raise `RetryLater` for a call that would be made in vain."""
        now = self._clock.monotonic()
        until = max(self._until.get(key, -math.inf) for key in self._keys(route, named))
        if _APART not in named:
            until = max(until, self._everything_until)
        if until > now:
            raise RetryLater("Discord asks to wait", until - now)

    def note(self, route: str, named: Named, headers: Headers) -> None:
        """Take in how much is left of a window; a used up one is waited for."""
        if bucket := headers.get("X-RateLimit-Bucket"):
            self._buckets[route] = bucket
        if headers.get("X-RateLimit-Remaining") == "0":
            self._close(route, named, _seconds(headers.get("X-RateLimit-Reset-After"), 0.0))

    def refused(self, route: str, named: Named, headers: Headers, told: Mapping[str, Any]) -> float:
        """Take in a refusal; return for how long it is."""
        after = told.get("retry_after")
        seconds = _seconds(headers.get("Retry-After") if after is None else after, _UNTOLD)
        # Without a body it is not from the API, but from what guards all of it.
        if after is None or told.get("global") or headers.get("X-RateLimit-Global"):
            self._everything_until = self._clock.monotonic() + seconds
        else:
            self._close(route, named, seconds)
        return seconds

    def _close(self, route: str, named: Named, seconds: float) -> None:
        now = self._clock.monotonic()
        if len(self._until) >= _REMEMBERED:
            self._until = {key: until for key, until in self._until.items() if until > now}
        for key in self._keys(route, named):
            self._until[key] = now + seconds

    def _keys(self, route: str, named: Named) -> set[str]:
        """Return both names of a limit: its bucket may become known, or change, in between."""
        major = [named[name] for name in _MAJOR if name in named]
        return {" ".join([one, *major]) for one in (route, self._buckets.get(route, route))}


def _seconds(told: object, otherwise: float) -> float:
    try:
        seconds = float(str(told))
    except ValueError:
        return otherwise
    return believed(seconds) if math.isfinite(seconds) and seconds >= 0 else otherwise
