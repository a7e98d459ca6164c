"""What will be sent, written down before it is."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Update, and_, bindparam, case, select, update
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.stores import Outbox, OutboxKind, OutboxRow, OutboxState, Turn
from gateway.ids import AccountName, ExternalUser, MessageId, NewId, OutboxId, TurnId
from gateway.messages import Address, OutgoingFile
from gateway.store.codec import dump_address, dump_files, load_address, load_files, storable
from gateway.store.database import Database
from gateway.store.inserts import insert
from gateway.store.leases import require
from gateway.store.schema import IS_UNSETTLED_NOTICE, outbox
from gateway.store.statements import Transaction

_INSERT = insert(outbox)
_OF_ID = update(outbox).where(outbox.c.id == bindparam("row"))
_SENT = _OF_ID.values(
    state=OutboxState.SENT.value,
    message_id=bindparam("new_message_id"),
    text=bindparam("new_text"),
)
_CHECKPOINT = _OF_ID.values(text=bindparam("new_text"))
_SETTLE = _OF_ID.values(
    state=bindparam("new_state"),
    reason=bindparam("new_reason"),
    # A notice that was said is not said again: it may hold a code.
    text=case(
        (and_(outbox.c.turn.is_(None), bindparam("new_state") == OutboxState.FINAL.value), ""),
        else_=outbox.c.text,
    ),
)
_ORDER = (outbox.c.created_at, outbox.c.position, outbox.c.id)
_OF_TURN = select(outbox).where(outbox.c.turn == bindparam("turn")).order_by(*_ORDER)
_OF_MESSAGE = select(outbox.c.address).where(outbox.c.message_id == bindparam("message"))
_OF_ANNOUNCEMENT = (
    select(outbox).where(outbox.c.announcement == bindparam("number")).order_by(*_ORDER)
)
_NOTICES = (
    select(outbox).where(IS_UNSETTLED_NOTICE, outbox.c.announcement.is_(None)).order_by(*_ORDER)
)


class SqlOutbox(Outbox):
    """One row for each visible message, from before its send to its last word."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    @override
    async def begin(
        self,
        address: Address,
        *,
        turn: Turn | None,
        position: int,
        kind: OutboxKind,
        text: str = "",
        files: Sequence[OutgoingFile] = (),
        announcement: int | None = None,
    ) -> OutboxRow:
        row = OutboxRow(
            id=OutboxId(self._new_id("o")),
            turn=None if turn is None else turn.id,
            address=address,
            position=position,
            kind=kind,
            state=OutboxState.SENDING,
            text=storable(text),
            files=tuple(files),
            message_id=None,
            created_at=self._clock.now(),
        )
        values = {**_values(row), "announcement": announcement}

        def operation(transaction: Transaction) -> None:
            if turn is not None:
                require(transaction, turn)
            transaction.run(_INSERT, values)

        await self._database.write(operation)
        return row

    @override
    async def sent(self, row: OutboxId, message_id: MessageId, text: str) -> None:
        values = {"row": row, "new_message_id": message_id, "new_text": storable(text)}
        await self._database.write(_change(_SENT, values))

    @override
    async def checkpoint(self, row: OutboxId, text: str) -> None:
        await self._database.write(_change(_CHECKPOINT, {"row": row, "new_text": storable(text)}))

    @override
    async def settle(self, row: OutboxId, state: OutboxState, reason: str = "") -> None:
        await self._database.write(_settling(row, state, reason))

    @override
    async def settle_later(self, row: OutboxId, state: OutboxState) -> None:
        self._database.write_later(_settling(row, state, ""))

    @override
    async def of_turn(self, turn: TurnId) -> Sequence[OutboxRow]:
        return [_row(found) for found in await self._database.read(_OF_TURN, turn=turn)]

    @override
    async def of_announcement(self, number: int) -> Sequence[OutboxRow]:
        return [_row(found) for found in await self._database.read(_OF_ANNOUNCEMENT, number=number)]

    @override
    async def asked_by(self, account: AccountName, message_id: MessageId) -> ExternalUser | None:
        rows = await self._database.read(_OF_MESSAGE, message=message_id)
        addresses = (load_address(row.address) for row in rows)
        return next((one.external_user for one in addresses if one.account == account), None)

    @override
    async def unsettled_notices(self) -> Sequence[OutboxRow]:
        return [_row(found) for found in await self._database.read(_NOTICES)]


def _change(statement: Update, values: dict[str, Any]) -> Callable[[Transaction], None]:
    def operation(transaction: Transaction) -> None:
        transaction.run(statement, values)

    return operation


def _settling(row: OutboxId, state: OutboxState, reason: str) -> Callable[[Transaction], None]:
    values = {"row": row, "new_state": state.value, "new_reason": storable(reason) or None}
    return _change(_SETTLE, values)


def _values(row: OutboxRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "turn": row.turn,
        "address": dump_address(row.address),
        "position": row.position,
        "kind": row.kind.value,
        "state": row.state.value,
        "text": row.text,
        "files": dump_files(row.files),
        "message_id": None,
        "reason": None,
        "created_at": row.created_at,
    }


def _row(found: Any) -> OutboxRow:
    return OutboxRow(
        id=found.id,
        turn=found.turn,
        address=load_address(found.address),
        position=found.position,
        kind=OutboxKind(found.kind),
        state=OutboxState(found.state),
        text=found.text,
        files=load_files(found.files),
        message_id=found.message_id,
        created_at=found.created_at,
    )
