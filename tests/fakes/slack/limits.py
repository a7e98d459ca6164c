"""A model of Slack's rate limits, switched off unless a test wants it.

Methods have tiers (calls a minute), and messages are posted about once a second in each
conversation: https://docs.slack.dev/apis/web-api/rate-limits. A call too many is answered
with 429 and `Retry-After`, and opens a penalty; calls inside one are counted and refused.

Seconds are those of the server's clock. A gateway that shares a clock which runs 50 times
faster sees the same seconds, as long as it does its waiting by that clock: then the limits
mean what they mean in life. What waits by the machine's clock (the SDK's retry handlers, its
pings) waits 50 times too long for such a journey, and never too short.
"""

import math
from dataclasses import dataclass, field

from tests.fakes.slack.arguments import METHODS

_POSTS = frozenset({"chat.postMessage", "chat.postEphemeral"})
_NOISE = 1e-9


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class _Window:
    until: float
    refuses: bool


@dataclass(slots=True)
class Rates:
    """A bucket for each method, one for posts in each conversation, and the penalties."""

    enabled: bool = False
    posts_per_second: float = 1.0
    posts_burst: float = 4.0
    factor: float = 1.0
    """Multiplies the documented calls a minute, which are the least that is let through."""
    least_penalty: int = 1
    """Seconds of the shortest penalty."""
    calls_in_penalty: int = 0
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _windows: dict[str, _Window] = field(default_factory=dict)

    def refuse(self, method: str, channel: str, now: float) -> int | None:
        """Return after how many seconds the call may come again, if it may not come now."""
        key = _key(method, channel)
        inside = self._inside(key, now)
        if inside is not None or not self.enabled:
            return inside
        if method in _POSTS:
            rate, burst = self.posts_per_second, self.posts_burst
        else:
            burst = METHODS[method].per_minute * self.factor
            rate = burst / 60
        missing = self._missing(key, rate, burst, now)
        if missing <= _NOISE:
            self._buckets[key].tokens -= 1
            return None
        seconds = max(self.least_penalty, math.ceil(missing))
        self.open(method, channel, seconds, now)
        return seconds

    def open(
        self, method: str, channel: str, seconds: float, now: float, *, refuses: bool = True
    ) -> None:
        """Begin a penalty; one that does not refuse only counts the calls made inside it."""
        self._windows[_key(method, channel)] = _Window(now + seconds, refuses)

    def is_in_penalty(self, method: str, channel: str, now: float) -> bool:
        window = self._windows.get(_key(method, channel))
        return window is not None and now < window.until

    def _inside(self, key: str, now: float) -> int | None:
        window = self._windows.get(key)
        if window is None:
            return None
        if now >= window.until:
            del self._windows[key]
            return None
        self.calls_in_penalty += 1
        return math.ceil(window.until - now) if window.refuses else None

    def _missing(self, key: str, rate: float, burst: float, now: float) -> float:
        bucket = self._buckets.setdefault(key, _Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        return (1 - bucket.tokens) / rate


def _key(method: str, channel: str) -> str:
    return f"post in {channel}" if method in _POSTS else method
