"""Discord's rate limits: a window for each route and channel, one for the whole bot.

Off unless a test wants them; then five sends and five edits in five seconds a channel, as the
real ones have been seen to be (they are unpublished), and fifty calls a second. The headers are
sent in any case.

Windows are measured by the server's clock. Seconds told to a client are seconds of that clock
divided by `speed`: a client that sleeps by the machine's clock while the server's runs fifty
times faster should be told of a fiftieth (`speed = 50`), or it will merely wait too long. A call
inside a penalty (after a 429, until the time that it named is over) is counted. The time that a
fault names is taken for the server's seconds: enough for a client that waits by either clock.
Facts: https://discord.com/developers/docs/topics/rate-limits
"""

import math
from dataclasses import dataclass, field

_GENEROUS = 1000
_PER_CALL = 1.0


@dataclass(slots=True)
class _Window:
    until: float
    used: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What an answer's headers tell of a bucket, or why a call is refused."""

    bucket: str
    limit: int
    remaining: int
    reset_at: float
    reset_after: float
    retry_after: float | None = None
    is_global: bool = False

    def headers(self) -> dict[str, str]:
        shown = {
            "X-RateLimit-Bucket": self.bucket,
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{self.reset_at:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after:.3f}",
        }
        if self.retry_after is None:
            return shown
        return {**shown, **penalty_headers(self.retry_after, is_global=self.is_global)}


def penalty_headers(retry_after: float, *, is_global: bool = False) -> dict[str, str]:
    shown = {
        "Via": "1.1 google",
        "Retry-After": str(math.ceil(retry_after)),
        "X-RateLimit-Scope": "global" if is_global else "user",
    }
    return {**shown, "X-RateLimit-Global": "true"} if is_global else shown


@dataclass(slots=True)
class Rates:
    """The windows, and the penalties of those who did not keep to them."""

    enabled: bool = False
    speed: float = 1.0
    """Seconds of the server's clock in one second of the client's."""
    buckets: dict[str, tuple[int, float]] = field(
        default_factory=lambda: {"send": (5, 5.0), "edit": (5, 5.0), "delete": (5, 1.0)}
    )
    """Calls and seconds, by the name of the bucket."""
    others: tuple[int, float] = (10, 5.0)
    overall: int = 50
    """Calls a second, over all."""
    calls_in_penalty: int = 0
    _windows: dict[tuple[str, int], _Window] = field(default_factory=dict)
    _penalties: dict[tuple[str, int], float] = field(default_factory=dict)

    def take(self, bucket: str, major: int, now: float) -> Standing:
        """Let a call use up its share; the standing says whether it is refused."""
        if not self.enabled:
            return Standing(bucket, _GENEROUS, _GENEROUS - 1, now + _PER_CALL, _PER_CALL)
        whole = self._window("*", 0, 1.0, now)
        if whole.used >= self.overall:
            return self._refuse("*", 0, self.overall, whole, now)
        limit, seconds = self.buckets.get(bucket, self.others)
        window = self._window(bucket, major, seconds, now)
        if window.used >= limit:
            return self._refuse(bucket, major, limit, window, now)
        whole.used += 1
        window.used += 1
        after = (window.until - now) / self.speed
        return Standing(bucket, limit, limit - window.used, now + after, after)

    def open(self, bucket: str, major: int, seconds: float, now: float) -> None:
        """Begin a penalty of so many seconds of the server's clock."""
        self._penalties[bucket, major] = now + seconds

    def note(self, bucket: str, major: int, now: float) -> bool:
        """Say whether a call comes too early, and count it if so."""
        ends = [self._penalties.get(key, now) for key in ((bucket, major), ("*", 0))]
        is_early = any(now < end - 1e-3 for end in ends)
        self.calls_in_penalty += is_early
        return is_early

    def _window(self, bucket: str, major: int, seconds: float, now: float) -> _Window:
        window = self._windows.get((bucket, major))
        if window is None or now >= window.until:
            window = self._windows[bucket, major] = _Window(now + seconds)
        return window

    def _refuse(self, bucket: str, major: int, limit: int, window: _Window, now: float) -> Standing:
        self.open(bucket, major, window.until - now, now)
        after = math.ceil((window.until - now) / self.speed * 1000) / 1000
        is_global = bucket == "*"
        return Standing(bucket, limit, 0, now + after, after, after, is_global=is_global)
