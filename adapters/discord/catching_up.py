"""What was missed: after a gap, channels are read from what was surely seen on."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from adapters.discord.intake import Intake
from adapters.discord.ledger import Ledger, snowflake
from adapters.discord.places import Places
from adapters.discord.transport import Rest, SaidNo
from gateway.clock import Clock
from gateway.errors import GatewayError, RetryLater
from gateway.messages import Inbound

log = structlog.get_logger()

Json = Mapping[str, Any]

_SERVERS_TOLD_WITHIN = 5.0
_PAGE = 100
_PAGES_AT_MOST = 10
_CHANNELS_AT_ONCE = 4
_TRIES = 5


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
        self._round = 0
        """Counts the sessions that began: an earlier one's search is given up."""

    def begin(self, servers: Sequence[str]) -> None:
        """Hold everything back until it is known where something was missed."""
        oldest = snowflake(self._clock.now() - self._within)
        self._since = max(self._ledger.surely_seen, oldest)
        self._ledger.look_back(self._since)
        self._round += 1
        self._missing = set(servers)
        self._described.clear()
        if not servers:
            self._described.set()
        self._intake.hold(lambda _: True)

    def described(self, server: str) -> None:
        self._missing.discard(server)
        if not self._missing:
            self._described.set()

    async def run(self) -> None:
        """Find what was missed since `begin`; channels go on one by one."""
        this = self._round
        try:
            async with self._clock.timeout(_SERVERS_TOLD_WITHIN):
                await self._described.wait()
        except TimeoutError:
            log.warning("servers.not_described", servers=len(self._missing))
        if this != self._round:
            return
        behind = self._behind()
        left = dict.fromkeys(behind)
        self._intake.hold(left.__contains__)
        self._intake.go_on()
        limit = asyncio.Semaphore(_CHANNELS_AT_ONCE)

        async def read(channel: str) -> None:
            async with limit:
                missed = await self._missed(channel, behind[channel], this)
            if this == self._round:
                left.pop(channel, None)
                self._intake.release(channel, missed)

        async with asyncio.TaskGroup() as tasks:
            for channel in behind:
                tasks.create_task(read(channel))
        if this == self._round:
            self._ledger.look_back(None)

    def _behind(self) -> dict[str, str | None]:
        """Return channels with something unseen, and the server of each."""
        found: dict[str, str | None] = {
            spot.id: spot.guild
            for spot in self._places.with_text()
            if spot.last_message is not None and int(spot.last_message) > self._since
        }
        return found | dict.fromkeys(self._ledger.direct_channels)

    async def _missed(self, channel: str, server: str | None, this: int) -> list[Inbound]:
        """Read a channel from what was surely seen on; what cannot be read is left."""
        found: list[Inbound] = []
        after = self._since
        for _ in range(_PAGES_AT_MOST if this == self._round else 0):
            page = await self._page(channel, after)
            for message in page:
                told = {**message, "guild_id": server} if server else message
                inbound = self._intake.read("MESSAGE_CREATE", told)
                if inbound is not None:
                    found.append(inbound)
            if len(page) < _PAGE:
                break
            after = int(page[-1]["id"])
        if found:
            log.info("history.caught_up", messages=len(found))
        return found

    async def _page(self, channel: str, after: int) -> Sequence[Json]:
        for _ in range(_TRIES):
            try:
                page: list[Json] = await self._rest.call(
                    "GET",
                    "/channels/{channel}/messages",
                    channel=channel,
                    after=str(after),
                    limit=str(_PAGE),
                )
            except RetryLater as pause:
                await self._clock.sleep(pause.after)
            except SaidNo as refusal:
                log.info("history.not_read", reason=str(refusal))
                return ()
            except GatewayError as error:
                log.warning("history.not_read", reason=str(error))
                return ()
            else:
                return sorted(page, key=lambda message: int(message["id"]))
        log.warning("history.not_read", reason="it was asked for too often")
        return ()
