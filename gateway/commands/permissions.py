"""Who may use which command: the one table of it."""

from dataclasses import dataclass

from gateway.contracts.roles import Role


@dataclass(frozen=True, slots=True)
class Least:
    """The least role that may use a command."""

    direct: Role
    in_groups: Role


EVERYBODY = Least(Role.GUEST, Role.GUEST)

LEAST: dict[str, Least] = {
    "start": EVERYBODY,
    "help": EVERYBODY,
    "stop": EVERYBODY,
    "status": EVERYBODY,
    "usage": EVERYBODY,
    "whoami": EVERYBODY,
    "retry": EVERYBODY,
    # Only ever of those who were asked.
    "allow": EVERYBODY,
    "deny": EVERYBODY,
    # Of one's own accounts and conversations; in groups they are refused by themselves.
    "link": EVERYBODY,
    "linked": EVERYBODY,
    "unlink": EVERYBODY,
    "sessions": EVERYBODY,
    "resume": EVERYBODY,
    "export": EVERYBODY,
    "forget": EVERYBODY,
    # In a group these change what belongs to all of its members.
    "compact": Least(Role.GUEST, Role.MEMBER),
    "new": Least(Role.GUEST, Role.ADMIN),
    "model": Least(Role.GUEST, Role.ADMIN),
    "pair": Least(Role.OWNER, Role.OWNER),
    "people": Least(Role.OWNER, Role.OWNER),
    "places": Least(Role.OWNER, Role.OWNER),
    "audit": Least(Role.OWNER, Role.OWNER),
}


def least_role(command: str) -> Least:
    """Look a command up; one that nobody thought of is the owner's."""
    return LEAST.get(command, Least(Role.OWNER, Role.OWNER))
