"""What came late: Slack had tried in vain to tell of it, so that more may have been lost before.

Nobody tells an app that is called by HTTP that its address could not be reached.
https://docs.slack.dev/apis/events-api#error-handling
"""

from collections import OrderedDict
from decimal import Decimal, InvalidOperation

_REMEMBERED = 2000


class Met:
    """The messages that have lately come to this process."""

    def __init__(self) -> None:
        self._met: OrderedDict[Decimal, None] = OrderedDict()

    def note(self, ts: str) -> None:
        moment = _moment(ts)
        if moment is not None:
            self._met[moment] = None
            if len(self._met) > _REMEMBERED:
                self._met.popitem(last=False)

    def last_before(self, ts: str) -> str | None:
        """Return the newest older than a message that is new; None where nothing can be told."""
        moment = _moment(ts)
        if moment is None or moment in self._met:
            return None
        newest = max((one for one in self._met if one < moment), default=None)
        return None if newest is None else str(newest)


def _moment(ts: str) -> Decimal | None:
    try:
        moment = Decimal(ts)
    except InvalidOperation:
        return None
    return moment if moment.is_finite() else None
