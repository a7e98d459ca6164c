"""Directories for agents, people and groups, and files that are only ever opened inside them.

Every path from outside is walked name by name from a held directory, and no link is
followed. Everything here blocks: call it from a thread.
"""

import errno
import hashlib
import os
import secrets
import shutil
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from glob import escape as glob_escape
from itertools import islice
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

from gateway.errors import Refused
from gateway.ids import AgentId, PersonId, TurnId

QUOTA = 200_000_000
"""Bytes that one workspace may hold."""
KEEP_FREE = 1_000_000_000
"""Bytes of the disk that are left for the store."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_BLOCK = 4096
"""What the smallest file costs, so that a quota bounds the number of files too."""
_DEPTH = 16
_NAME_CHARACTERS = 80
_NAME_BYTES = 180
_EXTENSION_CHARACTERS = 16
_QUOTED_CHARACTERS = 200
_SHARED_AT_MOST = 2_000


def setup_workspace(agent: AgentId, base: Path) -> Path:
    """Make `workspaces/{agent}/.agents/skills` and return the agent's directory."""
    root = base / "workspaces" / _quoted(agent)
    return _setup(base, root, ".agents/skills")


def setup_user_workspace(agent: AgentId, base: Path, person: PersonId) -> Path:
    """Make a person's directory with skills, data and assets, and return it."""
    root = base / "workspaces" / _quoted(agent) / "users" / _quoted(person)
    return _setup(base, root, ".agents/skills", "data", "assets")


def setup_group_workspace(agent: AgentId, base: Path, group: str) -> Path:
    """As for a person, for a place that its members share; `group` is any text."""
    root = base / "workspaces" / _quoted(agent) / "groups" / _quoted(group)
    return _setup(base, root, ".agents/skills", "data", "assets")


def move_group_workspace(agent: AgentId, base: Path, old: str, new: str) -> None:
    """Give a group's directory to its new name, unless that has one of its own.

    A platform may tell of one move in both places at once: whoever comes second finds it done.
    """
    groups = base / "workspaces" / _quoted(agent) / "groups"
    if not (groups / _quoted(new)).exists():
        with suppress(FileNotFoundError):
            (groups / _quoted(old)).rename(groups / _quoted(new))


def share_workspace(agent: AgentId, base: Path, source: PersonId, target: PersonId) -> None:
    """Copy a person's files to another's, where no file has the name yet and while there is room.

    The originals stay for an undo.
    """
    users = base / "workspaces" / _quoted(agent) / "users"
    if not (users / _quoted(source)).is_dir():
        return
    own, into = users / _quoted(source), setup_user_workspace(agent, base, target)
    with suppress(OSError, Refused):
        for path, _ in files_beneath(own, "", _SHARED_AT_MOST):
            if not _is_file(into, path):
                write_beneath(into, path, read_beneath(own, path))


def user_workspaces(base: Path, person: PersonId) -> list[tuple[str, Path]]:
    """Return a person's directories with the names of the agents, those of former ones too."""
    found = sorted((base / "workspaces").glob(f"*/users/{glob_escape(_quoted(person))}"))
    return [(unquote(path.parents[1].name), path) for path in found]


def erase_user_workspaces(base: Path, person: PersonId) -> None:
    for _, root in user_workspaces(base, person):
        shutil.rmtree(root, ignore_errors=True)


def erase_group_file(agent: AgentId, base: Path, group: str, path: str) -> None:
    """Remove a file from a place's directory, should it be there."""
    folders, name = _split(path)
    root = base / "workspaces" / _quoted(agent) / "groups" / _quoted(group)
    with suppress(OSError), _directory(root, folders) as held:
        os.unlink(name, dir_fd=held)


def erase_old_files(base: Path, before: float) -> int:
    """Remove files of people and places that nobody has changed since then; count them."""
    erased = 0
    for root in [*base.glob("workspaces/*/users/*"), *base.glob("workspaces/*/groups/*")]:
        for directory, _, names, held in os.fwalk(root):
            if ".agents" not in Path(directory).relative_to(root).parts:
                erased += sum(_erase_if_old(held, name, before) for name in names)
    return erased


