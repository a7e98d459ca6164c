"""What was said near the bot, where a place lets it know: the newest few of each place."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select
from typing_extensions import override

from gateway.contracts.inbox import Heard, Overheard
from gateway.messages import Message
from gateway.store.codec import storable
from gateway.store.database import Database
from gateway.store.inserts import insert_or_replace
from gateway.store.schema import overheard
from gateway.store.statements import Transaction

_LONGEST = 2_000

_NOTE = insert_or_replace(overheard, overheard.c.account, overheard.c.message_id)
_OF_PLACE = overheard.c.place == bindparam("of_place")
_ALL = (
    select(overheard.c.author, overheard.c.speaker, overheard.c.text)
    .where(_OF_PLACE)
    .order_by(overheard.c.number)
)
_LAST_TOO_MANY = (
    select(overheard.c.number)
    .where(_OF_PLACE)
    .order_by(overheard.c.number.desc())
    .limit(1)
    .offset(bindparam("most"))
)
_TRIM = delete(overheard).where(_OF_PLACE, overheard.c.number <= bindparam("upto"))
_FORGET_PLACE = delete(overheard).where(_OF_PLACE)
_FORGET = delete(overheard).where(
    overheard.c.account == bindparam("account"), overheard.c.message_id == bindparam("message_id")
)


class SqlOverheard(Overheard):
    """Each message once; its edit takes its place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def note(self, message: Message, most: int) -> None:
        row = _row(message)

        def operation(transaction: Transaction) -> None:
            transaction.run(_NOTE, row)
            place = {"of_place": row["place"]}
            surplus = transaction.row(_LAST_TOO_MANY, {**place, "most": most})
            if surplus is not None:
                transaction.run(_TRIM, {**place, "upto": surplus.number})

        await self._database.write(operation)

    @override
    async def take(self, place: str, most: int) -> Sequence[Heard]:
        asked = {"of_place": place}

        def operation(transaction: Transaction) -> Sequence[Any]:
            rows = transaction.rows(_ALL, asked)
            transaction.run(_FORGET_PLACE, asked)
            return rows

        rows = await self._database.write(operation)
        return [Heard(row.author, row.speaker, row.text) for row in rows[-most:]]


def forget(transaction: Transaction, names: dict[str, Any]) -> None:
    """Drop the message of this account and id: its writer took it back."""
    transaction.run(_FORGET, names)


def _row(message: Message) -> dict[str, Any]:
    files = "".join(f" [{attachment.name}]" for attachment in message.attachments)
    return {
        "account": message.address.account,
        "message_id": message.message_id,
        "place": message.address.channel_context,
        "author": message.address.identity,
        "speaker": storable(message.sender_name),
        "text": storable(f"{message.text[:_LONGEST]}{files}".strip()),
        "said_at": message.sent_at,
    }
