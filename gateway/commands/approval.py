"""`/allow` and `/deny`: answers to a question whether a tool may run."""

from typing import ClassVar

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.approvals import Decision
from gateway.runners.approval_desk import ApprovalDesk

_WORDS = {
    Decision.NOT_ASKED: "This was asked of somebody else.",
    Decision.TOO_LATE: "There is nothing to answer any more: that question is answered or too old.",
}


class _Reply(Command):
    """A control: the turn that asks holds the session's line until it is answered."""

    is_control = is_urgent = True
    is_listed = False
    allows_it: ClassVar[bool]

    def __init__(self, desk: ApprovalDesk) -> None:
        self._desk = desk

    @override
    async def run(self, call: Call) -> Answer:
        decision = await self._desk.decide(call.argument, call.kept, is_allowed=self.allows_it)
        return Answer(_WORDS.get(decision, ""))


class Allow(_Reply):
    """Lets the call run, once."""

    name = "allow"
    summary = "Allow what I have asked for"
    allows_it = True


class Deny(_Reply):
    """Tells the model no."""

    name = "deny"
    summary = "Refuse what I have asked for"
    allows_it = False
