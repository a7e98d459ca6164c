"""Runners are lent, replaced between turns, and closed only when nobody works with them."""

import asyncio

import pytest

from gateway.contracts.runner import RunnerParams
from gateway.ids import AgentId, PersonId, SessionId
from gateway.pools.runners import Lease, Runners
from tests.fakes.clock import FakeClock
from tests.fakes.provider import Gate
from tests.fakes.runner import FakeRunner, FakeRunners


class Shelf:
    """Runners, with a factory and a clock to hand."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.make = FakeRunners(clock=self.clock)
        self.runners = Runners(self.clock)

    async def borrow(
        self, session: str = "s", *, model: str = "big", person: str | None = None
    ) -> Lease:
        owner = None if person is None else PersonId(person)
        params = RunnerParams(AgentId("a"), SessionId(session), "key", owner, model, None)
        return await self.runners.borrow(params, self.make)

    async def lay(self, session: str = "s", *, person: str | None = None) -> FakeRunner:
        """Borrow, and give back at once."""
        lease = await self.borrow(session, person=person)
        lease.is_lent = False
        return self.made[-1]

    @property
    def made(self) -> list[FakeRunner]:
        return self.make.made

    async def reap(self) -> None:
        await self.runners.reap(600.0)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def test_a_session_keeps_its_runner(shelf: Shelf) -> None:
    first = await shelf.lay()
    lease = await shelf.borrow()
    assert lease.runner is first
    assert len(shelf.made) == 1


async def test_another_model_has_another_runner(shelf: Shelf) -> None:
    first = await shelf.lay()
    await shelf.borrow(model="small")
    assert first.is_closed
    assert shelf.made[-1].params.model == "small"


async def test_a_dead_runner_is_replaced(shelf: Shelf) -> None:
    first = await shelf.lay()
    first.is_alive = False
    assert (await shelf.borrow()).runner is not first
    assert first.is_closed


async def test_the_reaper_skips_the_busy_then_takes_the_dead_then_the_idle(shelf: Shelf) -> None:
    await shelf.borrow("lent")
    lent = shelf.made[-1]
    lent.is_alive = False
    dead, idle = await shelf.lay("dead"), await shelf.lay("idle")
    dead.is_alive = False
    await shelf.clock.advance(300)
    fresh = await shelf.lay("fresh")
    await shelf.reap()
    assert [r.is_closed for r in (lent, dead, idle, fresh)] == [False, True, False, False]
    await shelf.clock.advance(300)
    await shelf.reap()
    assert [r.is_closed for r in (lent, dead, idle, fresh)] == [False, True, True, False]


async def test_a_runner_that_works_for_somebody_else_is_not_reaped(shelf: Shelf) -> None:
    runner = await shelf.lay()
    runner._working = 1
    await shelf.clock.advance(3600)
    await shelf.reap()
    assert not runner.is_closed


async def test_a_reset_closes_the_idle_at_once_and_the_busy_later(shelf: Shelf) -> None:
    idle = await shelf.lay("idle")
    lease = await shelf.borrow("busy")
    busy = shelf.made[-1]
    await shelf.runners.reset()
    assert (idle.is_closed, busy.is_closed) == (True, False)
    lease.is_lent = False
    assert (await shelf.borrow("busy")).runner is not busy
    assert busy.is_closed


async def test_a_reset_runner_that_nobody_asks_for_is_reaped(shelf: Shelf) -> None:
    lease = await shelf.borrow()
    await shelf.runners.reset()
    lease.is_lent = False
    await shelf.reap()
    assert shelf.made[-1].is_closed


async def test_a_reset_for_one_person_leaves_the_others(shelf: Shelf) -> None:
    ann, bob = await shelf.lay("a", person="ann"), await shelf.lay("b", person="bob")
    group = await shelf.lay("g")
    await shelf.runners.reset(PersonId("ann"))
    assert [r.is_closed for r in (ann, bob, group)] == [True, False, False]


async def test_a_runner_made_during_a_reset_serves_one_turn_only(shelf: Shelf) -> None:
    gate = Gate()

    async def make_slowly(params: RunnerParams) -> FakeRunner:
        await gate.wait()
        return await shelf.make(params)

    params = RunnerParams(AgentId("a"), SessionId("s"), "key", None, "big", None)
    async with asyncio.TaskGroup() as tasks:
        borrowing = tasks.create_task(shelf.runners.borrow(params, make_slowly))
        await gate.reached.wait()
        await shelf.runners.reset()
        gate.open()
    assert borrowing.result().is_stale


async def test_a_runner_that_does_not_close_holds_nobody_up(shelf: Shelf) -> None:
    await shelf.lay()
    shelf.make.closing = Gate()
    async with asyncio.TaskGroup() as tasks:
        closing = tasks.create_task(shelf.runners.close())
        await shelf.make.closing.reached.wait()
        await shelf.clock.advance(11)
    assert closing.done()


async def test_a_session_whose_lease_was_never_given_back_gets_a_new_runner(shelf: Shelf) -> None:
    await shelf.borrow()
    abandoned = shelf.made[-1]
    assert (await shelf.borrow()).runner is not abandoned
    assert not abandoned.is_closed
