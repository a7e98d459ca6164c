"""How often each method may be called: Slack's tiers, kept from this side.

Learning them from refusals would cost a refusal each time, and one for every call that was
already on its way. https://docs.slack.dev/apis/web-api/rate-limits
"""

import math
from dataclasses import dataclass

from gateway.clock import Clock

_TIER_2, _TIER_3, _TIER_4 = 20, 50, 100
_PER_MINUTE = {
    "agents.sessions.setStatus": _TIER_3,
    "assistant.threads.setStatus": _TIER_3,
    "chat.appendStream": _TIER_4,
    "chat.delete": _TIER_3,
    "chat.startStream": _TIER_2,
    "chat.stopStream": _TIER_2,
    "chat.update": _TIER_3,
    "conversations.history": _TIER_3,
    "conversations.info": _TIER_3,
    "conversations.replies": _TIER_3,
    "reactions.add": _TIER_3,
    "reactions.remove": _TIER_2,
    "users.conversations": _TIER_3,
    "users.info": _TIER_4,
}
_POSTS_A_MINUTE = 60
_POSTS_AT_ONCE = 3
_USED = 0.9
"""Of what Slack allows, as its clock and ours count from different moments."""
_KEPT_FOR_WHAT_MATTERS = 0.4
"""Of a bucket: what will be followed by a better call may not take the rest."""
_BUCKETS_REMEMBERED = 1000
_NOISE = 1e-6


@dataclass(slots=True)
class _Bucket:
    most: float
    per_second: float
    tokens: float
    at: float

    def fill(self, now: float) -> None:
        self.tokens = min(self.most, self.tokens + (now - self.at) * self.per_second)
        self.at = now


class Pace:
    """The calls that one app may still make."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key: str, *, is_passing: bool) -> float:
        """Take a call and return 0, or return after how many seconds to ask again.

        `key` is a method, or for posts what names the conversation, too.
        """
        bucket = self._bucket(key)
        if bucket is None:
            return 0.0
        bucket.fill(self._clock.monotonic())
        needed = 1 + (_KEPT_FOR_WHAT_MATTERS * bucket.most if is_passing else 0)
        if bucket.tokens >= needed - _NOISE:
            bucket.tokens -= 1
            return 0.0
        return (needed - bucket.tokens) / bucket.per_second

    def left(self, key: str) -> float:
        """Return how many calls may be made at once."""
        bucket = self._bucket(key)
        if bucket is None:
            return math.inf
        bucket.fill(self._clock.monotonic())
        return bucket.tokens

    def _bucket(self, key: str) -> _Bucket | None:
        if key in self._buckets:
            return self._buckets[key]
        per_minute, most = _limit(key)
        if not per_minute:
            return None
        made = _Bucket(most, _USED * per_minute / 60, most, self._clock.monotonic())
        if len(self._buckets) >= _BUCKETS_REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[key] = made
        return made


def _limit(key: str) -> tuple[float, float]:
    """Return how many calls a minute are let through, and how many at once."""
    if key not in _PER_MINUTE:
        return (_POSTS_A_MINUTE, _POSTS_AT_ONCE) if key.startswith("post in ") else (0, 0)
    return _PER_MINUTE[key], int(_USED * _PER_MINUTE[key])
