"""Every fault on the wire, as the real OpenAI SDK meets it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import aiohttp
import openai
import pytest
from openai import AsyncOpenAI

from tests.fakes.clock import FakeClock
from tests.fakes.faults import (
    Answer,
    Delay,
    Drip,
    Drop,
    EndEarly,
    EndlessLine,
    Fault,
    Hang,
    Hold,
    RateLimit,
    Reset,
    Silence,
    StreamError,
    Truncate,
)
from tests.fakes.openai import FakeOpenAI
from tests.fakes.openai_client import MODEL, client_for, said_by_user, stream, text_of


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as running:
        yield running


@pytest.fixture
async def client(server: FakeOpenAI) -> AsyncIterator[AsyncOpenAI]:
    async with client_for(server) as made:
        yield made


async def test_rate_limit_carries_retry_after(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    for given, header in ((7, "7"), (None, None), (0.5, "0.5"), ("1e9", "1e9")):
        server.faults.clear()
        server.faults.add(RateLimit(given))
        with pytest.raises(openai.RateLimitError) as refused:
            await stream(client)
        assert refused.value.response.headers.get("retry-after") == header
    assert server.asked_count == 0


async def test_sdk_retries_the_second_of_two(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    fault = server.faults.add(
        Answer(503, headers={"retry-after-ms": "1"}), path="/chat/completions", nth=1
    )
    chunks = await stream(client.with_options(max_retries=2))
    assert text_of(chunks) == "hi"
    assert (fault.seen, fault.used) == (2, 1)


@pytest.mark.parametrize(
    ("effect", "asked"), [(Reset("before"), 0), (Drop(), 1)], ids=["before", "drop"]
)
async def test_broken_connections(
    server: FakeOpenAI, client: AsyncOpenAI, effect: Any, asked: int
) -> None:
    server.faults.add(effect)
    with pytest.raises(openai.APIConnectionError):
        await stream(client)
    assert server.asked_count == asked


async def test_stream_cut_in_the_middle(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    server.faults.add(Reset("middle", pieces=2))
    server.say("a", "b", "c")
    with pytest.raises(Exception, match=r"(?i)connection|peer|read|incomplete"):
        await stream(client)


async def test_stream_ends_without_its_closing_events(
    server: FakeOpenAI, client: AsyncOpenAI
) -> None:
    server.faults.add(EndEarly(pieces=2))
    server.say("a", "b", "c")
    chunks = await stream(client)
    assert text_of(chunks) == "a"
    assert all(c.choices[0].finish_reason is None for c in chunks)


async def test_error_inside_the_stream(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    server.faults.add(StreamError(pieces=2, message="melted"))
    with pytest.raises(openai.APIError, match="melted"):
        await stream(client)


async def test_silence_keeps_the_connection_open(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    server.faults.add(Silence(pieces=2))
    server.say("a", "b")
    opened = await client.chat.completions.create(
        model=MODEL, messages=said_by_user("hi"), stream=True
    )
    await anext(opened)
    await anext(opened)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await anext(opened)
    await opened.close()


async def test_truncated_json(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    server.faults.add(Truncate())
    with pytest.raises((openai.APIError, ValueError)):
        await client.chat.completions.create(model=MODEL, messages=said_by_user("hi"))


@pytest.mark.parametrize("when", ["middle", "after"])
async def test_whole_answers_are_reset_too(
    server: FakeOpenAI, client: AsyncOpenAI, when: Literal["middle", "after"]
) -> None:
    server.faults.add(Reset(when), times=1)
    asking = client.chat.completions.create(model=MODEL, messages=said_by_user("hi"))
    if when == "middle":
        with pytest.raises(openai.APIError):
            await asking
    else:
        assert (await asking).choices[0].message.content == "hi"
        assert text_of(await stream(client)) == "hi"
    assert server.asked[0].outcome == "answered"


async def test_an_endless_line(server: FakeOpenAI) -> None:
    server.faults.add(EndlessLine(300_000))
    url = f"{server.base_url}/chat/completions"
    async with aiohttp.ClientSession() as session, session.post(url) as answer:
        line = await answer.read()
    assert len(line) > 300_000
    assert b"\n" not in line


async def test_a_hang_says_nothing(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    server.faults.add(Hang())
    with pytest.raises(openai.APITimeoutError):
        await stream(client, timeout=0.05)
    assert server.asked_count == 0


async def test_drip_and_hold_and_delay_are_steered_by_the_test() -> None:
    clock = FakeClock()
    async with (
        FakeOpenAI(clock=clock) as server,
        client_for(server) as client,
    ):
        gate = asyncio.Event()
        faults: list[Fault] = [
            server.faults.add(Hold(gate), nth=1),
            server.faults.add(Delay(60), nth=1),
            server.faults.add(Drip(size=200, every=1), nth=1),
        ]
        async with asyncio.TaskGroup() as group:
            held = group.create_task(stream(client))
            gate.set()
            await held
            delayed = group.create_task(stream(client))
            await clock.until_sleeping()
            assert server.asked_count == 1
            await clock.advance(60)
            await delayed
            dripped = group.create_task(stream(client))
            while not dripped.done():
                await clock.advance(1)
        assert text_of(dripped.result()) == "hi"
        assert [fault.used for fault in faults] == [1, 1, 1]
