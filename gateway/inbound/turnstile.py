"""How many turns run at once, and whose is next: people go round by round, not their messages."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.contracts.inbox import Kept


class Turnstile:
    """Lets so many through at once; whoever waits with much waits no shorter for it."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        """By person, in the order of their next turns; each one's own in the order they came."""
        self._is_open = False

    @asynccontextmanager
    async def passing(self, whose: str) -> AsyncIterator[None]:
        """Run the body once it is this person's turn."""
        if self._is_open or self._free > 0:
            self._free -= 1
        else:
            await self._wait(whose)
        try:
            yield
        finally:
            self._leave()

    def open(self) -> None:
        """Let everybody through from now on."""
        self._is_open = True
        while self._waiting:
            self._let_in()

    async def _wait(self, whose: str) -> None:
        called = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(whose, deque()).append(called)
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self._leave()
            else:
                self._forget(whose, called)
            raise

    def _leave(self) -> None:
        self._free += 1
        if self._waiting and self._free > 0:
            self._let_in()

    def _let_in(self) -> None:
        """Call the next person's oldest, and have that person go to the end."""
        whose, line = self._waiting.popitem(last=False)
        self._free -= 1
        line.popleft().set_result(None)
        if line:
            self._waiting[whose] = line

    def _forget(self, whose: str, called: asyncio.Future[None]) -> None:
        line = self._waiting[whose]
        line.remove(called)
        if not line:
            del self._waiting[whose]


def whose(kept: Kept) -> str:
    """Name who is served by a turn: all accounts of a linked person are one."""
    return kept.person or kept.message.address.identity
