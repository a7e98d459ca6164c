"""One life of the gateway: all of its own parts, on a folder and a world that outlive it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway import app, parts
from gateway.contracts.adapter import AdapterKit, CommandInfo
from gateway.contracts.stores import Cursors, Store
from gateway.inbound.health import AccountHealth
from gateway.settings import AgentSettings, GatewaySettings
from gateway.store import database
from tests.proof import golden
from tests.proof.accounts import KINDS, Account, Outside
from tests.proof.inline import InlineReader, InlineWriter
from tests.proof.minds import Hang, Look, Mind, Pay
from tests.proof.steps import LoopClock, StepLoop, run
from tests.proof.world import Request, World

LATE = 10.0
"""Seconds after the start in which a request of the dead process still arrives."""
_STEP = 0.1
_QUIET = 3.0
_LONGEST = 900.0


def settings_of(folder: Path, **more: Any) -> GatewaySettings:
    given = {
        "data_dir": folder,
        "agents": {"main": AgentSettings(provider="fake", model="big")},
        "adapters": {name: {} for name in KINDS},
        "access": {"direct_messages": "open", "groups": "open", "owners": golden.OWNERS},
        "rate_limits": {"guest": None},
    }
    return GatewaySettings.model_validate({**given, **more})


class Process:
    """The gateway's parts as one process has them, on a loop of its own."""

    def __init__(self, settings: GatewaySettings, world: World) -> None:
        self.settings = settings
        self.world = world
        self.loop = StepLoop(world.time)
        self.clock = LoopClock(self.loop)
        self.outside = Outside(world, self.clock)
        self.gateways: list[app.Gateway] = []

    @contextmanager
    def parts(self) -> Iterator[None]:
        """Have the gateway made of these while the body runs."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(app, "build_adapter", self._account)
            patch.setattr(parts, "make_provider", lambda *_: Mind(self.outside))
            patch.setattr(database, "Writer", InlineWriter)
            patch.setattr(database, "Reader", InlineReader)
            yield

    def _account(
        self,
        _: GatewaySettings,
        health: AccountHealth,
        cursors: Cursors,
        commands: tuple[CommandInfo, ...],
        __: LoopClock,
    ) -> Account:
        cursor = parts.AccountCursor(cursors, health.account)
        kit = AdapterKit(self.clock, cursor, commands, health, self.settings.data_dir)
        account = KINDS[health.account](health.account, self.outside, kit)
        account.is_deaf = bool(self.gateways)
        return account

    async def open_store(self) -> Store:
        parts.make_data_dir(self.settings)
        store = parts.open_store(self.settings, self.clock)
        await store.open()
        return store

    async def serve(
        self, store: Store, told: asyncio.Event, on_ready: Callable[[], None] | None = None
    ) -> None:
        gateway = app.Gateway(self.settings, store, self.clock)
        for tool in (Look(self.outside), Pay(self.outside), Hang()):
            await gateway._pools.add_builtin_tool(tool)
        self.gateways.append(gateway)
        await gateway.serve(told, on_ready)

    def is_at_work(self) -> bool:
        return any(one._dispatcher._working or one._replies._notices for one in self.gateways)


class Life:
    """From a start on a folder to the end of all work, or to where its world is left alone."""

    def __init__(self, folder: Path, world: World, late: tuple[Request, ...] = ()) -> None:
        self.folder = folder
        self.world = world
        self.after_step: Callable[[], None] | None = None
        """Called between steps, from the start of the gateway to the end of the work."""
        self.rival_at: float | None = None
        """When another process takes this one for dead, and its place, though it is not."""
        self._late = late
        self._process = Process(settings_of(folder), world)

    @property
    def loop(self) -> StepLoop:
        return self._process.loop

    def live(self) -> None:
        with self._process.parts():
            run(self.loop, self._live())

    async def _live(self) -> None:
        self.loop.after_step = self.after_step
        process, told = self._process, asyncio.Event()
        store = await process.open_store()

        async def serve_rival(at: float) -> None:
            await asyncio.sleep(at)
            self.world.be_taken_for_dead()
            await process.serve(store, told)

        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(process.serve(store, told))
                if self.rival_at is not None:
                    tasks.create_task(serve_rival(self.rival_at))
                late = tasks.create_task(self._arrive_late())
                await self._until_quiet()
                await late
                self.loop.after_step = None
                told.set()
        finally:
            await store.close()

    async def _arrive_late(self) -> None:
        if self._late:
            await asyncio.sleep(LATE)
            for request in self._late:
                self.world.arrive(request)

    async def _until_quiet(self) -> None:
        """Let people act until they have done all, and nothing has happened for a while."""
        world, begun = self.world, self.loop.time()
        seen, since = self._stand(), begun
        while self.loop.time() - since < _QUIET and self.loop.time() - begun < _LONGEST:
            world.time = self.loop.time()
            golden.act(world)
            stand = self._stand()
            if stand != seen or self._process.is_at_work():
                seen, since = stand, self.loop.time()
            await asyncio.sleep(_STEP)

    def _stand(self) -> tuple[int, int]:
        return len(self.world.log), sum(self.world.people.values())
