"""What was missed: after a gap, channels are read from what was surely seen on."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

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
        self._direct: Sequence[str] = ()
        """Direct conversations in which something may have been missed."""
        self._is_all_read = True
        self._search: asyncio.Task[None] | None = None

    def begin(self, servers: Sequence[str], tasks: asyncio.TaskGroup) -> None:
        """Hold everything back until it is known where something was missed, and find it.

        An earlier session's search is given up: this one looks for all that it has not found.
        """
        if self._search is not None:
            self._search.cancel()
        oldest = snowflake(self._clock.now() - self._within)
        self._since = max(self._ledger.surely_seen, oldest)
        self._ledger.look_back(self._since)
        self._is_all_read = True
        self._direct = self._ledger.direct_channels
        self._missing = set(servers)
        self._described.clear()
        if not servers:
            self._described.set()
        self._intake.hold(lambda _: True)
        self._search = tasks.create_task(self._find())

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
        left = dict.fromkeys(behind)
        self._intake.hold(left.__contains__)
        self._intake.go_on()
        limit = asyncio.Semaphore(_CHANNELS_AT_ONCE)

        async def read(channel: str) -> None:
            async with limit:
                missed = await self._missed(channel, behind[channel])
                left.pop(channel, None)
                self._intake.release(channel, missed)
                await self._clock.sleep(_REST)

        async with asyncio.TaskGroup() as tasks:
            for channel in behind:
                tasks.create_task(read(channel))
        if self._is_all_read:
            self._ledger.look_back(None)

    def _behind(self) -> dict[str, str | None]:
        """Return channels with something unseen, and the server of each."""
        found: dict[str, str | None] = {
            spot.id: spot.guild
            for spot in self._places.with_text()
            if spot.last_message is not None and int(spot.last_message) > self._since
        }
        return found | dict.fromkeys(self._direct)

    async def _missed(self, channel: str, server: str | None) -> list[Message]:
        """Read a channel from what was surely seen on; what cannot be read is left."""
        found: list[Message] = []
        after = self._since
        for _ in range(_PAGES_AT_MOST):
            page = await self._page(channel, after)
            for message in page:
                told = {**message, "guild_id": server} if server else message
                inbound = self._intake.read("MESSAGE_CREATE", told)
                if isinstance(inbound, Message):
                    found.append(inbound)
            if len(page) < _PAGE:
                break
            after = int(page[-1]["id"])
        else:
            log.warning("history.not_read", reason="so much was missed in one channel")
        if found:
            log.info("history.caught_up", messages=len(found))
        return found

    async def _page(self, channel: str, after: int) -> Sequence[Json]:
        for failures in range(_TRIES):
            try:
                page: list[Json] = await self._rest.call(
                    "GET",
                    "/channels/{channel}/messages",
                    channel=channel,
                    after=str(after),
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
        self._is_all_read = False
        return ()
