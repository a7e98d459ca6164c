"""The tool contract: what a model may do, and how often it is safe to do it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from gateway.clock import Clock
from gateway.contracts.approvals import Grant
from gateway.contracts.roles import Role
from gateway.ids import AgentId, PersonId, SessionId, TurnId
from gateway.messages import OutgoingFile


class Effect(StrEnum):
    """What running a tool twice would do; it decides what follows a crash."""

    READ = "read"
    """Changes nothing: run again."""
    IDEMPOTENT = "idempotent"
    """Changes the same thing to the same state: run again with the same key."""
    EFFECT = "effect"
    """Anything else: never run again by itself; the outcome is told as unknown."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """On whose behalf, where and in which turn a tool runs."""

    agent: AgentId
    session: SessionId
    turn: TurnId
    call_id: str
    """With `turn` the idempotency key: the same when a call is repeated."""
    person: PersonId | None
    """None in a group: no member's private things may be touched."""
    workspace: Path
    """The only directory a tool may read or write."""
    outgoing: Path
    """Where files to be sent are copied, for this turn only."""
    clock: Clock
    role: Role = Role.GUEST
    """Of who speaks in this turn: it decides which tools run, whoever calls them."""
    grant: Grant | None = None
    """The person's leave for this call, where the settings ask for one."""
    skills: Path | None = None
    """The agent's own skills, for reading only; a person's are in their workspace."""


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """What the model is told, and what the user is sent."""

    text: str
    is_error: bool = False
    files: tuple[OutgoingFile, ...] = field(default=())


class Tool(ABC):
    """One thing that a model may do. Stateless: one object serves every session."""

    name: ClassVar[str]
    description: ClassVar[str]
    parameters: ClassVar[dict[str, Any]]
    """JSON schema of an object; arguments are checked against it before `run`."""
    effect: ClassVar[Effect] = Effect.EFFECT
    least_role: ClassVar[Role | None] = None
    """Who may use it, unless the settings say otherwise; None means guests where it only reads,
    else members."""
    is_parallel: ClassVar[bool] = False
    """Safe to run beside other calls of the same step."""
    timeout: ClassVar[float] = 120.0
    """Seconds."""
    output_limit: ClassVar[int] = 30_000
    """Characters the model sees; the rest is cut with a word about it."""

    @abstractmethod
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        """Do it. Raise `Refused` with words for the model when it cannot be done."""


MakeTools = Callable[[], Sequence[Tool]]
"""What an entry point in the group `parley.tools` names."""
