"""Measuring rendered text once, not again for every page that has not changed."""

from gateway.replies.split import Measure


class Measured:
    """Remembers what was measured since the `begin` before last."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._now: dict[str, int] = {}
        self._before: dict[str, int] = {}

    def begin(self) -> None:
        """Start another look at the growing text."""
        self._before, self._now = self._now, {}

    def __call__(self, text: str) -> int:
        size = self._now.get(text)
        if size is None:
            size = self._before.get(text)
            if size is None:
                size = self._measure(text)
            self._now[text] = size
        return size
