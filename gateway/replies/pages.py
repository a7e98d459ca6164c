"""The messages of one reply: which page each shows, and what has to change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from gateway.clock import Clock
from gateway.contracts.stores import OutboxKind, OutboxRow, OutboxState
from gateway.errors import NotSupported, RetryLater, SendRefused, SendUncertain
from gateway.messages import Choice, OutgoingMessage
from gateway.replies.body import View
from gateway.replies.outbox import Deliveries
from gateway.replies.route import Route
from gateway.replies.wording import PLACEHOLDER, noted

log = structlog.get_logger()

THERE = frozenset({OutboxState.SENT, OutboxState.FINAL, OutboxState.UNKNOWN})
"""Rows that are never to be sent again."""
HOLDING = -1
"""The position of words that hold a turn where no message can be edited into its answer."""
_CHECKPOINT_EVERY = 2.0
_CHECKPOINT_CHARACTERS = 500
_POSTS_OF_A_PAGE = 2


@dataclass(slots=True)
class _Page:
    row: OutboxRow
    shown: OutgoingMessage | None
    """None when nobody is sure what the message shows."""
    can_edit: bool
    is_gone: bool = False
    """The platform no longer lets it be edited: the final page needs a new message."""
    noted: str = ""
    noted_at: float = 0.0


class Pages:
    """Messages in reading order. Each is sent once; what changes is edited."""

    def __init__(self, deliveries: Deliveries, route: Route, clock: Clock) -> None:
        self._deliveries = deliveries
        self._route = route
        self._clock = clock
        self._pages: dict[int, _Page] = {}
        self._can_edit = route.edits
        self.posts = 0
        """How many messages have been noted as being sent."""
        self.arrived = 0
        """How many of these are known to have arrived."""

    async def resume(self, rows: Sequence[OutboxRow]) -> None:
        """Take over the messages of an earlier attempt."""
        for row in rows:
            if row.kind is OutboxKind.TEXT:
                self.posts += 1
                adopted = await self._deliveries.adopt(self._route, row)
                if adopted.state in THERE:
                    self._take_over(adopted, None)

    @property
    def are_none(self) -> bool:
        return not self.posts

    def is_stale(self, views: Sequence[View], choices: tuple[Choice, ...]) -> bool:
        """Say whether an interim call would show anything new."""
        return self._next(views, choices) is not None

    async def grow(self, views: Sequence[View], choices: tuple[Choice, ...]) -> None:
        """Make one interim call towards showing these pages, the first that differs.

        A dropped edit is no loss: newer text comes, and in the end the final one. Raises
        `NotSupported` where nothing can grow now.
        """
        found = self._next(views, choices)
        if found is None:
            return
        position, message = found
        page = self._pages.get(position)
        if page is None:
            await self._post(position, message)
            return
        try:
            await self._deliveries.edit_once(self._route, page.row, message)
        except RetryLater:
            return
        except SendUncertain:
            page.shown = None
        except (SendRefused, NotSupported):
            page.is_gone = True
        else:
            page.shown = message
            await self._checkpoint(page, message.text)

    async def finish(
        self, views: Sequence[View], choices: tuple[Choice, ...], *, advice: str = ""
    ) -> SendRefused | None:
        """Show the whole answer, in order, whatever became of interim calls; settle the rows.

        Returns why some of it was refused, if it was: the reader is told so, with `advice`.
        """
        troubles, refused = [], None
        for position, view in enumerate(views):
            is_last = position == len(views) - 1
            message = self._message(position, view, choices if is_last else ())
            try:
                page = await self._put(position, message)
            except SendRefused as refusal:
                log.warning("page.refused", position=position)
                troubles.append(f"Part {position + 1} could not be sent: {refusal}")
                refused = refused or refusal
            else:
                if page.row.state is OutboxState.UNKNOWN:
                    troubles.append(f"Part {position + 1} may be missing.")
        if refused and advice:
            troubles.append(advice)
        if troubles:
            await self._tell(len(views), "\n".join(troubles))
        for position in [one for one in self._pages if one >= len(views) + bool(troubles)]:
            await self._take_away(self._pages.pop(position))
        for page in self._pages.values():
            if page.row.state is OutboxState.SENT:
                await self._deliveries.settle(page.row, OutboxState.FINAL)
        return refused

    async def hold(self, words: str) -> None:
        """Let the first message say these words for now; it stays open for the answer."""
        position = 0 if self._can_edit else HOLDING
        message = self._message(position, View(noted(words)), ())
        page = self._pages.get(position)
        if page is not None and page.shown is None and page.row.text == message.text:
            return
        try:
            page = await self._put(position, message)
        except SendRefused:
            log.warning("hold.refused")
        else:
            await self._deliveries.checkpoint(page.row, message.text)

    def _next(
        self, views: Sequence[View], choices: tuple[Choice, ...]
    ) -> tuple[int, OutgoingMessage] | None:
        """Return the first page that a message does not show yet."""
        for position, view in enumerate(views):
            is_last = position == len(views) - 1
            message = self._message(position, view, choices if is_last else ())
            # Earlier pages will not change any more: they are already what they will be.
            message = replace(message, is_growing=is_last)
            page = self._pages.get(position)
            if page is None or (page.can_edit and not page.is_gone and page.shown != message):
                return position, message
        return None

    def _message(self, position: int, view: View, choices: tuple[Choice, ...]) -> OutgoingMessage:
        reply_to = self._route.reply_to if position <= 0 else None
        return OutgoingMessage("", view.text, reply_to, choices, tasks=view.tasks)

    async def _put(self, position: int, message: OutgoingMessage) -> _Page:
        """Have a message show this, a new one if the old cannot."""
        for _ in range(_POSTS_OF_A_PAGE):
            page = self._pages.get(position) or await self._post(position, message)
            if page.shown == message or not page.can_edit:
                return page
            if not page.is_gone and await self._edit(page, message):
                return page
            await self._deliveries.settle(page.row, OutboxState.FAILED)
            del self._pages[position]
        raise SendRefused("the message cannot be edited")

    async def _post(self, position: int, message: OutgoingMessage) -> _Page:
        self.posts += 1
        posted = await self._deliveries.post(
            self._route, position, message, may_edit=self._can_edit
        )
        self.arrived += posted.row.state is OutboxState.SENT
        return self._take_over(posted.row, posted.shown)

    def _take_over(self, row: OutboxRow, shown: OutgoingMessage | None) -> _Page:
        page = _Page(row, shown, can_edit=self._can_edit and row.message_id is not None)
        self._pages[row.position] = page
        return page

    async def _edit(self, page: _Page, message: OutgoingMessage) -> bool:
        try:
            await self._deliveries.edit(self._route, page.row, message)
        except SendRefused:
            log.warning("edit.refused", row=page.row.id)
            return False
        except NotSupported:
            self._can_edit = False
            return False
        page.shown = message
        return True

    async def _tell(self, position: int, words: str) -> None:
        try:
            await self._put(position, self._message(position, View(noted(words)), ()))
        except SendRefused:
            log.warning("notice.refused")

    async def _take_away(self, page: _Page) -> None:
        """Take back a message that the answer turned out not to need, or empty it."""
        if page.row.message_id is None:
            return
        try:
            await self._deliveries.delete(self._route, page.row)
        except (SendRefused, NotSupported):
            await self._edit(page, OutgoingMessage("", PLACEHOLDER))
            await self._deliveries.settle(page.row, OutboxState.FINAL)

    async def _checkpoint(self, page: _Page, text: str) -> None:
        """Note the text now and then, so that a restart knows about what is shown."""
        now = self._clock.monotonic()
        is_much = len(text) - len(page.noted) >= _CHECKPOINT_CHARACTERS
        if is_much or now - page.noted_at >= _CHECKPOINT_EVERY:
            page.noted, page.noted_at = text, now
            await self._deliveries.checkpoint(page.row, text)
