"""Having what comes kept, in order within a channel, whatever goes wrong in another."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import structlog

from adapters.discord.bookmark import Stamp, found_in
from adapters.discord.inbound import Reader
from adapters.discord.ledger import Ledger
from gateway.clock import Clock
from gateway.contracts.adapter import Deliver
from gateway.errors import MALFORMED, RetryLater
from gateway.messages import Inbound, Message, MessagesMissed, Origin, Receipt

log = structlog.get_logger()

Json = Mapping[str, Any]

_AT_ONCE = 64
_WAITING_AT_MOST = 20_000
"""Events that wait to be kept; more are left to be found in the channels' history."""


class _Waiting(NamedTuple):
    """What has still to be kept, and where it came from."""

    inbound: Inbound
    stamp: Stamp


class Intake:
    """One line for each channel; each event leaves its line once it is kept."""

    def __init__(
        self,
        reader: Reader,
        deliver: Deliver,
        ledger: Ledger,
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._reader = reader
        self._deliver = deliver
        self._ledger = ledger
        self._bookmark = ledger.bookmark
        self._clock = clock
        self._tasks = tasks
        self._lines: dict[str, deque[_Waiting]] = {}
        self._waiting = 0
        self._held: Callable[[str], bool] = lambda _: False
        self._at_work: set[str] = set()
        self._room = asyncio.Semaphore(_AT_ONCE)

    def read(self, event: str, payload: Json) -> Inbound | None:
        """Read an event; one that is not formed as it should be must not end the connection."""
        try:
            return self._reader.read(event, payload, self._clock.now())
        except MALFORMED as error:
            log.warning("event.skipped", kind=event, error=type(error).__name__)
            return None

    def take(self, event: str, payload: Json, stamp: Stamp) -> Inbound | None:
        """Have a message, an edit or a deletion kept, after those before it in its channel."""
        channel, message = str(payload.get("channel_id")), payload.get("id")
        inbound = self.read(event, payload)
        if isinstance(message, str) and message.isdecimal() and event == "MESSAGE_CREATE":
            self._reader.places.note_message(channel, message)
            if inbound is None:
                self._ledger.kept(message)
        if inbound is not None:
            self._put(channel, _Waiting(inbound, stamp))
        return inbound

    def _put(self, channel: str, waiting: _Waiting) -> None:
        inbound = waiting.inbound
        self._bookmark.arrived(waiting.stamp)
        if isinstance(inbound, Message):
            if inbound.address.place.is_direct:
                self._ledger.meet(channel)
            self._ledger.arrived(_number(inbound))
        if self._waiting >= _WAITING_AT_MOST:
            log.error("event.left", cure="the store takes nothing: look at its disk")
            return
        self._waiting += 1
        self._lines.setdefault(channel, deque()).append(waiting)
        self._work_on(channel)

    def hold(self, held: Callable[[str], bool]) -> None:
        """Keep nothing of the channels for which `held` is true, until `go_on` or `release`."""
        self._held = held

    def release(self, channel: str, missed: list[Message], too_old: list[Message]) -> None:
        """Let a channel go on, with what was missed in it where it belongs."""
        line = self._lines.setdefault(channel, deque())
        known = {one.inbound.event_key for one in line}
        new = [one for one in missed if one.event_key not in known]
        old = tuple(one for one in too_old if one.event_key not in known)
        for one in (*new, *old):
            self._ledger.arrived(_number(one))
        found = [_Waiting(one, found_in(channel)) for one in new]
        if old:
            found.insert(0, _Waiting(MessagesMissed(old), found_in(channel)))
        for waiting in found:
            self._bookmark.arrived(waiting.stamp)
        self._waiting += len(found)
        later = list(line)
        line.clear()  # and filled again, as somebody may be at work on it
        if old:
            line.append(found.pop(0))
        line.extend(_merged(found, later))
        self._work_on(channel)

    def go_on(self) -> None:
        """Work on all that waits in channels that are not held."""
        for channel in list(self._lines):
            self._work_on(channel)

    def _work_on(self, channel: str) -> None:
        if channel not in self._at_work and not self._held(channel) and self._lines.get(channel):
            self._at_work.add(channel)
            self._tasks.create_task(self._work(channel))

    async def _work(self, channel: str) -> None:
        line = self._lines[channel]
        try:
            while line and not self._held(channel):
                waiting = line.popleft()  # at once, as something may be put before it meanwhile
                inbound = waiting.inbound
                await self.kept(inbound)
                self._waiting -= 1
                self._bookmark.kept(waiting.stamp)
                for message in (
                    inbound.messages if isinstance(inbound, MessagesMissed) else [inbound]
                ):
                    if isinstance(message, Message) and message.origin is Origin.TYPED:
                        self._ledger.kept(_number(message))
        finally:
            self._at_work.discard(channel)
            if not line:
                self._lines.pop(channel, None)

    async def kept(self, inbound: Inbound) -> Receipt:
        """Deliver, however often it takes: Discord will not do it again."""
        while True:
            try:
                async with self._room:
                    return await self._deliver(inbound)
            except RetryLater as trouble:
                await self._clock.sleep(trouble.after)


def _merged(missed: Sequence[_Waiting], line: Sequence[_Waiting]) -> Iterator[_Waiting]:
    """Put each missed message before the first that is younger."""
    missed_still = deque(missed)
    for one in line:
        while missed_still and _is_younger(one.inbound, missed_still[0].inbound):
            yield missed_still.popleft()
        yield one
    yield from missed_still


def _is_younger(one: Inbound, other: Inbound) -> bool:
    if not isinstance(one, Message) or not isinstance(other, Message):
        return False
    return int(_number(one)) > int(_number(other))


def _number(message: Message) -> str:
    return message.message_id.rpartition(":")[2]
