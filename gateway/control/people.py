"""What the owner may ask about people: who is who, who is linked, and who did what."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.contracts.linking import Audit, Trouble
from gateway.contracts.people import People
from gateway.contracts.privacy import Privacy
from gateway.control.server import Verb
from gateway.control.verbs import identity_parts
from gateway.errors import Refused
from gateway.people.linking import Linking
from gateway.people.pairing import AT_THE_COMMAND_LINE

_AUDIT_ROWS = 50


@dataclass(frozen=True, slots=True)
class PeopleControl:
    """Answers the verbs `people.*`."""

    people: People
    linking: Linking
    audit: Audit
    privacy: Privacy
    erase_due: Callable[[], Awaitable[bool]]
    """Erases at once what is due; False when it has to wait for turns to end."""

    def verbs(self) -> dict[str, Verb]:
        return {
            "people.list": self.list_people,
            "people.show": self.show,
            "people.unlink": self.unlink,
            "people.forget": self.forget,
            "people.audit": self.show_audit,
            "people.check": self.check,
        }

    async def list_people(self, _: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return each person with their accounts."""
        persons: dict[str, dict[str, Any]] = {}
        for row in await self.people.all():
            person = persons.setdefault(row["person"], {"person": row["person"], "accounts": []})
            person["accounts"].append(_account(row))
        return list(persons.values())

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

    async def check(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"first_broken": await self.audit.first_broken()}


def _account(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "identity": f"{row['platform']}:{row['external_user']}",
        "name": row["name"],
        "role": row["role"],
        "since": row["created_at"] if row["linked_at"] is None else row["linked_at"],
        "is_linked": row["linked_at"] is not None,
    }


def _concerns(row: Mapping[str, Any], names: set[str]) -> bool:
    told = " ".join([row["actor"], *row["facts"].values()])
    return not names.isdisjoint(told.split(" "))
