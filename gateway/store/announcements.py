"""What accounts are to be told, kept until it has been said."""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, delete, null, select, update
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.linking import Announcement, Announcements
from gateway.messages import Address
from gateway.store.codec import dump_address, dump_facts, load_address, load_facts
from gateway.store.database import Database
from gateway.store.inserts import insert
from gateway.store.schema import announcements, outbox
from gateway.store.statements import Transaction

_INSERT = insert(announcements)
_WAITING = select(announcements).order_by(announcements.c.number)
_DROP = delete(announcements).where(announcements.c.number == bindparam("which"))
_LET_GO = (
    update(outbox).where(outbox.c.announcement == bindparam("which")).values(announcement=null())
)


def announce(
    transaction: Transaction,
    now: float,
    address: Address | None,
    kind: str,
    facts: Mapping[str, str],
) -> None:
    """Have an account told, with the change that it is told of; one never met cannot be."""
    if address is not None:
        row = {"address": dump_address(address), "kind": kind, "facts": dump_facts(facts)}
        transaction.run(_INSERT, {**row, "created_at": now})


class SqlAnnouncements(Announcements):
    """Few at any time: each goes once it is said."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @override
    async def add(self, address: Address, kind: str, facts: Mapping[str, str]) -> None:
        now = self._clock.now()
        await self._database.write(
            lambda transaction: announce(transaction, now, address, kind, facts)
        )

    @override
    async def waiting(self) -> Sequence[Announcement]:
        return [
            Announcement(row.number, load_address(row.address), row.kind, load_facts(row.facts))
            for row in await self._database.read(_WAITING)
        ]

    @override
    async def told(self, number: int) -> None:
        def operation(transaction: Transaction) -> None:
            transaction.run(_DROP, {"which": number})
            # The number is free now, and may be another announcement's.
            transaction.run(_LET_GO, {"which": number})

        await self._database.write(operation)
