"""All agents' pools: begun together, changed one by one, ended together."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self

import structlog

from gateway.clock import Clock
from gateway.contracts.money import Purse
from gateway.contracts.provider import Provider
from gateway.contracts.runner import MakeRunner
from gateway.contracts.stores import Store
from gateway.contracts.tool import Tool
from gateway.errors import ConfigInvalid
from gateway.ids import AgentId, PersonId
from gateway.pools.kit import AgentKit
from gateway.pools.pool import Pool
from gateway.sessions.compaction import Compactor
from gateway.settings import AgentSettings, GatewaySettings

log = structlog.get_logger()

MakePurse = Callable[[AgentSettings], Purse]
MakeProvider = Callable[[AgentId, AgentSettings], Provider]
MakeRunnerFactory = Callable[[AgentId, AgentSettings, Provider, Purse, Sequence[Tool]], MakeRunner]


class PoolManager:
    """Owns the pools and the tasks of their turns and reapers.

    Use it as a context: `async with PoolManager(...) as pools: await pools.start_all()`.
    On the way out running turns are interrupted so that they can be gone on with.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        store: Store,
        *,
        make_provider: MakeProvider,
        make_purse: MakePurse,
        make_runner_factory: MakeRunnerFactory,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._store = store
        self._make_provider = make_provider
        self._make_purse = make_purse
        self._make_runner_factory = make_runner_factory
        self._added_tools: list[Tool] = []
        self._clock = clock
        self._tasks = asyncio.TaskGroup()
        self._pools: dict[AgentId, Pool] = {}
        self._reapers: dict[AgentId, asyncio.Task[None]] = {}
        self._leaving: set[Pool] = set()
        """Pools of agents that were taken away, whose last turns still run."""

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.close()
        finally:
            await self._tasks.__aexit__(kind, error, traceback)

    async def start_all(self) -> None:
        """Begin every agent's pool; one that cannot begin is logged and left out.

        Raises:
            ConfigInvalid: not one agent can begin.
        """
        reasons = [
            await self._try_sync(AgentId(name), settings)
            for name, settings in self._settings.agents.items()
        ]
        if not self._pools:
            told = "; ".join(reason for reason in reasons if reason) or "the log says why"
            raise ConfigInvalid("agents", f"no agent can begin: {told}")

    async def warm_up(self) -> None:
        """Have every agent ready for its first turn."""
        for pool in list(self._pools.values()):
            await pool.kit.warm_up()

    def get(self, agent: AgentId) -> Pool | None:
        return self._pools.get(agent)

    @property
    def default_pool(self) -> Pool | None:
        """The pool of the first agent in the configuration, and of no other."""
        first = next(iter(self._settings.agents), None)
        return None if first is None else self._pools.get(AgentId(first))

    async def sync_agent(self, agent: AgentId, settings: AgentSettings | None) -> None:
        """Begin or change the agent's pool; None takes it away once its turns are over.

        Raises what making its parts raises; then everything stays as it was.
        """
        pool = self._pools.get(agent)
        if settings is None:
            self._take_away(agent)
        elif pool is None:
            self._begin(agent, settings)
        else:
            await pool.apply(settings)

    async def apply(self, settings: GatewaySettings) -> None:
        """Change what differs from the settings in force; an agent's failure is logged."""
        self._settings = settings
        for agent in [name for name in self._pools if name not in settings.agents]:
            self._take_away(agent)
        for name, wanted in settings.agents.items():
            pool = self._pools.get(AgentId(name))
            if pool is None or pool.settings != wanted:
                await self._try_sync(AgentId(name), wanted)

    async def invalidate_user(self, person: PersonId) -> None:
        """Have every agent make the person's runners anew: a credential has changed."""
        for pool in list(self._pools.values()):
            await pool.reset_runners_for_user(person)

    async def add_builtin_tool(self, tool: Tool) -> None:
        """Give every agent one more tool, from each session's next turn on."""
        self._added_tools.append(tool)
        for agent, pool in list(self._pools.items()):
            await self._try_sync(agent, pool.settings)

    async def close(self) -> None:
        """Interrupt all turns and release everything."""
        for reaper in self._reapers.values():
            reaper.cancel()
        self._reapers.clear()
        pools = [*self._pools.values(), *self._leaving]
        self._pools.clear()
        for pool in pools:
            await pool.close()

    async def _try_sync(self, agent: AgentId, settings: AgentSettings) -> str:
        """Begin or change the agent's pool; return what is wrong with its settings, if so."""
        try:
            await self.sync_agent(agent, settings)
        except ConfigInvalid as error:
            log.error("agent.refused", agent=agent, reason=str(error))  # noqa: TRY400 - the reason says it all; a traceback would hide it
            return str(error)
        except Exception:
            log.exception("agent.sync_failed", agent=agent)
        return ""

    def _begin(self, agent: AgentId, settings: AgentSettings) -> None:
        pool = Pool(
            agent,
            settings,
            self._store,
            partial(self._make_kit, agent),
            self._tasks,
            self._clock,
        )
        self._pools[agent] = pool
        self._reapers[agent] = self._tasks.create_task(pool.run_reaper())
        log.info("agent.started", agent=agent)

    def _take_away(self, agent: AgentId) -> None:
        pool = self._pools.pop(agent, None)
        if pool is not None:
            self._reapers.pop(agent).cancel()
            self._leaving.add(pool)
            self._tasks.create_task(self._see_out(pool))

    async def _see_out(self, pool: Pool) -> None:
        await pool.close(grace=None)
        self._leaving.discard(pool)
        log.info("agent.removed", agent=pool.agent)

    def _make_kit(self, agent: AgentId, settings: AgentSettings) -> AgentKit:
        provider, purse = self._make_provider(agent, settings), self._make_purse(settings)
        make_runner = self._make_runner_factory(agent, settings, provider, purse, self._added_tools)
        compactor = Compactor(
            self._store.transcript,
            provider,
            settings.fast_model or settings.model or provider.default_model,
            settings.compaction,
            purse,
            self._clock,
        )
        return AgentKit(settings, provider, make_runner, compactor)
