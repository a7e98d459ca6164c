"""`/resume N`: go on with an earlier conversation."""

from typing_extensions import override

from gateway.commands.registry import Answer, Call, Command
from gateway.commands.sessions import sessions_here
from gateway.replies.wording import escaped

_WHICH = "Which one? `/sessions` numbers them."


class Resume(Command):
    """Waits its turn, as `/new` does: no answer that is being written loses its session."""

    name = "resume"
    summary = "Go on with an earlier conversation"
    is_direct_only = True

    @override
    async def run(self, call: Call) -> Answer:
        known = await sessions_here(call)
        wanted = call.argument
        if not (wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(known)):
            return Answer(_WHICH)
        chosen = known[int(wanted) - 1]
        if not chosen.is_archived:
            return Answer("That is the one we are in.")
        resumed = await call.pool.rotate_session(
            call.kept.session_key,
            call.admission.person.id,
            expected=None if call.session is None else call.session.id,
            to=chosen.id,
        )
        title = escaped(resumed.title) if resumed.title else "that conversation"
        return Answer(f"We go on with: {title}")
