"""How far a session of the gateway is kept: where the next process may go on with it.

Discord numbers what it sends. A session that is resumed from a number tells everything after
it once more, so the number has to lie before the first event that is not kept:
https://discord.com/developers/docs/events/gateway#resuming
"""

from collections import Counter
from typing import Any, NamedTuple


class Stamp(NamedTuple):
    """Which event of which session."""

    session: str
    number: int


UNNUMBERED = Stamp("", 0)
"""What was found in a history: no session tells it again."""


class Bookmark:
    """One session, what has come of it, and what of that is under way."""

    def __init__(self) -> None:
        self.session = ""
        """Empty while there is none."""
        self.address = ""
        """Where it is resumed."""
        self.is_replaying = False
        """Whether what comes now was said while nobody listened."""
        self._received = 0
        self._under_way: Counter[Stamp] = Counter()
        self._places_since: int | None = None
        """The first event that told of places and is in no file."""

    def begin(self, session: str, address: str, number: int = 0) -> None:
        """Turn to a session of which everything is kept up to this number."""
        self.session, self.address, self._received = session, address, number
        self._places_since = None

    def forget(self) -> None:
        self.begin("", "")

    def stamp(self, number: int) -> Stamp:
        return Stamp(self.session, number)

    def heard(self, number: int, *, of_places: bool) -> None:
        """Count an event that has been taken, whatever became of it."""
        self._received = max(self._received, number)
        if of_places and self._places_since is None:
            self._places_since = number

    def arrived(self, stamp: Stamp) -> None:
        """Count what is not kept yet; of one event there may be several."""
        self._under_way[stamp] += 1

    def kept(self, stamp: Stamp) -> None:
        self._under_way[stamp] -= 1
        if self._under_way[stamp] <= 0:
            del self._under_way[stamp]

    @property
    def has_new_places(self) -> bool:
        return self._places_since is not None

    def write_places(self) -> int | None:
        """Take all that is known of places for written down; return from where on it was not."""
        since, self._places_since = self._places_since, None
        return since

    def places_not_written(self, session: str, since: int | None) -> None:
        """Take that back, as it could not be written."""
        if session == self.session and since is not None:
            self._places_since = since  # it is older than what has come meanwhile

    @property
    def kept_up_to(self) -> int | None:
        """The number to resume from; None where the session does not tell all that is missing.

        That is so while something of another session, or of a history, is under way.
        """
        if not self.session or any(one.session != self.session for one in self._under_way):
            return None
        first = min((one.number for one in self._under_way), default=self._received + 1)
        if self._places_since is not None:
            first = min(first, self._places_since)
        return first - 1 if first > 1 else None

    def told(self) -> dict[str, Any] | None:
        """Return what the next process needs to go on."""
        number = self.kept_up_to
        if number is None:
            return None
        return {"id": self.session, "address": self.address, "number": number}
