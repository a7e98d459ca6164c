import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.contracts.inbox import Kept
from gateway.contracts.stores import TurnState
from gateway.errors import RetryLater
from gateway.ids import AgentId, Lane
from gateway.inbound.dispatcher import Dispatcher
from gateway.inbound.drain import Drain
from gateway.inbound.postponed import Postponed
from gateway.inbound.stops import Stops
from gateway.inbound.turnstile import Turnstile
from gateway.messages import Attachment, AttachmentKind
from gateway.store.store import SqlStore
from tests.fakes.clock import FakeClock
from tests.messages import keep_one, message

TakeTurn = Callable[[Kept], Awaitable[None]]


class Line:
    """A store with lanes, and a dispatcher whose turns the test writes."""

    def __init__(self, store: SqlStore, clock: FakeClock) -> None:
        self.store = store
        self.clock = clock
        self.postponed = Postponed(clock)
        self.stops = Stops(lambda _: None, self.postponed, self.store.inbox.lanes_of, clock)
        self.taken: list[str] = []

    async def keep(self, text: str, lane: str = "one", **more: Any) -> None:
        await keep_one(self.store.inbox, message(text, **more),
            lane=Lane(lane), session_key=lane, agent=AgentId("main"), person=None,
        )  # fmt: skip

    async def take(self, kept: Kept) -> None:
        turn = await self.store.turns.begin(kept)
        self.taken.append(kept.message.text)
        await self.store.turns.finish(turn, TurnState.DONE)

    @asynccontextmanager
    async def dispatching(self, take_turn: TakeTurn | None = None) -> AsyncIterator[Dispatcher]:
        drain = Drain(
            self.store.inbox,
            self.postponed,
            self.stops,
            take_turn or self.take,
            Turnstile(1_000),
            self.clock,
        )
        async with asyncio.TaskGroup() as tasks:
            yield Dispatcher(drain, tasks, self.clock)


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    clock = FakeClock()
    store = SqlStore(f"sqlite:///{tmp_path / 'parley.db'}", clock=clock)
    await store.open()
    yield Line(store, clock)
    await store.close()


async def test_r3_a_lane_is_worked_off_in_order_one_at_a_time(line: Line) -> None:
    at_work = 0

    async def take(kept: Kept) -> None:
        nonlocal at_work
        at_work += 1
        assert at_work == 1
        await line.take(kept)
        at_work -= 1

    async with line.dispatching(take) as dispatcher:
        for number in range(20):
            await line.keep(str(number))
            dispatcher.wake(Lane("one"))
        await dispatcher.idle()
    assert line.taken == [str(number) for number in range(20)]


async def test_lanes_do_not_wait_for_one_another(line: Line) -> None:
    held = asyncio.Event()

    async def take(kept: Kept) -> None:
        if kept.lane == "slow":
            await held.wait()
        await line.take(kept)

    await line.keep("slow", "slow")
    await line.keep("fast", "fast")
    async with line.dispatching(take) as dispatcher:
        dispatcher.wake(Lane("slow"))
        dispatcher.wake(Lane("fast"))
        while line.taken != ["fast"]:
            await asyncio.sleep(0)
        held.set()
        await dispatcher.idle()
    assert line.taken == ["fast", "slow"]


async def test_a_wake_during_the_last_moments_of_a_drain_is_not_lost(line: Line) -> None:
    async def take(kept: Kept) -> None:
        await line.take(kept)
        if kept.message.text == "first":
            await line.keep("second")
            dispatcher.wake(Lane("one"))

    await line.keep("first")
    async with line.dispatching(take) as dispatcher:
        dispatcher.wake(Lane("one"))
        await dispatcher.idle()
    assert line.taken == ["first", "second"]