def _erase_if_old(directory: int, name: str, before: float) -> bool:
    with suppress(FileNotFoundError):
        if os.stat(name, dir_fd=directory, follow_symlinks=False).st_mtime < before:
            os.unlink(name, dir_fd=directory)
            return True
    return False


def _is_file(root: Path, relative: str) -> bool:
    try:
        os.close(open_beneath(root, relative))
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def outgoing_dir(base: Path, turn: TurnId) -> Path:
    """Return where a turn's files wait to be sent; nobody but the gateway writes there."""
    return base / "outgoing" / turn


def setup_system_workspace(agent: AgentId, base: Path) -> Path:
    """Make the directory for work that nobody in particular asked for."""
    return _setup(base, base / "workspaces" / _quoted(agent) / "system", "data")


def user_assets_dir(workspace: Path) -> Path:
    """Return where files that people send are kept."""
    return workspace / "assets"


def user_skills_dir(workspace: Path) -> Path:
    return workspace / ".agents" / "skills"


def make_private(directory: Path, *, beneath: Path) -> Path:
    """Make a directory, and each above it up to `beneath`, for our eyes only."""
    for step in reversed([directory, *directory.relative_to(beneath).parents[:-1]]):
        (beneath / step).mkdir(mode=0o700, exist_ok=True)
    return directory


def _setup(base: Path, root: Path, *inner: str) -> Path:
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in inner:
        make_private(root / name, beneath=base)
    return root


def _quoted(name: str) -> str:
    """Write any id as one directory name; different ids never share one."""
    written = quote(name, safe="", errors="surrogatepass") or "%"
    if written.startswith("."):
        written = f"%2E{written[1:]}"
    if len(written) <= _QUOTED_CHARACTERS:
        return written
    # Quoting never writes "%-", so a shortened name is no other id's whole name.
    digest = hashlib.sha256(written.encode()).hexdigest()[:32]
    return f"{written[: _QUOTED_CHARACTERS - 34]}%-{digest}"


def save_asset(assets_dir: Path, file_name: str, data: bytes, *, at: float) -> Path:
    """Keep a file that somebody sent, under a name that is safe and its own.

    Raises:
        Refused: the workspace or the disk is full, in words for the user.
    """
    check_room(assets_dir.parent, len(data))
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y%m%d-%H%M%S")
    name = f"{moment}-{secrets.token_hex(3)}-{clean_name(file_name)}"
    with _directory(assets_dir, ()) as held:
        _write_new(held, name, data)
    return assets_dir / name


def clean_name(name: str) -> str:
    """Return the last part of a file name, without what could mislead or escape."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    visible = "".join(map(_clean_character, unicodedata.normalize("NFC", last)))
    stem, extension = _split_extension(visible.strip(" ."))
    return f"{_cut(stem)}{extension}" or "file"


def _clean_character(character: str) -> str:
    if unicodedata.category(character)[0] == "C":
        return ""
    return "_" if character in '<>:"|?*' or character.isspace() else character


def _split_extension(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > _EXTENSION_CHARACTERS:
        return name, ""
    return stem, dot + extension


def _cut(text: str) -> str:
    short = text[:_NAME_CHARACTERS].encode()[: _NAME_BYTES - 4 * _EXTENSION_CHARACTERS]
    return short.decode(errors="ignore")


def check_room(workspace: Path, size: int, quota: int = QUOTA) -> None:
    """Raise `Refused`, in words for the user, when `size` more bytes are too many."""
    if _used(workspace) + size > quota:
        raise Refused(f"There is no room: files may take {quota // 1_000_000} MB in all.")
    check_disk(workspace, size)


def check_disk(directory: Path, size: int) -> None:
    """Raise `Refused`, in words for the user, when the store would be left too little."""
    if shutil.disk_usage(directory).free - size < KEEP_FREE:
        raise Refused("The disk is almost full, so no file can be saved now.")


def _used(workspace: Path) -> int:
    used = 0
    for directory, folders, files in os.walk(workspace):
        used += _BLOCK * len(folders)
        for name in files:
            with suppress(FileNotFoundError):
                used += max(_BLOCK, os.lstat(Path(directory, name)).st_size)
    return used


def open_beneath(root: Path | int, relative: str) -> int:
    """Open one plain file for reading, beneath a directory given as path or descriptor.

    Raises:
        OSError: no such file, or the path is absolute, climbs, meets a link, or names
            what is no plain file or has a second name somewhere else.
    """
    folders, name = _split(relative)
    # Without O_NONBLOCK a named pipe would hold us until somebody writes to it.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with _directory(root, folders) as held:
        opened = os.open(name, flags, dir_fd=held)
    try:
        _check_plain(opened, name, relative)
    except OSError:
        os.close(opened)
        raise
    return opened


def _check_plain(opened: int, name: str, relative: str) -> None:
    status = os.fstat(opened)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder", relative)
    is_only_name = status.st_nlink == 1 and _still_has(opened, name)
    if not stat.S_ISREG(status.st_mode) or not is_only_name:
        raise PermissionError(errno.EACCES, "is not a plain file", relative)


def _still_has(opened: int, name: str) -> bool:
    """Say whether the name that a file was opened by stands until now.

    A second name of a file elsewhere, removed between opening and counting, would leave a
    count of one. The kernel marks the removed name for good, even if it is made again.
    """
    try:
        return Path(f"/proc/self/fd/{opened}").readlink().name == name
    except FileNotFoundError:  # a system without /proc has only the count
        return True


def read_beneath(root: Path | int, relative: str, limit: int = QUOTA) -> bytes:
    """Return a file's bytes, at most `limit` of them."""
    with os.fdopen(open_beneath(root, relative), "rb") as file:
        return file.read(limit)


