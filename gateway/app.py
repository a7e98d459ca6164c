"""Builds every part of the gateway, joins them, and owns the root task group."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from random import SystemRandom
from typing import Any

import structlog

from gateway.clock import Clock, SystemClock
from gateway.commands.builtin import builtin_commands
from gateway.contracts.adapter import Adapter, AdapterKit, CommandInfo
from gateway.contracts.provider import Provider
from gateway.contracts.runner import MakeRunner
from gateway.contracts.stores import Cursors, Store
from gateway.contracts.tool import Tool
from gateway.control.server import control_socket
from gateway.control.verbs import Control
from gateway.errors import AccountRejected, ConfigInvalid, StoreFailed
from gateway.hooks.chain import HookChain
from gateway.hooks.loading import load_hooks
from gateway.ids import AccountName, AgentId, new_id
from gateway.inbound.dispatch import Dispatch
from gateway.inbound.dispatcher import Dispatcher
from gateway.inbound.drain import Drain
from gateway.inbound.gate import Gate
from gateway.inbound.health import AccountHealth
from gateway.inbound.postponed import Postponed
from gateway.inbound.routing import Routing
from gateway.inbound.stops import Stops
from gateway.inbound.supervision import keep_running
from gateway.inbound.turn_files import TurnFiles
from gateway.inbound.turned_away import TurnedAway
from gateway.people.access import Access
from gateway.people.pairing import Pairing
from gateway.pools.manager import PoolManager
from gateway.providers.registry import make_provider
from gateway.replies.replies import Replies
from gateway.runners.factory import RunnerFactory
from gateway.runners.kit import RunnerKit
from gateway.settings import AgentSettings, GatewaySettings
from gateway.store.store import SqlStore
from gateway.tools.executor import ToolExecutor
from gateway.tools.registry import ToolRegistry

log = structlog.get_logger()

DEMO = AgentSettings(provider="demo")
"""Answers when no agent is configured."""


async def run_gateway(
    settings: GatewaySettings,
    *,
    until: asyncio.Event,
    clock: Clock | None = None,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Serve until `until` is set or every adapter's input has ended; then drain.

    Raises:
        ConfigInvalid, StoreFailed: nothing was started.
        AccountRejected: every adapter's account was refused.
    """
    clock = clock or SystemClock()
    make_data_dir(settings)
    store = open_store(settings, clock)
    await store.open()
    try:
        await Gateway(settings, store, clock).serve(until, on_ready)
    finally:
        await store.close()


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


def agents_of(settings: GatewaySettings) -> dict[str, AgentSettings]:
    return dict(settings.agents) or {"main": DEMO}


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


def build_pools(settings: GatewaySettings, store: Store, clock: Clock) -> PoolManager:
    registry = ToolRegistry.load()
    hooks = HookChain(load_hooks(), clock)
    data_dir = settings.data_dir
    agents = agents_of(settings)
    for name, agent_settings in agents.items():
        registry.select(agent_settings.tools, f"agents.{name}.tools")

    def make_runner_factory(
        agent: AgentId, settings: AgentSettings, provider: Provider, extra: Sequence[Tool]
    ) -> MakeRunner:
        tools = [*registry.select(settings.tools, f"agents.{agent}.tools"), *extra]
        return RunnerFactory(
            RunnerKit(
                settings=settings,
                provider=provider,
                toolbox=ToolExecutor(tools, hooks, clock),
                hooks=hooks,
                steps=store.turns,
                data_dir=data_dir,
                clock=clock,
                new_id=new_id,
                jitter=SystemRandom().random,
            )
        )

    return PoolManager(
        settings.model_copy(update={"agents": agents}),
        store,
        make_provider=make_provider,
        make_runner_factory=make_runner_factory,
        clock=clock,
    )


def build_routing(settings: GatewaySettings) -> Routing:
    default = next(iter(agents_of(settings)))
    of_account = {
        AccountName(name): AgentId(entry["agent"])
        for name, entry in settings.adapters.items()
        if entry.get("agent") is not None
    }
    return Routing(AgentId(default), of_account)


