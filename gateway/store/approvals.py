"""Questions for approval, each answered once."""

from dataclasses import asdict

from sqlalchemy import bindparam, select, update
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.approvals import Approval, Approvals, Decision
from gateway.ids import ApprovalId, PersonId
from gateway.store.database import Database
from gateway.store.inserts import insert
from gateway.store.schema import approvals
from gateway.store.statements import Transaction

_PENDING = "pending"

_ASK = insert(approvals)
_FIND = select(
    approvals.c.person, approvals.c.session_key, approvals.c.state, approvals.c.expires_at
).where(approvals.c.id == bindparam("approval"))
_SETTLE = (
    update(approvals)
    .where(approvals.c.id == bindparam("approval"), approvals.c.state == _PENDING)
    .values(state=bindparam("new_state"))
)


class SqlApprovals(Approvals):
    """A row is pending until its first answer, or until nobody waits for one any more."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @override
    async def ask(self, approval: Approval) -> None:
        row = {**asdict(approval), "state": _PENDING}
        await self._database.write(lambda transaction: transaction.run(_ASK, row))

    @override
    async def decide(
        self,
        approval: ApprovalId,
        person: PersonId | None,
        session_key: str,
        *,
        is_allowed: bool,
    ) -> Decision:
        now = self._clock.now()
        answer = {"approval": approval, "new_state": "allowed" if is_allowed else "denied"}

        def operation(transaction: Transaction) -> Decision:
            asked = transaction.row(_FIND, answer)
            if asked is None:
                return Decision.TOO_LATE
            if (asked.person, asked.session_key) != (person, session_key):
                return Decision.NOT_ASKED
            if asked.state != _PENDING or asked.expires_at <= now:
                return Decision.TOO_LATE
            transaction.run(_SETTLE, answer)
            return Decision.TAKEN

        return await self._database.write(operation)

    @override
    async def drop(self, approval: ApprovalId) -> None:
        values = {"approval": approval, "new_state": "dropped"}
        await self._database.write(lambda transaction: transaction.run(_SETTLE, values))
