"""Where a history may be cut: before a person's turn, never inside one. Pure."""

from collections.abc import Sequence

from gateway.settings import CompactionSettings
from gateway.transcript import (
    AssistantEntry,
    StoredEntry,
    SummaryEntry,
    UserEntry,
    entry_tokens,
)


def history_tokens(entries: Sequence[StoredEntry]) -> int:
    """Guess what a history costs in a prompt."""
    return sum(entry_tokens(stored.entry) for stored in entries)


def choose_cut(entries: Sequence[StoredEntry], settings: CompactionSettings) -> int:
    """Return how many of the oldest entries to fold; 0 when there is nothing to fold.

    The tail is kept word for word, unless the tail alone is over the limit: then as many
    of its turns as fill half of the limit.
    """
    places = _places(entries)
    tail = [place for place in places if place <= len(entries) - settings.keep_tail]
    cut = max(tail, default=0)
    limit = settings.max_tokens
    if limit is None or history_tokens(entries[cut:]) <= limit:
        return cut
    later = [place for place in places if place > cut]
    fitting = (place for place in later if history_tokens(entries[place:]) <= limit // 2)
    return next(fitting, max(later, default=cut))


def _places(entries: Sequence[StoredEntry]) -> list[int]:
    """Find where a turn begins, and the end if the last turn is over."""
    oldest = 1 if entries and isinstance(entries[0].entry, SummaryEntry) else 0
    begins = (place for place, kept in enumerate(entries) if isinstance(kept.entry, UserEntry))
    places = [place for place in begins if place > oldest]
    last = entries[-1].entry if entries else None
    if isinstance(last, AssistantEntry) and not last.calls:
        places.append(len(entries))
    return places
