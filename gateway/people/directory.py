"""Everybody who is known, with the role that holds for each account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.contracts.people import People
from gateway.errors import Refused
from gateway.ids import ExternalUser, PersonId, PlatformName
from gateway.people.roles import STORED, Role, Roles
from gateway.settings import AccessSettings


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """One account, as an operator sees it."""

    identity: str
    name: str
    role: Role
    """What holds everywhere, whoever says so."""
    stored_role: str
    """What was given by pairing or by command."""
    is_linked: bool
    since: float

    @property
    def is_role_of_settings(self) -> bool:
        return self.role.name.lower() != self.stored_role


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """One human, with all accounts."""

    id: PersonId
    accounts: tuple[KnownAccount, ...]


class Directory:
    """Lists people, and gives them roles; an owner is only ever made by the settings."""

    def __init__(self, people: People, settings: AccessSettings) -> None:
        self._people = people
        self._roles = Roles(settings)

    async def everybody(self) -> Sequence[KnownPerson]:
        accounts: dict[PersonId, list[KnownAccount]] = {}
        for row in await self._people.all():
            accounts.setdefault(row["person"], []).append(self._account(row))
        return [KnownPerson(person, tuple(its)) for person, its in accounts.items()]

    async def give_role(
        self, platform: PlatformName, user: ExternalUser, role: str, *, by: str
    ) -> tuple[str, Role]:
        """Return the role that the account had, and what holds for it now.

        Raises:
            Refused: there is no such role to give, or nobody has the account.
        """
        identity = f"{platform}:{user}"
        if role == "owner":
            raise Refused(
                "No command makes an owner: name the account in access.owners of the settings."
            )
        if role not in STORED:
            raise Refused(f"There is no role {role}. Give one of: {', '.join(STORED)}.")
        before = await self._people.give_role(platform, user, role, by=by)
        if before is None:
            raise Refused(
                f"{identity} is not known here. `parley pair admit {identity}` lets them in first."
            )
        return before, self._roles.everywhere(identity, role)

    def _account(self, row: Mapping[str, Any]) -> KnownAccount:
        identity = f"{row['platform']}:{row['external_user']}"
        return KnownAccount(
            identity=identity,
            name=row["name"],
            role=self._roles.everywhere(identity, row["role"]),
            stored_role=row["role"],
            is_linked=row["linked_at"] is not None,
            since=row["created_at"] if row["linked_at"] is None else row["linked_at"],
        )