async def test_a_failing_lane_pauses_and_leaves_the_others_alone(line: Line) -> None:
    failures = [RetryLater("the disk is full", 30.0), RuntimeError("a bug")]

    async def take(kept: Kept) -> None:
        if kept.lane == "bad" and failures:
            raise failures.pop(0)
        await line.take(kept)

    await line.keep("bad", "bad")
    await line.keep("good", "good")
    async with line.dispatching(take) as dispatcher:
        dispatcher.wake(Lane("bad"))
        dispatcher.wake(Lane("good"))
        while line.taken != ["good"] or not line.clock.sleeping:
            await asyncio.sleep(0)
        await line.clock.advance(30)
        while not line.clock.sleeping:
            await asyncio.sleep(0)
        await line.clock.advance(5)
        await dispatcher.idle()
    assert line.taken == ["good", "bad"]


async def test_an_album_is_one_turn_once_it_is_quiet(line: Line) -> None:
    def photo(name: str) -> tuple[Attachment, ...]:
        return (Attachment(AttachmentKind.IMAGE, name, f"{name}.jpg", "image/jpeg"),)

    seen: list[Kept] = []

    async def take(kept: Kept) -> None:
        seen.append(kept)
        await line.take(kept)

    async with line.dispatching(take) as dispatcher:
        for name in ("a", "b", "c"):
            caption = "look" if name == "a" else ""
            await line.keep(caption, album="x", attachments=photo(name))
            dispatcher.wake(Lane("one"))
            while not line.clock.sleeping:
                await asyncio.sleep(0)
            await line.clock.advance(0.5)
            assert seen == []
        while not line.clock.sleeping:
            await asyncio.sleep(0)
        await line.clock.advance(1.0)
        await dispatcher.idle()
    assert [one.reference for one in seen[0].message.attachments] == ["a", "b", "c"]
    assert line.taken == ["look"]


async def test_r12_a_stopping_drain_ends_what_runs_and_begins_nothing(line: Line) -> None:
    begun, held = asyncio.Event(), asyncio.Event()

    async def take(kept: Kept) -> None:
        begun.set()
        await held.wait()
        await line.take(kept)

    await line.keep("first")
    await line.keep("second")
    async with line.dispatching(take) as dispatcher:
        dispatcher.wake(Lane("one"))
        await begun.wait()
        closing = asyncio.create_task(dispatcher.close(30.0))
        await line.clock.settle()
        held.set()
        assert await closing == []
        dispatcher.wake(Lane("one"))
    assert line.taken == ["first"]
    assert await line.store.inbox.waiting() == 1


async def test_r12_a_turn_that_takes_too_long_is_interrupted(line: Line) -> None:
    begun = asyncio.Event()

    async def take(_: Kept) -> None:
        begun.set()
        await asyncio.Event().wait()

    await line.keep("first")
    async with line.dispatching(take) as dispatcher:
        dispatcher.wake(Lane("one"))
        await begun.wait()
        closing = asyncio.create_task(dispatcher.close(30.0))
        await line.clock.settle()
        await line.clock.advance(30)
        assert await closing == [Lane("one")]
    assert await line.store.inbox.waiting() == 1


async def test_a_postponed_message_waits_and_a_stop_of_the_process_does_not(line: Line) -> None:
    await line.keep("first")
    kept = await line.store.inbox.head(Lane("one"))
    assert kept is not None
    turn = await line.store.turns.begin(kept)
    await line.store.turns.postpone(turn, line.clock.now() + 60)
    async with line.dispatching() as dispatcher:
        dispatcher.wake(Lane("one"))
        while not line.clock.sleeping:
            await asyncio.sleep(0)
        assert await dispatcher.close(30.0) == []
    assert line.taken == []


async def test_r3_a_message_that_is_taken_back_before_its_turn_does_not_hold_up_its_lane(
    line: Line,
) -> None:
    given = message("a mistake", album="x")
    await keep_one(
        line.store.inbox,
        given,
        lane=Lane("one"),
        session_key="one",
        agent=AgentId("main"),
        person=None,
    )
    async with line.dispatching() as dispatcher:
        dispatcher.wake(Lane("one"))
        # The lane waits for more of the album.
        await line.clock.until_sleeping()
        await line.keep("next")
        await line.store.inbox.withdraw(given.address.account, given.message_id)
        await line.clock.advance(2)
        await dispatcher.idle()
    assert line.taken == ["next"]
