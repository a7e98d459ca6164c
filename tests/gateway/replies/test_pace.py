import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from gateway.errors import HeldBack, RetryLater
from gateway.messages import Limits, Place
from gateway.replies.pace import AccountPace, Conversation, Interim
from tests.fakes.clock import FakeClock

CHAT = Place("c", is_direct=True)
GROUP = Place("g")


class Line:
    """Makes calls through a conversation and notes when each was let in."""

    def __init__(self, clock: FakeClock, conversation: Conversation) -> None:
        self.clock = clock
        self.conversation = conversation
        self.times: list[float] = []

    async def call(self, after: float | None = None, lasts: float = 0.0) -> None:
        async with self.conversation.slot():
            self.times.append(self.clock.monotonic())
            if lasts:
                await self.clock.sleep(lasts)
            if after is not None:
                raise RetryLater("flood", after)

    async def held_back(self, after: float) -> None:
        with pytest.raises(HeldBack):
            async with self.conversation.slot():
                raise HeldBack("enough for now", after)

    async def refused(self, after: float) -> None:
        with pytest.raises(RetryLater):
            await self.call(after)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def lines(clock: FakeClock) -> Iterator[Callable[..., list[Line]]]:
    with ExitStack() as stack:

        def make(limits: Limits, *places: Place) -> list[Line]:
            account = AccountPace(limits, clock)
            return [Line(clock, stack.enter_context(account.using(one))) for one in places]

        yield make


Lines = Callable[..., list[Line]]


async def test_calls_of_a_conversation_go_one_at_a_time_in_order(
    clock: FakeClock, lines: Lines
) -> None:
    (line,) = lines(Limits(text=10), CHAT)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(line.call(lasts=2.0))
        await clock.advance(6)
    assert line.times == [0.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("after", "waited"),
    [
        (1.0, 1.0), (30.0, 30.0), (0.25, 0.5), (2.75, 2.75), (0.0, 0.5), (1000.0, 1000.0),
        (35_000.0, 35_000.0), (1e9, 300.0), (math.inf, 300.0), (math.nan, 0.5), (-5.0, 0.5),
    ],
)  # fmt: skip
@pytest.mark.fault("penalty", "telegram", "discord", "slack")
async def test_r11_no_call_before_the_penalty_ends(
    clock: FakeClock, lines: Lines, after: float, waited: float
) -> None:
    (line,) = lines(Limits(text=10), CHAT)
    await line.refused(after)
    again = asyncio.ensure_future(line.call())
    await clock.advance(waited - 0.01)
    assert len(line.times) == 1
    await clock.advance(0.01)
    await again
    assert line.times[1] == pytest.approx(waited)


async def test_penalties_in_a_row_last_longer_and_a_success_ends_the_row(
    clock: FakeClock, lines: Lines
) -> None:
    (line,) = lines(Limits(text=10), CHAT)
    waits = []
    for _ in range(10):
        await line.refused(0.0)
        waits.append(line.conversation.delay(Interim.TYPING))
        await clock.advance(waits[-1])
    assert waits == pytest.approx([0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60])
    await line.call()
    await line.refused(0.0)
    assert line.conversation.delay(Interim.TYPING) == pytest.approx(0.5)


async def test_n8_a_penalty_in_one_chat_does_not_hold_up_another(lines: Lines) -> None:
    one, other = lines(Limits(text=10), CHAT, Place("d", is_direct=True))
    await one.refused(300.0)
    await other.call()
    assert other.times == [0.0]


async def test_lesson_18_typing_is_left_out_while_closed(lines: Lines) -> None:
    (line,) = lines(Limits(text=10), CHAT)
    await line.refused(1000.0)
    assert line.conversation.delay(Interim.TYPING) == 1000.0


async def test_threads_of_one_conversation_share_a_bucket(lines: Lines) -> None:
    one, other = lines(Limits(text=10), Place("g", "1"), Place("g", "2"))
    assert one.conversation is other.conversation


