"""`/people`: who is known, by which accounts and in which roles."""

from typing_extensions import override

from gateway.commands.link_words import shown
from gateway.commands.registry import Answer, Call, Command
from gateway.people.directory import Directory, KnownAccount, KnownPerson

_AT_MOST = 30


class People(Command):
    """Lists who may do most first."""

    name = "people"
    summary = "List the people I know"
    is_control = True
    is_direct_only = True

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    @override
    async def run(self, call: Call) -> Answer:
        known = sorted(await self._directory.everybody(), key=_most, reverse=True)
        lines = [
            f"{number}. {'; '.join(map(_account, person.accounts))}"
            for number, person in enumerate(known[:_AT_MOST], 1)
        ]
        if len(known) > _AT_MOST:
            lines += ["", f"and {len(known) - _AT_MOST} more: `parley people list` shows them all"]
        return Answer("\n".join(["**People I know**", "", *lines]))


def _most(person: KnownPerson) -> int:
    return max(account.role for account in person.accounts)


def _account(account: KnownAccount) -> str:
    by = " by the settings" if account.is_role_of_settings else ""
    return f"{shown(account.name, account.identity)}, {account.role.name.lower()}{by}"
