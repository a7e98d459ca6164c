"""Events of a message become parts; thoughts are handed over word for word."""

from typing import Any

import pytest

from gateway.contracts.provider import EndPart, Part, TextPart, ThinkingPart, ToolCallPart
from gateway.errors import ProviderFailed, ProviderUnavailable
from gateway.providers.anthropic_stream import MessageAnswer
from gateway.transcript import Usage

START = {"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1}}}
STOP = {"type": "message_stop"}


def block(index: int, kind: str, *deltas: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    begun = {"type": "content_block_start", "index": index, "content_block": {"type": kind}}
    begun["content_block"] = {"type": kind, **fields}
    pieces = [{"type": "content_block_delta", "index": index, "delta": one} for one in deltas]
    return [begun, *pieces, {"type": "content_block_stop", "index": index}]


def text(index: int, *pieces: str) -> list[dict[str, Any]]:
    return block(index, "text", *({"type": "text_delta", "text": one} for one in pieces), text="")


def use(index: int, name: str, *pieces: str) -> list[dict[str, Any]]:
    deltas = ({"type": "input_json_delta", "partial_json": one} for one in pieces)
    return block(index, "tool_use", *deltas, id=f"toolu_{index}", name=name, input={})


def thought(index: int, words: str) -> list[dict[str, Any]]:
    said = {"type": "thinking_delta", "thinking": words}
    signed = {"type": "signature_delta", "signature": "sig"}
    return block(index, "thinking", said, signed, thinking="", signature="")


def end(reason: str, **usage: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


def read(*events: dict[str, Any], kept: list[Any] | None = None) -> list[Part]:
    keep = [] if kept is None else kept
    answer = MessageAnswer(limit=100, keep=keep.append)
    parts = [part for event in events for part in answer.take(event)]
    return parts + answer.end()


def test_text_comes_in_pieces_and_ends() -> None:
    said = text(0, "Hel", "lo")
    assert read(START, {"type": "ping"}, *said, end("end_turn", output_tokens=3), STOP) == [
        TextPart("Hel"),
        TextPart("lo"),
        EndPart("finished", Usage(5, 3)),
    ]


def test_thoughts_are_no_answer() -> None:
    parts = read(START, *thought(0, "hm"), *text(1, "yes"), end("end_turn"), STOP)
    assert parts[:2] == [ThinkingPart("hm"), TextPart("yes")]


def test_several_calls_come_whole_and_in_order() -> None:
    calls = [*use(0, "read_file", "", '{"path"', ':"x"}'), *use(1, "now", "")]
    assert read(START, *calls, end("tool_use"), STOP) == [
        ToolCallPart("toolu_0", "read_file", {"path": "x"}),
        ToolCallPart("toolu_1", "now", {}),
        EndPart("tools", Usage(5, 1)),
    ]


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("end_turn", "finished"),
        ("stop_sequence", "finished"),
        ("pause_turn", "finished"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "refused"),
    ],
)
def test_why_it_stopped(stop: str, reason: str) -> None:
    last = read(START, *text(0, "x"), end(stop), STOP)[-1]
    assert isinstance(last, EndPart)
    assert last.reason == reason


def test_a_call_in_a_refused_answer_is_not_run() -> None:
    assert read(START, *use(0, "now", "{}"), end("refusal"), STOP) == [
        EndPart("refused", Usage(5, 1))
    ]


def test_the_limit_before_any_word_is_a_failure() -> None:
    with pytest.raises(ProviderFailed, match="100 tokens"):
        read(START, *thought(0, "hm"), end("max_tokens"), STOP)
    with pytest.raises(ProviderFailed, match="/compact"):
        read(START, end("model_context_window_exceeded"), STOP)


def test_the_limit_cuts_off_a_call_that_is_not_whole() -> None:
    calls = [*use(0, "now", "{}"), *use(1, "write_file", '{"content": "half')]
    parts = read(START, *calls, end("max_tokens"), STOP)
    assert parts == [ToolCallPart("toolu_0", "now", {}), EndPart("tools", Usage(5, 1))]


def test_a_stream_that_just_ends_is_broken_off() -> None:
    with pytest.raises(ProviderUnavailable, match="broke off"):
        read(START, *text(0, "Hel"))


def test_a_reason_is_enough_of_an_end() -> None:
    assert read(START, *text(0, "Hi"), end("end_turn"))[-1] == EndPart("finished", Usage(5, 1))


def test_an_error_event_is_raised() -> None:
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with pytest.raises(ProviderUnavailable):
        read(START, *text(0, "Hel"), overloaded)


def test_all_of_the_prompt_is_counted_cached_or_not() -> None:
    cached = {"cache_read_input_tokens": 100, "cache_creation_input_tokens": 20}
    parts = read(START, *text(0, "x"), end("end_turn", output_tokens=9, **cached), STOP)
    assert parts[-1] == EndPart("finished", Usage(125, 9, 100, 20))


def test_figures_that_are_missing_keep_what_was_known() -> None:
    parts = read(START, *text(0, "x"), end("end_turn", output_tokens=9, input_tokens=None), STOP)
    assert parts[-1] == EndPart("finished", Usage(5, 9))


def test_an_answer_with_thoughts_and_calls_is_handed_over() -> None:
    kept: list[Any] = []
    events = [*thought(0, "hm"), *text(1, "Let me see."), *use(2, "now", '{"zone":', '"UTC"}')]
    read(START, *events, end("tool_use"), STOP, kept=kept)
    assert kept == [
        [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "text", "text": "Let me see."},
            {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {"zone": "UTC"}},
        ]
    ]


def test_nothing_is_handed_over_without_thoughts_or_without_calls() -> None:
    kept: list[Any] = []
    read(START, *use(0, "now", "{}"), end("tool_use"), STOP, kept=kept)
    read(START, *thought(0, "hm"), *text(1, "yes"), end("end_turn"), STOP, kept=kept)
    assert kept == []


def test_oddities_are_passed_over() -> None:
    odd: list[Any] = [{}, {"type": "new"}, {"type": "content_block_delta"}, [], 3]
    assert read(START, *odd, *text(0, "ok"), end("end_turn"), STOP)[0] == TextPart("ok")
