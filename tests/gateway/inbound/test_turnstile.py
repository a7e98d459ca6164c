"""Who is let through next, when more people wait than may."""

import asyncio
import contextlib
import random
import statistics
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.contracts.inbox import Kept
from gateway.contracts.stores import TurnState
from gateway.ids import AgentId, Lane, PersonId
from gateway.inbound.dispatcher import Dispatcher
from gateway.inbound.drain import Drain
from gateway.inbound.postponed import Postponed
from gateway.inbound.stops import Stops
from gateway.inbound.turnstile import Turnstile
from gateway.settings import QueueSettings
from gateway.store.store import SqlStore
from tests.fakes.clock import FakeClock
from tests.messages import keep_one, message

pytestmark = pytest.mark.promise("R10")


class Queue:
    """People before a turnstile, who stay inside until they are told to leave."""

    def __init__(self, at_once: int) -> None:
        self.turnstile = Turnstile(at_once)
        self.inside: list[str] = []
        self.entered: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._leaving: dict[str, asyncio.Event] = {}

    async def comes(self, name: str, whose: str) -> None:
        self._leaving[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._pass(name, whose))
        await self.settle()

    async def _pass(self, name: str, whose: str) -> None:
        async with self.turnstile.passing(whose):
            self.inside.append(name)
            self.entered.append(name)
            try:
                await self._leaving[name].wait()
            finally:
                self.inside.remove(name)

    async def leaves(self, name: str) -> None:
        self._leaving[name].set()
        await self.settle()

    async def gives_up(self, name: str) -> None:
        self.tasks[name].cancel()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def end(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


@contextlib.asynccontextmanager
async def queue(at_once: int) -> AsyncIterator[Queue]:
    made = Queue(at_once)
    yield made
    await made.end()


async def test_no_more_are_inside_than_may() -> None:
    async with queue(2) as line:
        for number in range(5):
            await line.comes(f"a{number}", "ann")
        assert line.inside == ["a0", "a1"]
        await line.leaves("a0")
        assert line.inside == ["a1", "a2"]


async def test_people_take_turns_however_much_one_has_brought() -> None:
    async with queue(1) as line:
        for number in range(4):
            await line.comes(f"a{number}", "ann")
        for whose in ("bob", "cid"):
            await line.comes(f"{whose}0", whose)
            await line.comes(f"{whose}1", whose)
        while line.inside:
            await line.leaves(line.inside[0])
        assert line.entered == ["a0", "a1", "bob0", "cid0", "a2", "bob1", "cid1", "a3"]


async def test_who_gives_up_keeps_nobody_waiting() -> None:
    async with queue(1) as line:
        for name, whose in (("a0", "ann"), ("a1", "ann"), ("b0", "bob")):
            await line.comes(name, whose)
        await line.gives_up("a1")
        await line.leaves("a0")
        assert line.inside == ["b0"]
        await line.gives_up("b0")
        await line.comes("c0", "cid")
        assert line.inside == ["c0"]


async def test_who_is_called_and_cut_off_in_the_same_moment_passes_it_on() -> None:
    async with queue(1) as line:
        for name in ("a0", "b0", "c0"):
            await line.comes(name, name)
        line._leaving["a0"].set()
        await asyncio.sleep(0)
        line.tasks["b0"].cancel()
        await line.settle()
        assert line.inside == ["c0"]


async def test_open_it_lets_everybody_through() -> None:
    async with queue(1) as line:
        for number in range(3):
            await line.comes(f"a{number}", "ann")
        line.turnstile.open()
        await line.comes("b0", "bob")
        assert line.inside == ["a0", "a1", "a2", "b0"]


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_no_place_is_lost_and_none_is_given_twice(seed: int) -> None:
    rng = random.Random(seed)
    async with queue(3) as line:
        for number in range(60):
            match rng.randrange(3):
                case 0 if line.inside:
                    await line.leaves(rng.choice(line.inside))
                case 1 if line.tasks:
                    await line.gives_up(rng.choice(list(line.tasks)))
                case _:
                    await line.comes(str(number), rng.choice("abcd"))
            waiting = sum(not task.done() for task in line.tasks.values()) - len(line.inside)
            assert len(line.inside) <= 3
            assert waiting == 0 or len(line.inside) == 3


def _waiting(turnstile: Turnstile) -> int:
    return sum(map(len, turnstile._waiting.values()))


class Crowd:
    """A store full of messages, and turns that take one round each."""

    def __init__(self, store: SqlStore, clock: FakeClock, at_once: int) -> None:
        self._store = store
        self._clock = clock
        self._at_once = at_once
        self._left = 0
        self._lanes: dict[str, None] = {}
        self._running: list[asyncio.Event] = []
        self._round = 1
        self.rounds: dict[str, list[int]] = {}
        """By person: in which round each message was answered."""

    async def asks(self, person: str, lane: str, times: int = 1) -> None:
        self._lanes[lane] = None
        self._left += times
        for _ in range(times):
            await keep_one(self._store.inbox, message(), lane=Lane(lane), session_key=lane,
                agent=AgentId("main"), person=PersonId(person),
            )  # fmt: skip

    async def _take(self, kept: Kept) -> None:
        turn = await self._store.turns.begin(kept)
        over = asyncio.Event()
        self._running.append(over)
        await over.wait()
        self.rounds.setdefault(str(kept.person), []).append(self._round)
        await self._store.turns.finish(turn, TurnState.DONE)

    async def is_answered(self) -> None:
        postponed = Postponed(self._clock)
        inbox = self._store.inbox
        stops = Stops(lambda _: None, postponed, inbox.lanes_of, self._clock)
        turnstile = Turnstile(self._at_once)
        drain = Drain(inbox, postponed, stops, self._take, turnstile, self._clock)
        async with asyncio.TaskGroup() as tasks:
            dispatcher = Dispatcher(drain, tasks, self._clock)
            for lane in self._lanes:
                dispatcher.wake(Lane(lane))
            while self._left:
                await self._next_round(dispatcher, turnstile)
            await dispatcher.idle()

    async def _next_round(self, dispatcher: Dispatcher, turnstile: Turnstile) -> None:
        """End all turns that run, once every lane has a turn that runs or waits to.

        A turn takes long against a look at the store.
        """
        while len(self._running) + _waiting(turnstile) < len(dispatcher._working):
            await self._store.inbox.waiting(Lane("none"))
        assert len(self._running) <= self._at_once
        over, self._running = self._running, []
        self._left -= len(over)
        for one in over:
            one.set()
        await asyncio.sleep(0)
        self._round += 1


@contextlib.asynccontextmanager
async def crowd(folder: Path, at_once: int) -> AsyncIterator[Crowd]:
    clock, bounds = FakeClock(), QueueSettings(per_session=20, per_person=10_000)
    folder.mkdir()
    store = SqlStore(f"sqlite:///{folder / 'parley.db'}", clock=clock, queues=bounds)
    await store.open()
    yield Crowd(store, clock, at_once)
    await store.close()


@pytest.mark.timeout(120)
async def test_who_sends_four_thousand_messages_does_not_keep_five_hundred_others_waiting(
    tmp_path: Path,
) -> None:
    waits = {}
    for flood in (0, 4_000):
        async with crowd(tmp_path / str(flood), at_once=50) as many:
            async with asyncio.TaskGroup() as writing:
                for lane in range(flood // 2):
                    writing.create_task(many.asks("p_flood", f"group {lane}", 2))
            async with asyncio.TaskGroup() as writing:
                for number in range(500):
                    writing.create_task(many.asks(f"p_{number}", f"direct {number}"))
            await many.is_answered()
            flooded = many.rounds.pop("p_flood", [])
            assert len(flooded) == flood
            waits[flood] = [many.rounds[f"p_{number}"][0] for number in range(500)]
    assert max(waits[4_000]) <= 2 * max(waits[0])
    assert statistics.mean(waits[4_000]) <= 2 * statistics.mean(waits[0])
