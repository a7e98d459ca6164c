"""Erasing what people have asked to be erased, once it is due and nothing of theirs is at work."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gateway.clock import Clock
from gateway.commands.forget_words import FORGOTTEN_WORDS
from gateway.contracts.privacy import Erasure, Privacy
from gateway.contracts.stores import Store
from gateway.errors import GatewayError, StoreBusy
from gateway.ids import ExternalUser, PlatformName
from gateway.inbound.stops import Stops
from gateway.inbound.turn_files import TurnFiles
from gateway.messages import Address
from gateway.pools.manager import PoolManager

log = structlog.get_logger()

_LOOK_EVERY = 60.0
_TURNS_END_WITHIN = 5.0
_GOODBYE_WITHIN = 10.0


async def erase(erasure: Erasure, privacy: Privacy, files: TurnFiles) -> None:
    """Erase a person of whom nothing is at work."""
    await files.erase(await privacy.erase_talk(erasure))
    await privacy.erase_rest(erasure)


class Erasing:
    """Looks once a minute. A crash in between costs nothing: what was begun is begun again."""

    def __init__(
        self,
        store: Store,
        stops: Stops,
        pools: PoolManager,
        files: TurnFiles,
        say: Callable[[Address, str], Awaitable[object]],
        stir: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._privacy = store.privacy
        self._identities = store.identities
        self._stops = stops
        self._pools = pools
        self._files = files
        self._say = say
        self._stir = stir
        self._clock = clock

    async def run(self) -> None:
        while True:
            is_done = False
            try:
                is_done = await self.erase_due()
            except StoreBusy as error:
                log.warning("erasure.put_off", reason=str(error))
            await self._clock.sleep(_LOOK_EVERY if is_done else _TURNS_END_WITHIN)

    async def erase_due(self) -> bool:
        """Erase what is due; False when some of it has to wait for turns to end."""
        due = [one for one in await self._privacy.waiting() if one.due_at <= self._clock.now()]
        done = [await self._try(one) for one in due if await self._privacy.is_still_asked(one)]
        if len(done) < len(due):
            self._stir()  # why nothing came of some is to be told
        return all(done)

    async def _try(self, erasure: Erasure) -> bool:
        """Erase somebody; what goes wrong is tried again, and keeps nobody else waiting."""
        try:
            return await self._erase(erasure)
        except StoreBusy:
            raise
        except Exception:
            log.exception("erasure.failed", person=erasure.person)
            return True

    async def _erase(self, erasure: Erasure) -> bool:
        for account in erasure.accounts:
            platform, _, user = account.partition(":")
            await self._stops.stop_sender(PlatformName(platform), ExternalUser(user))
        if self._stops.are_at_work_for(erasure.accounts):
            return False
        await self._say_goodbye(erasure)
        await erase(erasure, self._privacy, self._files)
        await self._pools.invalidate_user(erasure.person)
        log.info("person.erased", person=erasure.person)
        return True

    async def _say_goodbye(self, erasure: Erasure) -> None:
        """Tell every account while it is still known where; who cannot be told is erased, too."""
        known = await self._identities.of_person(erasure.person)
        told = [self._tell(one.address) for one in known if one.address is not None]
        await asyncio.gather(*told)

    async def _tell(self, address: Address) -> None:
        try:
            async with self._clock.timeout(_GOODBYE_WITHIN):
                await self._say(address, FORGOTTEN_WORDS)
        except (GatewayError, TimeoutError) as error:
            log.warning("announcement.refused", kind="forgotten", reason=str(error))
