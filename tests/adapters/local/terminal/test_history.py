import stat
from pathlib import Path

from adapters.local.terminal.history import History


def test_lines_are_there_next_time(tmp_path: Path) -> None:
    file = tmp_path / "history"
    history = History(file)
    assert history.load() == ()
    history.add("one")
    history.add("two\nlines")
    history.add("  ")
    assert History(file).load() == ["one", "two lines"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "history"
    file.write_text("".join(f"{number}\n" for number in range(2001)))
    assert len(History(file).load()) == 1000
    assert file.read_text().splitlines()[0] == "1001"


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    history = History(None)
    history.add("one")
    assert history.load() == ()
    unwritable = History(tmp_path)
    unwritable.add("one")
    assert unwritable.load() == ()
