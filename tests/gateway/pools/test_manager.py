"""All agents' pools: one's trouble is its own, and changes hold between turns."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typing_extensions import override

from gateway.contracts.money import Purse
from gateway.contracts.provider import Provider
from gateway.contracts.runner import MakeRunner
from gateway.contracts.tool import Tool, ToolContext, ToolOutput
from gateway.errors import ConfigInvalid
from gateway.ids import AgentId
from gateway.pools.manager import PoolManager
from gateway.pools.pool import Pool
from gateway.settings import AgentSettings, GatewaySettings
from tests.fakes.clock import FakeClock
from tests.fakes.money import purse_over
from tests.fakes.provider import FakeProvider, Gate
from tests.fakes.runner import answer
from tests.gateway.pools.house import PERSON, House, open_store, text_of

FIRST, SECOND = AgentId("first"), AgentId("second")
DEMO = AgentSettings(provider="demo", model="big")
BROKEN = AgentSettings(provider="nowhere")


class Ping(Tool):
    name = "ping"
    description = "Say pong."
    parameters = {}  # noqa: RUF012 - as the contract has it

    @override
    async def run(self, arguments: dict[str, object], context: ToolContext) -> ToolOutput:
        return ToolOutput("pong")


class Town:
    """A manager over a real store, with runners that play scripts."""

    def __init__(self, house: House, settings: GatewaySettings) -> None:
        self.house = house
        self.providers: list[FakeProvider] = []
        self.tools: dict[AgentId, list[str]] = {}
        self.manager = PoolManager(
            settings,
            house.store,
            make_provider=self.make_provider,
            make_purse=lambda agent: purse_over(house.store, house.clock, agent=agent),
            make_runner_factory=self.make_runner_factory,
            clock=house.clock,
        )

    def make_provider(self, agent: AgentId, settings: AgentSettings) -> Provider:
        if settings.provider == "nowhere":
            raise ConfigInvalid(f"agents.{agent}.provider", "no such provider")
        self.providers.append(FakeProvider())
        return self.providers[-1]

    def make_runner_factory(
        self,
        agent: AgentId,
        settings: AgentSettings,
        provider: Provider,
        purse: Purse,
        tools: Sequence[Tool],
    ) -> MakeRunner:
        self.tools[agent] = [tool.name for tool in tools]
        return self.house.make

    def pool(self, agent: AgentId = FIRST) -> Pool:
        pool = self.manager.get(agent)
        assert pool is not None
        return pool

    async def say(self, text: str) -> str:
        return text_of(await self.house.say(text, pool=self.pool()))


@asynccontextmanager
async def open_town(folder: Path, **agents: AgentSettings) -> AsyncIterator[Town]:
    clock = FakeClock()
    async with open_store(folder, clock) as store, asyncio.TaskGroup() as tasks:
        house = House(store, clock, tasks, agent=FIRST)
        town = Town(house, GatewaySettings(agents=agents))
        async with town.manager:
            await town.manager.start_all()
            yield town
        await house.pool.close()


async def test_every_agent_begins_and_the_first_is_the_default(tmp_path: Path) -> None:
    async with open_town(tmp_path, first=DEMO, second=DEMO) as town:
        assert town.manager.get(SECOND) is not None
        assert town.manager.default_pool is town.pool(FIRST)
        assert town.manager.get(AgentId("third")) is None
        assert await town.say("hi") == "you said hi"


async def test_an_agent_that_cannot_begin_leaves_the_others_alone(tmp_path: Path) -> None:
    async with open_town(tmp_path, first=BROKEN, second=DEMO) as town:
        assert town.manager.get(FIRST) is None
        assert town.manager.get(SECOND) is not None
        assert town.manager.default_pool is None


async def test_a_failed_sync_leaves_the_pool_running(tmp_path: Path) -> None:
    async with open_town(tmp_path, first=DEMO) as town:
        with pytest.raises(ConfigInvalid):
            await town.manager.sync_agent(FIRST, BROKEN)
        assert await town.say("hi") == "you said hi"
        assert not town.providers[0].is_closed


async def test_an_agent_can_be_added_and_taken_away(tmp_path: Path) -> None:
    async with open_town(tmp_path, first=DEMO) as town:
        await town.manager.sync_agent(SECOND, DEMO)
        assert town.manager.get(SECOND) is not None
        await town.manager.sync_agent(SECOND, None)
        assert town.manager.get(SECOND) is None
        await town.house.clock.settle()
        assert [provider.is_closed for provider in town.providers] == [False, True]


async def test_an_agent_that_is_taken_away_ends_its_turns_first(tmp_path: Path) -> None:
    gate = Gate()
    async with open_town(tmp_path, first=DEMO) as town, asyncio.TaskGroup() as tasks:
        town.house.make.scripts = [[gate, *answer("done")]]
        turn = tasks.create_task(town.say("hi"))
        await gate.reached.wait()
        await town.manager.sync_agent(FIRST, None)
        await town.house.clock.advance(120)
        assert not town.providers[0].is_closed
        gate.open()
        assert await turn == "done"
        await town.house.clock.settle()
        assert town.providers[0].is_closed


async def test_only_what_differs_is_changed(tmp_path: Path) -> None:
    async with open_town(tmp_path, first=DEMO, second=DEMO) as town:
        await town.say("hi")
        runner = town.house.make.made[0]
        other = DEMO.model_copy(update={"model": "small"})
        await town.manager.apply(GatewaySettings(agents={"second": other, "first": DEMO}))
        assert len(town.providers) == 3
        assert town.pool(SECOND).allowed_models == ("small",)
        assert town.manager.default_pool is town.pool(SECOND)
        assert not runner.is_closed
        await town.manager.apply(GatewaySettings(agents={"first": BROKEN}))
        assert town.manager.get(SECOND) is None
        assert await town.say("hi") == "you said hi"


async def test_one_more_tool_reaches_every_agent(tmp_path: Path) -> None:
    async with open_town(tmp_path, first=DEMO, second=DEMO) as town:
        assert town.tools == {FIRST: [], SECOND: []}
        await town.manager.add_builtin_tool(Ping())
        assert town.tools == {FIRST: ["ping"], SECOND: ["ping"]}


async def test_a_changed_credential_renews_the_persons_runners(tmp_path: Path) -> None:
    async with open_town(tmp_path, first=DEMO) as town:
        await town.say("hi")
        await town.manager.invalidate_user(PERSON)
        assert town.house.make.made[0].is_closed


async def test_leaving_releases_everything(tmp_path: Path) -> None:
    async with open_town(tmp_path, first=DEMO, second=DEMO) as town:
        await town.say("hi")
    assert town.house.make.made[0].is_closed
    assert all(provider.is_closed for provider in town.providers)


async def test_leaving_waits_for_no_agent_that_was_taken_away(tmp_path: Path) -> None:
    gate = Gate()
    async with open_town(tmp_path, first=DEMO) as town:
        town.house.make.scripts = [[gate, *answer("done")]]
        turn = asyncio.ensure_future(town.say("hi"))
        await gate.reached.wait()
        await town.manager.sync_agent(FIRST, None)
    assert town.providers[0].is_closed
    await asyncio.wait({turn})
    assert turn.cancelled()


async def test_r12_leaving_interrupts_turns_so_that_they_can_be_gone_on_with(
    tmp_path: Path,
) -> None:
    gate = Gate()
    async with open_town(tmp_path, first=DEMO) as town, asyncio.TaskGroup() as tasks:
        town.house.make.scripts = [[gate, *answer("done")]]
        turn = tasks.create_task(town.say("hi"))
        await gate.reached.wait()
        await town.manager.close()
        await asyncio.wait({turn})
        assert turn.cancelled()
        assert not any(one.is_busy for one in town.house.make.made)
