"""What was missed: after a gap, channels are read from what was surely seen on.

The newest comes first, as a channel may hold more than can be read. What is met on the way and is
too old to be answered is told of, without another call.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from adapters.discord.bookmark import Unread
from adapters.discord.intake import Intake
from adapters.discord.ledger import Ledger, snowflake
from adapters.discord.places import Places
from adapters.discord.transport import Rest, SaidNo, unreadable
from gateway.clock import Clock
from gateway.errors import GatewayError, RetryLater, reading
from gateway.messages import Message

log = structlog.get_logger()

Json = Mapping[str, Any]

_SERVERS_TOLD_WITHIN = 5.0
_TOLD_OF_WITHIN = 7 * 86_400.0
"""What is older than that is not even told of."""
_AHEAD = 60.0
"""Seconds that Discord's clock may be before ours."""
_PAGE = 100
_PAGES_AT_MOST = 50
_CHANNELS_AT_ONCE = 4
_REST = 0.2
"""After each channel: Discord takes fifty calls a second in all, and answers come first."""
_TRIES = 8
_LONGEST_PAUSE = 30.0
"""So much patience is two minutes; what is not read by then is read after the next gap."""


class CatchingUp:
    """Reads every channel that has something newer, oldest first, before what comes now."""

    def __init__(
        self,
        rest: Rest,
        intake: Intake,
        ledger: Ledger,
        places: Places,
        clock: Clock,
        within: float,
    ) -> None:
        self._rest = rest
        self._intake = intake
        self._ledger = ledger
        self._places = places
        self._clock = clock
        self._within = within
        self._missing: set[str] = set()
        """Servers that have still to be described."""
        self._described = asyncio.Event()
        self._since = 0
        """What is younger is answered."""
        self._told_since = 0
        """What lies between this and that was missed too, and is told of."""
        self._direct: Sequence[str] = ()
        """Direct conversations in which something may have been missed."""
        self._given_up: set[str] = set()
        """Channels whose history could not be had."""
        self._search: asyncio.Task[None] | None = None

    def begin(self, servers: Sequence[str], tasks: asyncio.TaskGroup) -> None:
        """Hold everything back until it is known where something was missed, and find it.

        An earlier session's search is given up: this one looks for all that it has not found.
        """
        if self._search is not None:
            self._search.cancel()
        self._look_back()
        self._ledger.bookmark.look_in(None)
        self._direct = self._ledger.direct_channels
        self._missing = set(servers)
        self._described.clear()
        if not servers:
            self._described.set()
        self._intake.hold(lambda _: True)
        self._search = tasks.create_task(self._find())

    def go_on(self, tasks: asyncio.TaskGroup) -> None:
        """Read what an earlier process of the same session has left unread."""
        unread = self._ledger.bookmark.unread
        if unread:
            self._look_back()
            self._search = tasks.create_task(self._read_all(unread, self._hold(unread)))

    def _look_back(self) -> None:
        seen, now = self._ledger.surely_seen, self._clock.now()
        self._since = max(seen, snowflake(now - self._within))
        self._told_since = max(seen, snowflake(now - _TOLD_OF_WITHIN))
        self._ledger.look_back(self._told_since)
        self._given_up.clear()

    def described(self, server: str) -> None:
        self._missing.discard(server)
        if not self._missing:
            self._described.set()

    async def _find(self) -> None:
        """Find what was missed; channels go on one by one."""
        try:
            async with self._clock.timeout(_SERVERS_TOLD_WITHIN):
                await self._described.wait()
        except TimeoutError:
            log.warning("servers.not_described", servers=len(self._missing))
        behind = self._behind()
        left = self._hold(behind)
        self._intake.go_on()
        self._ledger.bookmark.look_in(behind)
        self._ledger.hurry()
        await self._read_all(behind, left)

    def _hold(self, behind: Unread) -> set[str]:
        """Hold back these channels, and return them: each goes on once it is no longer there."""
        left = set(behind)
        self._intake.hold(left.__contains__)
        return left

    async def _read_all(self, behind: Unread, left: set[str]) -> None:
        limit = asyncio.Semaphore(_CHANNELS_AT_ONCE)

        async def read(channel: str) -> None:
            async with limit:
                missed, too_old = await self._read(channel, behind[channel])
                left.discard(channel)
                self._intake.release(channel, missed, too_old)
                if channel not in self._given_up:
                    self._ledger.bookmark.has_read(channel)
                await self._clock.sleep(_REST)

        async with asyncio.TaskGroup() as tasks:
            for channel in behind:
                tasks.create_task(read(channel))
        if not self._given_up:
            self._ledger.look_back(None)

    def _behind(self) -> Unread:
        """Return channels with something unseen, and the server of each."""
        found: dict[str, str | None] = {
            spot.id: spot.guild
            for spot in self._places.with_text()
            if spot.last_message is not None and int(spot.last_message) > self._told_since
        }
        return found | dict.fromkeys(self._direct)

    async def _read(self, channel: str, server: str | None) -> tuple[list[Message], list[Message]]:
        """Return what is to be answered and what is too old for it, each oldest first."""
        shown: list[Json] = []
        before = snowflake(self._clock.now() + _AHEAD)
        for _ in range(_PAGES_AT_MOST):
            page = await self._page(channel, before)
            shown = [*page, *shown]
            if len(page) < _PAGE or int(page[0]["id"]) <= self._since:
                break
            before = int(page[0]["id"])
        else:
            log.warning("history.not_read", reason="so much was missed in one channel")
        found: list[Message] = []
        too_old: list[Message] = []
        for message in shown:
            told = {**message, "guild_id": server} if server else message
            inbound = self._intake.read("MESSAGE_CREATE", told)
            if isinstance(inbound, Message) and int(message["id"]) > self._told_since:
                (found if int(message["id"]) > self._since else too_old).append(inbound)
        if found:
            log.info("history.caught_up", messages=len(found))
        return found, too_old

    async def _page(self, channel: str, before: int) -> Sequence[Json]:
        """Return the newest before that one, oldest first; none where they cannot be read."""
        for failures in range(_TRIES):
            try:
                page: list[Json] = await self._rest.call(
                    "GET",
                    "/channels/{channel}/messages",
                    channel=channel,
                    before=str(before),
                    limit=str(_PAGE),
                )
                with reading(unreadable()):
                    return sorted(page, key=lambda message: int(message["id"]))
            except RetryLater as pause:
                await self._clock.sleep(max(pause.after, min(_LONGEST_PAUSE, 2.0**failures)))
            except SaidNo as refusal:
                log.info("history.not_read", reason=str(refusal))
                return ()
            except GatewayError as error:
                log.warning("history.not_read", reason=str(error))
                return ()
        log.warning("history.not_read", reason="Discord has been in trouble for too long")
        self._given_up.add(channel)
        return ()
