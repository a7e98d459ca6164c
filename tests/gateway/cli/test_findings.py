from pathlib import Path

import pytest

from gateway.cli.findings import Finding, look_at_directory, look_at_versions


def of(subject: str, findings: list[Finding]) -> Finding:
    (found,) = [finding for finding in findings if finding.subject == subject]
    return found


def test_versions_are_shown() -> None:
    findings = list(look_at_versions())
    assert [finding.state for finding in findings] == ["ok", "ok"]
    assert "on Python 3." in findings[0].words


def test_an_old_sqlite_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 1))
    finding = of("sqlite", list(look_at_versions()))
    assert finding.state == "fail"
    assert "3.35.0" in finding.cure


def test_a_private_directory_is_fine(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert of("data_dir", list(look_at_directory(tmp_path))) == Finding(
        "ok", "data_dir", str(tmp_path)
    )


def test_a_directory_that_is_not_there_will_be_made(tmp_path: Path) -> None:
    finding = of("data_dir", list(look_at_directory(tmp_path / "a" / "b")))
    assert (finding.state, "will be made" in finding.words) == ("ok", True)
    assert not (tmp_path / "a").exists()


def test_a_directory_that_others_can_read_gets_a_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    finding = of("data_dir", list(look_at_directory(tmp_path)))
    assert (finding.state, finding.cure) == ("warn", f"run `chmod 700 {tmp_path}`")


def test_a_directory_that_cannot_be_written_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    assert of("data_dir", list(look_at_directory(tmp_path))).state == "fail"


def test_a_file_in_the_way_fails(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    (finding,) = look_at_directory(tmp_path / "data" / "deep")
    assert (finding.state, finding.words) == ("fail", f"{tmp_path / 'data'} is a file")


@pytest.mark.parametrize(
    ("free", "state"), [(5_000_000_000, "ok"), (500_000_000, "warn"), (1_000_000, "fail")]
)
def test_a_full_disk_is_seen_before_it_hurts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    assert of("disk", list(look_at_directory(tmp_path))).state == state
