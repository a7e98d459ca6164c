"""Linking: two accounts, each of which says yes to the other, become one person."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.contracts.linking import Change, Link, LinkId, Trouble
from gateway.contracts.people import Identity, Person
from gateway.contracts.stores import Store
from gateway.ids import ExternalUser, PlatformName
from gateway.messages import Message
from gateway.people.codes import Codes

_PURPOSE = "link "

Settle = Callable[[Change], Awaitable[None]]
"""Told of each change before anybody hears of it: runners, lanes and files have to follow."""


class Linking:
    """Only what the platform vouches for counts: the ids of who says yes, and where."""

    def __init__(
        self, store: Store, key_file: Path, settle: Settle, stir: Callable[[], None]
    ) -> None:
        self._links = store.links
        self._identities = store.identities
        self._codes = Codes(key_file)
        self._settle = settle
        self._stir = stir
        """Have announcements sent."""

    async def new_code(self, asker: Message, person: Person) -> str | Trouble:
        code = self._codes.new()
        trouble = await self._links.open(asker, person.id, self._codes.hashed(code, _PURPOSE))
        return code if trouble is None else trouble

    async def use_code(self, redeemer: Message, person: Person, code: str) -> Link | Trouble:
        """Use a code up; nothing is linked before both sides have said yes."""
        hashed = self._codes.hashed(code, _PURPOSE)
        return await self._links.redeem(redeemer, person.id, hashed)

    async def burn(self, shown_by: Message, code: str) -> None:
        """Make a code worthless that others may have read."""
        await self._links.burn(shown_by, self._codes.hashed(code, _PURPOSE))
        self._stir()

    async def say_yes(
        self, link: LinkId, sayer: Message, *, goes_on_there: bool
    ) -> Link | Change | Trouble:
        """Take a yes: of who used the code, then of who made it."""
        agreed = await self._links.agree(link, sayer)
        if isinstance(agreed, Link):
            self._stir()
            return agreed
        made = await self._links.accept(link, sayer, goes_on_there=goes_on_there)
        return await self._settled(made)

    async def say_no(self, link: LinkId, sayer: Message) -> Link | Trouble:
        refused = await self._links.refuse(link, sayer)
        self._stir()
        return refused

    async def undo(self, sayer: Message, person: Person) -> Change | Trouble:
        return await self._settled(await self._links.undo(sayer, person.id))

    async def unlink(
        self, platform: PlatformName, user: ExternalUser, *, by: str
    ) -> Change | Trouble:
        return await self._settled(await self._links.unlink(platform, user, by=by))

    async def accounts(self, person: Person) -> list[Identity]:
        return list(await self._identities.of_person(person.id))

    async def _settled(self, change: Change | Trouble) -> Change | Trouble:
        if isinstance(change, Change):
            await self._settle(change)
            self._stir()
        return change
