"""The accounts of people: under which names, and where they can be told something."""

from collections import OrderedDict
from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, select, update
from typing_extensions import override

from gateway.contracts.people import Identities, Identity
from gateway.ids import ExternalUser, PersonId, PlatformName
from gateway.messages import Message
from gateway.store.codec import dump_address, storable
from gateway.store.database import Database
from gateway.store.schema import identities
from gateway.store.standing import IDENTITIES, IS_ONE, identity_from

_CACHED = 4096

_ONE = select(identities).where(*IS_ONE)
_KNOWN = select(identities.c.name, identities.c.address).where(*IS_ONE)
_MEET = update(identities).where(*IS_ONE).values(
    name=bindparam("new_name"), address=bindparam("new_address")
)  # fmt: skip


class SqlIdentities(Identities):
    """Writes a name or a place only when it is another than the last."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._met: OrderedDict[tuple[PlatformName, ExternalUser], tuple[str, str]] = OrderedDict()

    def forget(self) -> None:
        """Look names and places up anew."""
        self._met.clear()

    @override
    async def of_person(self, person: PersonId) -> Sequence[Identity]:
        rows = await self._database.read(IDENTITIES, of_person=person)
        return [identity_from(row) for row in rows]

    @override
    async def named(self, identities: Collection[str]) -> Sequence[Identity]:
        parts = [one.partition(":") for one in identities]
        found = [
            await self._database.read(_ONE, of_platform=platform, of_user=user)
            for platform, _, user in parts
        ]
        return [identity_from(row) for rows in found for row in rows]

    @override
    async def meet(self, message: Message) -> None:
        address = message.address
        named = {"of_platform": address.platform, "of_user": address.external_user}
        identity = (address.platform, address.external_user)
        met = (storable(message.sender_name), dump_address(address))
        if self._met.get(identity) == met:
            return
        known = await self._database.read_one(_KNOWN, **named)
        if known is not None and (known.name, known.address) != met:
            values = {**named, "new_name": met[0], "new_address": met[1]}
            self._database.write_later(lambda transaction: transaction.run(_MEET, values))
        self._met[identity] = met
        if len(self._met) > _CACHED:
            self._met.popitem(last=False)