def write_beneath(root: Path, relative: str, data: bytes, quota: int = QUOTA) -> None:
    """Make or replace a file, wholly or not at all, with the folders above it."""
    folders, name = _split(relative)
    check_room(root, len(data), quota)
    with _directory(root, folders, make=True) as held:
        draft = f".{secrets.token_hex(8)}.part"
        _write_new(held, draft, data)
        try:
            os.rename(draft, name, src_dir_fd=held, dst_dir_fd=held)
        except OSError:
            os.unlink(draft, dir_fd=held)
            raise


def files_beneath(root: Path | int, relative: str, limit: int) -> list[tuple[str, int]]:
    """Return up to `limit` plain files with their sizes, as paths beneath `root`, in order.

    Raises:
        OSError: as `open_beneath`, for the folder that `relative` names ("" is `root`).
    """
    folders = _names(relative)
    with _directory(root, folders) as held:
        return list(islice(_walk(held, PurePosixPath(*folders)), limit))


def _walk(held: int, top: PurePosixPath) -> Iterator[tuple[str, int]]:
    for directory, inner, names, here in os.fwalk(".", dir_fd=held):
        where = top / directory
        inner.sort()
        if len(where.parts) >= _DEPTH:
            inner.clear()
        for name in sorted(names):
            with suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=here, follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                    yield str(where / name), status.st_size


def _split(relative: str) -> tuple[list[str], str]:
    names = _names(relative)
    if not names:
        raise IsADirectoryError(errno.EISDIR, "is a folder", relative)
    return names[:-1], names[-1]


def _names(relative: str) -> list[str]:
    names = [name for name in relative.split("/") if name not in {"", "."}]
    if relative.startswith("/") or ".." in names:
        raise PermissionError(errno.EACCES, "leads out of the workspace", relative)
    if len(names) > _DEPTH:
        raise OSError(errno.ENAMETOOLONG, "is too deep", relative)
    if "\0" in relative or not _is_encodable(relative):
        raise FileNotFoundError(errno.ENOENT, "is no name a file can have", relative)
    return names


def _is_encodable(name: str) -> bool:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _directory(root: Path | int, folders: Sequence[str], *, make: bool = False) -> Iterator[int]:
    held = os.dup(root) if isinstance(root, int) else os.open(root, _DIRECTORY)
    try:
        for folder in folders:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(folder, 0o700, dir_fd=held)
            inner = os.open(folder, _DIRECTORY, dir_fd=held)
            os.close(held)
            held = inner
        yield held
    finally:
        os.close(held)


def _write_new(directory: int, name: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=directory), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
