"""The real OpenAI SDK against the fake, over a real socket."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests.fakes.clock import FakeClock
from tests.fakes.model import Pause, Thought, call
from tests.fakes.openai import FakeOpenAI
from tests.fakes.openai_client import MODEL, client_for, said_by_user, stream, text_of

TOOL = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n0000").decode()


@pytest.fixture
async def server() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as running:
        yield running


@pytest.fixture
async def client(server: FakeOpenAI) -> AsyncIterator[AsyncOpenAI]:
    async with client_for(server) as made:
        yield made


async def test_stream_has_role_pieces_finish_and_usage(
    server: FakeOpenAI, client: AsyncOpenAI
) -> None:
    server.say("Hello ", "world")
    chunks = await stream(client, stream_options={"include_usage": True})
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].delta.content for c in chunks[1:3]] == ["Hello ", "world"]
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens > 0
    assert len({c.id for c in chunks}) == 1


async def test_without_usage_asked_no_usage_is_sent(client: AsyncOpenAI) -> None:
    chunks = await stream(client)
    assert all(c.usage is None for c in chunks)
    assert text_of(chunks) == "hi"


async def test_tool_calls_come_in_fragments(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    server.say("One moment.", call("look", at="the sky"), call("look"))
    chunks = await stream(client, tools=[TOOL])
    calls: dict[int, list[str]] = {}
    for chunk in chunks:
        for part in chunk.choices[0].delta.tool_calls or []:
            calls.setdefault(part.index, []).append(part.function.arguments)
    assert "".join(calls[0]) == '{"at": "the sky"}'
    assert len(calls[0]) > 2
    assert "".join(calls[1]) == "{}"
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


async def test_whole_answer_with_call(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    server.say(call("look", at="x"))
    answer = await client.chat.completions.create(
        model=MODEL,
        messages=said_by_user("hi"),
        tools=[TOOL],  # type: ignore[list-item]  # a plain dict is what goes over the wire
    )
    assert answer.choices[0].message.content is None
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].id.startswith("call_")


async def test_models(client: AsyncOpenAI) -> None:
    assert MODEL in [model.id async for model in client.models.list()]
    assert (await client.models.retrieve(MODEL)).id == MODEL
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        await client.models.retrieve("gpt-0")


async def test_answers_are_chosen_by_the_question(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    server.say("it rains", when="weather")
    server.brain = lambda asked: f"system {asked.system}"
    first = await stream(client, messages=[{"role": "system", "content": "S"}, *said_by_user("a")])
    second = await stream(client, messages=said_by_user("what weather?"))
    assert (text_of(first), text_of(second)) == ("system S", "it rains")
    assert server.unsaid == 0
    assert "what weather?" in server.asked[-1].prompt


async def test_gate_holds_the_stream(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    gate = asyncio.Event()
    server.say("before", gate, "after")
    opened = await client.chat.completions.create(
        model=MODEL, messages=said_by_user("hi"), stream=True
    )
    await anext(opened)
    assert (await anext(opened)).choices[0].delta.content == "before"
    assert server.asked[-1].outcome == "open"
    gate.set()
    assert text_of([c async for c in opened]) == "after"
    await server.until(lambda it: it.asked[-1].outcome == "answered")


async def test_client_that_leaves_is_seen(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    server.say("before", asyncio.Event(), "after")
    opened = await client.chat.completions.create(
        model=MODEL, messages=said_by_user("hi"), stream=True
    )
    await anext(opened)
    await opened.close()
    await server.until(lambda it: it.asked[-1].outcome == "abandoned")


async def test_pauses_follow_the_given_clock() -> None:
    clock = FakeClock()
    async with (
        FakeOpenAI(clock=clock) as server,
        AsyncOpenAI(api_key=server.key, base_url=server.base_url) as client,
    ):
        server.say(Thought("hm"), "a", Pause(30), "b")
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(stream(client))
            await clock.until_sleeping()
            assert not reading.done()
            await clock.advance(30)
        assert text_of(reading.result()) == "ab"


def calls(*ids: str) -> dict[str, Any]:
    made = [
        {"id": one, "type": "function", "function": {"name": "look", "arguments": "{}"}}
        for one in ids
    ]
    return {"role": "assistant", "content": None, "tool_calls": made}


def result(name: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": name, "content": "x"}


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def pdf(data: str, name: str = "a.pdf") -> dict[str, Any]:
    return {"type": "file", "file": {"file_data": data, "filename": name}}


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"messages": []}, "empty array"),
    ({"messages": [{"role": "bot", "content": "x"}]}, "Supported values are"),
    ({"messages": [{"role": "user", "content": None}]}, "got null"),
    ({"messages": [result("c1")]}, "must be a response to a preceeding message"),
    ({"messages": [calls("c1")]}, "did not have response messages: c1"),
    ({"messages": [calls("c1", "c2"), result("c1")]}, "did not have response messages: c2"),
    ({"messages": [calls("c1"), *said_by_user("x"), result("c1")]}, "must be followed"),
    ({"messages": [calls("c1"), result("c9")]}, "not found in 'tool_calls'"),
    ({"messages": [calls("c" * 41), result("c" * 41)]}, "maximum length 40"),
    ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "Supported values are"),
    ({"messages": [{"role": "system", "content": [image("x")]}]}, "only allowed for messages"),
    ({"messages": [{"role": "user", "content": [image("data:text/plain;base64,aa")]}]}, "image"),
    ({"messages": [{"role": "user", "content": [image("data:image/png;base64,aGk=")]}]}, "valid"),
    ({"messages": [{"role": "user", "content": [pdf("data:text/plain;base64,aGk=")]}]}, "pdf"),
    ({"messages": [{"role": "user", "content": [pdf("aGk=", "")]}]}, "pdf"),
    ({"tools": []}, "empty array"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "does not match pattern"),
    (
        {"tools": [{"type": "function", "function": {"name": "a", "parameters": {}}}]},
        "Invalid schema for function 'a'",
    ),
    ({"tool_choice": "auto"}, "only allowed when 'tools'"),
    ({"max_tokens": 5, "max_completion_tokens": 5}, "at the same time"),
    ({"model": "gpt-5-mini", "max_tokens": 5}, "Use 'max_completion_tokens'"),
    ({"model": "gpt-5-mini", "temperature": 0.2}, "does not support 0.2"),
    ({"max_tokens": 0}, "below minimum"),
    ({"extra_body": {"colour": "red"}}, "Unrecognized request argument supplied: colour"),
    ({"prompt_cache_key": "k" * 65}, "maximum length 64"),
]


@pytest.mark.parametrize(("body", "words"), REFUSALS, ids=[words for _, words in REFUSALS])
async def test_refuses_as_the_real_one(
    server: FakeOpenAI, client: AsyncOpenAI, body: dict[str, Any], words: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=words) as refused:
        await stream(client, **body)
    assert refused.value.type == "invalid_request_error"
    assert server.asked_count == 0
    assert len(server.refused) == 1


async def test_accepts_a_full_history(server: FakeOpenAI, client: AsyncOpenAI) -> None:
    parts = [
        {"type": "text", "text": "see"},
        image(f"data:image/png;base64,{PNG}"),
        pdf("data:application/pdf;base64,aGk="),
    ]
    history = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": parts},
        calls("c1", "c2"),
        result("c2"),
        result("c1"),
        {"role": "assistant", "content": "done"},
        {"role": "user", "content": "more"},
    ]
    await stream(client, messages=history, tools=[TOOL], max_completion_tokens=50)
    assert server.asked[-1].user_text == "more"
    assert server.asked[-1].system == "S"


async def test_wrong_key_and_unknown_model(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        await stream(client, model="gpt-0")
    assert refused.value.code == "model_not_found"
    with pytest.raises(openai.AuthenticationError) as denied:
        await stream(client.with_options(api_key="sk-wrong-secret"))
    assert denied.value.code == "invalid_api_key"
    assert "secret" not in str(denied.value)


async def test_unknown_address_and_bad_json(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        await client.post("/chat/complete", cast_to=object, body={})
    with pytest.raises(openai.BadRequestError, match="could not parse the JSON"):
        await client.post("/chat/completions", cast_to=object, content=b"{")
