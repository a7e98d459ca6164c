"""`/help`: what the person may ask for here."""

from collections.abc import Callable

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command, Commands


class Help(Command):
    """Lists the commands that this person may use in this place."""

    name = "help"
    summary = "Show what I can do"
    is_control = True

    def __init__(self, commands: Callable[[], Commands]) -> None:
        self._commands = commands

    @override
    async def run(self, call: Call) -> Answer:
        is_direct = call.kept.message.address.place.is_direct
        visible = self._commands().visible_to(call.admission, is_direct=is_direct)
        lines = [f"- /{command.name}: {command.summary}" for command in visible]
        return Answer("Anything that is not a command is a question to me.\n\n" + "\n".join(lines))
