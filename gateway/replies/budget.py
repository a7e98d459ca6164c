"""So many calls in so many seconds, counted over a sliding window."""

from collections import deque


class Budget:
    """Any span of `seconds` holds at most `calls` calls."""

    def __init__(self, calls: float, seconds: float) -> None:
        self._most = max(1, int(calls))
        self._seconds = seconds * self._most / calls
        self._times: deque[float] = deque(maxlen=self._most)

    def take(self, now: float) -> float:
        """Count one call; return the moment from which it may be made."""
        when = self._free_at(self._most, now)
        self._times.append(when)
        return when

    def note(self, now: float) -> None:
        """Count one call that is made whatever the budget says."""
        self._times.append(now)

    def free_at(self, now: float, part: float) -> float:
        """Return when a call may be made that leaves the rest of the budget to others."""
        return self._free_at(max(1, int(self._most * part)), now)

    def _free_at(self, calls: int, now: float) -> float:
        if len(self._times) < calls:
            return now
        return max(now, self._times[-calls] + self._seconds)
