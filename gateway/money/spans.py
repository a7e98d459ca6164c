"""Days and months, by the clock of UTC. Pure."""

from datetime import UTC, datetime, timedelta


def day_of(now: float) -> tuple[float, float]:
    """Return when the day began and when it ends."""
    start = _moment(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return start.timestamp(), (start + timedelta(days=1)).timestamp()


def month_of(now: float) -> tuple[float, float]:
    """Return when the month began and when it ends."""
    start = _moment(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    # From the 28th of any month, four days on is the next.
    end = (start.replace(day=28) + timedelta(days=4)).replace(day=1)
    return start.timestamp(), end.timestamp()


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)
