import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.local.terminal.keys import Key, KeyReader


def read(data: bytes) -> list[Key | str]:
    return list(KeyReader().feed(data))


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"hi\r", ["hi", Key.ENTER]),
        (b"\x03\x04", [Key.INTERRUPT, Key.END_OF_INPUT]),
        (b"a\x1b[Ab\x1bOB", ["a", Key.UP, "b", Key.DOWN]),
        (b"\x1b[1;5D\x1bf\x1b[3~", [Key.WORD_LEFT, Key.WORD_RIGHT, Key.DELETE]),
        (b"\n\x1b\r", [Key.ENTER, Key.NEWLINE]),
        (b"\x1b[200~two\r\nlines\x03\x1b[201~\r", ["two\nlines\x03", Key.ENTER]),
        (b"\x1b[15~\x1b[?1;2c\x1bz\x00\t", []),
        ("日本".encode(), ["日本"]),
    ],
)
def test_bytes_are_read_as_keys(data: bytes, keys: list[Key | str]) -> None:
    assert read(data) == keys


@given(
    st.lists(
        st.sampled_from([
            b"a",
            b"\x1b[A",
            b"\x1bOH",
            b"\r",
            "é".encode(),
            b"\x1b[200~p\x1b[201~",
            b"\x1b\x7f",
        ])
    ),
    st.data(),
)
def test_keys_do_not_depend_on_how_their_bytes_are_cut(
    pieces: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(pieces)
    cut = data.draw(st.integers(0, len(whole)))
    reader = KeyReader()
    cut_keys = [*reader.feed(whole[:cut]), *reader.feed(whole[cut:])]
    assert join(cut_keys) == join(read(whole))


@given(st.binary())
def test_no_bytes_are_too_strange(data: bytes) -> None:
    read(data)


def join(keys: list[Key | str]) -> str:
    """Write keys on one line: text may come in one piece or in two."""
    return "".join(key if isinstance(key, str) else f"<{key.name}>" for key in keys)
