"""Questions for approval without a store, and a desk over a real one."""

from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.approvals import Approval, Approvals, Decision
from gateway.contracts.stores import Store
from gateway.ids import ApprovalId, PersonId, new_id
from gateway.runners.approval_desk import ApprovalDesk


def desk_over(store: Store, clock: Clock) -> ApprovalDesk:
    return ApprovalDesk(store.approvals, clock, new_id)


class FakeApprovals(Approvals):
    """Takes every answer."""

    def __init__(self) -> None:
        self.asked: list[Approval] = []

    @override
    async def ask(self, approval: Approval) -> None:
        self.asked.append(approval)

    @override
    async def decide(
        self,
        approval: ApprovalId,
        person: PersonId | None,
        session_key: str,
        *,
        is_allowed: bool,
    ) -> Decision:
        return Decision.TAKEN

    @override
    async def drop(self, approval: ApprovalId) -> None: ...
