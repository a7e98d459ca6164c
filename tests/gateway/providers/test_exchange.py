"""Answers are read with patience, within bounds, and closed in every case."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from gateway.contracts.provider import EndPart, Part, TextPart
from gateway.errors import ProviderFailed, ProviderUnavailable
from gateway.providers.anthropic_stream import MessageAnswer
from gateway.providers.exchange import ANSWER_LIMIT, OpenAnswer, Patience, read_answer
from gateway.providers.openai_stream import ChatAnswer
from gateway.transcript import Usage
from tests.fakes.clock import FakeClock

HELLO = b'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
PING = b": still here\n\n"
ENDED = EndPart("finished", Usage())


class Arriving(OpenAnswer):
    """Gives its chunks one by one; a number is a silence of so many seconds."""

    def __init__(self, clock: FakeClock, chunks: Sequence[bytes | float | Exception]) -> None:
        self.is_stream = True
        self.is_closed = False
        self.chunks = list(chunks)
        self._clock = clock

    @override
    async def read(self) -> bytes | None:
        while self.chunks:
            match self.chunks.pop(0):
                case Exception() as error:
                    raise error
                case bytes() as chunk:
                    return chunk
                case seconds:
                    await self._clock.sleep(seconds)
        return None

    @override
    async def close(self) -> None:
        self.is_closed = True


class Reading:
    """A test's answer: what comes of some chunks."""

    def __init__(self, *chunks: bytes | float | Exception) -> None:
        self.clock = FakeClock()
        self.arriving = Arriving(self.clock, chunks)
        patience = Patience(self.clock, first=30, gap=60)
        self.stream = read_answer(self.arriving, ChatAnswer(limit=100), patience)

    async def parts(self) -> list[Part]:
        try:
            return [part async for part in self.stream]
        finally:
            assert self.arriving.is_closed

    async def parts_while_time_passes(self, seconds: float) -> list[Part]:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._caught())
            await self.clock.advance(seconds)
            assert reading.done()
        result = reading.result()
        if isinstance(result, Exception):
            raise result
        return result

    async def _caught(self) -> list[Part] | Exception:
        try:
            return await self.parts()
        except ProviderFailed as error:
            return error


async def test_an_answer_in_any_cut_is_read_to_its_end() -> None:
    whole = HELLO + STOP + DONE
    for cut in range(0, len(whole), 7):
        assert await Reading(whole[:cut], whole[cut:]).parts() == [TextPart("Hello"), ENDED]


async def test_text_that_came_together_is_one_part() -> None:
    reading = Reading(HELLO + HELLO, HELLO + STOP + DONE)
    assert await reading.parts() == [TextPart("HelloHello"), TextPart("Hello"), ENDED]


async def test_text_before_a_garbled_event_is_not_lost() -> None:
    reading = Reading(HELLO + HELLO + b"data: {{{\n\n")
    assert await anext(reading.stream) == TextPart("HelloHello")
    with pytest.raises(ProviderUnavailable):
        await anext(reading.stream)


async def test_what_follows_the_end_is_read_so_that_the_connection_serves_again() -> None:
    reading = Reading(HELLO + STOP + DONE, PING, b"more")
    assert (await reading.parts())[-1] == ENDED
    assert reading.arriving.chunks == []


async def test_a_connection_that_stays_open_after_the_end_is_not_waited_for() -> None:
    parts = await Reading(HELLO + STOP + DONE, 600.0).parts_while_time_passes(2)
    assert parts == [TextPart("Hello"), ENDED]


async def test_an_end_without_its_mark_is_not_waited_for_either() -> None:
    parts = await Reading(HELLO + STOP, 600.0).parts_while_time_passes(2)
    assert parts == [TextPart("Hello"), ENDED]


async def test_a_break_after_the_end_spoils_nothing() -> None:
    reading = Reading(HELLO + STOP, ProviderUnavailable("broke off"))
    assert (await reading.parts())[-1] == ENDED


async def test_a_break_in_the_midst_is_told() -> None:
    with pytest.raises(ProviderUnavailable, match="broke off"):
        await Reading(HELLO, ProviderUnavailable("broke off")).parts()


async def test_a_silent_server_is_given_up() -> None:
    with pytest.raises(ProviderUnavailable, match="did not answer within 30 s"):
        await Reading(31.0, HELLO).parts_while_time_passes(30)


