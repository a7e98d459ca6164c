"""Everything the app is told, and told again until it has acknowledged it.

Events are tried once and, if that fails, three times more: at once, a minute and five minutes
later; then they are lost. Presses and commands are tried once: a person waits for them.
Facts: https://docs.slack.dev/apis/events-api#error-handling
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.clock import Clock
from tests.fakes.watch import Watch

RETRY_AFTER = (1.0, 60.0, 300.0)


@dataclass(slots=True)
class Attempt:
    """One try to hand something over."""

    number: int
    """How often it was tried before."""
    reason: str
    """Why the try before failed."""
    at: float
    outcome: str = ""
    """`acknowledged`, or why it failed."""


@dataclass(slots=True)
class Delivery:
    """Something that the app is told."""

    kind: str
    """`events_api`, `interactive` or `slash_commands`."""
    payload: dict[str, Any]
    lane: str
    """Things of one lane are first tried in their order."""
    on_answer: Callable[[Any], None] | None = None
    attempts: list[Attempt] = field(default_factory=list)
    is_over: bool = False
    answer: Any = None
    """What the acknowledgement carried."""

    @property
    def is_acknowledged(self) -> bool:
        return bool(self.attempts) and self.attempts[-1].outcome == "acknowledged"

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = self.payload.get("event") or {}
        return found


class Transport(Protocol):
    """A way to the app."""

    is_ordered: bool
    """Whether what is handed over arrives in order by itself."""

    async def hand_over(self, delivery: Delivery, attempt: Attempt) -> str:
        """Return `acknowledged` or why not; `acknowledged, stop` and the like are no words."""
        ...


class Deliveries:
    """All that was told, and its fate."""

    def __init__(self, clock: Clock, errands: Any, watch: Watch) -> None:
        self._clock = clock
        self._errands = errands
        self._watch = watch
        self.transport: Transport | None = None
        self.log: list[Delivery] = []
        self._lanes: dict[str, asyncio.Event] = {}
        self._held: list[Delivery] | None = None

    @property
    def pending(self) -> list[Delivery]:
        """What is neither acknowledged nor given up."""
        return [one for one in self.log if not one.is_over]

    @property
    def lost(self) -> list[Delivery]:
        return [one for one in self.log if one.is_over and not one.is_acknowledged]

    def push(
        self,
        kind: str,
        payload: dict[str, Any],
        lane: str,
        on_answer: Callable[[Any], None] | None = None,
    ) -> Delivery:
        delivery = Delivery(kind, payload, lane, on_answer)
        self.log.append(delivery)
        if self._held is not None:
            self._held.append(delivery)
            return delivery
        before = self._lanes.get(lane)
        tried = self._lanes[lane] = asyncio.Event()
        self._errands.start(self._deliver(delivery, before, tried))
        return delivery

    def hold(self) -> None:
        """Keep back what happens from now on."""
        self._held = []

    def release(self, chance: random.Random) -> None:
        """Tell what was kept back, in an order that chance makes."""
        held, self._held = self._held or [], None
        chance.shuffle(held)
        for delivery in held:
            self._errands.start(self._deliver(delivery, None, asyncio.Event()))

    def again(self, delivery: Delivery) -> None:
        """Hand over once more what may have been acknowledged already."""
        self._errands.start(self._try(delivery, 1, "timeout"))

    async def _deliver(
        self, delivery: Delivery, before: asyncio.Event | None, tried: asyncio.Event
    ) -> None:
        assert self.transport is not None
        if before is not None and not self.transport.is_ordered:
            await before.wait()
        try:
            outcome = await self._try(delivery, 0, "")
        finally:
            tried.set()
        for number, seconds in enumerate(RETRY_AFTER, 1):
            if outcome in {"acknowledged", "no retry"} or delivery.kind != "events_api":
                break
            await self._clock.sleep(seconds)
            outcome = await self._try(delivery, number, outcome)
        delivery.is_over = True
        self._watch.changed()

    async def _try(self, delivery: Delivery, number: int, reason: str) -> str:
        assert self.transport is not None
        attempt = Attempt(number, reason, self._clock.now())
        delivery.attempts.append(attempt)
        attempt.outcome = await self.transport.hand_over(delivery, attempt)
        if attempt.outcome == "acknowledged" and delivery.on_answer is not None:
            delivery.on_answer(delivery.answer)
        self._watch.changed()
        return attempt.outcome
