"""`/start`: the first words a person reads."""

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command, Written
from gateway.replies.wording import escaped

_WORDS = (
    "Hello! Write to me as you would to a person; pictures and files are welcome.\n\n"
    "{new} starts afresh, {stop} ends an answer, {help} shows the rest."
)


class Start(Command):
    """Says what this is and what to do next."""

    name = "start"
    summary = "Say hello"
    is_control = True

    def __init__(self, written: Written) -> None:
        self._written = written

    @override
    async def run(self, call: Call) -> Answer:
        address = call.kept.message.address
        names = ("new", "stop", "help")
        return Answer(
            _WORDS.format(**{name: escaped(self._written(address, name)) for name in names})
        )
