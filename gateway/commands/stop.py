"""`/stop`: end the answer that is being written."""

from collections.abc import Awaitable, Callable

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.inbox import Kept


class Stop(Command):
    """A control: it must not wait behind the turn it is meant for."""

    name = "stop"
    summary = "Stop the answer being written"
    is_control = is_urgent = True

    def __init__(self, stop: Callable[[Kept], Awaitable[bool]]) -> None:
        self._stop = stop

    @override
    async def run(self, call: Call) -> Answer:
        if await self._stop(call.kept):
            return Answer("")
        return Answer("Nothing is being written right now.")
