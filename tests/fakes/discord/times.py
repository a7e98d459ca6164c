"""Ids that tell the time, and times as Discord writes them.

Facts: https://discord.com/developers/docs/reference#snowflakes
"""

from datetime import UTC, datetime

_EPOCH_MS = 1_420_070_400_000


class Snowflakes:
    """Ids that only grow, made from the clock."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, now: float) -> int:
        self._last = max(self._last + 1, at(now))
        return self._last


def at(now: float) -> int:
    """Return the smallest id of a moment."""
    return (int(now * 1000) - _EPOCH_MS) << 22


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")
