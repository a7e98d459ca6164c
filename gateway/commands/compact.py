"""`/compact`: fold the older part of the session into a summary."""

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command
from gateway.people.roles import Role


class Compact(Command):
    """Makes room in the model's memory without losing the thread."""

    name = "compact"
    summary = "Summarise the older part of this conversation"
    role_in_groups = Role.MEMBER

    @override
    async def run(self, call: Call) -> Answer:
        if call.session is None:
            return Answer("There is nothing to summarise yet.")
        return Answer(await call.pool.compact_session(call.session.id))
