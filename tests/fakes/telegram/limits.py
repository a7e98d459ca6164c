"""A model of Telegram's flood limits, switched off unless a test wants it.

The real ones are unpublished; these are the documented rules of thumb:
https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

import math
from dataclasses import dataclass, field

from tests.fakes.telegram.chat import Chat

_COSTS = {
    "sendMessageDraft": 0.25,
    "sendChatAction": 0.0,
    "setMessageReaction": 0.0,
    "answerCallbackQuery": 0.0,
    "deleteMessage": 0.0,
    "deleteMessages": 0.0,
    "getChat": 0.0,
    "getChatMember": 0.0,
}

_NOISE = 1e-9


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class _Window:
    until: float
    length: float
    refuses: bool


@dataclass(slots=True)
class Rates:
    """Buckets for a chat and for the whole bot, and the penalties of those who overflow them."""

    enabled: bool = False
    private_per_second: float = 1.0
    private_burst: float = 3.0
    group_per_minute: float = 20.0
    group_burst: float = 20.0
    overall_per_second: float = 30.0
    least_penalty: int = 1
    """Seconds of the shortest penalty."""
    doubles: bool = False
    """Whether each call inside a penalty doubles it."""
    calls_in_penalty: int = 0
    _buckets: dict[int, _Bucket] = field(default_factory=dict)
    _windows: dict[int, _Window] = field(default_factory=dict)

    def refuse(self, method: str, chat: Chat, count: int, now: float) -> int | None:
        """Return after how many seconds the call may come again, if it may not come now."""
        inside = self._inside(chat.id, now)
        if inside is not None:
            return inside
        cost = _COSTS.get(method, 1.0) * count
        if not self.enabled or cost <= 0:
            return None
        if chat.kind == "private":
            rate, burst = self.private_per_second, self.private_burst
        else:
            rate, burst = self.group_per_minute / 60, self.group_burst
        whole = self.overall_per_second
        missing = max(
            self._missing(chat.id, rate, burst, cost, now),
            self._missing(0, whole, whole, cost, now),
        )
        if missing <= _NOISE:
            self._buckets[chat.id].tokens -= cost
            self._buckets[0].tokens -= cost
            return None
        seconds = max(self.least_penalty, math.ceil(missing))
        self.open(chat.id, seconds, now)
        return seconds

    def open(self, chat_id: int, seconds: float, now: float, *, refuses: bool = True) -> None:
        """Begin a penalty; one that does not refuse only counts the calls made inside it."""
        self._windows[chat_id] = _Window(now + seconds, seconds, refuses)

    def is_in_penalty(self, chat_id: int, now: float) -> bool:
        window = self._windows.get(chat_id)
        return window is not None and now < window.until

    def _inside(self, chat_id: int, now: float) -> int | None:
        window = self._windows.get(chat_id)
        if window is None:
            return None
        if now >= window.until:
            del self._windows[chat_id]
            return None
        self.calls_in_penalty += 1
        if not window.refuses:
            return None
        if self.doubles:
            self.open(chat_id, window.length * 2, now)
        return math.ceil(self._windows[chat_id].until - now)

    def _missing(self, key: int, rate: float, burst: float, cost: float, now: float) -> float:
        bucket = self._buckets.setdefault(key, _Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        return (min(cost, burst) - bucket.tokens) / rate
