import io

import pytest

from gateway.cli.tables import print_table
from tests.fakes.screen import FakeScreen

ROWS = [("ok", "store", "fine"), ("fail", "a longer name", "it \x1b[31mbroke\u202e")]


def test_a_pipe_gets_plain_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    print_table(("", "what", "how"), ROWS)
    assert out.getvalue().splitlines() == [
        "      what           how",
        "ok    store          fine",
        "fail  a longer name  it \\x1b[31mbroke\\u202e",
    ]


def test_t59_a_terminal_gets_a_table_that_cells_cannot_break(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = FakeScreen()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setenv("COLUMNS", "80")
    print_table(("", "what", "how"), [*ROWS, ("ok", "[red]markup[/red]", "shown as it is")])
    assert "it \\x1b[31mbroke\\u202e" in out.text
    assert "[red]markup[/red]" in out.text
    assert "───" in out.text
