"""Pairing: a stranger gets a code, the owner approves it, the stranger is let in."""

from collections.abc import Collection
from pathlib import Path

from gateway.clock import Clock
from gateway.contracts.people import PairingRequest
from gateway.contracts.stores import Store
from gateway.ids import ExternalUser, PlatformName
from gateway.messages import Message
from gateway.people.codes import Codes

_LIFETIME = 3600.0
_NOTICE_EVERY = 86_400.0
_OWNERS_TOLD_AT_MOST = 10
"""Strangers an hour of whom owners are told; the command line lists them all."""
_PURPOSE = ""
AT_THE_COMMAND_LINE = "command line"


class Pairing:
    """Hands out codes and redeems them; the store sees only keyed hashes."""

    def __init__(
        self, store: Store, key_file: Path, clock: Clock, owners: Collection[str] = ()
    ) -> None:
        self._people = store.people
        self._identities = store.identities
        self._announcements = store.announcements
        self._audit = store.audit
        self._codes = Codes(key_file)
        self._clock = clock
        self._owners = owners
        self._told: list[float] = []

    async def ask(self, message: Message) -> str | None:
        """Return a new code for the sender, or None when they had one within a day."""
        code = self._codes.new()
        hashed = self._codes.hashed(code, _PURPOSE)
        is_new = await self._people.request_pairing(
            message, hashed, lifetime=_LIFETIME, notice_every=_NOTICE_EVERY
        )
        if not is_new:
            return None
        await self._tell_owners(message)
        return code

    async def approve(
        self, code: str, *, by: str = AT_THE_COMMAND_LINE, account: str = AT_THE_COMMAND_LINE
    ) -> PairingRequest | None:
        """Let in who holds the code; None when it is wrong, used or expired.

        Raises:
            NotAllowed: too many wrong codes were tried.
        """
        request = await self._people.redeem_pairing(
            self._codes.hashed(code, _PURPOSE), account=account, sayer=by
        )
        if request is None:
            await self._audit.note("pairing.code_wrong", by, {})
            return None
        await self.admit(request.platform, request.external_user, request.name, by=by)
        return request

    async def let_in(
        self, platform: PlatformName, user: ExternalUser, *, by: str
    ) -> PairingRequest | None:
        """Let in who asked within a day, without their code; None when nobody did."""
        request = await self._take(platform, user)
        if request is not None:
            await self.admit(platform, user, request.name, by=by)
        return request

    async def refuse(
        self, platform: PlatformName, user: ExternalUser, *, by: str
    ) -> PairingRequest | None:
        """Drop a request; None when there is none."""
        request = await self._take(platform, user)
        if request is not None:
            await self._audit.note("pairing.refused", by, {"account": f"{platform}:{user}"})
        return request

    async def admit(
        self,
        platform: PlatformName,
        user: ExternalUser,
        name: str = "",
        *,
        by: str = AT_THE_COMMAND_LINE,
    ) -> None:
        await self._people.admit(platform, user, name=name, role="member")
        await self._audit.note("pairing.admitted", by, {"account": f"{platform}:{user}"})

    async def dismiss(
        self, platform: PlatformName, user: ExternalUser, *, by: str = AT_THE_COMMAND_LINE
    ) -> bool:
        was_known = await self._people.dismiss(platform, user)
        if was_known:
            await self._audit.note("pairing.dismissed", by, {"account": f"{platform}:{user}"})
        return was_known

    async def _take(self, platform: PlatformName, user: ExternalUser) -> PairingRequest | None:
        asked_after = self._clock.now() - _NOTICE_EVERY
        return await self._people.take_pairing(platform, user, asked_after=asked_after)

    async def _tell_owners(self, stranger: Message) -> None:
        """Ask every owner whom the bot has met directly, as long as few ask."""
        now = self._clock.now()
        self._told = [at for at in self._told if at > now - _LIFETIME]
        if len(self._told) >= _OWNERS_TOLD_AT_MOST:
            return
        self._told.append(now)
        address = stranger.address
        facts = {
            "platform": address.platform,
            "user": address.external_user,
            "name": stranger.sender_name,
        }
        for known in await self._identities.named(self._owners):
            if known.address is not None:
                await self._announcements.add(known.address, "asks", facts)