@pytest.mark.fault("trickle", "models")
async def test_keep_alives_are_no_beginning_of_an_answer() -> None:
    with pytest.raises(ProviderUnavailable, match="did not answer within 30 s"):
        await Reading(20.0, PING, 20.0, HELLO).parts_while_time_passes(30)


async def test_an_answer_that_falls_silent_is_given_up() -> None:
    with pytest.raises(ProviderUnavailable, match="silent for 60 s"):
        await Reading(29.0, HELLO, 61.0, STOP).parts_while_time_passes(89)


async def test_keep_alives_in_the_midst_of_an_answer_are_signs_of_life() -> None:
    parts = await Reading(HELLO, 50.0, PING, 50.0, STOP + DONE).parts_while_time_passes(100)
    assert parts[-1] == ENDED


async def test_an_answer_beyond_reason_is_dropped() -> None:
    piece = b'data: {"choices":[{"delta":{"content":"' + b"x" * 900_000 + b'"}}]}\n\n'
    with pytest.raises(ProviderFailed, match="beyond all reason"):
        await Reading(*[piece] * (ANSWER_LIMIT // 900_000 + 1)).parts()


@pytest.mark.parametrize("event", [b"{oops", b'{"choices":[3]}', b'{"choices":3}'])
async def test_garbled_events_are_told(event: bytes) -> None:
    with pytest.raises(ProviderUnavailable, match="garbled"):
        await Reading(HELLO, b"data: " + event + b"\n\n", STOP).parts()


CALL = {"index": 0, "id": "a", "function": {"name": "now", "arguments": "{}"}}
COST = {"prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}}
CHUNKS: list[Any] = [
    {"choices": [{"delta": {"content": "x", "tool_calls": [CALL], "reasoning": "hm"}}]},
    {"choices": [{"delta": {"refusal": "no"}, "finish_reason": "length"}], "usage": COST},
    {"error": {"message": "oops", "type": "x", "code": 1}},
]
BLOCK = {"type": "tool_use", "id": "a", "name": "now", "input": {}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
EVENTS: list[Any] = [
    {"type": "message_start", "message": {"usage": {"input_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": BLOCK},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta"}},
    {"type": "content_block_start", "index": 1, "content_block": THOUGHT},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "x"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "signature_delta"}},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {}},
    {"type": "error", "error": {"message": "oops", "type": "x"}},
]
JUNK: st.SearchStrategy[Any] = st.sampled_from([
    None,
    True,
    -1,
    1.5,
    "",
    "x",
    [],
    [None],
    {},
    {"type": []},
    {"x": {}},
])


def spoilt(data: st.DataObject, value: Any) -> Any:
    """Return the value with junk in the place of any of its parts."""
    if data.draw(st.integers(0, 5)) == 0:
        return data.draw(JUNK)
    if isinstance(value, dict):
        return {key: spoilt(data, inner) for key, inner in value.items()}
    return [spoilt(data, inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", ["chat", "message"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
@pytest.mark.fault("garbage", "models")
async def test_no_event_can_do_more_harm_than_a_failure(kind: str, data: st.DataObject) -> None:
    kept: list[Any] = []
    answer = ChatAnswer(limit=1) if kind == "chat" else MessageAnswer(limit=1, keep=kept.append)
    events = spoilt(data, CHUNKS if kind == "chat" else EVENTS)
    sent = events if isinstance(events, list) else [events]
    reading = Reading(*(f"data: {json.dumps(event)}\n\n".encode() for event in sent))
    patience = Patience(reading.clock, first=30, gap=60)
    with contextlib.suppress(ProviderFailed):
        async for _ in read_answer(reading.arriving, answer, patience):
            pass
    await reading.stream.aclose()


async def test_what_is_no_stream_points_at_the_address() -> None:
    reading = Reading(b"<html>Welcome to our hotel</html>")
    reading.arriving.is_stream = False
    with pytest.raises(ProviderFailed, match="base_url"):
        await reading.parts()


async def test_closing_early_closes_the_connection() -> None:
    reading = Reading(HELLO, 600.0)
    assert await anext(reading.stream) == TextPart("Hello")
    await reading.stream.aclose()
    assert reading.arriving.is_closed
