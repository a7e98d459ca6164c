"""Any history there might be, sane or not, for property tests."""

from hypothesis import strategies as st

from gateway.transcript import (
    AssistantEntry,
    Block,
    Entry,
    FileBlock,
    SummaryEntry,
    TextBlock,
    ToolCall,
    ToolResultEntry,
    UserEntry,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
PDF = b"%PDF-1.7\n" + bytes(16)
FILES = {
    "cat.png": PNG,
    "scan.pdf": PDF,
    "notes.txt": "Grüße".encode(),
    "liar.png": b"not a picture",
    "blob.bin": bytes(range(256)),
}
_MIMES = ("image/png", "application/pdf", "text/plain", "image/tiff", "application/octet-stream")

words = st.sampled_from(["", "  ", "hi", "a\nb", "Ünïcödé 🙂", "\ud800", "\x00", "x" * 300])
call_ids = st.sampled_from(["a", "b", "call_1", "call_2", "", "has space", "l" * 60, "toolu_01"])
tool_names = st.sampled_from(["now", "read_file", "", "bad name!", "n" * 80])
arguments = st.dictionaries(words, st.one_of(words, st.integers(), st.none()), max_size=2)
files = st.builds(
    FileBlock,
    path=st.sampled_from([*FILES, "gone.txt"]),
    name=st.sampled_from([*FILES, "gone.txt"]),
    mime=st.sampled_from(_MIMES),
    size=st.sampled_from([0, 10, 10_000, 30_000_000]),
)
blocks: st.SearchStrategy[Block] = st.one_of(st.builds(TextBlock, words), files)
contents = st.one_of(words, st.lists(blocks, max_size=3).map(tuple))
speakers = st.one_of(st.none(), st.sampled_from(["Ann", "", " Bo\nb ", "s" * 100]))
calls = st.lists(st.builds(ToolCall, call_ids, tool_names, arguments), max_size=3).map(tuple)
entries: st.SearchStrategy[Entry] = st.one_of(
    st.builds(UserEntry, contents, speakers),
    st.builds(AssistantEntry, words, calls, st.booleans()),
    st.builds(ToolResultEntry, call_ids, tool_names, words, st.booleans()),
    st.builds(SummaryEntry, words),
)
histories = st.lists(entries, max_size=8).map(tuple)


def read_file(path: str) -> bytes:
    """Give the bytes of one of `FILES`."""
    try:
        return FILES[path]
    except KeyError:
        raise FileNotFoundError(path) from None
