from pathlib import Path

import pytest

from gateway.config.document import read_document
from gateway.errors import ConfigInvalid


def written(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "config.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_words_and_numbers_are_read_as_they_look(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "groups: off\nanswer: yes\nspan: 12:30\nday: 2026-01-02\nzero: 007\n"
        "on: true\nshare: 0.5\ncount: -12\nnone: ~\nempty:\n",
    )
    assert read_document(file) == {
        "groups": "off",
        "answer": "yes",
        "span": "12:30",
        "day": "2026-01-02",
        "zero": "007",
        "on": True,
        "share": 0.5,
        "count": -12,
        "none": None,
        "empty": None,
    }


def test_an_anchor_may_be_merged(tmp_path: Path) -> None:
    file = written(tmp_path, "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n")
    assert read_document(file)["b"] == {"x": 1, "y": 3}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\ufeff"])
def test_a_file_without_settings_is_fine(tmp_path: Path, text: str) -> None:
    assert read_document(written(tmp_path, text)) == {}


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", ":4:3", "`c` is set a second time"),
        ("a: [1, 2\nb: 3\n", ":2:2", "expected"),
        ("a:\n\tb: 1\n", ":2:1", "cannot start any token"),
        ("a: !!python/object:os.system {}\n", ":1:4", "could not determine a constructor"),
        ("- a\n- b\n", "", "must hold settings"),
        ("a: \x07\n", "", "characters that YAML does not allow"),
        (b"a: \xff\xfe\n", "", "is not UTF-8 text"),
        ("[" * 5000, "", "nested too deeply"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place(
    tmp_path: Path, text: str | bytes, where: str, why: str
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigInvalid) as caught:
        read_document(file)
    assert caught.value.path == f"{file}{where}"
    assert why in caught.value.problem


def test_a_file_that_is_not_there_or_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="there is no such file"):
        read_document(tmp_path / "nothing.yaml")
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        read_document(tmp_path)
