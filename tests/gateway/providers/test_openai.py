"""What is special about OpenAI and its like."""

import pytest

from gateway.contracts.provider import EndPart
from gateway.errors import ProviderFailed
from gateway.providers.openai import DEFAULT_MODEL
from gateway.transcript import UserEntry
from tests.fakes.faults import Answer
from tests.fakes.served import served, text_of

HI = UserEntry("hi")


async def test_a_field_the_server_does_not_know_is_left_out_from_then_on() -> None:
    async with served("openai") as there:
        fault = there.server.faults.add(
            Answer(400, message="Unrecognized request argument supplied: stream_options"),
            when=lambda body: "stream_options" in body,
        )
        for _ in range(2):
            assert text_of(await there.ask(HI)) == "hi"
        assert fault.used == 1


async def test_models_that_want_the_newer_limit_get_it() -> None:
    async with served("openai") as there:
        assert text_of(await there.ask(HI, model="gpt-5-mini")) == "hi"
        assert there.server.asked[-1].body["max_completion_tokens"] == 8192
        assert "max_tokens" not in there.server.asked[-1].body


async def test_what_one_model_teaches_is_not_held_against_another() -> None:
    async with served("openai") as there:
        await there.ask(HI, model="gpt-5-mini")
        await there.ask(HI, model="gpt-4.1-mini")
        assert there.server.asked[-1].body["max_tokens"] == 8192


async def test_a_model_that_takes_no_tools_answers_without_them() -> None:
    async with served("openai") as there:
        there.server.faults.add(
            Answer(400, body={"error": {"message": "test-model does not support tools"}}),
            when=lambda body: "tools" in body,
        )
        assert text_of(await there.ask(HI)) == "hi"


async def test_a_server_that_refuses_whatever_it_gets_is_not_asked_for_ever() -> None:
    async with served("openai") as there:
        words = "unknown: stream_options, max_tokens, max_completion_tokens, tools not supported"
        fault = there.server.faults.add(Answer(400, message=words))
        with pytest.raises(ProviderFailed, match="refused"):
            await there.ask(HI)
        assert fault.used <= 6


async def test_the_cost_arrives_after_the_answer() -> None:
    async with served("openai") as there:
        there.server.say("x", usage=(100, 20))
        end = (await there.ask(HI))[-1]
    assert isinstance(end, EndPart)
    assert (end.usage.input_tokens, end.usage.output_tokens) == (100, 20)


async def test_an_agent_without_a_model_asks_the_default() -> None:
    async with served("openai", model="") as there:
        there.server.models.append(DEFAULT_MODEL)
        await there.ask(HI, model="")
        assert there.server.asked[-1].body["model"] == DEFAULT_MODEL


async def test_a_server_without_a_key_needs_none() -> None:
    async with served("openai", api_key=None) as there:
        there.server.key = "no-key"
        assert text_of(await there.ask(HI)) == "hi"


async def test_a_list_without_the_model_is_told() -> None:
    async with served("openai", model="llama") as there:
        assert "does not name llama" in await there.provider.check()
        there.server.models.append("llama:latest")
        assert "llama is there" in await there.provider.check()
