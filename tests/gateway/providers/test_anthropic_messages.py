"""Prompts in the form of Anthropic's messages, as strict as the fake server and the SDK's types."""

from itertools import pairwise
from typing import Any

from anthropic.types import (
    DocumentBlockParam,
    ImageBlockParam,
    TextBlockParam,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlockParam,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gateway.contracts.provider import ToolSpec
from gateway.providers.anthropic_messages import messages_body
from gateway.providers.files import show_files
from gateway.providers.history import mend
from gateway.providers.prompt import Prompt
from gateway.transcript import (
    AssistantEntry,
    Entry,
    FileBlock,
    TextBlock,
    ToolCall,
    ToolResultEntry,
    UserEntry,
)
from tests.fakes.anthropic_request import breakpoints, check
from tests.fakes.histories import histories, read_file
from tests.fakes.served import TOOLS

CAT = FileBlock("cat.png", "cat.png", "image/png", 24)
SCAN = FileBlock("scan.pdf", "scan.pdf", "application/pdf", 25)
MARK = {"cache_control": {"type": "ephemeral"}}
BLOCKS = {
    "text": TextBlockParam,
    "image": ImageBlockParam,
    "document": DocumentBlockParam,
    "tool_use": ToolUseBlockParam,
    "tool_result": ToolResultBlockParam,
}
RICH: tuple[Entry, ...] = (
    UserEntry((TextBlock("look"), CAT, SCAN)),
    AssistantEntry("Let me see.", (ToolCall("toolu_1", "now", {}), ToolCall("toolu_2", "now", {}))),
    ToolResultEntry("toolu_1", "now", ""),
    ToolResultEntry("toolu_2", "now", "no clock", is_error=True),
    UserEntry("and?"),
)


def body_of(
    *entries: Entry, tools: tuple[ToolSpec, ...] = TOOLS, system: str = "You are Parley."
) -> dict[str, Any]:
    rounds = mend(entries)
    prompt = Prompt("test-model", system, rounds, show_files(rounds, read_file), tools, "ses_1")
    return messages_body(prompt, limit=100, echoes={})


def test_a_plain_question() -> None:
    assert body_of(UserEntry("hi"), tools=(), system="") == {
        "model": "test-model",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi", **MARK}]}],
        "stream": True,
    }


def test_results_and_what_is_said_next_are_one_message() -> None:
    asked, answered, results = body_of(*RICH)["messages"]
    assert [block["type"] for block in asked["content"]] == [
        *("text", "text", "image", "text", "document"),
    ]
    assert [block["type"] for block in answered["content"]] == ["text", "tool_use", "tool_use"]
    empty, failed, text = results["content"]
    assert empty["content"] == "(no output)"
    assert failed["is_error"] is True
    assert text["text"] == "and?"


def test_the_cache_ends_after_tools_system_and_newest_message() -> None:
    body = body_of(*RICH)
    assert len(list(breakpoints(body))) == 3
    assert "cache_control" in body["tools"][-1]
    assert "cache_control" in body["system"][-1]
    assert "cache_control" in body["messages"][-1]["content"][-1]


def test_an_answer_with_thoughts_is_sent_back_word_for_word() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    use = {"type": "tool_use", "id": "toolu_1", "name": "now", "input": {}}
    rounds = mend(RICH)
    prompt = Prompt("test-model", "", rounds, show_files(rounds, read_file), TOOLS, "ses_1")
    body = messages_body(prompt, limit=100, echoes={"toolu_1": [thought, use]})
    assert body["messages"][1]["content"] == [thought, use]


def test_the_sdk_knows_every_block_and_tool() -> None:
    body = body_of(*RICH)
    for block in [*body["system"], *(one for m in body["messages"] for one in m["content"])]:
        TypeAdapter[Any](BLOCKS[block["type"]]).validate_python(block, extra="forbid")
    for tool in body["tools"]:
        TypeAdapter(ToolParam).validate_python(tool, extra="forbid")


@settings(max_examples=300)
@given(history=histories, with_calls=st.booleans())
def test_no_history_is_refused(history: tuple[Entry, ...], *, with_calls: bool) -> None:
    rounds = mend(history, with_calls=with_calls)
    prompt = Prompt("test-model", "Be kind.", rounds, show_files(rounds, read_file), TOOLS, "ses_1")
    body = messages_body(prompt, limit=100, echoes={})
    check(body, ["test-model"])
    roles = [message["role"] for message in body["messages"]]
    assert all(one != other for one, other in pairwise(roles))
