from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.messages import Address, Message, OutgoingFile
from gateway.store import codec
from gateway.transcript import (
    AssistantEntry,
    Entry,
    SummaryEntry,
    TextBlock,
    ToolCall,
    ToolResultEntry,
    UserEntry,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBER = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
st.register_type_strategy(str, TEXT)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(Path, TEXT.filter(lambda text: "\0" not in text).map(Path))
st.register_type_strategy(ToolCall, st.builds(ToolCall, arguments=st.dictionaries(TEXT, JSON)))
ENTRY = st.one_of(
    st.from_type(UserEntry),
    st.from_type(AssistantEntry),
    st.from_type(ToolResultEntry),
    st.from_type(SummaryEntry),
)


@given(st.from_type(Message))
def test_messages_come_back_as_they_were(message: Message) -> None:
    assert codec.load_message(codec.dump_message(message)) == message


@given(st.from_type(Address))
def test_addresses_come_back_as_they_were(address: Address) -> None:
    assert codec.load_address(codec.dump_address(address)) == address


@given(ENTRY)
def test_entries_come_back_as_they_were(entry: Entry) -> None:
    kind, body = codec.dump_entry(entry)
    assert codec.load_entry(kind, body) == entry


@given(st.lists(st.from_type(OutgoingFile), max_size=3).map(tuple))
def test_files_come_back_as_they_were(files: tuple[OutgoingFile, ...]) -> None:
    assert codec.load_files(codec.dump_files(files)) == files


@given(st.text())
def test_any_text_can_be_stored(text: str) -> None:
    stored = codec.storable(text)
    assert stored.encode().decode() == stored
    assert "\0" not in stored
    if text.isprintable():
        assert stored == text


@pytest.mark.parametrize(
    "entry",
    [
        UserEntry("half a \ud83d"),
        UserEntry((TextBlock("half a \ud83d"),)),
        AssistantEntry("half", (ToolCall("c", "t", {"half \ud83d": ["\ude00"]}),)),
    ],
)
def test_half_a_surrogate_pair_costs_one_character(entry: Entry) -> None:
    kind, body = codec.dump_entry(entry)
    assert "half" in body
    loaded: Any = codec.load_entry(kind, body)
    assert type(loaded) is type(entry)
