import os
from pathlib import Path

import pytest

from gateway.control import location
from gateway.control.location import short_name
from gateway.errors import ConfigInvalid


def test_a_short_path_is_its_own_name() -> None:
    with short_name(Path("data/parley.sock")) as name:
        assert name == "data/parley.sock"


def test_a_long_path_is_reached_under_a_short_name(tmp_path: Path) -> None:
    folder = tmp_path / ("ö" * 60)
    folder.mkdir()
    (folder / "parley.sock").write_text("here")
    with short_name(folder / "parley.sock") as name:
        assert len(os.fsencode(name)) <= 100
        assert Path(name).read_text() == "here"
    assert not Path(name).parent.exists() or Path(name).parent.resolve() != folder


def test_where_there_is_no_short_name_the_setting_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(location, "_HANDLES", tmp_path / "none")
    with (
        pytest.raises(ConfigInvalid, match=r"data_dir: must be shorter: .* \(got \d{3}\)"),
        short_name(tmp_path / ("x" * 100) / "parley.sock"),
    ):
        pass
