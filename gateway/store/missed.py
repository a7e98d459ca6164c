"""Messages found too late to be answered."""

from collections.abc import Sequence

from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.inbox import Missed
from gateway.messages import Message
from gateway.store.announcements import announce
from gateway.store.database import Database
from gateway.store.keep import delivery, record
from gateway.store.statements import Transaction


class SqlMissed(Missed):
    """Rows in state `too_old` only say that a message was seen, and told of."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @override
    async def note(self, messages: Sequence[Message]) -> bool:
        now = self._clock.now()
        rows = [delivery(message, person=None, now=now) for message in messages]
        newest = messages[-1].address

        def operation(transaction: Transaction) -> bool:
            are_new = [record(transaction, row, "too_old") for row in rows]
            if any(are_new):
                announce(transaction, now, newest, "missed", {})
            return any(are_new)

        return await self._database.write(operation)
