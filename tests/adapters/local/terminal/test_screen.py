from hypothesis import given
from hypothesis import strategies as st

from adapters.local.terminal.screen import Screen
from tests.fakes.screen import FakeScreen

ROWS = st.lists(st.sampled_from(["", "one", "two", "three"]), min_size=1, max_size=5)


@given(st.lists(st.tuples(ROWS, st.lists(st.sampled_from(["above", "over"])), st.data())))
def test_the_screen_shows_what_was_printed_and_the_last_rows(
    draws: list[tuple[list[str], list[str], st.DataObject]],
) -> None:
    out = FakeScreen()
    screen = Screen(out)
    printed: list[str] = []
    for rows, above, data in draws:
        row = data.draw(st.integers(0, len(rows) - 1))
        printed += above
        screen.draw(rows, (row, 3), above)
        assert out.rows == [*printed, *rows]
        assert (out.row, out.column) == (len(printed) + row, 3)


def test_only_the_changed_tail_is_written_again() -> None:
    out = FakeScreen()
    screen = Screen(out)
    screen.draw(["first", "second", "> "], (2, 2))
    written = len(out.getvalue())
    screen.draw(["first", "second, longer", "> "], (2, 2))
    assert "first" not in out.getvalue()[written:]
    assert out.rows == ["first", "second, longer", ">"]


def test_a_forgotten_screen_is_drawn_below() -> None:
    out = FakeScreen()
    screen = Screen(out)
    screen.draw(["old", "> "], (1, 2))
    screen.forget()
    screen.draw(["new", "> "], (1, 2))
    assert out.rows == ["old", "new", ">"]
