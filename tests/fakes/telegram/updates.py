"""The queue of updates, and the long poll that empties it.

Facts: https://core.telegram.org/bots/api#getting-updates
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gateway.clock import Clock
from tests.fakes.telegram.refusal import conflict

_KEPT_SECONDS = 86_400.0
_LONGEST_POLL = 50
_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_FIRST_ID = 700_000_001
_DELIVERIES_KEPT = 100_000


@dataclass(slots=True)
class _Poll:
    wake: "asyncio.Future[None]"
    is_gone: Callable[[], bool]


class Updates:
    """Keeps updates until they are confirmed, one poller at a time."""

    def __init__(self, clock: Clock, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._queue: deque[tuple[float, dict[str, Any]]] = deque()
        self._poll: _Poll | None = None
        self._allowed: frozenset[str] | None = None
        self._next_id = _FIRST_ID
        self._delivered: deque[dict[str, Any]] = deque(maxlen=100)
        self._again: list[dict[str, Any]] = []
        self._held: list[tuple[float, dict[str, Any]]] | None = None
        self.has_webhook = False
        self.conflicts = 0
        """How many polls were ended by another one."""
        self.handed_out: deque[tuple[float, int]] = deque(maxlen=_DELIVERIES_KEPT)
        """When which update was given to a poller, every time it was."""
        self.polls = 0
        self.confirmed = 0
        """How many updates were confirmed by a later offset."""
        self.last_offset: int | None = None
        self.arrived = asyncio.Event()

    @property
    def pending(self) -> list[dict[str, Any]]:
        """The updates that are not confirmed yet, oldest first."""
        return [update for _, update in self._queue]

    @property
    def is_polled(self) -> bool:
        """Whether somebody waits for updates now."""
        return self._poll is not None

    def push(self, update: dict[str, Any], update_id: int | None = None) -> int | None:
        """Queue an update; `None` if its kind is not among the allowed ones."""
        kind = next((name for name in update if name != "update_id"), "")
        if not self._is_wanted(kind):
            return None
        if update_id is None:
            update_id = self._next_id
            self._next_id += 1
        told = self._clock.now(), {"update_id": update_id, **update}
        if self._held is not None:
            self._held.append(told)
            return update_id
        self._queue.append(told)
        self._wake()
        return update_id

    def _is_wanted(self, kind: str) -> bool:
        if self._allowed:
            return kind in self._allowed
        return kind not in _NOT_BY_DEFAULT

    def allow(self, kinds: Iterable[str] | None) -> None:
        """Remember which kinds are wanted from now on; an empty list means the default."""
        if kinds is not None:
            self._allowed = frozenset(kinds)

    def forget_until(self, update_id: int) -> None:
        """Confirm every update before this one."""
        while self._queue and self._queue[0][1]["update_id"] < update_id:
            self._queue.popleft()
            self.confirmed += 1
            self._changed()

    def confirm_one(self, update: dict[str, Any]) -> None:
        """Confirm this update and no other."""
        self._queue = deque(one for one in self._queue if one[1] is not update)
        self._delivered.append(update)
        self.confirmed += 1
        self._changed()

    def hold(self) -> None:
        """Keep back what happens from now on."""
        self._held = []

    def release(self, chance: random.Random) -> None:
        """Tell what was kept back, in an order that chance makes."""
        held, self._held = self._held or [], None
        chance.shuffle(held)
        self._queue.extend(held)
        self._wake()

    def clear(self) -> None:
        self._queue.clear()

    async def get(
        self, *, offset: int, limit: int, wait: int, is_gone: Callable[[], bool]
    ) -> list[dict[str, Any]]:
        """Answer `getUpdates`."""
        self._check_webhook()
        self._end_other()
        self.polls += 1
        self._confirm(offset)
        self._changed()
        if not (self._queue or self._again) and wait > 0:
            await self._wait(min(wait, _LONGEST_POLL), is_gone)
        again, self._again = self._again, []
        fresh = [update for _, update in self._queue if update["update_id"] >= offset]
        answer = [*again, *fresh][:limit]
        self._delivered.extend(answer)
        self.handed_out.extend((self._clock.now(), update["update_id"]) for update in answer)
        return answer

    def redeliver(self, count: int = 1, times: int = 1) -> None:
        """Tell the newest delivered updates once more, confirmed or not."""
        self._again = list(self._delivered)[-count:] * times
        self._wake()

    @property
    def again(self) -> list[dict[str, Any]]:
        """What is still to be told once more."""
        return self._again

    def _check_webhook(self) -> None:
        if self.has_webhook:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to "
                "delete the webhook first"
            )

    def _confirm(self, offset: int) -> None:
        oldest = self._clock.now() - _KEPT_SECONDS
        while self._queue and self._queue[0][0] < oldest:
            self._queue.popleft()
        self.last_offset = offset
        if offset > 0:
            self.forget_until(offset)
        elif offset < 0:
            while len(self._queue) > -offset:
                self._queue.popleft()

    def _end_other(self) -> None:
        """End the poll that waits already, as the real server does."""
        other, self._poll = self._poll, None
        if other is None or other.wake.done():
            return
        if other.is_gone():
            other.wake.set_result(None)
            return
        self.conflicts += 1
        other.wake.set_exception(
            conflict(
                "terminated by other getUpdates request; make sure that only one bot instance "
                "is running"
            )
        )

    async def _wait(self, seconds: int, is_gone: Callable[[], bool]) -> None:
        poll = _Poll(asyncio.get_running_loop().create_future(), is_gone)
        self._poll = poll
        self._changed()
        try:
            async with self._clock.timeout(seconds):
                await poll.wake
        except TimeoutError:
            pass
        finally:
            if self._poll is poll:
                self._poll = None

    def end_polls(self, error: Exception | None = None) -> None:
        """Let a waiting poll go, with nothing or with an error."""
        poll = self._poll
        if error is not None and poll is not None and not poll.wake.done():
            poll.wake.set_exception(error)
        self._wake()

    def _wake(self) -> None:
        self.arrived.set()
        if self._poll is not None and not self._poll.wake.done():
            self._poll.wake.set_result(None)
