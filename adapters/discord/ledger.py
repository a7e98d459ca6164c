"""What has to outlive the process: up to when messages are surely seen, and where to look.

Discord's ids are its time: https://discord.com/developers/docs/reference#snowflakes
"""

import asyncio
import json
from collections import OrderedDict
from contextlib import suppress
from typing import Any

from adapters.discord.bookmark import Bookmark
from adapters.discord.continuation import Continuation
from gateway.clock import Clock
from gateway.contracts.adapter import AdapterKit
from gateway.errors import RetryLater

_EPOCH_MS = 1_420_070_400_000
_DIRECT_REMEMBERED = 500
_SAVED_EVERY = 5.0
_OUT_OF_ORDER_BY = 5_000 << 22
"""Five seconds: channels are not told of in one order, and what was on its way at a crash has
not come. It is read again then, and known again by its key."""


def snowflake(moment: float) -> int:
    """Return the first id that Discord gives out at this time, seconds since 1970."""
    return max(0, int(moment * 1000) - _EPOCH_MS) << 22


class Ledger:
    """One account's memory of where it has got to."""

    def __init__(self, kit: AdapterKit, continuation: Continuation | None = None) -> None:
        self._cursor = kit.cursor
        self._continuation = continuation
        self.bookmark = Bookmark()
        self._saved: dict[str, Any] | None = None
        """Where the session was when it was last saved."""
        self._is_due = asyncio.Event()
        self._saving = asyncio.Lock()
        self._clock: Clock = kit.clock
        self._newest = 0
        self._begun_at = 0
        """Before this, nothing is missing."""
        self._missed_since: int | None = None
        self._under_way: set[int] = set()
        """Messages that have come and are not kept; they hold back what is surely seen."""
        self._direct: OrderedDict[str, None] = OrderedDict()
        self.menu = ""
        """What the published slash commands were made from."""
        self._is_changed = False

    async def load(self) -> None:
        """Read what an earlier run has left; without any, nothing has been missed."""
        told = _read(await self._cursor.load())
        self._newest = max(self._newest, int(told.get("seen") or 0))
        if not self._newest:
            self._newest = snowflake(self._clock.now())
            self._is_changed = True
        self._begun_at = self._newest
        for channel in told.get("direct") or ():
            self.meet(str(channel))
        self.menu = self.menu or str(told.get("menu") or "")
        self._under_way.clear()
        if self._continuation is not None:
            await self._continuation.take_up(told.get("session"), self.bookmark)

    @property
    def surely_seen(self) -> int:
        seen = max(self._begun_at, self._newest - _OUT_OF_ORDER_BY)
        if self._under_way:
            seen = min(seen, min(self._under_way) - 1)
        return seen if self._missed_since is None else min(seen, self._missed_since)

    def look_back(self, since: int | None) -> None:
        """Hold on to this moment while what was missed after it is being found; None ends it."""
        self._missed_since = since
        if since is None:
            self.hurry()

    @property
    def direct_channels(self) -> tuple[str, ...]:
        """Those known, the latest first."""
        return tuple(reversed(self._direct))

    def meet(self, channel: str) -> None:
        """Remember a direct conversation: Discord does not list them."""
        self._direct[channel] = None
        self._direct.move_to_end(channel)
        if len(self._direct) > _DIRECT_REMEMBERED:
            self._direct.popitem(last=False)
        self._is_changed = True

    def published(self, menu: str) -> None:
        self.menu = menu
        self._is_changed = True

    def arrived(self, message: str) -> None:
        self._under_way.add(int(message))

    def kept(self, message: str) -> None:
        self._under_way.discard(int(message))
        self._newest = max(self._newest, int(message))
        self._is_changed = True

    def hurry(self) -> None:
        """Have what is known saved soon: from here on, the next process can go on."""
        self._is_due.set()

    async def keep_saving(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with self._clock.timeout(_SAVED_EVERY):
                    await self._is_due.wait()
            self._is_due.clear()
            await self.save()

    async def save(self, *, is_last: bool = False) -> None:
        async with self._saving:
            await self._save(is_last=is_last)

    async def _save(self, *, is_last: bool) -> None:
        session = await self._session(is_last=is_last)
        if not self._is_changed and session == self._saved and not is_last:
            return
        self._is_changed = False
        told = {
            "seen": str(self.surely_seen),
            "direct": list(self._direct),
            "menu": self.menu,
            "session": session,
        }
        try:
            await self._cursor.save(json.dumps(told))
        except RetryLater:
            self._is_changed = True
        else:
            self._saved = session

    async def _session(self, *, is_last: bool) -> dict[str, Any] | None:
        """Tell where to go on, and in which histories to look besides."""
        if self._continuation is None:
            return None
        return await self._continuation.save(self.bookmark, is_last=is_last)


def _read(told: str | None) -> dict[str, Any]:
    try:
        read = json.loads(told or "{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