async def test_interims_keep_their_distance(clock: FakeClock, lines: Lines) -> None:
    limits = Limits(text=10, edit_every=1.0, edit_every_in_groups=3.0, draft_every=0.5)
    chat, group = lines(limits, CHAT, GROUP)
    await chat.call()
    await group.call()
    await clock.advance(0.25)
    assert chat.conversation.delay(Interim.EDIT) == pytest.approx(0.75)
    assert chat.conversation.delay(Interim.DRAFT) == pytest.approx(0.25)
    assert group.conversation.delay(Interim.EDIT) == pytest.approx(2.75)


async def test_replies_in_one_conversation_take_turns(clock: FakeClock, lines: Lines) -> None:
    one, other = lines(Limits(text=10, edit_every=1.0), CHAT, CHAT)
    await one.call()
    assert one.conversation.delay(Interim.EDIT, clock.monotonic()) == pytest.approx(2.0)
    assert other.conversation.delay(Interim.EDIT) == pytest.approx(1.0)


async def test_interims_leave_room_for_finals_in_a_group(clock: FakeClock, lines: Lines) -> None:
    limits = Limits(text=10, edit_every_in_groups=0.0, calls_per_minute_in_groups=20)
    (line,) = lines(limits, GROUP)
    made = 0
    while line.conversation.delay(Interim.EDIT) <= 0:
        await line.call()
        made += 1
    assert made == 14
    for _ in range(6):
        await line.call()
    assert line.times == [0.0] * 20
    late = asyncio.ensure_future(line.call())
    await clock.advance(59.9)
    assert len(line.times) == 20
    await clock.advance(0.2)
    await late


async def test_typing_takes_the_smallest_part_of_a_groups_budget(lines: Lines) -> None:
    (line,) = lines(Limits(text=10, calls_per_minute_in_groups=20), GROUP)
    for _ in range(7):
        assert line.conversation.delay(Interim.TYPING) <= 0
        await line.call()
    assert line.conversation.delay(Interim.TYPING) == pytest.approx(60.0)


async def test_direct_conversations_have_no_minute_budget(lines: Lines) -> None:
    (line,) = lines(Limits(text=10, calls_per_minute_in_groups=2), CHAT)
    for _ in range(10):
        await line.call()
    assert line.times == [0.0] * 10


async def test_an_account_that_was_never_refused_does_not_wait(lines: Lines) -> None:
    limits = Limits(text=10, calls_per_second=10.0)
    all_lines = lines(limits, *(Place(f"c{n}", is_direct=True) for n in range(35)))
    for line in all_lines:
        await line.call()
    assert [line.times for line in all_lines] == [[0.0]] * 35


async def test_a_refused_account_keeps_to_its_rate_and_finals_wait_in_order(
    clock: FakeClock, lines: Lines
) -> None:
    limits = Limits(text=10, calls_per_second=10.0)
    refused, *all_lines = lines(limits, *(Place(f"c{n}", is_direct=True) for n in range(36)))
    await refused.refused(0.0)
    await clock.advance(2)
    begun = clock.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for line in all_lines:
            tasks.create_task(line.call())
        await clock.advance(5)
    times = [line.times[0] - begun for line in all_lines]
    assert times == sorted(times)
    assert [times.count(second) for second in (0.0, 1.0, 2.0, 3.0)] == [10, 10, 10, 5]


async def test_n8_a_call_that_was_held_back_makes_no_other_conversation_wait(
    clock: FakeClock, lines: Lines
) -> None:
    limits = Limits(text=10, calls_per_second=10.0)
    held, *others = lines(limits, *(Place(f"c{n}", is_direct=True) for n in range(36)))
    await held.held_back(3.0)
    for line in others:
        await line.call()
    assert [line.times for line in others] == [[0.0]] * 35
    again = asyncio.ensure_future(held.call())
    await clock.advance(2.9)
    assert held.times == []
    await clock.advance(0.1)
    await again
    assert held.times == [3.0]


async def test_interims_stretch_with_the_number_of_open_replies(lines: Lines) -> None:
    limits = Limits(text=10, edit_every=1.5, calls_per_second=50.0)
    all_lines = lines(limits, *(Place(f"c{n}", is_direct=True) for n in range(400)))
    await all_lines[0].call()
    assert all_lines[0].conversation.delay(Interim.EDIT) == pytest.approx(10.0)


