"""`/retry`: ask again what failed, was stopped or was given up."""

from collections.abc import Callable

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.stores import Turns
from gateway.ids import Lane


class Retry(Command):
    """Puts the place's last unanswered message back in its line."""

    name = "retry"
    summary = "Try my last failed answer again"

    def __init__(self, turns: Turns, wake: Callable[[Lane], None]) -> None:
        self._turns = turns
        self._wake = wake

    @override
    async def run(self, call: Call) -> Answer:
        revived = await self._turns.revive(call.kept.session_key)
        if revived is None:
            return Answer("There is nothing to try again.")
        self._wake(revived.lane)
        return Answer("")
