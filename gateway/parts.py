"""Makes the gateway's parts from its settings; the one place that loads adapters."""

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from random import SystemRandom

from gateway.clock import Clock
from gateway.contracts.adapter import Adapter, AdapterKit, CommandInfo
from gateway.contracts.money import Purse
from gateway.contracts.provider import Provider
from gateway.contracts.runner import MakeRunner
from gateway.contracts.stores import Cursors, Store
from gateway.contracts.tool import Tool
from gateway.errors import ConfigInvalid, StoreFailed
from gateway.hooks.chain import HookChain
from gateway.hooks.loading import load_hooks
from gateway.ids import AccountName, AgentId, new_id
from gateway.inbound.health import AccountHealth
from gateway.inbound.routing import Routing
from gateway.money.budgets import Budgets
from gateway.money.purse import AgentPurse
from gateway.people.access import Access
from gateway.people.places import Places
from gateway.pools.manager import PoolManager
from gateway.providers.breakers import Breakers
from gateway.providers.registry import make_provider
from gateway.runners.approval_desk import ApprovalDesk
from gateway.runners.factory import RunnerFactory
from gateway.runners.kit import RunnerKit
from gateway.settings import AgentSettings, GatewaySettings
from gateway.store.store import SqlStore
from gateway.tools.executor import ToolExecutor
from gateway.tools.registry import ToolRegistry, check_tools

DEMO = AgentSettings(provider="demo")
"""Answers when no agent is configured."""


def make_data_dir(settings: GatewaySettings) -> None:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreFailed(
            f"cannot make the data directory {settings.data_dir}: {error.strerror}. "
            "Choose another with data_dir or PARLEY_DATA_DIR."
        ) from error


def store_url(settings: GatewaySettings) -> str:
    return settings.store.url or f"sqlite:///{settings.data_dir / 'parley.db'}"


def open_store(settings: GatewaySettings, clock: Clock, *, read_only: bool = False) -> SqlStore:
    return SqlStore(store_url(settings), clock=clock, queues=settings.queues, read_only=read_only)


def adapter_type(platform: str, path: str) -> type[Adapter]:
    """Load the adapter class of a platform; only those in use are ever imported."""
    for entry in entry_points(group="parley.adapters", name=platform):
        loaded: type[Adapter] = entry.load()
        return loaded
    known = ", ".join(sorted(entry.name for entry in entry_points(group="parley.adapters")))
    raise ConfigInvalid(path, f"no adapter for {platform!r} is installed (there are: {known})")


class AccountCursor:
    """One account's place in its platform's stream of events."""

    def __init__(self, cursors: Cursors, account: AccountName) -> None:
        self._cursors = cursors
        self._name = f"account {account}"

    async def load(self) -> str | None:
        return await self._cursors.load(self._name)

    async def save(self, position: str) -> None:
        await self._cursors.save(self._name, position)


def agents_of(settings: GatewaySettings) -> dict[AgentId, AgentSettings]:
    named = dict(settings.agents) or {"main": DEMO}
    return {AgentId(name): agent for name, agent in named.items()}


def build_access(
    settings: GatewaySettings, store: Store, adapters: Mapping[AccountName, Adapter]
) -> Access:
    trusted = {name for name, adapter in adapters.items() if adapter.is_trusted}
    return Access(settings.access, store.people, store.cursors, store.outbox, trusted)


def build_adapter(
    settings: GatewaySettings,
    health: AccountHealth,
    cursors: Cursors,
    commands: tuple[CommandInfo, ...],
    clock: Clock,
) -> Adapter:
    name = health.account
    entry = settings.adapters[name]
    kind = adapter_type(entry.get("platform") or name, f"adapters.{name}")
    kit = AdapterKit(
        clock=clock,
        cursor=AccountCursor(cursors, name),
        commands=commands,
        health=health,
        data_dir=settings.data_dir,
    )
    return kind(name, kind.settings_type.model_validate(entry), kit)


def build_pools(
    settings: GatewaySettings,
    store: Store,
    budgets: Budgets,
    desk: ApprovalDesk,
    breakers: Breakers,
    clock: Clock,
) -> PoolManager:
    registry = ToolRegistry.load()
    hooks = HookChain(load_hooks(), clock)
    data_dir = settings.data_dir
    agents = agents_of(settings)
    check_tools(settings, agents, registry)

    def make_runner_factory(
        agent: AgentId,
        settings: AgentSettings,
        provider: Provider,
        purse: Purse,
        extra: Sequence[Tool],
    ) -> MakeRunner:
        tools = [*registry.select(settings.tools, f"agents.{agent}.tools"), *extra]
        return RunnerFactory(
            RunnerKit(
                settings=settings,
                provider=provider,
                toolbox=ToolExecutor(tools, hooks, clock, settings.tools_for, settings.approvals),
                hooks=hooks,
                steps=store.turns,
                purse=purse,
                desk=desk,
                data_dir=data_dir,
                clock=clock,
                new_id=new_id,
                jitter=SystemRandom().random,
            )
        )

    return PoolManager(
        settings.model_copy(update={"agents": agents}),
        store,
        make_provider=lambda agent, settings: breakers.guard(
            agent, settings, make_provider(agent, settings)
        ),
        make_purse=lambda agent: AgentPurse(agent, budgets, store.usage),
        make_runner_factory=make_runner_factory,
        clock=clock,
    )


def build_routing(settings: GatewaySettings) -> Routing:
    return Routing(_default_agent(settings), _agents_of_accounts(settings))


def build_places(settings: GatewaySettings, store: Store, clock: Clock) -> Places:
    default, of_account = _default_agent(settings), _agents_of_accounts(settings)

    def agent_of(account: AccountName | None) -> AgentId:
        return default if account is None else of_account.get(account, default)

    return Places(settings.access, store, agent_of, clock)


def _default_agent(settings: GatewaySettings) -> AgentId:
    return next(iter(agents_of(settings)))


def _agents_of_accounts(settings: GatewaySettings) -> dict[AccountName, AgentId]:
    return {
        AccountName(name): AgentId(entry["agent"])
        for name, entry in settings.adapters.items()
        if entry.get("agent") is not None
    }
