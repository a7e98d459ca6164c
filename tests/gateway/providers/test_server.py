"""Both SDKs against both fake servers: what the providers promise whoever is behind them."""

import asyncio
import threading
from typing import Any

import pytest
from pydantic import SecretStr
from typing_extensions import override

from gateway.contracts.provider import EndPart, TextPart, ThinkingPart, ToolCallPart
from gateway.errors import ProviderFailed, ProviderUnavailable
from gateway.providers.anthropic import AnthropicProvider
from gateway.providers.exchange import Wire
from gateway.providers.openai import OpenAIProvider
from gateway.settings import AgentSettings
from gateway.transcript import (
    AssistantEntry,
    FileBlock,
    TextBlock,
    ToolCall,
    ToolResultEntry,
    UserEntry,
)
from tests.fakes.faults import (
    Answer,
    Drip,
    Drop,
    EndEarly,
    EndlessLine,
    Hang,
    RateLimit,
    Reset,
    Silence,
    StreamError,
)
from tests.fakes.histories import PDF, PNG
from tests.fakes.model import Thought, call
from tests.fakes.served import Served, asking, generator_of, parts_of, served, text_of

HI = UserEntry("hi")
CAT = FileBlock("cat.png", "cat.png", "image/png", len(PNG))
SCAN = FileBlock("scan.pdf", "scan.pdf", "application/pdf", len(PDF))
FILES = {"cat.png": PNG, "scan.pdf": PDF}

both = pytest.mark.parametrize("kind", ["openai", "anthropic"])


@both
async def test_an_answer_streams_in_pieces_and_is_counted(kind: str) -> None:
    async with served(kind) as there:
        there.server.say(Thought("hm"), "Hello ", "world", usage=(12, 3))
        parts = await there.ask(HI)
    assert parts[0] == ThinkingPart("hm")
    assert text_of(parts) == "Hello world"
    end = parts[-1]
    assert isinstance(end, EndPart)
    assert (end.reason, end.usage.input_tokens, end.usage.output_tokens) == ("finished", 12, 3)


@both
async def test_a_turn_with_tools_goes_there_and_back(kind: str) -> None:
    async with served(kind) as there:
        there.server.say("Look.", call("read_file", path="ä.txt"), call("now"))
        *_, first, second, end = await there.ask(HI)
        assert isinstance(first, ToolCallPart)
        assert isinstance(second, ToolCallPart)
        assert (first.tool, first.arguments) == ("read_file", {"path": "ä.txt"})
        assert isinstance(end, EndPart)
        assert end.reason == "tools"
        calls = tuple(ToolCall(one.call_id, one.tool, one.arguments) for one in (first, second))
        results = (ToolResultEntry(one.call_id, one.tool, "noon") for one in calls)
        there.server.say("It is noon.")
        parts = await there.ask(HI, AssistantEntry("Look.", calls), *results)
    assert text_of(parts) == "It is noon."
    assert not there.server.refused


@both
async def test_the_connection_is_used_again(kind: str) -> None:
    async with served(kind) as there:
        for _ in range(3):
            await there.ask(HI)
        ports = {asked.headers["host"] for asked in there.server.asked}
        pool: Any = there.provider
        connector = pool._wire._client._client._transport.client.connector
        idle = sum(map(len, connector._conns.values()))
    assert len(ports) == 1
    assert idle == 1


@both
async def test_many_streams_at_once_do_not_mix(kind: str) -> None:
    async with served(kind) as there:
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(there.ask(UserEntry(f"number {number}"))) for number in range(40)
            ]
        texts = [text_of(task.result()) for task in asked]
    assert texts == [f"number {number}" for number in range(40)]


@both
async def test_closing_early_closes_the_connection(kind: str) -> None:
    async with served(kind) as there:
        there.server.say("one ", asyncio.Event(), "two")
        stream = generator_of(there.provider, asking(HI))
        assert await anext(stream) == TextPart("one ")
        await stream.aclose()
        await there.server.until(lambda server: server.asked[-1].outcome == "abandoned")


