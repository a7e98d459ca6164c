"""Tool calls on their way in: the arguments arrive in pieces of JSON."""

from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from gateway.contracts.provider import ToolCallPart


@dataclass(slots=True)
class GrowingCall:
    """A call whose arguments are not all there yet."""

    call_id: str
    tool: str
    pieces: list[str] = field(default_factory=list)

    def whole(self, number: int) -> ToolCallPart:
        """Return the call; `number` names it where the server did not."""
        arguments = parse_arguments("".join(self.pieces))
        return ToolCallPart(self.call_id or f"call_{number}", self.tool, arguments or {})

    @property
    def is_cut(self) -> bool:
        """What there is of the arguments is no whole JSON object."""
        return parse_arguments("".join(self.pieces)) is None


def parse_arguments(text: str) -> dict[str, Any] | None:
    """Read the arguments of a call; None when they are no JSON object."""
    if not text.strip():
        return {}
    try:
        arguments = from_json(text, allow_inf_nan=False)
    except ValueError:
        return None
    return arguments if isinstance(arguments, dict) else None
