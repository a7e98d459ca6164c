"""`/audit`: who let in, linked, raised and parted whom, of late."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from gateway.commands.link_words import day
from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.linking import Audit as Trail
from gateway.replies.wording import as_code

_AT_MOST = 15


class Audit(Command):
    """Shows the newest rows as they are: ids, and no words of anybody's."""

    name = "audit"
    summary = "Show who let in, linked and parted whom"
    is_control = True
    is_direct_only = True

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    @override
    async def run(self, call: Call) -> Answer:
        rows = await self._trail.newest(_AT_MOST)
        if not rows:
            return Answer("Nothing was noted yet.")
        lines = map(_line, rows)
        more = "`parley people audit` shows more, and whether the trail is whole."
        return Answer("\n".join(["**The newest in the audit trail**", "", *lines, "", more]))


def _line(row: Mapping[str, Any]) -> str:
    facts = ", ".join(f"{name} {as_code(value)}" for name, value in row["facts"].items() if value)
    told = f": {facts}" if facts else ""
    what, by = as_code(row["action"]), as_code(row["actor"])
    return f"- {day(row['happened_at'])}, {what} by {by}{told}"
