"""Events come out the same however the bytes were cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ProviderFailed
from gateway.providers.sse import EVENT_LIMIT, SseDecoder


def decode(*chunks: bytes) -> list[bytes]:
    decoder = SseDecoder()
    found = [event for chunk in chunks for event in decoder.feed(chunk)]
    return found + decoder.finish()


def test_data_is_read_with_and_without_the_space() -> None:
    assert decode(b"data: one\n\ndata:two\n\n") == [b"one", b"two"]


def test_comments_names_and_ids_give_no_event() -> None:
    assert decode(b": keep-alive\n\nevent: ping\nid: 7\nretry: 10\n\ndata: x\n\n") == [b"x"]


def test_lines_of_one_event_are_joined() -> None:
    assert decode(b"data: one\ndata: two\n\n") == [b"one\ntwo"]


def test_the_last_event_needs_no_blank_line() -> None:
    assert decode(b"data: one\n\ndata: two") == [b"one", b"two"]


def test_an_event_comes_as_soon_as_it_is_whole() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: one\n") == []
    assert decoder.feed(b"\ndata: tw") == [b"one"]
    assert decoder.feed(b"o\n\n") == [b"two"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@given(data=st.data())
def test_any_cut_and_any_line_end_gives_the_same_events(end: bytes, data: st.DataObject) -> None:
    lines = [b"event: x", b"data: one", b"", b": hi", b"", b"data: {}", b"data: two", b"", b""]
    stream = end.join(lines)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)))))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decode(*chunks) == [b"one", b"{}\ntwo"]


def test_a_line_without_an_end_is_given_up() -> None:
    segments = [b"a" * 65_536] * (EVENT_LIMIT // 65_536 + 1)
    with pytest.raises(ProviderFailed, match="size"):
        decode(*segments)


def test_an_event_of_many_lines_is_given_up_too() -> None:
    with pytest.raises(ProviderFailed, match="size"):
        SseDecoder().feed(b"data: a\n" * (EVENT_LIMIT // 7 + 1))
