import asyncio
from dataclasses import replace

from gateway.contracts.inbox import Kept
from gateway.ids import AgentId, Lane
from gateway.inbound.postponed import Postponed
from tests.fakes.clock import FakeClock
from tests.messages import message


def kept(clock: FakeClock, seconds: float, lane: str = "one", agent: str = "main") -> Kept:
    return Kept(
        number=1, lane=Lane(lane), session_key=lane, agent=AgentId(agent), person=None,
        message=message(), kept_at=clock.now(), not_before=clock.now() + seconds,
    )  # fmt: skip


async def test_a_message_waits_for_its_time() -> None:
    clock = FakeClock()
    waiting = asyncio.create_task(Postponed(clock).wait(kept(clock, 10)))
    await clock.advance(9)
    assert not waiting.done()
    await clock.advance(1)
    await waiting


async def test_a_message_whose_time_has_come_does_not_wait() -> None:
    clock = FakeClock()
    await Postponed(clock).wait(replace(kept(clock, 10), not_before=clock.now()))


async def test_one_answer_of_the_model_wakes_everyone_who_waits_for_that_agent() -> None:
    clock = FakeClock()
    postponed = Postponed(clock)
    waiting = [asyncio.create_task(postponed.wait(kept(clock, 60, f"lane {n}"))) for n in range(3)]
    other = asyncio.create_task(postponed.wait(kept(clock, 60, "other", agent="second")))
    await clock.settle()
    postponed.release_agent(AgentId("main"))
    await asyncio.gather(*waiting)
    assert not other.done()
    assert postponed.is_waiting(Lane("other"))
    postponed.release_lane(Lane("other"))
    await other
    assert not postponed.is_waiting(Lane("other"))


async def test_a_message_can_be_released_before_it_waits() -> None:
    clock = FakeClock()
    postponed = Postponed(clock)
    message = kept(clock, 60)
    postponed.expect(message)
    assert postponed.waiting_in(message.lane) is message
    postponed.release_lane(message.lane)
    await postponed.wait(message)
    postponed.expect(message)
    await postponed.wait(replace(message, not_before=0.0))
    assert postponed.waiting_in(message.lane) is None


async def test_tries_come_ever_later_and_as_the_server_asked() -> None:
    clock = FakeClock()
    postponed, first = Postponed(clock), clock.now()
    assert postponed.next_try(first, None) == first + 5
    assert postponed.next_try(first, 30.0) == first + 30
    await clock.advance(100)
    assert postponed.next_try(first, None) == clock.now() + 25
    await clock.advance(10_000)
    assert postponed.next_try(first, None) == clock.now() + 60
