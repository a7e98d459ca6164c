"""An account whose platform punishes one call too many never makes it."""

import asyncio

import pytest

from gateway.messages import Limits, Place
from gateway.replies.pace import AccountPace, Interim
from gateway.replies.tickets import Tickets
from tests.fakes.clock import FakeClock

STRICT = Limits(text=100, calls_per_second=5, is_rate_strict=True, edit_every=0.0)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def arrivals(clock: FakeClock, tickets: Tickets, calls: int, latency: float) -> list[float]:
    """Make calls that arrive at the very end of the time that each takes."""
    arrived: list[float] = []

    async def call() -> None:
        async with tickets.one():
            await clock.sleep(latency)
            arrived.append(clock.monotonic())

    async with asyncio.TaskGroup() as tasks:
        for _ in range(calls):
            tasks.create_task(call())
        await clock.settle()
        while len(arrived) < calls:
            await clock.advance(0.05)
    return arrived


@pytest.mark.parametrize("latency", [0.0, 0.3, 2.0])
async def test_r11_no_second_has_more_arrivals_than_tickets(
    clock: FakeClock, latency: float
) -> None:
    arrived = await arrivals(clock, Tickets(5, 1.0, clock), 23, latency)
    for at in arrived:
        assert sum(at <= other < at + 1.0 - 1e-6 for other in arrived) <= 5


async def test_a_ticket_of_a_call_that_was_cut_off_is_good_again(clock: FakeClock) -> None:
    tickets = Tickets(1, 1.0, clock)

    async def call() -> None:
        async with tickets.one():
            await clock.sleep(60.0)

    cut = asyncio.ensure_future(call())
    await clock.settle()
    cut.cancel()
    await asyncio.wait([cut])
    assert await arrivals(clock, tickets, 2, 0.0)


async def test_interim_calls_leave_tickets_to_others(clock: FakeClock) -> None:
    pace = AccountPace(STRICT, clock)
    with pace.using(Place("a", is_direct=True)) as one, pace.using(Place("b")) as two:
        assert one.delay(Interim.TYPING) == 0
        for _ in range(4):
            async with two.slot():
                pass
        assert one.delay(Interim.TYPING) > 0
        async with one.slot():
            pass
        await clock.advance(1.1)
        assert one.delay(Interim.TYPING) == 0
