"""`/help`: what the person may ask for here."""

from collections.abc import Callable

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command, Commands, Written
from gateway.replies.wording import escaped


class Help(Command):
    """Lists the commands that this person may use in this place."""

    name = "help"
    summary = "Show what I can do"
    is_control = True

    def __init__(self, commands: Callable[[], Commands], written: Written) -> None:
        self._commands = commands
        self._written = written

    @override
    async def run(self, call: Call) -> Answer:
        address = call.kept.message.address
        visible = self._commands().visible_to(call.admission, is_direct=address.place.is_direct)
        lines = [
            f"- {escaped(self._written(address, command.name))}: {command.summary}"
            for command in visible
        ]
        return Answer("Anything that is not a command is a question to me.\n\n" + "\n".join(lines))
