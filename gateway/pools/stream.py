"""What a turn shows, on its way from the work to whoever reads it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from gateway.events import ReplyEvent

_ROOM = 100


class TurnStream:
    """A turn's events in order, then its end: an error at most once, after all of them.

    Close it (`contextlib.aclosing`): leaving early ends the turn and keeps the text so far.
    A reader that is itself being cancelled leaves the turn as it is, to be gone on with.
    """

    def __init__(self, leave: Callable[[], Awaitable[None]]) -> None:
        self._leave = leave
        self._events: deque[ReplyEvent] = deque()
        self._may_read = asyncio.Event()
        self._may_write = asyncio.Event()
        self._is_over = False
        self._error: BaseException | None = None

    def __aiter__(self) -> "TurnStream":
        return self

    async def __anext__(self) -> ReplyEvent:
        while not self._events:
            if self._is_over:
                self._raise_end()
            self._may_read.clear()
            await self._may_read.wait()
        self._may_write.set()
        return self._events.popleft()

    def _raise_end(self) -> None:
        error, self._error = self._error, None
        raise error or StopAsyncIteration

    async def aclose(self) -> None:
        """Return once the turn has ended; what was not read is dropped."""
        if not self._is_over:
            self.end(None)
            await self._leave()
        self._events.clear()
        self._error = None

    async def put(self, event: ReplyEvent) -> None:
        """Pass an event on; wait while the reader is far behind."""
        while len(self._events) >= _ROOM and not self._is_over:
            self._may_write.clear()
            await self._may_write.wait()
        if not self._is_over:
            self._events.append(event)
            self._may_read.set()

    def end(self, error: BaseException | None) -> None:
        """Let nothing more in; only the first call counts."""
        if not self._is_over:
            self._is_over = True
            self._error = error
            self._may_read.set()
            self._may_write.set()
