"""What is special about Anthropic."""

from gateway.contracts.provider import EndPart, ToolCallPart
from gateway.providers.anthropic import DEFAULT_MODEL
from gateway.transcript import AssistantEntry, ToolCall, ToolResultEntry, UserEntry
from tests.fakes.faults import Answer
from tests.fakes.model import Thought, call
from tests.fakes.served import Served, served, text_of

HI = UserEntry("hi")
LONG = UserEntry("Once upon a time there was a gateway. " * 200)


async def called(there: Served) -> ToolCall:
    """Have the model think and ask for a tool."""
    there.server.say(Thought("I need a clock."), call("now"))
    (part,) = [part for part in await there.ask(HI) if isinstance(part, ToolCallPart)]
    return ToolCall(part.call_id, part.tool, part.arguments)


async def test_thoughts_come_back_with_the_tools_result() -> None:
    async with served("anthropic") as there:
        asked = await called(there)
        result = ToolResultEntry(asked.call_id, "now", "noon")
        there.server.say("Noon.")
        assert text_of(await there.ask(HI, AssistantEntry("", (asked,)), result)) == "Noon."
        answered = there.server.asked[-1].messages[1]["content"]
    assert [block["type"] for block in answered] == ["thinking", "tool_use"]
    assert answered[0]["thinking"] == "I need a clock."
    assert not there.server.refused


async def test_a_turn_goes_on_in_words_where_thoughts_are_missed() -> None:
    async with served("anthropic") as there:
        there.server.faults.add(
            Answer(400, message="Expected `thinking` or `redacted_thinking`, but found `tool_use`"),
            when=lambda body: "tool_use" in str(body["messages"]),
        )
        lost = ToolCall("toolu_before_the_restart", "now", {})
        result = ToolResultEntry(lost.call_id, "now", "noon")
        assert await there.ask(HI, AssistantEntry("", (lost,)), result)
        asked = there.server.asked[-1]
    assert "noon" in asked.prompt
    assert asked.body["tools"]


async def test_a_conversation_that_grows_is_read_from_the_cache() -> None:
    async with served("anthropic") as there:
        first = (await there.ask(LONG))[-1]
        second = (await there.ask(LONG, AssistantEntry("Go on."), UserEntry("It grew.")))[-1]
    assert isinstance(first, EndPart)
    assert isinstance(second, EndPart)
    assert first.usage.cache_write_tokens > 1_000
    assert second.usage.cache_read_tokens >= first.usage.cache_write_tokens
    assert second.usage.input_tokens > second.usage.cache_read_tokens


async def test_the_address_may_end_in_its_version() -> None:
    async with served("anthropic") as there:
        url = f"{there.server.base_url}/v1"
        async with served("anthropic", base_url=url) as other:
            assert text_of(await other.ask(HI)) == "hi"
            assert there.server.asked_count == 1


async def test_an_agent_without_a_model_asks_the_default() -> None:
    async with served("anthropic", model="") as there:
        await there.ask(HI, model="")
        assert there.server.asked[-1].body["model"] == DEFAULT_MODEL
