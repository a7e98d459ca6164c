"""Accepted messages, each once."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from sqlalchemy import bindparam, exists, func, literal_column, select
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.inbox import Arrival, Inbox, KeepOutcome, Kept
from gateway.ids import AccountName, Lane, MessageId
from gateway.messages import Message
from gateway.settings import QueueSettings
from gateway.store import overheard
from gateway.store.codec import dump_message
from gateway.store.database import Database
from gateway.store.keep import delivery, keep, record
from gateway.store.kept import KEPT, WITHDRAWN, kept_from, put_message, put_state
from gateway.store.schema import IS_WAITING, inbox, turns
from gateway.store.statements import Transaction

_CONTROLS = "%!control"
_APART = "%!%"
"""Lanes of controls, and of what was put aside."""
_earlier = inbox.alias("earlier")
_IS_BEHIND = (
    exists()
    .where(
        _earlier.c.state == literal_column("'waiting'"),
        _earlier.c.session_key == inbox.c.session_key,
        _earlier.c.number < inbox.c.number,
        _earlier.c.lane != inbox.c.lane,
        _earlier.c.lane.not_like(_APART),
        inbox.c.lane.not_like(_CONTROLS),
    )
    .label("is_behind")
)
_HEAD = (
    KEPT
    .add_columns(_IS_BEHIND)
    .where(IS_WAITING, inbox.c.lane == bindparam("lane"))
    .order_by(inbox.c.number)
    .limit(1)
)
_LANES_OF_KEY = (
    select(inbox.c.lane)
    .where(IS_WAITING, inbox.c.session_key == bindparam("key"), inbox.c.lane.not_like(_CONTROLS))
    .distinct()
)
_IS_OF_ALBUM = (
    IS_WAITING,
    inbox.c.lane == bindparam("lane"),
    inbox.c.album == bindparam("album"),
    inbox.c.number >= bindparam("number"),
)
_HAS_BEGUN = exists().where(turns.c.number == bindparam("number"))
_ALBUM = KEPT.where(*_IS_OF_ALBUM, ~_HAS_BEGUN).order_by(inbox.c.number)
_NEWEST_OF_ALBUM = select(func.max(inbox.c.kept_at).label("kept_at")).where(*_IS_OF_ALBUM)
_LANES = (
    select(inbox.c.lane).where(IS_WAITING).group_by(inbox.c.lane).order_by(func.min(inbox.c.number))
)
_UNTOUCHED = select(inbox.c.number).where(
    IS_WAITING,
    inbox.c.account == bindparam("account"),
    inbox.c.message_id == bindparam("message_id"),
    ~exists().where(turns.c.number == inbox.c.number),
)
_COUNT = select(func.count().label("waiting")).select_from(inbox).where(IS_WAITING)
_COUNT_IN_LANE = _COUNT.where(inbox.c.lane == bindparam("lane"))


class SqlInbox(Inbox):
    """Rows in state `waiting` are the lanes; all others are kept to know repeats by."""

    def __init__(self, database: Database, clock: Clock, queues: QueueSettings) -> None:
        self._database = database
        self._clock = clock
        self._queues = queues

    @override
    async def keep(self, arrivals: Sequence[Arrival]) -> Sequence[KeepOutcome]:
        now = self._clock.now()
        return await self._database.write(
            lambda transaction: keep(transaction, arrivals, self._queues, now)
        )

    @override
    async def refuse(self, message: Message, reason: str, *, with_address: bool = False) -> bool:
        row = delivery(message, person=None, now=self._clock.now())
        row["reason"] = reason
        if with_address:
            row["message"] = dump_message(_without_words(message))
        return await self._database.write(lambda transaction: record(transaction, row, "refused"))

    @override
    async def withdraw(self, account: AccountName, message_id: MessageId) -> None:
        names: dict[str, Any] = {"account": account, "message_id": message_id}
        await self._database.write(lambda transaction: _withdraw(transaction, names))

    @override
    async def head(self, lane: Lane) -> Kept | None:
        row = await self._database.read_one(_HEAD, lane=lane)
        return None if row is None else replace(kept_from(row), is_behind=bool(row.is_behind))

    @override
    async def lanes_of(self, session_key: str) -> Sequence[Lane]:
        return [row.lane for row in await self._database.read(_LANES_OF_KEY, key=session_key)]

    @override
    async def merge_album(self, head: Kept) -> Kept:
        if head.message.album is None:
            return head
        return await self._database.write(lambda transaction: _merge(transaction, head))

    @override
    async def album_quiet_since(self, head: Kept) -> float:
        newest = await self._database.read_one(_NEWEST_OF_ALBUM, **_album_of(head))
        return head.kept_at if newest is None or newest.kept_at is None else newest.kept_at

    @override
    async def close(self, kept: Kept, outcome: str) -> None:
        await self._database.write(lambda transaction: put_state(transaction, kept.number, outcome))

    @override
    async def waiting_lanes(self) -> Sequence[Lane]:
        return [row.lane for row in await self._database.read(_LANES)]

    @override
    async def waiting(self, lane: Lane | None = None) -> int:
        if lane is None:
            rows = await self._database.read(_COUNT)
        else:
            rows = await self._database.read(_COUNT_IN_LANE, lane=lane)
        return int(rows[0].waiting)


def _withdraw(transaction: Transaction, names: dict[str, Any]) -> None:
    for row in transaction.rows(_UNTOUCHED, names):
        put_state(transaction, row.number, WITHDRAWN)
    overheard.forget(transaction, names)


def _without_words(message: Message) -> Message:
    return replace(
        message, sender_name="", text="", attachments=(), quote=None, forwarded_from=None
    )


def _album_of(head: Kept) -> dict[str, object]:
    return {"lane": head.lane, "album": head.message.album, "number": head.number}


def _merge(transaction: Transaction, head: Kept) -> Kept:
    sender = head.message.address.external_user
    rows = [kept_from(row) for row in transaction.rows(_ALBUM, _album_of(head))]
    own = [row for row in rows if row.message.address.external_user == sender]
    if not own or own[0].number != head.number:
        return head
    whole = _joined([row.message for row in own])
    put_message(transaction, head.number, whole)
    for row in own[1:]:
        put_state(transaction, row.number, "merged")
    return replace(own[0], message=whole)


def _joined(messages: Sequence[Message]) -> Message:
    text = next((message.text for message in messages if message.text), "")
    attachments = tuple(chain.from_iterable(message.attachments for message in messages))
    return replace(messages[0], text=text, attachments=attachments)
