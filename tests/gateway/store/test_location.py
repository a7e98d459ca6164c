from pathlib import Path

import pytest

from gateway.errors import StoreFailed
from gateway.store.location import database_path, network_kind, prepare

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/ann/local\\040disk ext4 rw 0 0
//nas/share /mnt/nas cifs rw 0 0
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    file = tmp_path / "mounts"
    file.write_text(MOUNTS)
    return file


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/parley.db", None),
        ("/home/ann/parley.db", "nfs4"),
        ("/home/ann/local disk/parley.db", None),
        ("/mnt/nas/deep/down/parley.db", "cifs"),
        ("/mnt/nasty/parley.db", None),
    ],
)
def test_the_innermost_mount_decides(mounts: Path, path: str, kind: str | None) -> None:
    assert network_kind(Path(path), mounts) == kind


def test_where_mounts_are_not_told_the_disk_is_taken_for_local(tmp_path: Path) -> None:
    assert network_kind(tmp_path, tmp_path / "absent") is None


def test_a_network_disk_is_refused(tmp_path: Path, mounts: Path) -> None:
    mounts.write_text(f"server:/ {tmp_path} nfs rw 0 0\n")
    with pytest.raises(StoreFailed, match=r"network file system \(nfs\)"):
        prepare(tmp_path / "parley.db", mounts)
    assert not (tmp_path / "parley.db").exists()


def test_paths_are_read_from_urls() -> None:
    assert database_path("sqlite:///data/parley.db") == Path("data/parley.db")
    assert database_path("sqlite:////var/lib/parley.db") == Path("/var/lib/parley.db")
