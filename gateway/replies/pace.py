"""When a conversation's next call may be made: one bucket for all its calls.

Sends, edits, files, typing and drafts of a conversation pass one `Conversation`, one at a
time. A penalty closes it to every call until its last second. Conversations share
nothing but their account's budget.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import Enum

from gateway.clock import Clock, believed
from gateway.errors import HeldBack, NotSupported, RetryLater
from gateway.messages import Limits, Place
from gateway.replies.budget import Budget
from gateway.replies.tickets import Tickets

_INTERIM_PART = 0.7
_TYPING_PART = 0.35
_STREAMS_PART = 0.8
_IDLE_AFTER = 60.0
_SWEEP_FROM = 1_000
_STRICT_FOR = 600.0


class Interim(Enum):
    """Calls that are left out rather than waited for."""

    EDIT = "edit"
    DRAFT = "draft"
    STREAM = "stream"
    TYPING = "typing"


class AccountPace:
    """The conversations of one account, and what they share.

    Interim calls always keep within the account's published rate. The others are held to
    it only once the platform has refused a call, and for a while: until then a busy
    account is not made to wait for a limit that its server may not have. Where a refusal
    would close the whole account, all calls are held to it from the start.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.limits = limits
        self.clock = clock
        self.open_replies = 0
        rate = limits.calls_per_second
        self._budget = Budget(rate, 1.0) if rate else None
        self._tickets = Tickets(rate, 1.0, clock) if rate and limits.is_rate_strict else None
        self._strict_until = -math.inf
        self._conversations: dict[tuple[str, str | None], Conversation] = {}
        self._sweep_at = _SWEEP_FROM

    @contextmanager
    def using(self, place: Place) -> Iterator["Conversation"]:
        """Lend a place's conversation; every user of the place gets the same one."""
        bucket = place.conversation, place.thread if self.limits.threads_apart else None
        conversation = self._conversations.get(bucket)
        if conversation is None:
            self._sweep()
            conversation = Conversation(self, is_direct=place.is_direct)
            self._conversations[bucket] = conversation
        conversation.users += 1
        self.open_replies += 1
        try:
            yield conversation
        finally:
            conversation.users -= 1
            self.open_replies -= 1

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Count a call on the account, once it may be made."""
        if self._tickets is not None:
            async with self._tickets.one():
                yield
            return
        if (wait := self._take()) > 0:
            await self.clock.sleep(wait)
        yield

    def _take(self) -> float:
        now = self.clock.monotonic()
        if self._budget is None:
            return 0.0
        if now < self._strict_until:
            return self._budget.take(now) - now
        self._budget.note(now)
        return 0.0

    def refused(self) -> None:
        """The platform has had enough: keep to its rate for a while."""
        self._strict_until = self.clock.monotonic() + _STRICT_FOR

    def interim_delay(self) -> float:
        """Return how long a call must wait that gives way to final ones."""
        if self._tickets is not None:
            return self._tickets.delay(_STREAMS_PART)
        now = self.clock.monotonic()
        return self._budget.free_at(now, _STREAMS_PART) - now if self._budget else 0.0

    def stretched(self, every: float) -> float:
        """Return the spacing of interim calls at which all open replies fit the budget."""
        rate = self.limits.calls_per_second
        return max(every, self.open_replies / (rate * _STREAMS_PART)) if rate else every

    def _sweep(self) -> None:
        """Forget idle conversations, whenever twice as many are known as after the last time."""
        if len(self._conversations) < self._sweep_at:
            return
        self._conversations = {
            name: one for name, one in self._conversations.items() if not one.is_idle()
        }
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self._conversations))


class Conversation:
    """One conversation's calls, one at a time; finals wait their turn, interims give way."""

    def __init__(self, account: AccountPace, *, is_direct: bool) -> None:
        self.users = 0
        self._account = account
        self._clock = account.clock
        self._is_direct = is_direct
        self._lock = asyncio.Lock()
        self._closed_until = -math.inf
        self._last_call = -math.inf
        self._strikes = 0
        per_minute = account.limits.calls_per_minute_in_groups
        self._budget = Budget(per_minute, 60.0) if per_minute and not is_direct else None

    def is_idle(self) -> bool:
        """Nobody would miss this conversation's memory."""
        now = self._clock.monotonic()
        return not self.users and now >= max(self._closed_until, self._last_call + _IDLE_AFTER)

    def delay(self, call: Interim, mine: float = -math.inf) -> float:
        """Return how long an interim call must wait at least; 0 means it may go now.

        `mine` is when the caller made its last one: replies that share the
        conversation take turns.
        """
        now = self._clock.monotonic()
        every = self._spacing(call)
        if self._lock.locked():
            return max(every, self._closed_until - now)
        since = now
        if call is not Interim.TYPING:
            since = max(self._last_call + every, mine + every * self.users)
        free = now
        if self._budget is not None:
            part = _TYPING_PART if call is Interim.TYPING else _INTERIM_PART
            free = self._budget.free_at(now, part)
        waits = (since, free, self._closed_until, now + self._account.interim_delay())
        return max(waits) - now

    @asynccontextmanager
    async def slot(self, *, is_spaced: bool = True) -> AsyncIterator[None]:
        """Wait until a call may be made, however long; hold the conversation during it.

        An interim call asks `delay` right before, and so finds it free. Unless it
        `is_spaced`, the next interim call need not keep its distance from this one.
        """
        async with self._lock:
            await self._wait()
            before = self._last_call
            try:
                async with self._account.slot():
                    yield
            except NotSupported:
                # It was no call at all: the plainer way may follow at once.
                raise
            except RetryLater as pause:
                self._last_call = self._clock.monotonic()
                if isinstance(pause, HeldBack):
                    self._close_for(pause.after)
                else:
                    self.close_for(pause.after)
                raise
            except BaseException:
                self._last_call = self._clock.monotonic()
                raise
            self._last_call = self._clock.monotonic() if is_spaced else before
            self._strikes = 0

    def close_for(self, seconds: float) -> None:
        """Let no call in for so long, and keep the account to its rate."""
        self._account.refused()
        self._close_for(seconds)

    def _close_for(self, seconds: float) -> None:
        """Let no call in for so long, and longer each time in a row."""
        self._strikes += 1
        seconds = max(believed(seconds), backoff(self._strikes))
        self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    async def _wait(self) -> None:
        now = self._clock.monotonic()
        when = max(now, self._closed_until)
        if self._budget is not None:
            when = max(when, self._budget.take(when))
        if when > now:
            await self._clock.sleep(when - now)

    def _spacing(self, call: Interim) -> float:
        limits = self._account.limits
        match call:
            case Interim.DRAFT:
                every = limits.draft_every
            case Interim.STREAM:
                every = limits.stream_every
            case _:
                every = limits.edit_every if self._is_direct else limits.edit_every_in_groups
        return self._account.stretched(every)


def backoff(tries: int) -> float:
    """Return how long to wait after so many failures in a row."""
    return float(min(60.0, 0.5 * 2 ** min(tries - 1, 10)))
