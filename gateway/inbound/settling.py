"""What follows once accounts have been linked or parted: nothing goes on by the old order."""

from collections.abc import Callable

import structlog

from gateway.contracts.inbox import Inbox
from gateway.contracts.linking import Change
from gateway.ids import Lane
from gateway.inbound.stops import Stops
from gateway.inbound.turn_files import TurnFiles
from gateway.pools.manager import PoolManager

log = structlog.get_logger()


class Settling:
    """Renews runners, shares files, and takes up lanes that have new names."""

    def __init__(
        self,
        pools: PoolManager,
        files: TurnFiles,
        inbox: Inbox,
        stops: Stops,
        wake: Callable[[Lane], None],
    ) -> None:
        self._pools = pools
        self._files = files
        self._inbox = inbox
        self._stops = stops
        self._wake = wake

    async def settle(self, change: Change) -> None:
        if change.is_link:
            log.info("people.joined", person=change.stays)
            await self._files.share(change.leaves, change.stays)
        else:
            log.info("people.parted", person=change.stays)
            # A turn of who has left still works on what is no longer theirs.
            for account in change.identities:
                await self._stops.stop_sender(account.platform, account.external_user)
        for person in (change.stays, change.leaves):
            await self._pools.invalidate_user(person)
        for lane in await self._inbox.waiting_lanes():
            self._wake(lane)
