"""Where the database is: from a URL to a file on a disk that can be trusted."""

import os
from contextlib import suppress
from pathlib import Path

from gateway.errors import ConfigInvalid, StoreFailed

_SCHEME = "sqlite:///"
_NETWORK = frozenset({
    "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.ceph", "fuse.glusterfs", "fuse.rclone",
    "fuse.s3fs", "fuse.sshfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs",
})  # fmt: skip
_MOUNTS = Path("/proc/mounts")


def database_path(url: str) -> Path:
    """Return the file that `sqlite:///path` names."""
    path = url.removeprefix(_SCHEME)
    if path == url or not path or "?" in path or path == ":memory:":
        raise ConfigInvalid(
            "store.url", "must be sqlite:///path, with one more slash for an absolute path"
        )
    return Path(path)


def prepare(path: Path, mounts: Path = _MOUNTS) -> None:
    """Make the database's directory, and the file itself, for the owner's eyes only.

    Raises:
        OSError: they cannot be made.
        StoreFailed: the file would be on a network file system.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kind = network_kind(path, mounts)
    if kind is not None:
        raise StoreFailed(
            f"the database {path} would be on a network file system ({kind}), whose locks "
            "cannot be relied on: put it on a local disk by data_dir or store.url"
        )
    path.touch(mode=0o600)
    if not path.stat().st_size:
        _sync_folders(path)


def _sync_folders(path: Path) -> None:
    """Have the names of all folders on the way on the disk, as any may have just been made."""
    for folder in path.absolute().parents:
        # One that is not ours to read was not made by us; some file systems cannot do it at all.
        with suppress(OSError):
            file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(file)
            finally:
                os.close(file)


def network_kind(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """Name the network file system that holds `path`; None if it is local or not known."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    place = path.absolute().resolve()
    kind, longest = "", -1
    for line in lines:
        _, point, found, *_ = line.split(" ")
        root = Path(point.replace("\\040", " "))
        if place.is_relative_to(root) and len(root.parts) >= longest:
            kind, longest = found, len(root.parts)
    return kind if kind in _NETWORK else None
