"""`/forget`: have one conversation erased, or all that is kept of a person."""

from collections.abc import Callable

from typing_extensions import override

from gateway.commands import forget_words as words
from gateway.commands.link_words import day
from gateway.commands.registry import Answer, Call, Command
from gateway.commands.sessions import sessions_here
from gateway.contracts.privacy import Privacy
from gateway.contracts.stores import SessionInfo
from gateway.messages import Choice
from gateway.replies.wording import escaped


class Forget(Command):
    """Asks first, and says when. What is due later is told to every account of the person."""

    name = "forget"
    summary = "Erase a conversation, or all that I keep of you"
    is_control = True
    is_direct_only = True

    def __init__(self, privacy: Privacy, delay: float, stir: Callable[[], None]) -> None:
        self._privacy = privacy
        self._delay = delay
        self._stir = stir
        """Have announcements sent."""

    @override
    async def run(self, call: Call) -> Answer:
        match call.argument.lower().split():
            case []:
                return await self._ask_about_everything(call)
            case ["everything", "yes"]:
                return await self._note(call)
            case ["undo"]:
                return await self._take_back(call)
            case [number]:
                return await self._ask_about_one(call, number)
            case [mark, "yes"]:
                return await self._erase_one(call, mark)
            case _:
                return Answer(words.WHICH_WORDS)

    async def _ask_about_everything(self, call: Call) -> Answer:
        asked = await self._privacy.of(call.admission.person.id)
        if asked is not None:
            return Answer(words.NOTED_WORDS.format(at=day(asked.due_at)))
        return Answer(words.ALL_WORDS.format(delay=_span(self._delay)), (words.SURE,))

    async def _note(self, call: Call) -> Answer:
        here = call.kept.message.address.identity
        erasure = await self._privacy.ask(here, here, self._delay)
        self._stir()
        return Answer(words.NOTED_WORDS.format(at=day(erasure.due_at)))

    async def _take_back(self, call: Call) -> Answer:
        here = call.kept.message.address.identity
        was_asked = await self._privacy.take_back(call.admission.person.id, here)
        self._stir()
        return Answer(words.TAKEN_BACK_WORDS if was_asked else words.NOTHING_ASKED_WORDS)

    async def _ask_about_one(self, call: Call, number: str) -> Answer:
        known = await sessions_here(call)
        if not (number.isascii() and number.isdigit() and 1 <= int(number) <= len(known)):
            return Answer(words.WHICH_WORDS)
        chosen = known[int(number) - 1]
        # Numbers move when somebody writes meanwhile; a session's mark does not.
        sure = Choice("Yes, erase it", f"/forget {_mark(chosen)} yes", is_danger=True)
        return Answer(
            words.ONE_WORDS.format(title=escaped(chosen.title or "without a title")), (sure,)
        )

    async def _erase_one(self, call: Call, mark: str) -> Answer:
        known = await sessions_here(call)
        chosen = next((one for one in known if _mark(one) == mark), None)
        if chosen is None:
            return Answer(words.WHICH_WORDS)
        is_erased = await call.pool.erase_session(chosen.id, call.admission.person.id)
        return Answer(words.ERASED_WORDS if is_erased else words.BUSY_WORDS)


def _mark(session: SessionInfo) -> str:
    return session.id.rpartition("-")[2]


def _span(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:g} hours" if hours >= 1 else f"{seconds / 60:.0f} minutes"
