"""`/status`: what is going on here."""

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.inbox import Inbox
from gateway.ids import Lane


class Status(Command):
    """A control: it tells the truth while a turn runs."""

    name = "status"
    summary = "Show the model and what is waiting"
    is_control = True

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    @override
    async def run(self, call: Call) -> Answer:
        waiting = await self._inbox.waiting(Lane(call.kept.session_key))
        title = call.session.title if call.session and call.session.title else "not started yet"
        state = _told(waiting)
        return Answer(
            f"- Agent: `{call.kept.agent}`\n- Model: `{call.model}`\n"
            f"- Conversation: {title}\n- Queue: {state}"
        )


def _told(waiting: int) -> str:
    match waiting:
        case 0:
            return "nothing is waiting"
        case 1:
            return "one message is in work"
        case _:
            return f"{waiting} messages are in work or waiting"
