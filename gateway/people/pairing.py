"""Pairing: a stranger gets a code, the owner approves it, the stranger is let in."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from gateway.clock import Clock
from gateway.contracts.people import PairingRequest
from gateway.contracts.stores import Store
from gateway.ids import ExternalUser, PlatformName
from gateway.messages import Message
from gateway.people.codes import Codes
from gateway.people.roles import Role, role_named

_LIFETIME = 3600.0
_NOTICE_EVERY = 86_400.0
_PURPOSE = ""
AT_THE_COMMAND_LINE = "command line"


class Pairing:
    """Hands out codes and redeems them; the store sees only keyed hashes."""

    def __init__(
        self,
        store: Store,
        key_file: Path,
        clock: Clock,
        stir: Callable[[], None],
        owners: Collection[str] = (),
    ) -> None:
        self._people = store.people
        self._pairings = store.pairings
        self._identities = store.identities
        self._audit = store.audit
        self._codes = Codes(key_file)
        self._clock = clock
        self._stir = stir
        """Have announcements sent."""
        self._owners = owners

    async def ask(self, message: Message, reason: str) -> bool:
        """Turn a stranger's message away, and have them told how to be let in, once a day.

        False for a message that was turned away before.
        """
        owners = await self._identities.named(self._owners)
        is_new = await self._pairings.request(
            message,
            reason,
            lifetime=_LIFETIME,
            notice_every=_NOTICE_EVERY,
            owners=[one.address for one in owners if one.address is not None],
        )
        self._stir()
        return is_new

    async def requests(self) -> Sequence[PairingRequest]:
        """Return who asks to be let in, and may still be."""
        return await self._pairings.live()

    async def new_code(self, platform: PlatformName, user: ExternalUser) -> str | None:
        """Return a code for a stranger's request, in place of an earlier one.

        None when the request is settled.
        """
        code = self._codes.new()
        hashed = self._codes.hashed(code, _PURPOSE)
        is_given = await self._pairings.give_code(platform, user, hashed)
        return code if is_given else None

    async def approve(
        self, code: str, *, by: str = AT_THE_COMMAND_LINE, account: str | None = None
    ) -> PairingRequest | None:
        """Let in who holds the code; None when it is wrong, used or expired.

        Raises:
            NotAllowed: too many wrong codes were tried.
        """
        hashed = self._codes.hashed(code, _PURPOSE)
        request = await self._pairings.redeem(hashed, by=by, account=account)
        if request is None:
            await self._audit.note("pairing.code_wrong", by, {})
        self._stir()
        return request

    async def let_in(
        self, platform: PlatformName, user: ExternalUser, *, by: str
    ) -> PairingRequest | None:
        """Let in who asked within a day, without their code; None when nobody did."""
        asked_after = self._clock.now() - _NOTICE_EVERY
        request = await self._pairings.grant(platform, user, by=by, asked_after=asked_after)
        self._stir()
        return request

    async def is_in(self, platform: PlatformName, user: ExternalUser) -> bool:
        """Say whether somebody has been let in, by whomever."""
        person = await self._people.find(platform, user)
        return person is not None and role_named(person.role) >= Role.MEMBER

    async def refuse(self, platform: PlatformName, user: ExternalUser, *, by: str) -> bool:
        """Drop a request; False when there is none."""
        return await self._pairings.drop(platform, user, by=by)

    async def admit(
        self,
        platform: PlatformName,
        user: ExternalUser,
        name: str = "",
        *,
        by: str = AT_THE_COMMAND_LINE,
    ) -> None:
        """Let somebody in, whether they have asked or not; who has is told so."""
        if await self.let_in(platform, user, by=by) is not None:
            return
        await self._people.admit(platform, user, name=name, role="member")
        await self._audit.note("pairing.admitted", by, {"account": f"{platform}:{user}"})

    async def dismiss(
        self, platform: PlatformName, user: ExternalUser, *, by: str = AT_THE_COMMAND_LINE
    ) -> bool:
        was_known = await self._people.dismiss(platform, user)
        if was_known:
            await self._audit.note("pairing.dismissed", by, {"account": f"{platform}:{user}"})
        return was_known
