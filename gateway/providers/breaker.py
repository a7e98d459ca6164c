"""Whether a model server is worth a call, by what became of the last ones. Pure.

Closed, calls go through. Open, none does. Half open, one does, and what becomes of it decides.
The numbers: docs/decisions/0010-when-a-breaker-opens.md
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

WINDOW = 60.0
LEAST_CALLS = 20
"""In the window, before the share of failures says anything."""
MOST_FAILED = 0.5
IN_A_ROW = 5
LOST = 60.0
"""Seconds that failures in a row, at least two, may have taken together."""
REST = 30.0
REMEMBERED = 600.0
"""Seconds for which one session's success speaks for the server when only another one fails."""


class BreakerState(Enum):
    """As `status` shows it."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Ticket:
    """One call that was let through."""

    session: str
    era: int
    """What comes back after the breaker has changed says nothing about the server as it is."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    at: float
    session: str
    is_failure: bool


class Breaker:
    """The state of one model on one server with one key."""

    def __init__(self) -> None:
        self.state = BreakerState.CLOSED
        self.opened_at = 0.0
        self._era = 0
        self._rests_until = 0.0
        self._probe: Ticket | None = None
        self._failed_probe = ""
        """The session whose probe was the last to fail: another one's turn comes first."""
        self._outcomes: deque[_Outcome] = deque()
        self._row: list[str] = []
        """The sessions of the failures since the last success."""
        self._lost = 0.0
        self._good: list[tuple[str, float]] = []
        """The last success of the last two sessions that had one."""

    def enter(self, session: str, now: float) -> Ticket | None:
        """Let a call through, or not. What becomes of it has to be told."""
        if self.state is BreakerState.CLOSED:
            return Ticket(session, self._era)
        if self._probe is not None or now < self._may_probe_at(session):
            return None
        self.state = BreakerState.HALF_OPEN
        self._probe = Ticket(session, self._era)
        return self._probe

    def rest(self, session: str, now: float) -> float | None:
        """Return the seconds until the session may probe; None while another one does."""
        if self._probe is not None:
            return None
        return max(self._may_probe_at(session) - now, 0.0)

    def succeeded(self, ticket: Ticket, now: float) -> None:
        """The server has begun to answer."""
        if ticket.era != self._era:
            return
        if ticket is self._probe:
            self._close()
        self._note(_Outcome(now, ticket.session, is_failure=False))
        others = [(session, at) for session, at in self._good if session != ticket.session]
        self._good = [(ticket.session, now), *others][:2]
        self._row, self._lost = [], 0.0

    def refused(self, ticket: Ticket) -> None:
        """The server is there, and would not have this request: that counts for nothing."""
        if ticket is self._probe:
            self._close()

    def failed(
        self, ticket: Ticket, now: float, *, lost: float, asked: float | None = None
    ) -> None:
        """The server is down, overloaded, or was silent for the `lost` seconds.

        `asked` is how long it wants to be left alone.
        """
        if ticket.era != self._era:
            return
        rest = max(REST, asked or 0.0)
        if ticket is self._probe:
            self._probe, self._failed_probe = None, ticket.session
            self.state, self._rests_until = BreakerState.OPEN, now + rest
            return
        self._note(_Outcome(now, ticket.session, is_failure=True))
        self._row.append(ticket.session)
        self._lost += lost
        if self._is_down(now):
            self._open(now, rest)

    def left(self, ticket: Ticket) -> None:
        """The call was given up, and nothing is known."""
        if ticket is self._probe:
            self._probe = None

    def counts(self, now: float) -> tuple[int, int]:
        """Return how many calls ended in the window, and how many of them failed."""
        self._forget(now)
        return len(self._outcomes), sum(one.is_failure for one in self._outcomes)

    def _is_down(self, now: float) -> bool:
        in_row = len(self._row)
        is_row = in_row >= IN_A_ROW or (in_row > 1 and self._lost >= LOST)
        if is_row and not self._is_one_alone(set(self._row), now):
            return True
        calls, failed = self.counts(now)
        if calls < LEAST_CALLS or failed < calls * MOST_FAILED:
            return False
        return not self._is_one_alone(
            {one.session for one in self._outcomes if one.is_failure}, now
        )

    def _is_one_alone(self, failing: set[str], now: float) -> bool:
        """Say whether all failures are one session's, while the server answers others."""
        if len(failing) > 1:
            return False
        return any(session not in failing and now - at < REMEMBERED for session, at in self._good)

    def _may_probe_at(self, session: str) -> float:
        return self._rests_until + (REST if session == self._failed_probe else 0.0)

    def _note(self, outcome: _Outcome) -> None:
        self._outcomes.append(outcome)
        self._forget(outcome.at)

    def _forget(self, now: float) -> None:
        while self._outcomes and self._outcomes[0].at <= now - WINDOW:
            self._outcomes.popleft()

    def _open(self, now: float, rest: float) -> None:
        self.state, self.opened_at, self._rests_until = BreakerState.OPEN, now, now + rest
        self._era += 1
        self._row, self._lost, self._failed_probe = [], 0.0, ""

    def _close(self) -> None:
        self.state, self._probe, self._failed_probe = BreakerState.CLOSED, None, ""
        self._outcomes.clear()
        self._era += 1
