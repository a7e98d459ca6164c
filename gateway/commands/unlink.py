"""`/unlink`: make an account one of its own again."""

from typing_extensions import override

from gateway.commands.link_words import TROUBLES, shown_account
from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.linking import Trouble
from gateway.contracts.people import Identity
from gateway.errors import Refused
from gateway.messages import Choice
from gateway.people.linking import Linking

_QUESTION = (
    "Unlink {account}? It keeps nothing of what was said: its next message begins with an empty "
    "history. The other accounts keep all of it."
)
_DONE = "{account} is unlinked."
_SURE = "yes"


class Unlink(Command):
    """Asks once, by a button; `/unlink` means this account, `/unlink 2` that of `/linked`."""

    name = "unlink"
    summary = "Unlink this account, or another of yours"
    is_control = True
    is_direct_only = True

    def __init__(self, linking: Linking) -> None:
        self._linking = linking

    @override
    async def run(self, call: Call) -> Answer:
        accounts = await self._linking.accounts(call.admission.person)
        here = call.kept.message.address.identity
        wanted, _, sure = call.argument.partition(" ")
        if sure == _SURE and wanted == here and len(accounts) == 1:
            # A crash came between the parting and the word about it.
            return Answer(_DONE.format(account=shown_account(accounts[0])))
        if len(accounts) < 2:  # noqa: PLR2004 - it takes two to be linked
            return Answer(TROUBLES[Trouble.NOT_LINKED])
        chosen = _chosen(accounts, wanted or here)
        if sure != _SURE:
            question = _QUESTION.format(account=shown_account(chosen))
            yes = Choice("Yes, unlink", f"/unlink {chosen} {_SURE}", is_danger=True)
            return Answer(question, (yes,))
        done = await self._linking.unlink(chosen.platform, chosen.external_user, by=here)
        if isinstance(done, Trouble):
            return Answer(TROUBLES[done])
        return Answer(_DONE.format(account=shown_account(chosen)))


def _chosen(accounts: list[Identity], wanted: str) -> Identity:
    """Return the account meant, by its number or its id.

    Raises:
        Refused: none of the person's accounts is meant.
    """
    for number, account in enumerate(accounts, 1):
        if wanted in {str(number), str(account)}:
            return account
    raise Refused("None of your accounts has this number or id. `/linked` lists them.")
