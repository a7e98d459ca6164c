"""The real Anthropic SDK against the fake, over a real socket."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.anthropic_messages import signature
from tests.fakes.faults import Answer, Drop, EndEarly, RateLimit, Reset, StreamError
from tests.fakes.model import Call, Thought, call

MODEL = "claude-sonnet-5-5"
OLDER = "claude-haiku-4-5"
TOOL = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n0000").decode()
PDF = base64.b64encode(b"%PDF-1.7 ...").decode()
MARK = {"type": "ephemeral"}


@pytest.fixture
async def server() -> AsyncIterator[FakeAnthropic]:
    async with FakeAnthropic() as running:
        yield running


@pytest.fixture
async def client(server: FakeAnthropic) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(
        api_key=server.key, base_url=server.base_url, max_retries=0, timeout=5
    ) as made:
        yield made


def user(*content: Any) -> dict[str, Any]:
    plain = len(content) == 1 and isinstance(content[0], str)
    return {"role": "user", "content": content[0] if plain else list(content)}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def uses(*ids: str) -> dict[str, Any]:
    made = [{"type": "tool_use", "id": one, "name": "look", "input": {}} for one in ids]
    return {"role": "assistant", "content": made}


def result(name: str, content: Any = "x") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": name, "content": content}


def image(media: str, data: str) -> dict[str, Any]:
    source = {"type": "base64", "media_type": media, "data": data}
    return {"type": "image", "source": source}


def document(media: str, data: str, kind: str = "base64") -> dict[str, Any]:
    return {"type": "document", "source": {"type": kind, "media_type": media, "data": data}}


def filled(**body: Any) -> dict[str, Any]:
    return {"model": MODEL, "max_tokens": 100, "messages": [user("hi")], **body}


async def stream(client: AsyncAnthropic, **body: Any) -> list[Any]:
    opened = await client.messages.create(stream=True, **filled(**body))
    return [event async for event in opened]


def text_of(events: list[Any]) -> str:
    deltas = [event.delta for event in events if event.type == "content_block_delta"]
    return "".join(delta.text for delta in deltas if delta.type == "text_delta")


async def test_stream_has_the_documented_events(
    server: FakeAnthropic, client: AsyncAnthropic
) -> None:
    server.say("Hello ", "world")
    events = await stream(client)
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert text_of(events) == "Hello world"
    assert events[-2].delta.stop_reason == "end_turn"
    assert events[-2].usage.output_tokens > 0


async def test_sdk_gathers_thoughts_text_and_calls(
    server: FakeAnthropic, client: AsyncAnthropic
) -> None:
    server.say(Thought("h"), Thought("m"), "See:", call("look", at="the sky"), call("look"))
    async with client.messages.stream(**filled(tools=[TOOL])) as opened:
        message = await opened.get_final_message()
    kinds = [block.type for block in message.content]
    assert kinds == ["thinking", "text", "tool_use", "tool_use"]
    assert message.content[2].model_dump()["input"] == {"at": "the sky"}
    assert message.content[0].model_dump()["signature"] == signature("hm")
    assert message.stop_reason == "tool_use"


async def test_whole_answer_and_models(server: FakeAnthropic, client: AsyncAnthropic) -> None:
    server.say("ok", call("look"))
    message = await client.messages.create(**filled(tools=[TOOL]))
    assert [block.type for block in message.content] == ["text", "tool_use"]
    assert MODEL in [model.id async for model in client.models.list()]
    assert (await client.models.retrieve(MODEL)).id == MODEL
    with pytest.raises(anthropic.NotFoundError):
        await client.models.retrieve("claude-0")


async def test_bad_arguments_travel_as_written(
    server: FakeAnthropic, client: AsyncAnthropic
) -> None:
    server.say(Call("look", {}, call_id="toolu_1", raw='{"at": '))
    events = await stream(client, tools=[TOOL])
    deltas = [event.delta for event in events if event.type == "content_block_delta"]
    assert "".join(delta.partial_json for delta in deltas) == '{"at": '


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"messages": []}, "at least one message is required"),
    ({"messages": [{"role": "bot", "content": "x"}]}, "messages.0.role: Input should be"),
    ({"messages": [uses("t1"), user(result("t1"))], "tools": [TOOL]}, 'must use the "user" role'),
    ({"messages": [user("a"), {"role": "assistant", "content": "b"}]}, "prefill"),
    ({"messages": [user("")]}, "must have non-empty content"),
    ({"messages": [user(""), user("x")]}, "all messages must have non-empty content"),
    ({"messages": [user(" ")]}, "non-whitespace"),
    ({"messages": [user(text(""))]}, "must be non-empty"),
    ({"messages": [user({"type": "text", "text": "a", "b": 1})]}, "0.text.b: Extra inputs"),
    ({"messages": [{**user("a"), "name": "x"}]}, "messages.0.name: Extra inputs"),
    ({"messages": [user({"type": "video"})]}, "does not match any of the expected tags"),
    ({"messages": [user(*uses("t1")["content"])]}, "`tool_use` blocks are not allowed here"),
    ({"messages": [user("a"), uses("t1"), user("b")], "tools": [TOOL]}, "immediately after: t1"),
    (
        {"messages": [user("a"), uses("t1"), user(text("b"), result("t1"))], "tools": [TOOL]},
        "immediately after: t1",
    ),
    (
        {"messages": [user("a"), uses("t1", "t2"), user(result("t1"))], "tools": [TOOL]},
        "immediately after: t2",
    ),
    ({"messages": [user(result("t1"))], "tools": [TOOL]}, "unexpected `tool_use_id`"),
    (
        {
            "messages": [
                *(user("a"), uses("t1"), user(result("t1"))),
                *(uses("t1"), user(result("t1"))),
            ],
            "tools": [TOOL],
        },
        "ids must be unique",
    ),
    (
        {"messages": [user("a"), uses("t1"), user(result("t1"), result("t1"))], "tools": [TOOL]},
        "must have a single result",
    ),
    ({"messages": [user("a"), uses("t1"), user(result("t1"))]}, "must define tools"),
    ({"messages": [user("a"), uses("t 1"), user(result("t 1"))]}, "tool_use.id: String should"),
    ({"messages": [user(image("image/bmp", PNG))]}, "media_type: Input should be"),
    ({"messages": [user(image("image/png", "aGk="))]}, "Could not process image"),
    ({"messages": [user(image("image/jpeg", PNG))]}, "appears to be a image/png"),
    ({"messages": [user(image("image/png", "!"))]}, "invalid base64"),
    ({"messages": [user(document("application/pdf", "aGk="))]}, "PDF specified was not valid"),
    ({"messages": [user(document("text/plain", "aGk="))]}, "Input should be 'application/pdf'"),
    ({"system": [text("")]}, "system: text content blocks must be non-empty"),
    ({"tools": [TOOL, TOOL]}, "names must be unique"),
    ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "should match pattern"),
    ({"tools": [{"name": "a", "input_schema": {}}]}, "input_schema.type: Field required"),
    ({"tool_choice": {"type": "auto"}}, "while providing tools"),
    ({"max_tokens": -1}, "greater than or equal to 0"),
    ({"max_tokens": 64_001}, "64001 > 64000"),
    ({"thinking": {"type": "enabled", "budget_tokens": 5}}, "not supported for this model"),
    ({"extra_body": {"temperature": 0.5}}, "`temperature` is deprecated"),
    ({"model": OLDER, "thinking": {"type": "enabled", "budget_tokens": 5}}, "equal to 1024"),
    (
        {"model": OLDER, "thinking": {"type": "enabled", "budget_tokens": 2_000}},
        "must be greater than `thinking",
    ),
    ({"extra_body": {"colour": "red"}}, "colour: Extra inputs are not permitted"),
    (
        {"system": [text("a", cache_control=MARK)] * 5},
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    (
        {
            "system": [text("a", cache_control=MARK)],
            "messages": [user(text("b", cache_control={**MARK, "ttl": "1h"}))],
        },
        "must not come after",
    ),
    (
        {
            "messages": [
                user("a"),
                {
                    "role": "assistant",
                    "content": [{"type": "thinking", "thinking": "x", "signature": "y"}],
                },
                user("b"),
            ]
        },
        "Invalid `signature`",
    ),
]


@pytest.mark.parametrize(("body", "words"), REFUSALS, ids=[words for _, words in REFUSALS])
async def test_refuses_as_the_real_one(
    server: FakeAnthropic, client: AsyncAnthropic, body: dict[str, Any], words: str
) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        await stream(client, **body)
    assert words in str(refused.value)
    assert refused.value.type == "invalid_request_error"
    assert refused.value.request_id is not None
    assert server.asked_count == 0


async def test_accepts_a_full_history(server: FakeAnthropic, client: AsyncAnthropic) -> None:
    shown = [text("seen"), image("image/png", PNG)]
    thought = {"type": "thinking", "thinking": "x", "signature": signature("x")}
    history = [
        user(text("see"), image("image/png", PNG), document("application/pdf", PDF)),
        user(document("text/plain", "words", "text")),
        {"role": "assistant", "content": [thought, *uses("t1", "t2")["content"]]},
        user(result("t2", shown), result("t1"), text("and?")),
    ]
    await stream(client, messages=history, tools=[TOOL], system="S")
    assert server.asked[-1].user_text == "and?"
    assert server.asked[-1].system == "S"


async def test_key_in_either_header(server: FakeAnthropic, client: AsyncAnthropic) -> None:
    assert text_of(await stream(client)) == "hi"
    headers = {"Authorization": anthropic.omit, "x-api-key": server.key}
    assert text_of(await stream(client, extra_headers=headers)) == "hi"
    with pytest.raises(anthropic.AuthenticationError) as denied:
        await stream(client.with_options(api_key="sk-wrong"))
    assert denied.value.type == "authentication_error"
    with pytest.raises(anthropic.NotFoundError) as missing:
        await stream(client, model="claude-0")
    assert missing.value.type == "not_found_error"
    with pytest.raises(anthropic.BadRequestError, match="anthropic-version"):
        await stream(client, extra_headers={"anthropic-version": anthropic.omit})


async def test_overloaded_and_limited(server: FakeAnthropic, client: AsyncAnthropic) -> None:
    server.faults.add(Answer(529), nth=1)
    server.faults.add(RateLimit(12), nth=1)
    with pytest.raises(anthropic.OverloadedError) as overloaded:
        await stream(client)
    assert overloaded.value.type == "overloaded_error"
    with pytest.raises(anthropic.RateLimitError) as limited:
        await stream(client)
    assert limited.value.response.headers["retry-after"] == "12"


async def test_error_inside_the_stream(server: FakeAnthropic, client: AsyncAnthropic) -> None:
    server.faults.add(StreamError(pieces=3))
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        await stream(client)


async def test_stream_ends_without_its_closing_events(
    server: FakeAnthropic, client: AsyncAnthropic
) -> None:
    server.faults.add(EndEarly(pieces=4))
    events = await stream(client)
    assert "message_stop" not in [event.type for event in events]


@pytest.mark.parametrize(("effect", "asked"), [(Reset("before"), 0), (Drop(), 1)])
async def test_broken_connections(
    server: FakeAnthropic, client: AsyncAnthropic, effect: Any, asked: int
) -> None:
    server.faults.add(effect)
    with pytest.raises(anthropic.APIConnectionError):
        await stream(client)
    assert server.asked_count == asked


async def test_client_that_leaves_is_seen(server: FakeAnthropic, client: AsyncAnthropic) -> None:
    server.say("before", asyncio.Event(), "after")
    opened = await client.messages.create(stream=True, **filled())
    await anext(opened)
    await opened.close()
    await server.until(lambda it: it.asked[-1].outcome == "abandoned")


async def usage(client: AsyncAnthropic, **body: Any) -> tuple[int, int]:
    counted = (await client.messages.create(**filled(**body))).usage
    assert counted.cache_creation_input_tokens is not None
    assert counted.cache_read_input_tokens is not None
    return counted.cache_creation_input_tokens, counted.cache_read_input_tokens


async def test_cache_reads_what_an_earlier_request_wrote(
    server: FakeAnthropic, client: AsyncAnthropic
) -> None:
    system = [text("word " * 2_000, cache_control=MARK)]
    wrote, read = await usage(client, system=system)
    assert (wrote > 2_000, read) == (True, 0)
    assert await usage(client, system=system, messages=[user("other")]) == (0, wrote)
    assert (await usage(client, system=[text("x " * 4_000, cache_control=MARK)]))[1] == 0
    server.cache.minimum = 10**6
    assert await usage(client, system=system) == (0, 0)


async def test_cache_grows_with_the_conversation(client: AsyncAnthropic) -> None:
    first = user(text("word " * 2_000, cache_control=MARK))
    wrote, _ = await usage(client, messages=[first])
    plain = user(text("word " * 2_000))
    answer = {"role": "assistant", "content": [text("fine")]}
    last = user(text("more " * 500, cache_control=MARK))
    more, read = await usage(client, messages=[plain, answer, last])
    assert read == wrote
    assert more > 500
