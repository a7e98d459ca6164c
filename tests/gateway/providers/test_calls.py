"""Calls become whole, or empty, never wrong."""

import pytest

from gateway.contracts.provider import ToolCallPart
from gateway.providers.calls import GrowingCall, parse_arguments


def test_pieces_make_a_whole_call() -> None:
    call = GrowingCall("a", "read_file", ['{"pa', 'th":"x"}'])
    assert call.whole(1) == ToolCallPart("a", "read_file", {"path": "x"})


def test_a_missing_id_is_made_up() -> None:
    assert GrowingCall("", "now").whole(3) == ToolCallPart("call_3", "now", {})


@pytest.mark.parametrize("text", ["{", "[1]", '"x"', "null", '{"a": NaN}', "{'a': 1}"])
def test_what_is_no_json_object_is_no_arguments(text: str) -> None:
    assert parse_arguments(text) is None
    assert GrowingCall("a", "now", [text]).whole(1).arguments == {}


def test_no_arguments_at_all_are_none_given() -> None:
    assert parse_arguments(" ") == {}
