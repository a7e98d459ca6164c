"""`/link`: begin to link two accounts, and say yes or no on the way."""

from typing_extensions import override

from gateway.commands import link_words as words
from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.linking import Change, Link, LinkId, Trouble
from gateway.people.linking import Linking

_THERE = "there"


class LinkAccounts(Command):
    """A code from one account, used on the other, and a yes of both; only in direct messages."""

    name = "link"
    summary = "Link another account of yours with this one"
    is_control = True
    is_direct_only = True

    def __init__(self, linking: Linking) -> None:
        self._linking = linking

    @override
    async def run(self, call: Call) -> Answer:
        match call.argument.split():
            case []:
                return await self._new_code(call)
            case ["yes", link, *rest]:
                return await self._say_yes(call, LinkId(link), goes_on_there=_THERE in rest)
            case ["no", link]:
                return await self._say_no(call, LinkId(link))
            case [word] if word.lower() == "undo":
                return await self._undo(call)
            case _:
                return await self._use_code(call)

    @override
    async def refuse_in_group(self, call: Call) -> Answer:
        """Say the same whatever was written: nobody learns here whether it was a code."""
        if not call.argument:
            return await super().refuse_in_group(call)
        await self._linking.burn(call.kept.message, call.argument)
        return Answer(words.GROUP_WORDS)

    async def _new_code(self, call: Call) -> Answer:
        code = await self._linking.new_code(call.kept.message, call.admission.person)
        if isinstance(code, Trouble):
            return Answer(words.TROUBLES[code])
        return Answer(words.CODE_WORDS.format(code=code))

    async def _use_code(self, call: Call) -> Answer:
        found = await self._linking.use_code(
            call.kept.message, call.admission.person, call.argument
        )
        if isinstance(found, Trouble):
            return Answer(words.TROUBLES[found])
        return Answer(*words.redeemed(found))

    async def _say_yes(self, call: Call, link: LinkId, *, goes_on_there: bool) -> Answer:
        done = await self._linking.say_yes(link, call.kept.message, goes_on_there=goes_on_there)
        match done:
            case Link():
                return Answer(words.agreed(done))
            case Change():
                return Answer(words.MADE_WORDS)
            case Trouble():
                return Answer(words.TROUBLES[done])

    async def _say_no(self, call: Call, link: LinkId) -> Answer:
        done = await self._linking.say_no(link, call.kept.message)
        return Answer(words.REFUSED_WORDS if isinstance(done, Link) else words.TROUBLES[done])

    async def _undo(self, call: Call) -> Answer:
        done = await self._linking.undo(call.kept.message, call.admission.person)
        if isinstance(done, Trouble):
            return Answer(words.TROUBLES[done])
        return Answer("Undone: the accounts are apart again.")
