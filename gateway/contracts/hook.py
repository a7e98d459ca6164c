"""The hook contract: watch or adjust a turn.

A failing hook is logged and passed over, so nothing that keeps anyone safe may be a hook.
"""

from abc import ABC
from dataclasses import dataclass
from typing import Any, ClassVar

from gateway.contracts.provider import ModelRequest
from gateway.contracts.tool import ToolContext, ToolOutput
from gateway.ids import AgentId, PersonId, SessionId, TurnId
from gateway.transcript import Usage


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The turn a hook looks at."""

    agent: AgentId
    session: SessionId
    turn: TurnId
    person: PersonId | None
    model: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """A hook's word that a tool call must not run; the model is told `reason`."""

    reason: str


class Hook(ABC):
    """Override what you need; lower `priority` runs first, ties by class name."""

    priority: ClassVar[int] = 100
    timeout: ClassVar[float] = 10.0
    """Seconds for each call."""

    async def before_run(self, run: RunInfo, system: str) -> str:
        """Return the system prompt to use for this turn."""
        return system

    async def before_model(self, run: RunInfo, request: ModelRequest) -> ModelRequest:
        return request

    async def before_tool(
        self, run: RunInfo, tool: str, arguments: dict[str, Any], context: ToolContext
    ) -> dict[str, Any] | Blocked:
        """Return the arguments to use, or `Blocked`."""
        return arguments

    async def after_tool(self, run: RunInfo, tool: str, output: ToolOutput) -> ToolOutput:
        return output

    async def after_run(
        self, run: RunInfo, usage: Usage, seconds: float, error: str | None
    ) -> None:
        """Called once, however the turn ended."""
