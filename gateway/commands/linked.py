"""`/linked`: which accounts are the person's."""

from typing_extensions import override

from gateway.commands.link_words import TROUBLES, day, shown_account, title
from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.linking import Trouble
from gateway.people.linking import Linking


class Linked(Command):
    """Lists platform, name, id, and since when."""

    name = "linked"
    summary = "List the accounts that are linked with this one"
    is_control = True
    is_direct_only = True

    def __init__(self, linking: Linking) -> None:
        self._linking = linking

    @override
    async def run(self, call: Call) -> Answer:
        accounts = await self._linking.accounts(call.admission.person)
        if len(accounts) < 2:  # noqa: PLR2004 - it takes two to be linked
            return Answer(f"{TROUBLES[Trouble.NOT_LINKED]} `/link` links one.")
        here = call.kept.message.address.identity
        lines = [
            f"{number}. {title(one.platform)}: {shown_account(one)}, since {day(one.since)}"
            + (" (this one)" if str(one) == here else "")
            for number, one in enumerate(accounts, 1)
        ]
        return Answer("\n".join([*lines, "", "`/unlink` parts this one, `/unlink 2` another."]))