async def test_interims_leave_part_of_the_account_to_finals(lines: Lines) -> None:
    limits = Limits(text=10, edit_every=0.0, calls_per_second=10.0)
    one, other = lines(limits, CHAT, Place("d", is_direct=True))
    for _ in range(8):
        await one.call()
    assert other.conversation.delay(Interim.EDIT) == pytest.approx(1.0)
    await other.call()
    assert other.times == [0.0]


async def test_a_cancelled_wait_frees_the_conversation(clock: FakeClock, lines: Lines) -> None:
    (line,) = lines(Limits(text=10), CHAT)
    await line.refused(50.0)
    waiting = asyncio.ensure_future(line.call())
    await clock.settle()
    waiting.cancel()
    await clock.advance(50)
    await line.call()
    assert line.times == [0.0, 50.0]


async def test_idle_conversations_are_forgotten_and_closed_ones_are_not(clock: FakeClock) -> None:
    account = AccountPace(Limits(text=10), clock)
    with account.using(Place("closed", is_direct=True)) as closed:
        closed.close_for(80_000.0)
    for number in range(10_000):
        with account.using(Place(f"c{number}", is_direct=True)) as conversation:
            async with conversation.slot():
                pass
        if number % 100 == 0:
            await clock.advance(10)
    assert len(account._conversations) <= 2_000
    with account.using(Place("closed", is_direct=True)) as again:
        assert again is closed
    assert account.open_replies == 0


# Threads


async def test_threads_of_a_conversation_share_its_bucket(lines: Lines) -> None:
    one, two, whole = lines(Limits(text=10), Place("g", "1"), Place("g", "2"), Place("g"))
    assert one.conversation is two.conversation is whole.conversation


async def test_threads_with_rates_of_their_own_have_buckets_of_their_own(lines: Lines) -> None:
    limits = Limits(text=10, threads_apart=True, calls_per_minute_in_groups=20)
    one, again, two, whole = lines(
        limits, Place("g", "1"), Place("g", "1"), Place("g", "2"), Place("g")
    )
    assert one.conversation is again.conversation
    await one.refused(30.0)
    assert one.conversation.delay(Interim.EDIT) == 30.0
    for other in (two, whole):
        assert other.conversation.delay(Interim.EDIT) == 0.0
        await other.call()
    assert two.times == whole.times == [0.0]


async def test_threads_of_one_name_in_two_conversations_are_two(lines: Lines) -> None:
    limits = Limits(text=10, threads_apart=True)
    one, two = lines(limits, Place("g", "1"), Place("h", "1"))
    assert one.conversation is not two.conversation


async def test_answers_that_hang_somewhere_share_their_conversations_bucket(lines: Lines) -> None:
    limits = Limits(text=10, threads_apart=True)
    one, two = lines(limits, Place("g", anchor="1"), Place("g", anchor="2"))
    assert one.conversation is two.conversation


async def test_a_stream_keeps_its_own_distance_anywhere(clock: FakeClock, lines: Lines) -> None:
    limits = Limits(text=10, edit_every=5.0, edit_every_in_groups=9.0, stream_every=0.7)
    for line in lines(limits, CHAT, GROUP):
        await line.call()
        assert line.conversation.delay(Interim.STREAM) == pytest.approx(0.7)
        await clock.advance(0.7)
        assert line.conversation.delay(Interim.STREAM) == 0.0
        assert line.conversation.delay(Interim.EDIT) > 4.0


async def test_a_stream_gives_way_when_many_are_open(lines: Lines) -> None:
    limits = Limits(text=10, stream_every=0.7, calls_per_second=1.0)
    made = lines(limits, *(Place(f"c{n}", is_direct=True) for n in range(8)))
    await made[0].call()
    assert made[0].conversation.delay(Interim.STREAM) == pytest.approx(10.0)


async def test_a_call_that_is_not_spaced_keeps_no_other_away(
    clock: FakeClock, lines: Lines
) -> None:
    (line,) = lines(Limits(text=10, edit_every=1.0), CHAT)
    await line.call()
    await clock.advance(0.9)
    async with line.conversation.slot(is_spaced=False):
        pass
    assert line.conversation.delay(Interim.EDIT) == pytest.approx(0.1)
