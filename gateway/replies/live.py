"""Showing a reply while it grows: typing, drafts or edits, each as often as the pace allows."""

import asyncio
import math
import zlib
from collections.abc import Awaitable, Sequence
from contextlib import suppress

import structlog

from gateway.clock import Clock
from gateway.contracts.adapter import AsksChoices, ShowsTyping
from gateway.errors import GatewayError, NotSupported, RetryLater, SendRefused, SendUncertain
from gateway.messages import Choice, Mark, Origin
from gateway.replies import signs
from gateway.replies.body import Body, View
from gateway.replies.files import Files
from gateway.replies.pace import Interim
from gateway.replies.pages import Pages
from gateway.replies.route import Route
from gateway.replies.wording import PLACEHOLDER

log = structlog.get_logger()

STOP = Choice("Stop", "/stop")
_QUIET_START = 0.25
"""Nothing is shown in a turn's first moments, so quick answers cost no extra calls."""
_DRAFT_LASTS = 20.0
_LEAVING_WITHIN = 2.0
_GATHERING = 0.5
"""Files wait so long for another: a turn's tools make them one by one, for one album."""


class Live:
    """Makes one interim call after another, until it is told to end."""

    def __init__(
        self,
        route: Route,
        body: Body,
        pages: Pages,
        files: Files,
        clock: Clock,
    ) -> None:
        self._route = route
        self._body = body
        self._pages = pages
        self._files = files
        self._clock = clock
        self._wake = asyncio.Event()
        self._has_begun = False
        self._is_idle = False
        self._is_ending = False
        self._version = 0
        self._seen = 0
        self._last_edit = -math.inf
        self._last_sign = -math.inf
        """When the platform last showed that the bot is at work."""
        self._last_file = -math.inf
        self._draft = ""
        self._drafted_at = -math.inf
        # A message that is there already grows on; a draft beside it would confuse.
        self._may_draft = route.address.place.is_direct and pages.are_none
        self._stop = (STOP,) if isinstance(route.adapter, AsksChoices) else ()
        self._types = isinstance(route.adapter, ShowsTyping)
        self._signed_after: int | None = None
        """How many messages had arrived when the bot was last shown to be at work."""
        self._growth = Interim.STREAM if route.streams else Interim.EDIT
        self._may_grow = route.edits

    async def run(self) -> None:
        """Work until `end`; whatever goes wrong here, the final text is sent without it."""
        begun = self._clock.monotonic()
        try:
            await self.mark(Mark.SEEN)
            if (quiet := begun + _QUIET_START - self._clock.monotonic()) > 0:
                await self._rest(quiet)
            self._has_begun = True
            while not self._is_ending:
                await self._rest(await self._step())
        except GatewayError as trouble:
            log.warning("interim.ended", reason=type(trouble).__name__)
        except Exception:
            log.exception("interim.failed")

    def stir(self) -> None:
        """Say that the text has changed."""
        self._version += 1
        if self._is_idle:
            self._wake.set()

    def hurry(self) -> None:
        """Say that a file waits, which should not wait for the next edit."""
        self._last_file = self._clock.monotonic()
        if self._has_begun:
            self._wake.set()

    def end(self) -> None:
        """Let the call that is under way be the last."""
        self._is_ending = True
        self._wake.set()

    async def leave(self) -> None:
        """Take away a sign of work that no message has ended; it is tried once, and briefly."""
        if self._signed_after == self._pages.arrived:
            with suppress(TimeoutError):
                async with self._clock.timeout(_LEAVING_WITHIN):
                    await _tried(signs.end_typing(self._route))

    async def mark(self, mark: Mark) -> None:
        """Put a sign on the question, if it is one; a sign that cannot be put is no loss."""
        turn = self._route.turn
        if turn is None or turn.kept.message.origin is not Origin.TYPED:
            return
        await _tried(signs.mark(self._route, turn.kept.message.message_id, mark))

    async def _rest(self, seconds: float | None) -> None:
        if not self._is_ending:
            with suppress(TimeoutError):
                async with self._clock.timeout(seconds):
                    await self._wake.wait()
        self._wake.clear()

    async def _step(self) -> float | None:
        """Make the calls that are due; return how long there is nothing more to do."""
        self._is_idle = False
        try:
            files, text, sign = await self._send_files(), await self._show(), await self._sign()
        except RetryLater as pause:
            # The store could not note a message: nothing was sent.
            return pause.after
        self._is_idle = self._seen == self._version
        if text is None and not self._is_idle:
            # It came while the sign was shown.
            return 0.0
        return min((wait for wait in (files, text, sign) if wait is not None), default=None)

    async def _send_files(self) -> float | None:
        """Send what is waiting, once no more files seem to follow."""
        if not self._files.are_waiting:
            return None
        gathering = self._last_file + _GATHERING - self._clock.monotonic()
        if gathering > 0:
            return gathering
        await self._files.send()
        return None

    async def _show(self) -> float | None:
        """Show the newest text; None when it is shown."""
        if self._may_draft and self._route.account.has_drafts:
            try:
                return await self._show_draft()
            except NotSupported:
                log.info("drafts.given_up", account=self._route.address.account)
                self._route.account.has_drafts = False
                self._draft = ""
                self._seen = -1
        if self._may_grow:
            try:
                return await self._show_by_edits()
            except NotSupported as reason:
                log.info("growth.given_up", reason=str(reason))
                self._may_grow = False
        self._seen = self._version
        return None

    async def _show_by_edits(self) -> float | None:
        version = self._version
        if version == self._seen and not self._lacks_sign:
            return None
        if (delay := self._edit_delay()) > 0:
            return delay
        pages = self._body.interim_pages()
        if not pages and self._lacks_sign:
            pages = [View(PLACEHOLDER)]
        if await self._grow(pages, self._stop):
            return 0.0
        self._seen = version
        return None

    @property
    def _lacks_sign(self) -> bool:
        """Nothing shows that the bot is at work, and a placeholder must."""
        return not self._types and self._pages.are_none

    def _edit_delay(self) -> float:
        return self._route.conversation.delay(self._growth, self._last_edit)

    async def _grow(self, pages: Sequence[View], choices: tuple[Choice, ...]) -> bool:
        """Make one call if these pages are not all shown; return whether it was needed."""
        if not self._pages.is_stale(pages, choices):
            return False
        await self._pages.grow(pages, choices)
        self._last_edit = self._last_sign = self._clock.monotonic()
        return True

    async def _show_draft(self) -> float | None:
        """Show the newest page as a draft, and those before it as messages."""
        version = self._version
        fades = self._drafted_at + _DRAFT_LASTS - self._clock.monotonic()
        if version == self._seen and (fades > 0 or not self._draft):
            return fades if self._draft else None
        if (delay := self._route.conversation.delay(Interim.DRAFT, self._drafted_at)) > 0:
            return delay
        pages = self._body.interim_pages()
        if self._pages.is_stale(pages[:-1], ()):
            if (delay := self._edit_delay()) > 0:
                return delay
            await self._grow(pages[:-1], ())
            return 0.0
        self._seen = version
        if not pages or (pages[-1].text == self._draft and fades > 0):
            return None
        return await self._draw(pages[-1].text)

    async def _draw(self, text: str) -> float:
        try:
            await signs.show_draft(self._route, self._draft_number, text)
        except RetryLater:
            self._seen = -1
        except (SendUncertain, SendRefused):
            log.info("draft.dropped")
        else:
            self._draft = text
        self._drafted_at = self._clock.monotonic()
        return 0.0

    @property
    def _draft_number(self) -> int:
        turn = self._route.turn
        return zlib.crc32(str(turn and turn.id).encode()) & 0x7FFFFFFF or 1

    async def _sign(self) -> float | None:
        """Show typing where nothing else shows that the bot is at work."""
        adapter = self._route.adapter
        if not self._types or self._draft or not isinstance(adapter, ShowsTyping):
            return None
        fades = self._last_sign + adapter.typing_every - self._clock.monotonic()
        if fades > 0:
            return fades
        delay = self._route.conversation.delay(Interim.TYPING)
        if delay > 0:
            return delay
        before = self._signed_after
        # From here on it may be shown, whatever becomes of the call.
        self._signed_after = self._pages.arrived
        try:
            await signs.show_typing(self._route)
        except SendUncertain:
            log.debug("typing.in_doubt")
        except RetryLater:
            self._signed_after = before
        except (SendRefused, NotSupported):
            self._signed_after = before
            self._types = False
        self._last_sign = self._clock.monotonic()
        return adapter.typing_every


async def _tried(sign: Awaitable[None]) -> None:
    """Await a call that is tried once, and whose failure is no loss, not even by a bug."""
    try:
        await sign
    except GatewayError as trouble:
        log.debug("sign.dropped", reason=type(trouble).__name__)
    except Exception:
        log.exception("sign.failed")
