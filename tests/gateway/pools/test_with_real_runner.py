"""The pool and the real runner fit together: a scripted model, a tool, a real store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typing_extensions import override

from gateway.contracts.roles import Role
from gateway.contracts.runner import TurnOptions
from gateway.contracts.tool import Effect, Tool, ToolContext, ToolOutput
from gateway.errors import ProviderUnavailable, TurnStopped
from gateway.events import TextDelta, ToolFinished, ToolStarted
from gateway.hooks.chain import HookChain
from gateway.ids import new_id
from gateway.pools.kit import AgentKit
from gateway.runners.factory import RunnerFactory
from gateway.runners.kit import RunnerKit
from gateway.sessions.compaction import Compactor
from gateway.settings import AgentSettings
from gateway.store.store import SqlStore
from gateway.tools.executor import ToolExecutor
from gateway.transcript import AssistantEntry, ToolCall, ToolResultEntry, UserEntry
from tests.fakes.approvals import desk_over
from tests.fakes.clock import FakeClock
from tests.fakes.money import purse_over
from tests.fakes.provider import FakeProvider, Gate, Step, calls, says
from tests.gateway.pools.house import House, open_store, text_of


class Count(Tool):
    name = "count"
    description = "Count one up."
    parameters: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}
    effect = Effect.EFFECT

    def __init__(self) -> None:
        self.counted = 0

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        self.counted += 1
        return ToolOutput(str(self.counted))


class RealHouse(House):
    """A house whose runners are the real ones."""

    def __init__(
        self,
        store: SqlStore,
        clock: FakeClock,
        tasks: asyncio.TaskGroup,
        folder: Path,
        provider: FakeProvider,
    ) -> None:
        self.folder = folder
        self.provider = provider
        self.tool = Count()
        super().__init__(store, clock, tasks)

    @override
    def make_kit(self, settings: AgentSettings) -> AgentKit:
        hooks = HookChain([], self.clock)
        purse = purse_over(self.store, self.clock, agent=settings)
        kit = RunnerKit(
            settings=settings,
            provider=self.provider,
            toolbox=ToolExecutor([self.tool], hooks, self.clock),
            hooks=hooks,
            steps=self.store.turns,
            purse=purse,
            desk=desk_over(self.store, self.clock),
            data_dir=self.folder,
            clock=self.clock,
            new_id=new_id,
            jitter=lambda: 0.0,
        )
        compactor = Compactor(
            self.store.transcript, self.provider, "big", settings.compaction, purse, self.clock
        )
        return AgentKit(settings, self.provider, RunnerFactory(kit), compactor)


@asynccontextmanager
async def open_real_house(folder: Path, *script: Step) -> AsyncIterator[RealHouse]:
    clock = FakeClock()
    async with open_store(folder, clock) as store, asyncio.TaskGroup() as tasks:
        house = RealHouse(store, clock, tasks, folder, FakeProvider(*script))
        yield house
        await house.pool.close()


ASKS = calls(("c1", "count", {}), text="Let me count. ")
KEPT = [
    UserEntry("count"),
    AssistantEntry("Let me count. ", (ToolCall("c1", "count", {}),)),
    ToolResultEntry("c1", "count", "1"),
    AssistantEntry("One."),
]


async def test_a_turn_with_a_tool_is_kept_once(tmp_path: Path) -> None:
    async with open_real_house(tmp_path, ASKS, says("One", ".")) as house:
        events = await house.say("count")
        assert [type(event) for event in events] == [
            TextDelta,
            ToolStarted,
            ToolFinished,
            TextDelta,
            TextDelta,
        ]
        assert await house.entries() == KEPT
        totals = await house.store.usage.totals(session=await house.session())
        assert [(total.model, total.calls) for total in totals] == [("big", 2)]


async def test_a_stopped_answer_is_part_of_the_next_question(tmp_path: Path) -> None:
    gate = Gate()
    async with open_real_house(tmp_path, [*says("Half an")[:-1], gate], says("Yes.")) as house:
        options = TurnOptions(turn=await house.turn("hi"), role=Role.OWNER)
        session = await house.session()
        async with aclosing(house.pool.chat(session, "hi", options=options)) as events:
            await gate.reached.wait()
            await house.pool.stop(session)
            assert await anext(events) == TextDelta(text="Half an")
            with pytest.raises(TurnStopped):
                await anext(events)
        assert house.provider.streaming == 0
        assert text_of(await house.say("go on?")) == "Yes."
        assert house.provider.requests[-1].entries == (
            UserEntry("hi"),
            AssistantEntry("Half an", is_partial=True),
            UserEntry("go on?"),
        )


async def test_r4_finished_steps_are_not_done_again(tmp_path: Path) -> None:
    gate = Gate()
    async with open_real_house(tmp_path, ASKS, [gate], says("One.")) as house:
        reading = asyncio.ensure_future(house.say("count"))
        await gate.reached.wait()
        reading.cancel()
        await asyncio.wait({reading})
        events = await house.say("count", turn=await house.begin_again())
        assert text_of(events) == "Let me count. One."
        assert house.tool.counted == 1
        assert len(house.provider.requests) == 3
        assert await house.entries() == KEPT


async def test_a_model_that_is_away_leaves_the_turn_to_be_gone_on_with(tmp_path: Path) -> None:
    away = [ProviderUnavailable("busy", after=60.0)]
    async with open_real_house(tmp_path, ASKS, away, says("One.")) as house:
        with pytest.raises(ProviderUnavailable):
            await house.say("count")
        assert text_of(await house.say("count", turn=await house.begin_again())) == (
            "Let me count. One."
        )
        assert await house.entries() == KEPT
