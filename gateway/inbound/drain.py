"""Draining a lane: its kept messages, in order, one at a time. Turns start nowhere else."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import structlog

from gateway.clock import Clock
from gateway.contracts.inbox import Inbox, Kept, is_aside
from gateway.errors import AccountRejected, LaneLost, MessageGone
from gateway.ids import Lane
from gateway.inbound.postponed import Postponed
from gateway.inbound.routing import is_control
from gateway.inbound.stops import Stops
from gateway.inbound.turnstile import Turnstile, whose

log = structlog.get_logger()

_ALBUM_QUIET = 1.0
"""Seconds without a further picture after which an album is taken as complete."""

_BEHIND_ANOTHER = 0.5
"""Seconds between looks whether a turn has ended that goes on under its session's old key."""


class Drain:
    """Takes the turns of a lane until nothing waits in it."""

    def __init__(
        self,
        inbox: Inbox,
        postponed: Postponed,
        stops: Stops,
        take_turn: Callable[[Kept], Awaitable[None]],
        turnstile: Turnstile,
        clock: Clock,
    ) -> None:
        self._inbox = inbox
        self._postponed = postponed
        self._stops = stops
        self._take_turn = take_turn
        self._turnstile = turnstile
        self._clock = clock
        self._is_stopping = False

    def stop(self) -> None:
        """Start no more turns; those that run go on."""
        self._is_stopping = True
        self._postponed.release_all()
        self._turnstile.open()

    async def drain(self, lane: Lane) -> None:
        """Work until the lane is empty, or until another owner has taken it."""
        try:
            while (kept := await self._ready_head(lane)) is not None:
                with self._stops.working(kept), suppress(MessageGone), _set_apart(kept.lane):
                    await self._let_through(await self._whole(kept))
        except LaneLost:
            return

    async def _let_through(self, kept: Kept) -> None:
        if is_control(kept.lane):
            # It may be what ends the turns that others wait for.
            await self._take_turn(kept)
            return
        async with self._turnstile.passing(whose(kept)):
            if not self._is_stopping:
                await self._take_turn(kept)

    async def _ready_head(self, lane: Lane) -> Kept | None:
        kept = None if self._is_stopping else await self._inbox.head(lane)
        while kept is not None and kept.is_behind:
            await self._clock.sleep(_BEHIND_ANOTHER)
            kept = None if self._is_stopping else await self._inbox.head(lane)
        if kept is None:
            return None
        await self._postponed.wait(kept)
        return None if self._is_stopping else kept

    async def _whole(self, head: Kept) -> Kept:
        """Return the message, with all of its album once no more of it comes."""
        if head.message.album is None:
            return head
        while True:
            quiet = self._clock.now() - await self._inbox.album_quiet_since(head)
            if not 0 <= quiet < _ALBUM_QUIET:
                return await self._inbox.merge_album(head)
            await self._clock.sleep(_ALBUM_QUIET - quiet)


@contextmanager
def _set_apart(lane: Lane) -> Iterator[None]:
    """Go on with other accounts' messages where one's account can send nothing any more.

    What is for that account was put aside until the next start.
    """
    try:
        yield
    except AccountRejected as rejection:
        if is_aside(lane):
            raise
        log.warning("turn.put_aside", reason=str(rejection))
