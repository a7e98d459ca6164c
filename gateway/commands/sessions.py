"""`/sessions`: the person's conversations with this agent."""

from collections.abc import Sequence

from typing_extensions import override

from gateway.commands.link_words import day
from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.stores import SessionInfo
from gateway.replies.wording import escaped

_SHOWN = 20
_UNTITLED = "without a title"


class Sessions(Command):
    """Numbers them for `/resume`, newest first; never another person's."""

    name = "sessions"
    summary = "List our conversations"
    is_control = True
    is_direct_only = True

    @override
    async def run(self, call: Call) -> Answer:
        known = await sessions_here(call)
        if not known:
            return Answer("We have had no conversation yet.")
        lines = [_line(number, one) for number, one in enumerate(known, 1)]
        return Answer("\n".join([*lines, "", "`/resume 2` goes on with the second."]))


async def sessions_here(call: Call) -> Sequence[SessionInfo]:
    """Return what is listed: all that are put aside, and the one in use in this place."""
    person = call.admission.person.id
    known = await call.pool.list_sessions(archived=True, person=person)
    here = [one for one in known if one.is_archived or one.key == call.kept.session_key]
    return here[:_SHOWN]


def _line(number: int, session: SessionInfo) -> str:
    title = escaped(session.title) if session.title else _UNTITLED
    mark = "" if session.is_archived else " (in use)"
    return f"{number}. {title}, {day(session.last_active)}{mark}"
