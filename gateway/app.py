"""Joins the gateway's parts, and owns the root task group."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import structlog

from gateway.clock import Clock, SystemClock
from gateway.commands.builtin import Means, builtin_commands
from gateway.commands.registry import Commands
from gateway.contracts.linking import Change
from gateway.contracts.stores import Store
from gateway.control.dead_letters import DeadLetterControl
from gateway.control.oversight import oversight
from gateway.control.people import PeopleControl
from gateway.control.server import Verb, control_socket
from gateway.control.verbs import Control
from gateway.errors import AccountRejected
from gateway.ids import AccountName, Lane, new_id
from gateway.inbound.announcing import Announcing
from gateway.inbound.dispatch import Dispatch
from gateway.inbound.dispatcher import Dispatcher
from gateway.inbound.drain import Drain
from gateway.inbound.erasing import Erasing
from gateway.inbound.gate import Gate
from gateway.inbound.health import AccountHealth
from gateway.inbound.postponed import Postponed
from gateway.inbound.rates import Rates
from gateway.inbound.retention import Retention
from gateway.inbound.settling import Settling
from gateway.inbound.stops import Stops
from gateway.inbound.supervision import keep_running
from gateway.inbound.turn_files import TurnFiles
from gateway.inbound.turned_away import TurnedAway
from gateway.inbound.turnstile import Turnstile
from gateway.messages import Address
from gateway.money.budgets import Budgets
from gateway.parts import (
    agents_of,
    build_access,
    build_adapter,
    build_places,
    build_pools,
    build_routing,
    make_data_dir,
    open_store,
)
from gateway.people.access import Access
from gateway.people.directory import Directory
from gateway.people.linking import Linking
from gateway.people.pairing import Pairing
from gateway.providers.breakers import Breakers
from gateway.replies.replies import Replies
from gateway.runners.approval_desk import ApprovalDesk
from gateway.settings import GatewaySettings

log = structlog.get_logger()


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
    except BaseExceptionGroup as group:
        raise _first_cause(group) from group
    finally:
        await store.close()


class Gateway:
    """All parts of one running process, joined in the order in which a message meets them."""

    def __init__(self, settings: GatewaySettings, store: Store, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._tasks = asyncio.TaskGroup()
        self._errands: set[asyncio.Task[None]] = set()
        self._opened: set[AccountName] = set()
        self._health = [AccountHealth(AccountName(name), clock) for name in settings.adapters]
        self._budgets = Budgets(settings.budgets, store.holds, clock)
        self._directory = Directory(store.people, settings.access)
        self._places = build_places(settings, store, clock)
        desk = ApprovalDesk(store.approvals, clock, new_id)
        self._postponed = postponed = Postponed(clock)
        self._breakers = Breakers(clock, postponed.release_agent)
        self._pools = build_pools(settings, store, self._budgets, desk, self._breakers, clock)
        self._stops = stops = Stops(self._pools.get, postponed, store.inbox.lanes_of, clock)
        key_file = settings.data_dir / "pairing.key"
        self._pairing = Pairing(store, key_file, clock, self._stir, settings.access.owners)
        self._linking = Linking(store, key_file, self._settle, self._stir)
        commands = builtin_commands(store, clock, self._means(stops, desk))
        self._adapters = {
            health.account: build_adapter(settings, health, store.cursors, commands.infos, clock)
            for health in self._health
        }
        self._replies = Replies(store.outbox, self._adapters, clock)
        said = store.announcements
        self._announcing = Announcing(
            said, self._replies, self._pairing.new_code, self._spawn, clock
        )
        access = build_access(settings, store, self._adapters)
        self._files = TurnFiles(self._adapters, agents_of(settings), settings.data_dir, clock)
        dispatch = Dispatch(
            turns=store.turns,
            overheard=store.overheard,
            access=access,
            commands=commands,
            pools=self._pools,
            files=self._files,
            replies=self._replies,
            postponed=postponed,
            stops=stops,
        )
        turnstile = Turnstile(settings.queues.at_once)
        drain = Drain(store.inbox, postponed, stops, dispatch.take_turn, turnstile, clock)
        self._dispatcher = Dispatcher(drain, self._tasks, clock)
        self._settling = Settling(
            self._pools, self._files, store.inbox, stops, self._dispatcher.wake
        )
        say = self._replies.notice
        self._erasing = Erasing(store, stops, self._pools, self._files, say, self._stir, clock)
        self._retention = Retention(settings.retention, store, settings.data_dir, clock)
        self._gate = self._make_gate(access, commands)

    def _make_gate(self, access: Access, commands: Commands) -> Gate:
        return Gate(
            access=access,
            routing=build_routing(self._settings),
            commands=commands,
            inbox=self._store.inbox,
            identities=self._store.identities,
            overheard=self._store.overheard,
            sessions=self._store.sessions,
            files=self._files,
            turned_away=self._turned_away(),
            rates=Rates(self._settings.rate_limits, self._clock),
            wake=self._dispatcher.wake,
        )

    def _turned_away(self) -> TurnedAway:
        return TurnedAway(
            inbox=self._store.inbox,
            missed=self._store.missed,
            pairing=self._pairing,
            notices=self._replies,
            spawn=self._spawn,
            stir=self._stir,
            clock=self._clock,
        )

    def _means(self, stops: Stops, desk: ApprovalDesk) -> Means:
        return Means(
            stop=stops.stop,
            release=stops.release,
            take_up=self._take_up,
            linking=self._linking,
            pairing=self._pairing,
            budgets=self._budgets,
            desk=desk,
            stir=self._stir,
            data_dir=self._settings.data_dir,
            forget_after=self._settings.retention.forget_after,
            directory=self._directory,
            places=self._places,
            written=self._written,
        )

    async def serve(self, until: asyncio.Event, on_ready: Callable[[], None] | None) -> None:
        """Run until told to stop, or until no adapter is left; leave nothing half done."""
        async with self._tasks, self._pools, control_socket(self._socket, self._verbs()):
            await self._pools.start_all()
            await self._files.discard_left(await self._store.turns.unfinished())
            await self._open_adapters()
            self._spawn(self._warm_up())
            self._spawn(self._retention.run())
            self._spawn(self._erasing.run())
            intake = self._tasks.create_task(self._take_in())
            await self._store.turns.take_up_aside()
            for lane in await self._store.inbox.waiting_lanes():
                self._dispatcher.wake(lane)
            self._spawn(self._replies.recover())
            self._announcing.stir()
            log.info("gateway.started", accounts=len(self._adapters))
            if on_ready is not None:
                on_ready()
            is_rejected = await self._wait(until, intake)
            await self._shut_down(intake)
        log.info("gateway.stopped")
        if is_rejected:
            reasons = "; ".join(f"{one.account}: {one.reason}" for one in self._health)
            raise AccountRejected(f"no account is left to serve ({reasons})")

    async def _open_adapters(self) -> None:
        """Open each; one that cannot be opened now is tried again when it is run."""
        for name, adapter in self._adapters.items():
            try:
                await adapter.open()
            except Exception:
                log.exception("adapter.open_failed", account=name)
            else:
                self._opened.add(name)

    async def _warm_up(self) -> None:
        """Load the models' clients, once an account is connected: that goes first."""
        alive = [asyncio.ensure_future(health.first_alive.wait()) for health in self._health]
        try:
            await asyncio.wait(alive, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in alive:
                one.cancel()
        await self._pools.warm_up()

    async def _take_in(self) -> bool:
        """Receive on every account; True when input ended, False when all were rejected."""
        async with asyncio.TaskGroup() as tasks:
            runs = [
                tasks.create_task(
                    keep_running(
                        self._adapters[health.account],
                        self._gate.accept,
                        health,
                        self._clock,
                        is_open=health.account in self._opened,
                    )
                )
                for health in self._health
            ]
        return not runs or any(run.result() for run in runs)

    async def _wait(self, until: asyncio.Event, intake: asyncio.Task[bool]) -> bool:
        """Wait to be told, or for the last answer to the last input.

        Returns whether every account was rejected.
        """
        told = asyncio.ensure_future(until.wait())
        done = asyncio.ensure_future(self._all_answered(intake))
        try:
            await asyncio.wait({told, done}, return_when=asyncio.FIRST_COMPLETED)
            return intake.done() and not intake.result()
        finally:
            told.cancel()
            done.cancel()

    async def _all_answered(self, intake: asyncio.Task[bool]) -> None:
        await asyncio.wait({intake})
        if intake.result():
            # What waits for a model for longer than that is answered after the next start.
            await self._dispatcher.idle_but_for(self._postponed, self._settings.drain_timeout)

    async def _shut_down(self, intake: asyncio.Task[bool]) -> None:
        """Take in nothing more, let running turns end, then close what they used."""
        log.info("gateway.draining")
        intake.cancel()
        await asyncio.wait({intake})
        cut = await self._dispatcher.close(self._settings.drain_timeout)
        if cut:
            log.warning("turns.interrupted", lanes=len(cut))
        await self._replies.close()
        for errand in self._errands:
            errand.cancel()
        for name, adapter in self._adapters.items():
            try:
                await adapter.close()
            except Exception:
                log.exception("adapter.close_failed", account=name)

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Run work that nobody waits for; its failure is logged and ends nothing else."""
        task = self._tasks.create_task(_guarded(work))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _written(self, address: Address, command: str) -> str:
        return self._adapters[address.account].written(command, address.place)

    async def _settle(self, change: Change) -> None:
        await self._settling.settle(change)

    def _stir(self) -> None:
        self._announcing.stir()

    def _take_up(self, lane: Lane) -> None:
        """Look at a lane anew, also where its next message waits for the model."""
        self._postponed.release_lane(lane)
        self._dispatcher.wake(lane)

    def _verbs(self) -> dict[str, Verb]:
        people = PeopleControl(
            self._directory,
            self._linking,
            self._store.audit,
            self._store.privacy,
            self._erasing.erase_due,
        )
        others = oversight(
            self._store,
            self._directory,
            self._places,
            self._budgets,
            self._clock,
            self._pools.get,
        )
        dead = DeadLetterControl(self._store.dead_letters, self._take_up)
        return {**self._control().verbs(), **people.verbs(), **dead.verbs(), **others}

    def _control(self) -> Control:
        return Control(
            pairing=self._pairing,
            linking=self._linking,
            stop_sender=self._stops.stop_sender,
            directory=self._directory,
            inbox=self._store.inbox,
            health=self._health,
            agents=tuple(agents_of(self._settings)),
            models=self._breakers.describe,
            clock=self._clock,
            started_at=self._clock.now(),
        )

    @property
    def _socket(self) -> Path:
        return self._settings.data_dir / "parley.sock"


async def _guarded(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except Exception:
        log.exception("task.failed")


def _first_cause(error: BaseException) -> BaseException:
    """Return what a task group failed of: the rest of it was only cancelled."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
