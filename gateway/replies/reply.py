"""A turn's reply: a message that grows and ends complete, and leaves nothing running."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self, assert_never

from gateway.clock import Clock
from gateway.contracts.stores import OutboxRow
from gateway.errors import SendRefused
from gateway.events import (
    ApprovalRequested,
    FileReady,
    ImageReady,
    NoticeAdded,
    ReplyEvent,
    TextDelta,
    TextRestarted,
    ToolFailed,
    ToolFinished,
    ToolStarted,
    TurnFailed,
)
from gateway.messages import Choice, Mark
from gateway.replies.body import Body
from gateway.replies.files import Files
from gateway.replies.live import Live
from gateway.replies.outbox import Deliveries
from gateway.replies.pages import Pages
from gateway.replies.route import Route
from gateway.replies.wording import listed


class Reply:
    """Idle, then a placeholder, then growing, then final.

    Left without `finish`, its messages stay as they are, and a later attempt of the
    same turn goes on in them.
    """

    def __init__(
        self, deliveries: Deliveries, route: Route, rows: Sequence[OutboxRow], clock: Clock
    ) -> None:
        self._route = route
        self._rows = rows
        self._body = Body(route.limits, has_tasks=route.streams)
        self._pages = Pages(deliveries, route, clock)
        self._files = Files(deliveries, route, self._body)
        self._clock = clock
        self._is_finished = False
        self.refusal: SendRefused | None = None
        """Why the platform would not have some of the finished answer, if so."""

    @property
    def goes_on(self) -> bool:
        """Whether an earlier process has shown some of it, or tried to."""
        return bool(self._rows)

    async def __aenter__(self) -> Self:
        await self._pages.resume(self._rows)
        await self._files.resume(self._rows)
        self._live = Live(self._route, self._body, self._pages, self._files, self._clock)
        self._showing = asyncio.create_task(self._live.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._showing.cancel()
        await asyncio.wait([self._showing])
        await self._live.leave()

    def show(self, event: ReplyEvent) -> None:
        """Take in an event; what it changes is shown when the pace allows."""
        match event:
            case (
                TextDelta()
                | TextRestarted()
                | NoticeAdded()
                | TurnFailed()
                | ToolStarted()
                | ToolFinished()
                | ToolFailed()
            ):
                self._body.add(event)
                self._live.stir()
            case ImageReady(file=file) | FileReady(file=file):
                self._files.add(file)
                self._live.hurry()
            case ApprovalRequested():
                # It is asked in a message of its own.
                pass
            case _:
                assert_never(event)

    async def finish(self, *, choices: Sequence[Choice] = (), advice: str = "") -> None:
        """Deliver the whole answer, however long it takes, and return once it is there.

        What the platform will not have is told with `advice`, and is the `refusal` from then on.

        Raises:
            AccountRejected: nothing can be sent on this account any more.
            StoreBusy: the store cannot note what is sent.
        """
        if self._is_finished:
            return
        await self._stop_showing()
        await self._files.send()
        buttons, others = self._route.parted(choices)
        views = self._body.final_pages(listed(others))
        self.refusal = await self._pages.finish(views, buttons, advice=advice)
        self._is_finished = True

    async def mark(self, mark: Mark) -> None:
        """Show on the question what became of it, once the answer is there."""
        await self._live.mark(mark)

    async def hold(self, words: str) -> None:
        """Put the reply off: say these words, and leave the message open for the answer."""
        await self._stop_showing()
        await self._pages.hold(words)

    async def _stop_showing(self) -> None:
        """Let a call under way come to its end: cut off, nobody could say what it did."""
        self._live.end()
        await asyncio.wait([self._showing])
