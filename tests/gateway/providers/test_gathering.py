"""Many answers that arrive at once are each read less often, a few as soon as they come."""

import asyncio
from collections.abc import Sequence

from typing_extensions import override

from gateway.providers.exchange import OpenAnswer
from gateway.providers.gathering import Gathering
from tests.fakes.clock import FakeClock


class Ready(OpenAnswer):
    """Always has more."""

    is_stream = True

    def __init__(self) -> None:
        self.reads = 0
        self.is_closed = False

    @override
    async def read(self) -> bytes | None:
        self.reads += 1
        await asyncio.sleep(0)
        return b"more"

    @override
    async def close(self) -> None:
        self.is_closed = True


async def read(answer: OpenAnswer, times: int) -> None:
    for _ in range(times):
        assert await answer.read() == b"more"


async def reads_within(clock: FakeClock, answers: Sequence[OpenAnswer], seconds: float) -> None:
    """Read each as often as it can be, up to a thousand times."""
    async with asyncio.TaskGroup() as group:
        reading = [group.create_task(read(answer, 1_000)) for answer in answers]
        await clock.advance(seconds)
        for one in reading:
            one.cancel()


async def test_a_few_answers_are_read_as_they_come() -> None:
    clock = FakeClock()
    gathering = Gathering(clock)
    for answer in [gathering.joined(Ready()) for _ in range(10)]:
        await read(answer, 100)
    assert clock.monotonic() == 0


async def test_many_answers_share_a_bounded_number_of_reads() -> None:
    clock = FakeClock()
    gathering = Gathering(clock)
    arriving = [Ready() for _ in range(400)]
    await reads_within(clock, [gathering.joined(one) for one in arriving], 0.95)
    assert [one.reads for one in arriving] == [10] * 400


async def test_the_first_bytes_wait_for_nobody() -> None:
    clock = FakeClock()
    gathering = Gathering(clock)
    for answer in [gathering.joined(Ready()) for _ in range(1_000)]:
        await read(answer, 1)
    assert clock.monotonic() == 0


async def test_an_answer_that_is_closed_no_longer_counts() -> None:
    clock = FakeClock()
    gathering = Gathering(clock)
    arriving = [Ready() for _ in range(400)]
    answers = [gathering.joined(one) for one in arriving]
    for answer in answers[1:]:
        await answer.close()
    assert all(one.is_closed for one in arriving[1:])
    await read(answers[0], 100)
    assert clock.monotonic() == 0
