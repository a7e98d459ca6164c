"""Chunks of all servers become the same parts."""

from typing import Any

import pytest

from gateway.contracts.provider import EndPart, Part, TextPart, ThinkingPart, ToolCallPart
from gateway.errors import ProviderFailed, ProviderUnavailable
from gateway.providers.openai_stream import ChatAnswer, read_usage
from gateway.transcript import Usage

DONE = None


def delta(*, end: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": end}]}


def call(**fields: Any) -> dict[str, Any]:
    function = {key: fields.pop(key) for key in ("name", "arguments") if key in fields}
    return delta(tool_calls=[{**fields, "function": function}])


def read(*events: Any) -> list[Part]:
    answer = ChatAnswer(limit=100)
    parts = [part for event in events if event is not DONE for part in answer.take(event)]
    answer.is_over = DONE in events
    return parts + answer.end()


def test_text_comes_in_pieces_and_ends() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}
    assert read(
        delta(role="assistant", content=""),
        delta(content="Hel"),
        delta(content="lo"),
        delta(end="stop"),
        usage,
        DONE,
    ) == [TextPart("Hel"), TextPart("lo"), EndPart("finished", Usage(7, 2))]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_thoughts_are_no_answer(field: str) -> None:
    parts = read(delta(**{field: "hm"}), delta(content="yes", end="stop"))
    assert parts[:2] == [ThinkingPart("hm"), TextPart("yes")]


def test_several_calls_come_whole_and_in_order() -> None:
    parts = read(
        call(index=0, id="a", name="read_file", arguments=""),
        call(index=1, id="b", name="now", arguments="{}"),
        call(index=0, arguments='{"path"'),
        call(index=0, arguments=':"x"}'),
        delta(end="tool_calls"),
        DONE,
    )
    assert parts == [
        ToolCallPart("a", "read_file", {"path": "x"}),
        ToolCallPart("b", "now", {}),
        EndPart("tools", Usage()),
    ]


def test_calls_without_index_or_id_are_told_apart() -> None:
    parts = read(
        call(id="a", name="now", arguments="{}"),
        call(id="b", name="now", arguments='{"x":'),
        call(arguments="1}"),
        delta(end="tool_calls"),
    )
    assert parts[:2] == [ToolCallPart("a", "now", {}), ToolCallPart("b", "now", {"x": 1})]


def test_calls_that_share_an_index_are_told_apart_by_id() -> None:
    parts = read(
        call(index=0, id="a", name="now", arguments="{}"),
        call(index=0, id="b", name="now", arguments="{}"),
        delta(end="stop"),
    )
    assert [part.call_id for part in parts if isinstance(part, ToolCallPart)] == ["a", "b"]
    assert parts[-1] == EndPart("tools", Usage())


def test_a_call_without_id_gets_one_and_bad_json_is_empty() -> None:
    parts = read(call(index=0, name="now", arguments="{oops"), delta(end="tool_calls"))
    assert parts[0] == ToolCallPart("call_1", "now", {})


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("stop", "finished"),
        ("length", "length"),
        ("content_filter", "refused"),
        ("eos", "finished"),
    ],
)
def test_why_it_stopped(end: str, reason: str) -> None:
    assert read(delta(content="x", end=end))[-1] == EndPart(reason, Usage())  # type: ignore[arg-type]  # parametrised


def test_a_refusal_is_shown_and_ends_as_one() -> None:
    assert read(delta(refusal="I won't."), delta(end="stop")) == [
        TextPart("I won't."),
        EndPart("refused", Usage()),
    ]


def test_words_in_a_list_are_words() -> None:
    listed = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "yes"},
    ]
    assert read(delta(content=listed, end="stop"))[0] == TextPart("yes")


def test_the_limit_before_any_word_is_a_failure() -> None:
    with pytest.raises(ProviderFailed, match="100 tokens"):
        read(delta(reasoning_content="hm"), delta(end="length"))


def test_the_limit_cuts_off_a_call_that_is_not_whole() -> None:
    parts = read(
        call(index=0, id="a", name="now", arguments="{}"),
        call(index=1, id="b", name="write_file", arguments='{"content": "half'),
        delta(end="length"),
    )
    assert parts == [ToolCallPart("a", "now", {}), EndPart("tools", Usage())]


def test_a_stream_that_just_ends_is_broken_off() -> None:
    with pytest.raises(ProviderUnavailable, match="broke off"):
        read(delta(content="Hel"))


def test_the_mark_of_the_end_is_enough_of_an_end() -> None:
    assert read(delta(content="Hi"), DONE)[-1] == EndPart("finished", Usage())


def test_an_answer_of_nothing_at_all_is_no_answer() -> None:
    with pytest.raises(ProviderUnavailable, match="empty"):
        read(DONE)


def test_an_error_among_the_chunks_is_raised() -> None:
    with pytest.raises(ProviderUnavailable):
        read(delta(content="x"), {"error": {"message": "oops", "type": "server_error"}})
    with pytest.raises(ProviderUnavailable):
        read(delta(content="x", end="error"))


def test_empty_chunks_are_passed_over() -> None:
    empty: list[Any] = [
        3,
        [],
        {},
        {"choices": [{"delta": None}]},
        {"choices": None},
        {"choices": []},
    ]
    assert read(*empty, delta(content="ok", end="stop"))[0] == TextPart("ok")


def test_arguments_that_are_an_object_already_are_taken() -> None:
    parts = read(call(index=0, id="a", name="now", arguments={"x": 1}), delta(end="stop"))
    assert parts[0] == ToolCallPart("a", "now", {"x": 1})


def test_usage_counts_the_cache() -> None:
    details = {"cached_tokens": 80, "cache_write_tokens": 5}
    usage = {"prompt_tokens": 100, "completion_tokens": 9, "prompt_tokens_details": details}
    assert read_usage(usage) == Usage(100, 9, 80, 5)
    assert read_usage({"prompt_tokens": None, "prompt_tokens_details": None}) == Usage()
