"""A stream gives everything in order, then its end, once."""

import asyncio

import pytest

from gateway.errors import TurnStopped
from gateway.events import TextDelta
from gateway.pools.stream import TurnStream


class Left:
    """Notes that the reader left."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1


async def test_events_come_in_order_and_then_the_end() -> None:
    stream = TurnStream(Left())
    for number in range(3):
        await stream.put(TextDelta(text=str(number)))
    stream.end(None)
    assert [event async for event in stream] == [TextDelta(text=str(n)) for n in range(3)]


async def test_an_error_comes_after_all_events_and_only_once() -> None:
    stream = TurnStream(Left())
    await stream.put(TextDelta(text="a"))
    stream.end(TurnStopped())
    stream.end(None)
    assert await anext(stream) == TextDelta(text="a")
    with pytest.raises(TurnStopped):
        await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_waiting_reader_is_woken() -> None:
    stream = TurnStream(Left())
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(anext(stream))
        await asyncio.sleep(0)
        await stream.put(TextDelta(text="a"))
    assert reading.result() == TextDelta(text="a")


async def test_a_slow_reader_holds_the_writer_back() -> None:
    stream = TurnStream(Left())
    written = 0

    async def write() -> None:
        nonlocal written
        for number in range(250):
            await stream.put(TextDelta(text=str(number)))
            written += 1
        stream.end(None)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        await asyncio.sleep(0)
        assert written == 100
        assert len([event async for event in stream]) == 250


async def test_leaving_early_ends_the_turn_and_frees_the_writer() -> None:
    left = Left()
    stream = TurnStream(left)
    async with asyncio.TaskGroup() as tasks:
        for number in range(100):
            await stream.put(TextDelta(text=str(number)))
        blocked = tasks.create_task(stream.put(TextDelta(text="one too many")))
        await asyncio.sleep(0)
        assert not blocked.done()
        await stream.aclose()
    assert left.times == 1
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_closing_after_the_end_leaves_nothing_to_do() -> None:
    left = Left()
    stream = TurnStream(left)
    stream.end(TurnStopped())
    await stream.aclose()
    assert left.times == 0
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
