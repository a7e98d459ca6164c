"""A gateway that goes on step by step, and is killed or ended between any two of them.

A kill leaves its files and the world as they are in that moment: the next process gets copies
of both. What the old one still does when its objects are cleared away is done to what nobody
looks at any more.
"""

import asyncio
import itertools
import shutil
import sqlite3
import warnings
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from gateway.errors import GatewayError
from gateway.settings import GatewaySettings
from tests.proof.life import LATE, Process
from tests.proof.world import Request, World

_NOT_COPIED = ("-shm", ".sock")
_LONGEST_END = 120.0
_LOOK_EVERY = 0.5


class Running:
    """The process of now, and the folder and the world that it has from those before it."""

    def __init__(self, folder: Path, settings: GatewaySettings, world: World) -> None:
        self._root = folder
        self._settings = settings
        self._numbers = itertools.count(1)
        self.world = world
        self._late: Sequence[Request] = ()
        self.folder = self._next_folder()

    def start(self) -> None:
        settings = self._settings.model_copy(update={"data_dir": self.folder})
        self.process = Process(settings, self.world)
        self.loop = self.process.loop
        self._parts = ExitStack()
        self._parts.enter_context(self.process.parts())
        self._told = asyncio.Event()
        self._ready = asyncio.Event()
        self._serving = self.loop.create_task(self._serve())
        self._do(self._ready.wait())
        for request in self._late:
            self.loop.call_later(LATE, self._arrive, self.world, request)
        self._late = ()

    async def _serve(self) -> None:
        store = await self.process.open_store()
        try:
            await self.process.serve(store, self._told, self._ready.set)
        finally:
            await store.close()

    def _arrive(self, world: World, request: Request) -> None:
        world.time = self.loop.time()
        with suppress(GatewayError):
            world.arrive(request)

    def _do(self, work: Any) -> Any:
        """Do it while the gateway goes on; nothing of that may have failed."""
        doing = self.loop.create_task(work)
        both = {doing, self._serving}
        self.loop.run_until_complete(asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED))
        self.world.time = self.loop.time()
        assert not self.loop.failures, self.loop.failures
        if self._serving.done():
            self._serving.result()
            raise AssertionError("the gateway has ended by itself")
        return doing.result()

    def passes(self, seconds: float) -> None:
        self._do(self.process.clock.sleep(seconds))

    def verb(self, name: str, **given: Any) -> None:
        """Have the owner do something, as the command line would."""
        with suppress(GatewayError):
            self._do(self.process.gateways[0]._verbs()[name](given))

    def rows(self, statement: str) -> list[Any]:
        connection = sqlite3.connect(f"file:{self.folder / 'parley.db'}?mode=ro", uri=True)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def becomes_quiet(self, lasting: float, within: float) -> bool:
        """Go on until nothing has happened for so long; False if that is never."""
        begun = since = self.loop.time()
        seen = -1
        while self.loop.time() - since < lasting:
            if self.loop.time() - begun > within:
                return False
            self.passes(_LOOK_EVERY)
            if len(self.world.log) != seen or self.work():
                seen, since = len(self.world.log), self.loop.time()
        return True

    def work(self) -> list[str]:
        """Name what is not done yet."""
        platforms = self.world.platforms.values()
        found = [one.name for one in platforms if one.accepted < len(one.events)]
        for gateway in self.process.gateways:
            found += [*gateway._dispatcher._working]
            found += ["a notice" for _ in gateway._replies._notices]
            found += [f"announcement {number}" for number in gateway._announcing._begun]
        return found

    # Its end.

    def end(self) -> None:
        """Have it end as it should."""
        self._told.set()
        waited = asyncio.wait({self._serving}, timeout=_LONGEST_END)
        self.loop.run_until_complete(waited)
        assert self._serving.done(), "it does not end"
        self._serving.result()
        self.world.time = self.loop.time()
        self.world.die()
        self._clear_away()

    def kill(self, steps: int, patience: float) -> None:
        """Kill it after so many steps, or when so much time has passed."""
        left: list[tuple[Path, bytes]] = []
        count = itertools.count(1)

        def look() -> None:
            if next(count) == steps:
                left.append(self._left())
                self.loop.stop()

        self.loop.after_step = look
        out_of_patience = self.loop.call_later(patience, self.loop.stop)
        self.loop.run_forever()
        self.loop.after_step = None
        out_of_patience.cancel()
        assert not self._serving.done(), "the gateway has ended by itself"
        folder, world = left[0] if left else self._left()
        self._clear_away()
        self.folder, self.world = folder, World.of_copy(world)

    def revive(self, *, is_applied: bool, is_late: bool, down: float) -> None:
        """Let what was under way arrive or not, and start the next process."""
        under_way = [one for one in self.world.under_way if is_applied]
        for request in under_way:
            if is_late and request.is_send:
                continue
            with suppress(GatewayError):
                self.world.arrive(request)
        self._late = [one for one in under_way if is_late and one.is_send]
        self.world.die()
        self.world.time += down
        self.start()

    def _left(self) -> tuple[Path, bytes]:
        self.world.time = self.loop.time()
        folder = self._next_folder()
        shutil.copytree(self.folder, folder, ignore=_ignored)
        return folder, self.world.copy()

    def _next_folder(self) -> Path:
        return self._root / str(next(self._numbers))

    def _clear_away(self) -> None:
        """Cancel what is left of it: this tidies up, and is seen by nobody."""
        with warnings.catch_warnings():
            # What was about to begin never does.
            warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
            while tasks := asyncio.all_tasks(self.loop):
                for task in tasks:
                    task.cancel()
                self.loop.run_until_complete(asyncio.wait(tasks, timeout=_LONGEST_END))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
        self._parts.close()

    def abandon(self) -> None:
        self._clear_away()


def _ignored(_: str, names: list[str]) -> set[str]:
    return {name for name in names if name.endswith(_NOT_COPIED)}
