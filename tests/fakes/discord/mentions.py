"""Who is called by a message: names in its text, as far as its `allowed_mentions` let them.

Names inside code call nobody. A backslash before `@everyone` is taken for no protection, as it
is none that Discord promises.
Facts: https://discord.com/developers/docs/resources/message#allowed-mentions-object
"""

import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord.refusal import Form

_CODE = re.compile(r"```[\s\S]+?```|`[^`\n]+`")
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(everyone|here)\b")
_KINDS = {"users", "roles", "everyone"}
_NAMED_AT_MOST = 100


@dataclass(slots=True)
class Called:
    """Whom a text names: users and roles by id, and everybody."""

    users: list[int] = field(default_factory=list)
    roles: list[int] = field(default_factory=list)
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class Ping:
    """Somebody was called by a message of our bot, when it was sent or edited."""

    kind: str
    """`everyone`, `user`, `role` or `reply`."""
    target: int | None
    message_id: int
    by_edit: bool


def named(content: str) -> Called:
    """Find whom a text names."""
    text = _CODE.sub("", content)
    return Called(
        users=_unique(_USER.findall(text)),
        roles=_unique(_ROLE.findall(text)),
        everyone=_EVERYONE.search(text) is not None,
    )


def _unique(ids: list[str]) -> list[int]:
    return list(dict.fromkeys(map(int, ids)))


def allowed(content: str, given: dict[str, Any] | None) -> Called:
    """Return whom a text calls; without `allowed_mentions`, all that it names."""
    called = named(content)
    if given is None:
        return called
    parse = set(given.get("parse") or [])
    users, roles = (set(map(int, given.get(kind) or [])) for kind in ("users", "roles"))
    return Called(
        users=[one for one in called.users if "users" in parse or one in users],
        roles=[one for one in called.roles if "roles" in parse or one in roles],
        everyone=called.everyone and "everyone" in parse,
    )


def calls_replied(given: dict[str, Any] | None) -> bool:
    """Say whether a reply calls the author of what it answers."""
    return True if given is None else bool(given.get("replied_user"))


def check_allowed(form: Form, given: Any) -> None:
    """Note what is wrong with a body's `allowed_mentions`."""
    if given is None:
        return
    if not isinstance(given, dict):
        words = "Only dictionaries may be used in a DictType"
        form.wrong("allowed_mentions", "DICT_TYPE_CONVERT", words)
        return
    parse = given.get("parse") or []
    for number, kind in enumerate(parse):
        if kind not in _KINDS:
            words = "Value must be one of ('users', 'roles', 'everyone')."
            form.wrong(f"allowed_mentions.parse.{number}", "BASE_TYPE_CHOICES", words)
    for kind in ("users", "roles"):
        ids = given.get(kind) or []
        if ids and kind in parse:
            words = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            form.wrong("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", words)
        if len(ids) > _NAMED_AT_MOST:
            words = f"Must be {_NAMED_AT_MOST} or fewer in length."
            form.wrong(f"allowed_mentions.{kind}", "BASE_TYPE_MAX_LENGTH", words)