class Gateway:
    """All parts of one running process, joined in the order in which a message meets them."""

    def __init__(self, settings: GatewaySettings, store: Store, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._tasks = asyncio.TaskGroup()
        self._health = [AccountHealth(AccountName(name), clock) for name in settings.adapters]
        self._pools = build_pools(settings, store, clock)
        postponed = Postponed(clock)
        stops = Stops(self._pools, postponed)
        commands = builtin_commands(store, clock, stops.stop)
        self._adapters = {
            health.account: build_adapter(settings, health, store.cursors, commands.infos, clock)
            for health in self._health
        }
        self._replies = Replies(store.outbox, self._adapters, clock)
        self._pairing = Pairing(store.people, settings.data_dir / "pairing.key")
        trusted = {name for name, adapter in self._adapters.items() if adapter.is_trusted}
        access = Access(settings.access, store.people, store.cursors, trusted)
        agents = [AgentId(name) for name in agents_of(settings)]
        files = TurnFiles(self._adapters, agents, settings.data_dir, clock)
        dispatch = Dispatch(
            turns=store.turns,
            access=access,
            commands=commands,
            pools=self._pools,
            files=files,
            replies=self._replies,
            postponed=postponed,
            stops=stops,
        )
        drain = Drain(store.inbox, postponed, dispatch.take_turn, clock)
        self._dispatcher = Dispatcher(drain, self._tasks, clock)
        self._gate = Gate(
            access=access,
            routing=build_routing(settings),
            commands=commands,
            inbox=store.inbox,
            sessions=store.sessions,
            files=files,
            turned_away=TurnedAway(store.inbox, self._pairing, self._replies, self._spawn, clock),
            wake=self._dispatcher.wake,
        )

    async def serve(self, until: asyncio.Event, on_ready: Callable[[], None] | None) -> None:
        """Run until told to stop, or until no adapter is left; leave nothing half done."""
        async with self._tasks, self._pools, control_socket(self._socket, self._control().verbs()):
            await self._pools.start_all()
            for adapter in self._adapters.values():
                await adapter.open()
            intake = self._tasks.create_task(self._take_in())
            for lane in await self._store.inbox.waiting_lanes():
                self._dispatcher.wake(lane)
            self._spawn(self._replies.recover())
            log.info("gateway.started", accounts=len(self._adapters))
            if on_ready is not None:
                on_ready()
            is_rejected = await self._wait(until, intake)
            await self._shut_down(intake)
        log.info("gateway.stopped")
        if is_rejected:
            reasons = "; ".join(f"{one.account}: {one.reason}" for one in self._health)
            raise AccountRejected(f"no account is left to serve ({reasons})")

    async def _take_in(self) -> bool:
        """Receive on every account; True when input ended, False when all were rejected."""
        async with asyncio.TaskGroup() as tasks:
            runs = [
                tasks.create_task(
                    keep_running(
                        self._adapters[health.account], self._gate.accept, health, self._clock
                    )
                )
                for health in self._health
            ]
        return not runs or any(run.result() for run in runs)

    async def _wait(self, until: asyncio.Event, intake: asyncio.Task[bool]) -> bool:
        """Return whether every account was rejected."""
        told = asyncio.ensure_future(until.wait())
        try:
            await asyncio.wait({told, intake}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
        if not intake.done():
            return False
        await self._dispatcher.idle()
        return not intake.result()

    async def _shut_down(self, intake: asyncio.Task[bool]) -> None:
        """Take in nothing more, let running turns end, then close what they used."""
        log.info("gateway.draining")
        intake.cancel()
        await asyncio.wait({intake})
        cut = await self._dispatcher.close(self._settings.drain_timeout)
        if cut:
            log.warning("turns.interrupted", lanes=len(cut))
        await self._replies.close()
        for adapter in self._adapters.values():
            await adapter.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work that nobody waits for; its failure is logged and ends nothing else."""
        self._tasks.create_task(_guarded(work))

    def _control(self) -> Control:
        return Control(
            pairing=self._pairing,
            people=self._store.people,
            inbox=self._store.inbox,
            notices=self._replies,
            health=self._health,
            agents=tuple(agents_of(self._settings)),
            clock=self._clock,
            started_at=self._clock.now(),
        )

    @property
    def _socket(self) -> Path:
        return self._settings.data_dir / "parley.sock"


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("task.failed")
