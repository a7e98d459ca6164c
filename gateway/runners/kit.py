"""What runners work with, and the facts of one turn."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.clock import Clock
from gateway.contracts.hook import Hook, RunInfo
from gateway.contracts.money import Purse
from gateway.contracts.provider import Provider
from gateway.contracts.roles import Role
from gateway.contracts.stores import Turn
from gateway.contracts.tool import Tool, ToolContext, ToolOutput
from gateway.ids import NewId, TurnId
from gateway.runners.approval_desk import ApprovalDesk
from gateway.settings import AgentSettings
from gateway.transcript import ToolCall


class Toolbox(Protocol):
    """An agent's tools, and the only way to run them."""

    @property
    def tools(self) -> Mapping[str, Tool]: ...

    def allowed(self, role: Role) -> frozenset[str]:
        """Return the names of the tools that a role may use."""
        ...

    async def run(
        self, call: ToolCall, context: ToolContext, run: RunInfo, offered: Collection[str]
    ) -> ToolOutput:
        """Run a call of an offered tool; never raises for what goes wrong in it."""
        ...


class Steps(Protocol):
    """Remembers which calls that must not be repeated have begun."""

    async def start_step(self, turn: Turn, call_id: str, tool: str) -> None: ...

    async def started_steps(self, turn: TurnId) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class RunnerKit:
    """One agent's collaborators, shared by all of its runners."""

    settings: AgentSettings
    provider: Provider
    toolbox: Toolbox
    hooks: Hook
    steps: Steps
    purse: Purse
    desk: ApprovalDesk
    data_dir: Path
    clock: Clock
    new_id: NewId
    jitter: Callable[[], float]
    """From 0 to 1, so that those who failed together do not come back together."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One turn's facts."""

    turn: Turn
    run: RunInfo
    system: str
    workspace: Path
    skills: Path
    outgoing: Path
    role: Role
    only_tools: frozenset[str] | None
    excluded_tools: frozenset[str]
