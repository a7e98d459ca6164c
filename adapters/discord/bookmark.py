"""How far a session of the gateway is kept: where the next process may go on with it.

Discord numbers what it sends. A session that is resumed from a number tells everything after
it once more, so the number has to lie before the first event that is not kept:
https://discord.com/developers/docs/events/gateway#resuming
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple


class Stamp(NamedTuple):
    """Which event of which session."""

    session: str
    number: int


_HISTORY = ""
"""Stands for a session in the stamps of what was found in a history: none tells it again."""

Unread = Mapping[str, str | None]
"""Channels whose history has still to be read, and the server of each that is in one."""


def found_in(channel: str) -> Stamp:
    """Stamp what was found in a channel's history; while it is under way the channel is unread."""
    return Stamp(_HISTORY, int(channel))


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
        self._unread: dict[str, str | None] | None = {}
        self._was_read: set[str] = set()

    def begin(
        self, session: str, address: str, number: int = 0, unread: Unread | None = None
    ) -> None:
        """Turn to a session of which everything is kept up to this number.

        What it does not tell is to be found in the channels that are `unread`.
        """
        self.session, self.address, self._received = session, address, number
        self._places_since = None
        self.look_in(unread or {})

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

    def look_in(self, unread: Unread | None) -> None:
        """Note which channels have to be read besides; None while that is not known."""
        self._unread = None if unread is None else dict(unread)
        self._was_read.clear()

    def has_read(self, channel: str) -> None:
        """Note that what was found in a channel is under way, or kept."""
        self._was_read.add(channel)

    @property
    def unread(self) -> Unread:
        """Channels of which something may be neither kept nor told by the session."""
        return {
            channel: server
            for channel, server in (self._unread or {}).items()
            if channel not in self._was_read or found_in(channel) in self._under_way
        }

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
        """The number to resume from; None where not all that is missing could be found again.

        That is so while something of another session is under way, and while it is not known
        which histories have to be read.
        """
        sessions = {one.session for one in self._under_way}
        if not self.session or self._unread is None or sessions - {self.session, _HISTORY}:
            return None
        told = (one.number for one in self._under_way if one.session == self.session)
        first = min(told, default=self._received + 1)
        if self._places_since is not None:
            first = min(first, self._places_since)
        return first - 1 if first > 1 else None

    @property
    def told(self) -> dict[str, Any] | None:
        """Return what the next process needs to go on."""
        number = self.kept_up_to
        if number is None:
            return None
        return {
            "id": self.session,
            "address": self.address,
            "number": number,
            "unread": self.unread,
        }
