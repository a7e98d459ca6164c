"""`/new`: a fresh session; the old one is archived."""

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command


class New(Command):
    """Archives the session; in a group that is everybody's, so only an admin may."""

    name = "new"
    summary = "Start a new conversation"

    @override
    async def run(self, call: Call) -> Answer:
        if call.session is None:
            return Answer("This is a new conversation already.")
        await call.pool.rotate_session(
            call.kept.session_key, call.kept.owner, expected=call.session.id
        )
        return Answer("A new conversation. I no longer have the old one in mind.")
