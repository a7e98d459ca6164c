"""A runner made as the gateway makes it, with a scripted model and scripted tools."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from gateway.contracts.hook import Hook
from gateway.contracts.roles import Role
from gateway.contracts.runner import RunnerParams, TurnOptions
from gateway.events import (
    EntryRecorded,
    RunnerEvent,
    TextDelta,
    TextRestarted,
    ToolFailed,
    ToolFinished,
    ToolStarted,
)
from gateway.hooks.chain import HookChain
from gateway.ids import PersonId, new_id
from gateway.runners.approval_desk import ApprovalDesk
from gateway.runners.factory import RunnerFactory
from gateway.runners.kit import RunnerKit
from gateway.runners.runner import AgentRunner
from gateway.settings import AgentSettings
from gateway.tools.executor import ToolExecutor
from gateway.transcript import AssistantEntry, Content, Entry, ToolCall, UserEntry
from tests.fakes.approvals import FakeApprovals
from tests.fakes.clock import FakeClock
from tests.fakes.money import FakePurse
from tests.fakes.provider import FakeProvider, Step
from tests.fakes.tools import FakeSteps, FakeTool
from tests.fakes.turns import AGENT, KEY, PERSON, SESSION, a_turn

SETTINGS = AgentSettings(
    provider="demo", model="big", fallback_models=("small", "tiny"), max_steps=5
)
ASKED = UserEntry("what time is it?")


class Stage:
    """One agent's runner and all that it touches."""

    def __init__(
        self,
        folder: Path,
        *script: Step,
        tools: Iterable[FakeTool] = (),
        hooks: Sequence[Hook] = (),
        settings: AgentSettings = SETTINGS,
    ) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.provider = FakeProvider(*script)
        self.steps = FakeSteps()
        self.purse = FakePurse()
        self.kept: list[Entry] = []
        chain = HookChain(hooks, self.clock)
        self.factory = RunnerFactory(
            RunnerKit(
                settings=settings,
                provider=self.provider,
                toolbox=ToolExecutor(tools, chain, self.clock),
                hooks=chain,
                steps=self.steps,
                purse=self.purse,
                desk=ApprovalDesk(FakeApprovals(), self.clock, new_id),
                data_dir=folder,
                clock=self.clock,
                new_id=self._new_id,
                jitter=lambda: 1.0,
            )
        )
        self._ids = 0

    def _new_id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}_new{self._ids}"

    async def runner(
        self, *, person: PersonId | None = PERSON, prompt: str | None = "be kind"
    ) -> AgentRunner:
        return await self.factory(RunnerParams(AGENT, SESSION, KEY, person, "big", prompt))

    async def chat(
        self,
        message: Content | None = "hi",
        history: Sequence[Entry] = (),
        **options: Any,
    ) -> list[RunnerEvent]:
        """Take a whole turn with a fresh runner, keep its entries, return its events."""
        return await self._play(await self.runner(), message, history, options)

    async def begin(self) -> "asyncio.Task[list[RunnerEvent]]":
        """Let a turn run while the test goes on; its runner is already made."""
        return asyncio.create_task(self._play(await self.runner(), "hi", (), {}))

    async def chat_in_time(self, seconds: float) -> list[RunnerEvent]:
        """Take a turn while time goes on in small steps."""
        chatting = await self.begin()
        while not chatting.done() and self.clock.monotonic() < seconds:
            await self.clock.advance(0.1)
        assert chatting.done(), "the turn took longer"
        return await chatting

    async def _play(
        self,
        runner: AgentRunner,
        message: Content | None,
        history: Sequence[Entry],
        options: dict[str, Any],
    ) -> list[RunnerEvent]:
        options = {"role": Role.OWNER, **options}
        chatting = runner.chat(history, message, TurnOptions(turn=a_turn(), **options))
        events = []
        async with aclosing(chatting):
            async for event in chatting:
                events.append(event)
                if isinstance(event, EntryRecorded):
                    self.kept.append(event.entry)
        return events


def asks(*calls: tuple[str, str], text: str = "") -> AssistantEntry:
    """Write down that the model asked for tools, each `(call_id, tool)`."""
    return AssistantEntry(text, tuple(ToolCall(call_id, tool, {}) for call_id, tool in calls))


def shown(events: Iterable[RunnerEvent]) -> str:
    """Put together the text that stands at the end, as a reply does."""
    text = ""
    for event in events:
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, TextRestarted):
            text = ""
    return text


def told(events: Iterable[RunnerEvent]) -> list[str]:
    """Return what was said of tools, each as `kind call_id`."""
    kinds = (ToolStarted, ToolFinished, ToolFailed)
    return [
        f"{type(event).__name__} {event.call_id}" for event in events if isinstance(event, kinds)
    ]
