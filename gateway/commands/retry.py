"""`/retry`: ask again what failed, was stopped or was given up."""

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.stores import Turns


class Retry(Command):
    """Puts the place's last unanswered message back in its line, if the same person wrote it."""

    name = "retry"
    summary = "Try my last failed answer again"

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    @override
    async def run(self, call: Call) -> Answer:
        revived = await self._turns.revive(call.kept.session_key, by=call.kept)
        return Answer("" if revived else "There is nothing to try again.")