@both
async def test_cancelling_closes_the_connection(kind: str) -> None:
    async with served(kind) as there:
        there.server.say("one ", asyncio.Event(), "two")
        task = asyncio.ensure_future(there.ask(HI))
        await there.server.until(lambda server: server.asked_count == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await there.server.until(lambda server: server.asked[-1].outcome == "abandoned")


@both
async def test_pictures_and_documents_reach_the_server(kind: str) -> None:
    async with served(kind) as there:
        content = (TextBlock("look"), CAT, SCAN)
        assert await there.ask(UserEntry(content), read_file=FILES.__getitem__)
        prompt = there.server.asked[-1].prompt
    assert "iVBOR" in prompt
    assert "JVBER" in prompt


@both
async def test_a_picture_the_server_cannot_read_does_not_end_the_session(kind: str) -> None:
    async with served(kind) as there:
        there.server.faults.add(
            Answer(400, message="Could not process image"), when=lambda body: "iVBOR" in str(body)
        )
        parts = await there.ask(UserEntry((TextBlock("look"), CAT)), read_file=FILES.__getitem__)
        asked = there.server.asked[-1]
    assert parts
    assert "[The file cat.png, image/png" in asked.user_text
    assert "iVBOR" not in asked.prompt


@both
async def test_half_a_character_does_not_end_the_session(kind: str) -> None:
    async with served(kind) as there:
        assert text_of(await there.ask(UserEntry("a\ud800b"))) == "a?b"


async def fails(there: Served, **request: Any) -> ProviderFailed:
    with pytest.raises(ProviderFailed) as raised:
        await there.ask(HI, **request)
    assert there.server.key not in str(raised.value)
    assert "127.0.0.1" not in str(raised.value)
    return raised.value


@both
async def test_a_wrong_key_is_told_to_the_operator(kind: str) -> None:
    async with served(kind, api_key="sk-wrong") as there:
        error = await fails(there)
    assert not isinstance(error, ProviderUnavailable)
    assert "api_key" in str(error)


@both
async def test_an_unknown_model_is_named(kind: str) -> None:
    async with served(kind) as there:
        error = await fails(there, model="gpt-unheard-of")
    assert not isinstance(error, ProviderUnavailable)
    assert "gpt-unheard-of" in str(error)


@both
@pytest.mark.fault("penalty", "models")
async def test_a_rate_limit_is_told_with_its_wait_and_not_retried(kind: str) -> None:
    async with served(kind) as there:
        fault = there.server.faults.add(RateLimit(retry_after=2.5))
        error = await fails(there)
        assert fault.seen == 1
    assert isinstance(error, ProviderUnavailable)
    assert error.after == 2.5


@both
@pytest.mark.parametrize("status", [500, 503, 529])
async def test_an_overloaded_server_is_unavailable(kind: str, status: int) -> None:
    async with served(kind) as there:
        fault = there.server.faults.add(Answer(status))
        assert isinstance(await fails(there), ProviderUnavailable)
        assert fault.seen == 1


@both
async def test_a_refused_request_shows_the_servers_words(kind: str) -> None:
    async with served(kind) as there:
        there.server.faults.add(Answer(400, message="metadata: too clever by half"))
        error = await fails(there)
    assert not isinstance(error, ProviderUnavailable)
    assert "too clever by half" in str(error)


@both
@pytest.mark.parametrize("effect", [Reset("before"), Reset("middle", 1), Drop(), EndEarly(2)])
@pytest.mark.fault("lost answer", "models")
async def test_a_broken_connection_is_unavailable(kind: str, effect: Any) -> None:
    async with served(kind) as there:
        there.server.faults.add(effect)
        assert isinstance(await fails(there), ProviderUnavailable)
        there.server.faults.clear()
        assert text_of(await there.ask(HI)) == "hi"


@both
async def test_nobody_there_is_unavailable(kind: str) -> None:
    async with served(kind) as there:
        gone = there.server.base_url
    make = OpenAIProvider if kind == "openai" else AnthropicProvider
    provider = make(AgentSettings(provider=kind, base_url=gone))
    with pytest.raises(ProviderUnavailable, match="the connection was refused"):
        await parts_of(provider, asking(HI))
    await provider.close()


@both
async def test_an_error_in_the_midst_of_an_answer_is_unavailable(kind: str) -> None:
    async with served(kind) as there:
        there.server.faults.add(StreamError(pieces=2))
        assert isinstance(await fails(there), ProviderUnavailable)


@both
@pytest.mark.fault("trickle", "models")
async def test_a_silent_server_is_given_up_in_time(kind: str) -> None:
    async with served(kind) as there:
        there.server.faults.add(Hang(applies=True))
        async with asyncio.TaskGroup() as group:
            failing = group.create_task(fails(there))
            await there.server.until(lambda server: server.asked_count == 1)
            await there.clock.advance(31)
        assert str(failing.result()) == "The model did not answer within 30 s."
    assert isinstance(failing.result(), ProviderUnavailable)


@both
@pytest.mark.fault("trickle", "models")
async def test_a_model_that_falls_silent_is_given_up_in_time(kind: str) -> None:
    async with served(kind) as there:
        there.server.say("one ", "two ", "three")
        there.server.faults.add(Silence(pieces=4))
        stream = generator_of(there.provider, asking(HI))
        assert isinstance(await anext(stream), TextPart)
        rest = asyncio.ensure_future(_drained(stream))
        while not rest.done():
            await there.clock.advance(61)
        assert "silent for 60 s" in str(await rest)


async def _drained(stream: Any) -> ProviderUnavailable:
    with pytest.raises(ProviderUnavailable) as raised:
        async for _ in stream:
            pass
    return raised.value


@both
@pytest.mark.fault("trickle", "models")
async def test_a_line_without_an_end_is_given_up(kind: str) -> None:
    async with served(kind) as there:
        there.server.faults.add(EndlessLine())
        assert "size" in str(await fails(there))


@both
@pytest.mark.fault("trickle", "models")
@pytest.mark.promise("R14")
async def test_r14_an_answer_of_a_byte_a_second_is_given_up_in_time(kind: str) -> None:
    async with served(kind) as there:
        there.server.faults.add(Drip())
        async with asyncio.TaskGroup() as group:
            failing = group.create_task(fails(there))
            await there.server.until(lambda server: server.asked_count == 1)
            began = there.clock.monotonic()
            while not failing.done():
                await there.clock.advance(1)
                await asyncio.sleep(0.001)  # lets the loop read what has come
            assert there.clock.monotonic() - began <= 31
        assert isinstance(failing.result(), ProviderUnavailable)


@both
@pytest.mark.fault("garbage", "models")
@pytest.mark.parametrize(
    "body",
    [
        *('{"choices":[{"del', "null", "[]", "[" * 100_000, b"\xff\xfe", "", "data: {\n\n"),
        *('data: {"choices":{"a":null}}\n\n', 'data: "\\ud800"\n\n', "event: x\ndata: null\n\n"),
        "data: " + "[" * 100_000 + "\n\n",
    ],
    ids=lambda body: str(body)[:24],
)
async def test_an_answer_that_cannot_be_read_is_a_failure_and_no_accident(
    kind: str, body: str | bytes
) -> None:
    async with served(kind) as there:
        for mime in ("application/json", "text/event-stream"):
            answer = Answer(200, body, {"Content-Type": mime})
            there.server.faults.add(answer, times=1)
            await fails(there)
        assert text_of(await there.ask(HI)) == "hi"


@both
@pytest.mark.fault("revoked token", "models")
async def test_a_key_that_is_revoked_meanwhile_is_told_and_a_good_one_goes_on(kind: str) -> None:
    async with served(kind) as there:
        assert text_of(await there.ask(HI)) == "hi"
        there.server.key, good = "sk-another", there.server.key
        error = await fails(there)
        assert not isinstance(error, ProviderUnavailable)
        assert "api_key" in str(error)
        there.server.key = good
        assert text_of(await there.ask(HI)) == "hi"


@both
async def test_a_page_that_is_no_model_points_at_the_address(kind: str) -> None:
    async with served(kind) as there:
        there.server.faults.add(Answer(200, body="<html>Welcome</html>"))
        assert "base_url" in str(await fails(there))


@both
async def test_a_history_with_calls_is_told_in_words_where_no_tools_are(kind: str) -> None:
    async with served(kind) as there:
        history = (
            HI,
            AssistantEntry("", (ToolCall("call_1", "now", {}),)),
            ToolResultEntry("call_1", "now", "noon"),
        )
        await there.ask(*history, tools=())
        prompt = there.server.asked[-1].prompt
    assert "noon" in prompt
    assert not there.server.refused


@both
async def test_the_check_says_that_all_is_well(kind: str) -> None:
    async with served(kind) as there:
        assert await there.provider.check() == (
            "127.0.0.1 answers, the key is good, test-model is there"
        )


@both
async def test_the_check_tells_a_wrong_key(kind: str) -> None:
    async with served(kind, api_key="sk-wrong") as there:
        with pytest.raises(ProviderFailed, match="api_key"):
            await there.provider.check()


@both
async def test_the_check_tells_that_nobody_is_there(kind: str) -> None:
    async with served(kind) as there:
        there.server.faults.add(Drop())
        with pytest.raises(ProviderUnavailable, match="cannot be reached"):
            await there.provider.check()


@both
async def test_the_check_takes_a_server_without_a_list(kind: str) -> None:
    async with served(kind) as there:
        there.server.faults.add(Answer(404))
        assert "untested" in await there.provider.check()


@both
async def test_a_closed_provider_can_be_used_again(kind: str) -> None:
    async with served(kind) as there:
        await there.ask(HI)
        await there.provider.close()
        assert text_of(await there.ask(HI)) == "hi"


async def test_the_sdk_is_loaded_beside_the_event_loop() -> None:
    threads: list[int] = []

    class Noting(OpenAIProvider):
        @override
        def _connect(self) -> Wire:
            threads.append(threading.get_ident())
            return super()._connect()

    async with served("openai") as there:
        key = SecretStr(there.server.key)
        settings = AgentSettings(provider="openai", base_url=there.server.base_url, api_key=key)
        provider = Noting(settings)
        await provider.warm_up()
        assert await parts_of(provider, asking(HI))
        await provider.close()
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()
