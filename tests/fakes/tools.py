"""Tools that do as they are told, and remember how they were run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from gateway.contracts.stores import Turn
from gateway.contracts.tool import Effect, Tool, ToolContext, ToolOutput
from gateway.ids import TurnId
from tests.fakes.provider import Gate

ANYTHING: dict[str, Any] = {"type": "object"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a tool."""

    arguments: dict[str, Any]
    context: ToolContext


class FakeTool(Tool):
    """Waits at its gate, if it has one, then gives what it was made to give."""

    name = "fake"
    description = "A tool for tests."
    parameters = ANYTHING

    def __init__(
        self, gives: str | ToolOutput | Exception, gate: Callable[[], Gate | None]
    ) -> None:
        self.runs: list[Run] = []
        self.running = 0
        self._gives = gives
        self._gate = gate

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        self.runs.append(Run(arguments, context))
        self.running += 1
        try:
            if (gate := self._gate()) is not None:
                await gate.wait()
        finally:
            self.running -= 1
        if isinstance(self._gives, Exception):
            raise self._gives
        return ToolOutput(self._gives) if isinstance(self._gives, str) else self._gives


def make_tool(
    name: str,
    gives: str | ToolOutput | Exception = "done",
    *,
    effect: Effect = Effect.READ,
    is_parallel: bool = False,
    gate: Gate | None = None,
    parameters: dict[str, Any] = ANYTHING,
    timeout: float = 120.0,
    output_limit: int = 30_000,
) -> FakeTool:
    """Make a tool of a class of its own, as its facts belong to the class."""
    facts = {
        "name": name,
        "parameters": parameters,
        "effect": effect,
        "is_parallel": is_parallel,
        "timeout": timeout,
        "output_limit": output_limit,
    }
    made: FakeTool = type(f"{name.title()}Tool", (FakeTool,), facts)(gives, lambda: gate)
    return made


class FakeSteps:
    """Remembers started steps, as the store does, and outlives runners as it does."""

    def __init__(self) -> None:
        self.started: dict[TurnId, list[str]] = {}
        self.refuses: Exception | None = None

    async def start_step(self, turn: Turn, call_id: str, tool: str) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.started.setdefault(turn.id, []).append(call_id)

    async def started_steps(self, turn: TurnId) -> frozenset[str]:
        return frozenset(self.started.get(turn, ()))
