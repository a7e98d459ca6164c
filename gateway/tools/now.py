"""Tells the model the time, which its frozen prompt cannot."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from typing_extensions import override

from gateway.contracts.tool import Effect, Tool, ToolContext, ToolOutput
from gateway.errors import Refused
from gateway.tools.schema import takes, text


class Now(Tool):
    """The present moment."""

    name = "now"
    description = "Current date and time."
    parameters = takes({}, {"timezone": text("Like Europe/Paris; default UTC.")})
    effect = Effect.READ
    is_parallel = True
    timeout = 5.0

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        name = arguments.get("timezone", "UTC")
        moment = datetime.fromtimestamp(context.clock.now(), _zone(name))
        return ToolOutput(f"{moment:%A}, {moment.isoformat(timespec='seconds')} ({name})")


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Refused(f"There is no time zone {name!r}.") from error


def now_tools() -> Sequence[Tool]:
    return [Now()]
