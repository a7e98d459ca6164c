"""`/retry`: ask again what failed, was stopped or was given up."""

from collections.abc import Callable

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.stores import Turns
from gateway.ids import Lane


class Retry(Command):
    """Puts the place's last unanswered message back in its line, if the same person wrote it."""

    name = "retry"
    summary = "Try my last failed answer again"

    def __init__(self, turns: Turns, take_up: Callable[[Lane], None]) -> None:
        self._turns = turns
        self._take_up = take_up

    @override
    async def run(self, call: Call) -> Answer:
        revived = await self._turns.revive(call.kept.session_key, by=call.kept)
        if revived is None:
            return Answer("There is nothing to try again.")
        # A place may have moved, or accounts been linked, while its turn ran in another lane.
        self._take_up(revived.lane)
        return Answer("")
