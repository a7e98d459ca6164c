from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from adapters.local.terminal.keys import Key
from adapters.local.terminal.line_editor import LineEditor, lay_out


def typed(*keys: Key | str, past: tuple[str, ...] = ()) -> LineEditor:
    editor = LineEditor(past)
    for key in keys:
        editor.press(key)
    return editor


def test_text_goes_in_where_the_cursor_is() -> None:
    editor = typed("world", Key.HOME, "hello ")
    assert (editor.text, editor.at) == ("hello world", 6)


def test_keys_cut_and_move() -> None:
    assert typed("abc", Key.LEFT, Key.BACKSPACE).text == "ac"
    assert typed("abc", Key.HOME, Key.DELETE).text == "bc"
    assert typed("one two  ", Key.CUT_WORD).text == "one "
    assert typed("one two", Key.WORD_LEFT, Key.CUT_TO_START).text == "two"
    assert typed("one two", Key.HOME, Key.WORD_RIGHT, Key.CUT_TO_END).text == "one"
    assert typed("ab", Key.NEWLINE, "c").text == "ab\nc"
    assert typed(Key.BACKSPACE, Key.DELETE, Key.CUT_WORD, Key.LEFT, Key.RIGHT).text == ""


def test_earlier_lines_come_back_and_the_draft_is_kept() -> None:
    editor = typed("draft", Key.UP, past=("old", "new"))
    assert editor.text == "new"
    editor.press(Key.UP)
    editor.press(Key.UP)
    assert editor.text == "old"
    for _ in range(3):
        editor.press(Key.DOWN)
    assert editor.text == "draft"


def test_a_taken_line_is_the_newest_of_the_past() -> None:
    editor = typed("one")
    assert editor.take() == "one"
    assert editor.text == ""
    editor.press(Key.UP)
    assert editor.text == "one"


@given(st.lists(st.one_of(st.sampled_from(Key), st.text(max_size=4)), max_size=30))
def test_the_cursor_never_leaves_the_line(keys: list[Key | str]) -> None:
    editor = typed(*keys, past=("a b", "c"))
    assert 0 <= editor.at <= len(editor.text)


def test_a_long_line_wraps_behind_its_indent() -> None:
    rows, cursor = lay_out("abcdefgh", 8, 8, 2)
    assert rows == ["abcde", "fgh"]
    assert cursor == (1, 5)


def test_wide_characters_take_two_columns() -> None:
    rows, cursor = lay_out("日本語", 3, 8, 2)
    assert rows == ["日本", "語"]
    assert cursor == (1, 4)


def test_line_breaks_begin_new_rows() -> None:
    assert lay_out("a\nb", 1, 20, 2) == (["a", "b"], (0, 3))
    assert lay_out("a\n", 2, 20, 2) == (["a", ""], (1, 2))


@given(
    st.text(st.characters(exclude_categories=["C", "M", "Z"]) | st.just("\n"), max_size=60),
    st.integers(8, 40),
    st.data(),
)
def test_rows_hold_the_text_and_the_cursor(text: str, width: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    rows, (row, column) = lay_out(text, at, width, 2)
    assert "".join(rows) == text.replace("\n", "")
    assert all(cell_len(one) + 2 < width for one in rows)
    assert 0 <= row < len(rows)
    assert 2 <= column < width
