"""Tables, as platforms that have none show them."""

from gateway.chat_text import is_too_wide, table_records


def test_a_table_is_too_wide_by_its_widest_cells_together() -> None:
    assert not is_too_wide([["a" * 22, "b"], ["c", "d" * 23]])
    assert is_too_wide([["a" * 22, "b"], ["c", "d" * 24]])
    assert is_too_wide([["\u6c34" * 12, "b"], ["c", "d" * 24]])


def test_a_head_alone_is_no_table_to_be_told_row_by_row() -> None:
    assert not is_too_wide([["a" * 100]])
    assert not is_too_wide([])


def test_records_name_each_cell_and_leave_none_out() -> None:
    rows = [["Name", "Age", ""], ["Ann", "40"], ["", "", "x", "more"]]
    assert [(title, list(lines)) for title, lines in table_records(rows)] == [
        ("Name: Ann", ["Age: 40", "\u2014", "\u2014"]),
        ("Name: \u2014", ["Age: \u2014", "x", "more"]),
    ]
