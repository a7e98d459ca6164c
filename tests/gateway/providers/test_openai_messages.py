"""Prompts in the form of chat completions, as strict as the fake server and the SDK's types."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import (
    ChatCompletionContentPartParam,
    ChatCompletionMessageParam,
    ChatCompletionMessageToolCallParam,
    ChatCompletionToolParam,
)
from pydantic import TypeAdapter

from gateway.contracts.provider import ToolSpec
from gateway.providers.files import name_files, show_files
from gateway.providers.history import mend
from gateway.providers.openai_dialect import Dialect, first_dialect
from gateway.providers.openai_messages import chat_body
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
from tests.fakes.histories import FILES, histories, read_file
from tests.fakes.openai_request import check
from tests.fakes.served import TOOLS

CAT = FileBlock("cat.png", "cat.png", "image/png", 24)
SCAN = FileBlock("scan.pdf", "scan.pdf", "application/pdf", 25)
RICH: tuple[Entry, ...] = (
    UserEntry((TextBlock("look"), CAT, SCAN, TextBlock("well?"))),
    AssistantEntry("Let me see.", (ToolCall("call_1", "read_file", {"path": "ä"}),)),
    ToolResultEntry("call_1", "read_file", "", is_error=False),
    AssistantEntry("", (ToolCall("call_2", "now", {}),)),
    ToolResultEntry("call_2", "now", "no clock", is_error=True),
)


def body_of(
    *entries: Entry,
    tools: tuple[ToolSpec, ...] = TOOLS,
    dialect: Dialect | None = None,
    system: str = "You are Parley.",
    session: str = "ses_1",
) -> dict[str, Any]:
    rounds = mend(entries)
    prompt = Prompt("test-model", system, rounds, show_files(rounds, read_file), tools, session)
    return chat_body(prompt, dialect or Dialect(), limit=100)


def messages_of(*entries: Entry, **prompt: Any) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = body_of(*entries, **prompt)["messages"]
    return messages


def test_a_plain_question_is_plain_text() -> None:
    assert messages_of(UserEntry("hi")) == [
        {"role": "system", "content": "You are Parley."},
        {"role": "user", "content": "hi"},
    ]


def test_without_a_system_prompt_there_is_no_such_message() -> None:
    assert [one["role"] for one in messages_of(UserEntry("hi"), system=" ")] == ["user"]


def test_pictures_and_documents_are_parts_of_the_message() -> None:
    parts = messages_of(RICH[0])[1]["content"]
    assert [part["type"] for part in parts] == ["text", "image_url", "text", "file", "text"]
    assert parts[1]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    assert parts[3]["file"]["filename"] == "scan.pdf"
    assert parts[3]["file"]["file_data"].startswith("data:application/pdf;base64,JVBER")
    assert parts[4]["text"] == "well?"


def test_files_that_are_only_named_leave_plain_text() -> None:
    rounds = mend(RICH[:1])
    prompt = Prompt("test-model", "", rounds, name_files(rounds), (), "ses_1")
    (message,) = chat_body(prompt, Dialect(), limit=100)["messages"]
    assert message["content"].startswith("look\n\n[The file cat.png")


def test_calls_and_results_follow_each_other() -> None:
    _, _, first, empty, second, failed = messages_of(*RICH)
    assert first["content"] == "Let me see."
    assert json.loads(first["tool_calls"][0]["function"]["arguments"]) == {"path": "ä"}
    assert empty == {"role": "tool", "tool_call_id": "call_1", "content": "(no output)"}
    assert second["content"] is None
    assert failed["content"] == "Error: no clock"


def test_the_sdk_knows_every_message_part_and_tool() -> None:
    body = body_of(*RICH)
    for message in body["messages"]:
        TypeAdapter[Any](ChatCompletionMessageParam).validate_python(message, extra="forbid")
        for call in message.get("tool_calls", ()):
            TypeAdapter(ChatCompletionMessageToolCallParam).validate_python(call, extra="forbid")
    for part in body["messages"][1]["content"]:
        TypeAdapter[Any](ChatCompletionContentPartParam).validate_python(part, extra="forbid")
    for tool in body["tools"]:
        TypeAdapter(ChatCompletionToolParam).validate_python(tool, extra="forbid")


def test_optional_fields_follow_the_dialect() -> None:
    plain = body_of(UserEntry("hi"), dialect=Dialect(limit_fields=(), with_usage=False))
    assert set(plain) == {"model", "messages", "stream", "tools"}
    official = body_of(UserEntry("hi"), dialect=first_dialect("gpt-6-sol", official=True))
    assert official["max_completion_tokens"] == 100
    assert "max_tokens" not in official
    assert len(official["prompt_cache_key"]) == 64
    assert "ses_1" not in official["prompt_cache_key"]
    assert official["reasoning_effort"] == "none"
    check(official, ["test-model"])


def test_without_tools_nothing_about_tools_is_said() -> None:
    effort = Dialect(effort="none")
    assert not {"tools", "reasoning_effort"} & set(
        body_of(UserEntry("x"), tools=(), dialect=effort)
    )
    refused = Dialect(effort="none", with_tools=False)
    assert not {"tools", "reasoning_effort"} & set(body_of(UserEntry("x"), dialect=refused))


def test_a_long_session_name_still_makes_a_cache_key() -> None:
    official = first_dialect("m", official=True)
    key = body_of(UserEntry("x"), dialect=official, session="s" * 99)["prompt_cache_key"]
    assert len(key) == 64


@settings(max_examples=300)
@given(history=histories, with_calls=st.booleans())
def test_no_history_is_refused(history: tuple[Entry, ...], *, with_calls: bool) -> None:
    rounds = mend(history, with_calls=with_calls)
    prompt = Prompt("test-model", "Be kind.", rounds, show_files(rounds, read_file), TOOLS, "ses_1")
    check(chat_body(prompt, Dialect(), limit=100), ["test-model"])


def test_the_files_of_these_tests_are_what_they_claim() -> None:
    assert FILES["cat.png"].startswith(b"\x89PNG")
