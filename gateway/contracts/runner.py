"""The runner contract: what a pool asks of the thing that does turns."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.contracts.roles import Role
from gateway.contracts.stores import Turn
from gateway.events import RunnerEvent
from gateway.ids import AgentId, PersonId, SessionId
from gateway.transcript import Content, Entry


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """What holds for one turn only."""

    turn: Turn
    speaker: str | None = None
    """The sender's name, in a session that several people share."""
    model: str | None = None
    """Sticks to the session, like `/model`."""
    system_override: str | None = None
    usual_model: str | None = None
    """The place's: for a session that has not chosen one."""
    opening: str | None = None
    """The place's, for a session's prompt that is not written yet."""
    role: Role = Role.GUEST
    """Of the sender: it decides which tools are offered and run, in groups too."""
    only_tools: frozenset[str] | None = None
    """Those that the place allows; None means all."""
    excluded_tools: frozenset[str] = field(default=frozenset())
    channel: str = ""
    """Where the conversation is, as the prompt may name it."""


@dataclass(frozen=True, slots=True)
class RunnerParams:
    """Whose runner it is."""

    agent: AgentId
    session: SessionId
    session_key: str
    person: PersonId | None
    """None in a group."""
    model: str
    prompt: str | None
    """The session's frozen prompt; None lets the runner build one."""
    opening: str | None = None
    """What it begins with, in place of the agent's own words."""


class Runner(Protocol):
    """Runs turns of one session against one model."""

    @property
    def is_alive(self) -> bool: ...

    @property
    def is_busy(self) -> bool: ...

    @property
    def last_activity(self) -> float:
        """Monotonic seconds of the latest start or end of a turn."""
        ...

    @property
    def system_prompt(self) -> str: ...

    def chat(
        self, history: Sequence[Entry], message: Content | None, options: TurnOptions
    ) -> AsyncGenerator[RunnerEvent, None]:
        """Run one turn, or go on with it: with `message` None, `history` ends inside it.

        Yields each complete entry as `EntryRecorded` and waits until it is asked for
        more, so that what follows happens after the entry is kept. Closing it early
        ends the turn. Raises `ProviderUnavailable` or `ProviderFailed`.
        """
        ...

    async def close(self) -> None: ...


MakeRunner = Callable[[RunnerParams], Awaitable[Runner]]
