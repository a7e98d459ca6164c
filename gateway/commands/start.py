"""`/start`: the first words a person reads."""

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command


class Start(Command):
    """Says what this is and what to do next."""

    name = "start"
    summary = "Say hello"
    is_control = True

    @override
    async def run(self, call: Call) -> Answer:
        return Answer(
            "Hello! Write to me as you would to a person; pictures and files are welcome.\n\n"
            "/new starts afresh, /stop ends an answer, /help shows the rest."
        )
