"""One gateway side of a conversation: a platform, an outbox, and replies between them."""

import asyncio
from collections.abc import Coroutine, Iterable
from itertools import count
from typing import Any, Generic, TypeVar

from gateway.contracts.inbox import Kept
from gateway.contracts.stores import Outbox, Turn
from gateway.events import ReplyEvent, TextDelta
from gateway.ids import (
    AccountName,
    AgentId,
    EventKey,
    ExternalUser,
    Lane,
    MessageId,
    PersonId,
    PlatformName,
    TurnId,
)
from gateway.messages import Address, Message, Place
from gateway.replies.replies import Replies
from tests.fakes.adapter import PlainAdapter
from tests.fakes.clock import FakeClock
from tests.fakes.outbox import MemoryOutbox

Said = ReplyEvent | float | str
Platform = TypeVar("Platform", bound=PlainAdapter)


def an_address(
    conversation: str = "c", thread: str | None = None, *, is_direct: bool = True
) -> Address:
    place = Place(conversation, thread, is_direct=is_direct)
    return Address(PlatformName("fake"), AccountName("fake"), ExternalUser("u1"), place)


class Talk(Generic[Platform]):
    """Makes turns and replies; `restart` forgets all that a process would forget."""

    def __init__(self, clock: FakeClock, platform: Platform, outbox: Outbox | None = None) -> None:
        self.clock = clock
        self.platform = platform
        self.memory = MemoryOutbox(clock)
        self.outbox: Outbox = outbox or self.memory
        self._numbers = count(1)
        self._begun: frozenset[TurnId] = frozenset()
        self.restart()

    def restart(self) -> None:
        """Start as a new process would, on the same outbox and platform."""
        self.replies = Replies(self.outbox, {self.platform.name: self.platform}, self.clock)

    def turn(self, address: Address | None = None, *, name: str = "", attempt: int = 1) -> Turn:
        number = next(self._numbers)
        address = address or an_address()
        message = Message(
            EventKey(f"e{number}"),
            MessageId(f"asked{number}"),
            address,
            "Ann",
            "hi",
            self.clock.now(),
        )
        kept = Kept(
            number, Lane("l"), "key", AgentId("main"), PersonId("p1"), message, self.clock.now()
        )
        turn = TurnId(name or f"t{number}")
        is_resumed = turn in self._begun or attempt > 1
        self._begun |= {turn}
        return Turn(turn, kept, attempt, attempt, self.clock.now(), is_resumed)

    async def tell(self, events: Iterable[Said], turn: Turn | None = None) -> None:
        """Give a whole reply; text is text, and a number lets so many seconds pass."""
        async with self.replies.open(turn or self.turn()) as reply:
            for event in events:
                if isinstance(event, (int, float)):
                    await self.clock.sleep(event)
                else:
                    reply.show(TextDelta(text=event) if isinstance(event, str) else event)
            await reply.finish()

    async def answer(
        self, events: Iterable[Said], turn: Turn | None = None, *, within: float = 600.0
    ) -> None:
        """As `tell`, moving the clock until it is done."""
        await self.over(self.tell(events, turn), within=within)

    async def over(self, work: Coroutine[Any, Any, object], *, within: float = 600.0) -> None:
        """Move the clock until the work is done."""
        task = asyncio.ensure_future(work)
        begun = self.clock.monotonic()
        await self.clock.settle()
        while not task.done():
            passed = self.clock.monotonic() - begun
            assert passed < within, f"not done after {passed} s"
            await self.clock.advance(0.05 if passed < 5 else 0.5)
        task.result()
