"""What the gateway lends an adapter, with state: a cursor, health, and a gate that keeps."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.clock import Clock
from gateway.contracts.adapter import Adapter, AdapterKit, CommandInfo
from gateway.errors import RetryLater
from gateway.ids import MessageId
from gateway.messages import (
    Burst,
    Inbound,
    Message,
    MessageDeleted,
    MessagesMissed,
    Origin,
    PlaceMoved,
    Receipt,
)
from tests.fakes.watch import Watch

COMMANDS = (
    CommandInfo("start", "Say hello"),
    CommandInfo("new", "Start afresh", is_direct_only=True),
    CommandInfo("pair", "Let somebody in", is_for_owner=True),
)


class MemoryCursor:
    """A position that outlives adapters, not the test."""

    def __init__(self) -> None:
        self.position: str | None = None
        self._watch = Watch()

    async def load(self) -> str | None:
        return self.position

    async def save(self, position: str) -> None:
        self.position = position
        self._watch.changed()

    async def until(self, holds: Callable[["MemoryCursor"], bool]) -> None:
        await self._watch.until(lambda: holds(self), timeout=5, now=lambda: self.position)


class Health:
    """What an adapter last said of itself, and everything it complained of."""

    def __init__(self) -> None:
        self.is_alive = False
        self.troubles: list[str] = []
        self._watch = Watch()

    def alive(self) -> None:
        self.is_alive = True
        self._watch.changed()

    def troubled(self, reason: str) -> None:
        self.is_alive = False
        self.troubles.append(reason)
        self._watch.changed()

    async def until(self, holds: Callable[["Health"], bool]) -> None:
        await self._watch.until(lambda: holds(self), timeout=5, now=lambda: self.troubles)


class Gate:
    """Keeps what an adapter delivers, once, unless it is told to fail or to hold."""

    def __init__(self) -> None:
        self.kept: list[Inbound] = []
        self.attempts = 0
        self.busy_for: list[float] = []
        """Each entry refuses one delivery, to be tried again after so many seconds."""
        self.receipt = Receipt()
        """What every delivery is answered with; one that is not taken is not kept."""
        self.refused: list[Origin] = []
        """How the messages that were not taken were made."""
        self.open = asyncio.Event()
        self.open.set()
        self._watch = Watch()

    async def __call__(self, inbound: Inbound) -> Receipt:
        self.attempts += 1
        self._watch.changed()
        await self.open.wait()
        if self.busy_for:
            raise RetryLater("the disk is full", self.busy_for.pop(0))
        for one in inbound.messages if isinstance(inbound, Burst) else [inbound]:
            self._take(one)
        self._watch.changed()
        return self.receipt

    def _take(self, inbound: Inbound) -> None:
        is_known = inbound.event_key in {one.event_key for one in self.kept}
        if self.receipt.is_taken and not is_known:
            self.kept.append(inbound)
        if not self.receipt.is_taken and isinstance(inbound, Message):
            self.refused.append(inbound.origin)

    @property
    def messages(self) -> list[Message]:
        return [one for one in self.kept if isinstance(one, Message)]

    @property
    def moves(self) -> list[PlaceMoved]:
        return [one for one in self.kept if isinstance(one, PlaceMoved)]

    @property
    def too_old(self) -> list[list[str]]:
        return [
            [message.text for message in one.messages]
            for one in self.kept
            if isinstance(one, MessagesMissed)
        ]

    @property
    def deleted(self) -> list[MessageId]:
        return [one.message_id for one in self.kept if isinstance(one, MessageDeleted)]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]

    async def until(self, holds: Callable[["Gate"], bool]) -> None:
        """Wait for a state of the gate, woken by each delivery."""
        await self._watch.until(lambda: holds(self), timeout=5, now=lambda: self.texts)


class Account:
    """The kit of one account, and its running."""

    def __init__(self, clock: Clock, data_dir: Path) -> None:
        self.cursor = MemoryCursor()
        self.health = Health()
        self.gate = Gate()
        self.kit = AdapterKit(
            clock=clock,
            cursor=self.cursor,
            commands=COMMANDS,
            health=self.health,
            data_dir=data_dir,
        )

    @asynccontextmanager
    async def receiving(self, adapter: Adapter) -> AsyncIterator["asyncio.Task[None]"]:
        """Run an opened adapter for as long as the context lasts."""
        async with asyncio.TaskGroup() as group:
            running = group.create_task(adapter.run(self.gate))
            try:
                yield running
            finally:
                running.cancel()
