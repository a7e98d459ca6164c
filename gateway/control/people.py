"""What the owner may ask about people: who is who, who is linked, and who did what."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gateway.contracts.linking import Audit, Trouble
from gateway.contracts.privacy import Privacy
from gateway.control.server import Verb
from gateway.control.verbs import identity_parts
from gateway.errors import Refused
from gateway.people.directory import Directory, KnownAccount
from gateway.people.linking import Linking
from gateway.people.pairing import AT_THE_COMMAND_LINE

_AUDIT_ROWS = 50
_SEAL_AT_LEAST = 16
"""Digits of a seal that tell it from any other."""


@dataclass(frozen=True, slots=True)
class PeopleControl:
    """Answers the verbs `people.*`."""

    directory: Directory
    linking: Linking
    audit: Audit
    privacy: Privacy
    erase_due: Callable[[], Awaitable[bool]]
    """Erases at once what is due; False when it has to wait for turns to end."""

    def verbs(self) -> dict[str, Verb]:
        return {
            "people.list": self.list_people,
            "people.show": self.show,
            "people.role": self.give_role,
            "people.unlink": self.unlink,
            "people.forget": self.forget,
            "people.audit": self.show_audit,
            "people.check": self.check,
        }

    async def list_people(self, _: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return each person with their accounts."""
        return [
            {"person": person.id, "accounts": [_account(one) for one in person.accounts]}
            for person in await self.directory.everybody()
        ]

    async def show(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Return one person, named by id or by one of their accounts."""
        wanted = str(args["id"])
        for person in await self.list_people({}):
            names = {person["person"], *(account["identity"] for account in person["accounts"])}
            if wanted in names:
                rows = await self.audit.newest(_AUDIT_ROWS * 20)
                return {**person, "audit": [row for row in rows if _concerns(row, names)]}
        raise Refused(
            f"Nobody here has the id or account {wanted}. `parley people list` lists all."
        )

    async def give_role(self, args: Mapping[str, Any]) -> dict[str, Any]:
        platform, user = identity_parts(str(args["identity"]))
        role = str(args["role"])
        before, now = await self.directory.give_role(platform, user, role, by=AT_THE_COMMAND_LINE)
        return {
            "identity": f"{platform}:{user}",
            "before": before,
            "stored_role": role,
            "role": now.name.lower(),
        }

    async def unlink(self, args: Mapping[str, Any]) -> dict[str, Any]:
        platform, user = identity_parts(str(args["identity"]))
        done = await self.linking.unlink(platform, user, by=AT_THE_COMMAND_LINE)
        if isinstance(done, Trouble):
            raise Refused(f"{platform}:{user} is linked with no other account.")
        return {"identity": f"{platform}:{user}", "person": done.leaves}

    async def forget(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Erase all that is kept of somebody, whether or not anybody knows them."""
        platform, user = identity_parts(str(args["identity"]))
        erasure = await self.privacy.ask(f"{platform}:{user}", AT_THE_COMMAND_LINE, 0.0)
        return {"accounts": list(erasure.accounts), "is_done": await self.erase_due()}

    async def show_audit(self, _: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        return await self.audit.newest(_AUDIT_ROWS)

    async def check(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Return the first row that is not as it was, the last row, and what became of one."""
        since = args.get("since")
        last = await self.audit.seal()
        return {
            "first_broken": await self.audit.first_broken(),
            "last": None if last is None else asdict(last),
            "since": None if since is None else await self._became(str(since)),
        }

    async def _became(self, noted: str) -> str:
        """Say what became of a row whose number and seal somebody has noted down."""
        number, _, seal = noted.partition(":")
        if not number.isdecimal() or len(seal) < _SEAL_AT_LEAST:
            raise Refused("Write NUMBER:SEAL, as `parley people audit --check` printed them.")
        found = await self.audit.seal(int(number))
        if found is None:
            return "gone"
        return "held" if found.seal.startswith(seal.lower()) else "changed"


def _account(account: KnownAccount) -> dict[str, Any]:
    return {
        "identity": account.identity,
        "name": account.name,
        "role": account.role.name.lower(),
        "stored_role": account.stored_role,
        "since": account.since,
        "is_linked": account.is_linked,
    }


def _concerns(row: Mapping[str, Any], names: set[str]) -> bool:
    told = " ".join([row["actor"], *row["facts"].values()])
    return not names.isdisjoint(told.split(" "))
