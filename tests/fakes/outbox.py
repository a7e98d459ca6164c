"""An outbox in memory that keeps the store's contract, and says how often it was asked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.stores import Outbox, OutboxKind, OutboxRow, OutboxState, Turn
from gateway.errors import GatewayError
from gateway.ids import AccountName, ExternalUser, MessageId, OutboxId, TurnId
from gateway.messages import Address, OutgoingFile


class MemoryOutbox(Outbox):
    """Rows outlive every `Replies` made on it, as they would a process."""

    def __init__(self, clock: Clock) -> None:
        self.rows: dict[OutboxId, OutboxRow] = {}
        self.announcing: dict[OutboxId, int] = {}
        self.calls: Counter[str] = Counter()
        self.failures: list[GatewayError] = []
        """Each is raised by one writing call that is waited for, instead of writing."""
        self._clock = clock
        self._numbers = count(1)

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
        self._called("begin")
        row = OutboxRow(
            id=OutboxId(f"o_{next(self._numbers)}"),
            turn=turn.id if turn is not None else None,
            address=address,
            position=position,
            kind=kind,
            state=OutboxState.SENDING,
            text=text,
            files=tuple(files),
            message_id=None,
            created_at=self._clock.now(),
        )
        self.rows[row.id] = row
        if announcement is not None:
            self.announcing[row.id] = announcement
        return row

    @override
    async def sent(self, row: OutboxId, message_id: MessageId, text: str) -> None:
        self._called("sent")
        changed = replace(self.rows[row], state=OutboxState.SENT, message_id=message_id, text=text)
        self.rows[row] = changed

    @override
    async def checkpoint(self, row: OutboxId, text: str) -> None:
        self._called("checkpoint")
        self.rows[row] = replace(self.rows[row], text=text)

    @override
    async def settle(self, row: OutboxId, state: OutboxState, reason: str = "") -> None:
        self._called("settle")
        self.rows[row] = replace(self.rows[row], state=state)

    @override
    async def settle_later(self, row: OutboxId, state: OutboxState) -> None:
        self.calls["settle_later"] += 1
        self.rows[row] = replace(self.rows[row], state=state)

    @override
    async def of_turn(self, turn: TurnId) -> Sequence[OutboxRow]:
        self.calls["of_turn"] += 1
        rows = [row for row in self.rows.values() if row.turn == turn]
        return sorted(rows, key=lambda row: (row.created_at, row.position))

    @override
    async def of_announcement(self, number: int) -> Sequence[OutboxRow]:
        return [self.rows[row] for row, said in self.announcing.items() if said == number]

    @override
    async def asked_by(self, account: AccountName, message_id: MessageId) -> ExternalUser | None:
        for row in self.rows.values():
            if row.message_id == message_id and row.address.account == account:
                return row.address.external_user
        return None

    @override
    async def unsettled_notices(self) -> Sequence[OutboxRow]:
        unsettled = {OutboxState.SENDING, OutboxState.SENT}
        return [
            row
            for row in self.rows.values()
            if row.turn is None and row.state in unsettled and row.id not in self.announcing
        ]

    def states(self) -> list[str]:
        return [row.state.value for row in self.rows.values()]

    def _called(self, name: str) -> None:
        self.calls[name] += 1
        if self.failures:
            raise self.failures.pop(0)
