"""Files are made, found and opened inside a workspace, and nowhere else."""

import os
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway import workspace
from gateway.errors import Refused
from gateway.ids import AgentId, PersonId
from gateway.workspace import (
    check_room,
    clean_name,
    files_beneath,
    move_group_workspace,
    open_beneath,
    read_beneath,
    save_asset,
    setup_group_workspace,
    setup_system_workspace,
    setup_user_workspace,
    setup_workspace,
    share_workspace,
    user_assets_dir,
    user_skills_dir,
    write_beneath,
)

MAIN = AgentId("main")
AT = 1_800_000_000.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A person's workspace, beside a secret that is not theirs."""
    (tmp_path / "secret").write_text("canary")
    return setup_user_workspace(MAIN, tmp_path, PersonId("p1"))


@contextmanager
def opened(root: Path, relative: str) -> Iterator[int]:
    descriptor = open_beneath(root, relative)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_directories_are_those_of_the_layout(tmp_path: Path) -> None:
    agent = setup_workspace(MAIN, tmp_path)
    person = setup_user_workspace(MAIN, tmp_path, PersonId("p1"))
    group = setup_group_workspace(MAIN, tmp_path, "main:group:chat/1")
    system = setup_system_workspace(MAIN, tmp_path)

    assert agent == tmp_path / "workspaces/main"
    assert person == agent / "users/p1"
    assert group == agent / "groups/main%3Agroup%3Achat%2F1"
    assert system == agent / "system"
    assert user_skills_dir(agent).is_dir()
    assert user_skills_dir(person).is_dir()
    assert user_assets_dir(person).is_dir()
    assert (person / "data").is_dir()
    assert user_assets_dir(group).is_dir()


def test_directories_are_private(tmp_path: Path) -> None:
    person = setup_user_workspace(MAIN, tmp_path / "data", PersonId("p1"))
    for directory in (user_assets_dir(person), *user_assets_dir(person).parents[:5]):
        assert mode(directory) == 0o700, directory


def test_setting_up_again_keeps_what_is_there(root: Path) -> None:
    (root / "data/kept.txt").write_text("kept")
    again = setup_user_workspace(MAIN, root.parents[3], PersonId("p1"))
    assert (again / "data/kept.txt").read_text() == "kept"


@given(st.text(), st.text())
@example("..", "%2E.")
@example("", "%")
@example("a/b", "a%2Fb")
@example("é" * 300, "é" * 301)
def test_t36_ids_become_one_name_each_and_never_share_it(one: str, other: str) -> None:
    names = workspace._quoted(one), workspace._quoted(other)
    for name in names:
        assert name not in {"", ".", ".."}
        assert "/" not in name
        assert len(name) <= 200
    assert (names[0] == names[1]) == (one == other)


BAD_NAMES = [
    "../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows\\system.ini",
    "C:\\Users\\me\\secret.txt",
    "nul\0byte.txt",
    "CON",
    "..",
    "...",
    "",
    "/",
    ".bashrc",
    "invoice\u202efdp.exe",
    "line\nbreak\r.txt",
    "x" * 300 + ".jpeg",
    "日" * 300 + ".png",
    "\ud800.txt",
    "a" * 5 + "." + "b" * 300,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_t36_a_hostile_name_is_saved_inside_under_a_plain_one(root: Path, name: str) -> None:
    saved = save_asset(user_assets_dir(root), name, b"data", at=AT)
    assert saved.parent == root / "assets"
    assert saved.read_bytes() == b"data"
    assert mode(saved) == 0o600
    assert saved.name.startswith("20270115-080000-")
    assert saved.name.isprintable()


def test_t36_a_long_name_keeps_its_extension() -> None:
    assert clean_name("x" * 300 + ".jpeg").endswith("x.jpeg")
    assert clean_name("日" * 300 + ".png").endswith("日.png")


@given(st.text())
def test_t36_a_clean_name_is_one_short_visible_name(name: str) -> None:
    clean = clean_name(name)
    assert clean not in {"", ".", ".."}
    assert not set(clean) & set('/\\\0<>:"|?*')
    assert not clean.startswith(".")
    assert len(clean.encode()) <= 180
    assert clean_name(clean) == clean


def test_the_same_name_twice_is_two_files(root: Path) -> None:
    saved = {save_asset(user_assets_dir(root), "a.txt", b"", at=AT) for _ in range(20)}
    assert len(saved) == 20


def test_t37_assets_that_became_a_link_take_nothing(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    user_assets_dir(root).rmdir()
    user_assets_dir(root).symlink_to(elsewhere)
    with pytest.raises(OSError, match="assets"):
        save_asset(user_assets_dir(root), "a.txt", b"data", at=AT)
    assert list(elsewhere.iterdir()) == []


def test_a_file_is_opened_by_path_and_by_descriptor(root: Path) -> None:
    (root / "data/a.txt").write_text("hello")
    held = os.open(root, os.O_RDONLY)
    try:
        assert read_beneath(held, "./data//a.txt") == b"hello"
        assert read_beneath(root, "data/a.txt", limit=2) == b"he"
        assert files_beneath(held, "data", 10) == [("data/a.txt", 5)]
    finally:
        os.close(held)


OUTSIDE = [
    "../secret",
    "data/../../../../../secret",
    "/etc/passwd",
    "//etc/passwd",
    "data/..",
    "..",
    ".",
    "",
    "data",
    "data/missing",
    "data/nul\0.txt",
    "\ud800",
    "\udfff",
    "~/.ssh/id_ed25519",
    "\\\\host\\share\\file",
    "file:///etc/passwd",
    "a/" * 200 + "b",
    "x" * 5000,
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_t36_paths_that_lead_out_or_nowhere_are_not_opened(root: Path, path: str) -> None:
    with pytest.raises(OSError, match=r".+"), opened(root, path):
        pass


@given(st.lists(st.sampled_from(["..", ".", "", "data", "secret", "users", "/", "~", "a.txt"])))
def test_t36_no_mixture_of_names_climbs_out(parts: list[str]) -> None:
    try:
        names = workspace._names("/".join(parts))
    except OSError:
        return
    assert not {"..", ".", ""} & set(names)


def test_t37_links_are_never_followed(root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    (root / "data/link").symlink_to(secret)
    (root / "data/loop").symlink_to("loop")
    (root / "data/up").symlink_to(tmp_path)
    (root / "data/inside").symlink_to(root / "assets")
    (root / "assets/a.txt").write_text("reachable by its own name only")
    for path in ("data/link", "data/loop", "data/up/secret", "data/inside/a.txt"):
        with pytest.raises(OSError, match=r".+"), opened(root, path):
            pass
    assert files_beneath(root, "data", 10) == []


def test_t37_a_second_name_of_a_file_elsewhere_is_refused(root: Path, tmp_path: Path) -> None:
    (root / "data/hard").hardlink_to(tmp_path / "secret")
    with pytest.raises(PermissionError, match="not a plain file"), opened(root, "data/hard"):
        pass


def test_t37_a_second_name_removed_just_after_opening_is_refused_too(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = root / "data/hard"
    link.hardlink_to(tmp_path / "secret")
    count_names = os.fstat

    def count_late(descriptor: int) -> os.stat_result:
        link.unlink(missing_ok=True)
        return count_names(descriptor)

    monkeypatch.setattr(os, "fstat", count_late)
    with pytest.raises(PermissionError, match="not a plain file"), opened(root, "data/hard"):
        pass


def test_t37_pipes_and_sockets_are_refused_at_once(root: Path) -> None:
    os.mkfifo(root / "data/pipe")
    with pytest.raises(PermissionError, match="not a plain file"), opened(root, "data/pipe"):
        pass


def test_t37_a_link_swapped_in_while_reading_never_shows_the_secret(
    root: Path, tmp_path: Path
) -> None:
    """A name flips between a file, a link and a hard link; a folder between itself and a link."""
    seen = set()
    with flipping(root, tmp_path):
        for _ in range(10_000):
            for path in ("data/flip", "turn/secret"):
                try:
                    seen.add(read_beneath(root, path))
                except OSError:
                    continue
    assert b"canary" not in seen
    assert b"mine" in seen


def test_t37_a_link_swapped_in_while_writing_never_changes_the_secret(
    root: Path, tmp_path: Path
) -> None:
    with flipping(root, tmp_path):
        for _ in range(300):
            for path in ("data/flip", "turn/secret"):
                try:
                    write_beneath(root, path, b"mine")
                except OSError:
                    continue
    assert (tmp_path / "secret").read_text() == "canary"


@contextmanager
def flipping(root: Path, outside: Path) -> Iterator[None]:
    """Swap links in and out from another thread until the body is done."""
    for folder in ("real", "turn"):
        (root / folder).mkdir()
        (root / folder / "secret").write_text("mine")
    done = threading.Event()

    def flip() -> None:
        spare = root / "spare"
        while not done.is_set():
            spare.write_text("mine")
            spare.replace(root / "data/flip")
            spare.symlink_to(outside / "secret")
            spare.replace(root / "data/flip")
            spare.hardlink_to(outside / "secret")
            spare.replace(root / "data/flip")
            flip_folder(root, outside)

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def flip_folder(root: Path, outside: Path) -> None:
    folder, away = root / "turn", root / "away"
    folder.rename(away)
    with suppress(FileExistsError):  # a writer has made the folder meanwhile
        folder.symlink_to(outside)
        folder.unlink()
    while away.exists():
        with suppress(OSError):
            shutil.rmtree(folder, ignore_errors=True)
            away.rename(folder)


def test_a_file_is_replaced_whole_with_the_folders_above_it(root: Path) -> None:
    write_beneath(root, "notes/2026/a.txt", b"one")
    write_beneath(root, "notes/2026/a.txt", b"two")
    assert (root / "notes/2026/a.txt").read_bytes() == b"two"
    assert mode(root / "notes/2026/a.txt") == 0o600
    assert mode(root / "notes") == 0o700
    assert [path for path, _ in files_beneath(root, "", 10)] == ["notes/2026/a.txt"]


def test_t37_writing_replaces_a_link_and_spares_its_target(root: Path, tmp_path: Path) -> None:
    (root / "data/link").symlink_to(tmp_path / "secret")
    (root / "data/hard").hardlink_to(tmp_path / "secret")
    write_beneath(root, "data/link", b"mine")
    write_beneath(root, "data/hard", b"mine")
    assert (tmp_path / "secret").read_text() == "canary"
    assert read_beneath(root, "data/link") == b"mine"


def test_a_folder_is_not_replaced_by_a_file(root: Path) -> None:
    with pytest.raises(IsADirectoryError):
        write_beneath(root, "data", b"x")
    assert files_beneath(root, "", 10) == []


def test_files_are_listed_in_order_and_to_a_bound(root: Path) -> None:
    for name in ("b.txt", "a.txt", "sub/c.txt"):
        write_beneath(root, f"data/{name}", b"12")
    assert files_beneath(root, "data", 10) == [
        ("data/a.txt", 2),
        ("data/b.txt", 2),
        ("data/sub/c.txt", 2),
    ]
    assert files_beneath(root, "", 2) == [("data/a.txt", 2), ("data/b.txt", 2)]
    with pytest.raises(PermissionError):
        files_beneath(root, "..", 10)


def test_t40_a_full_workspace_takes_no_more(root: Path) -> None:
    write_beneath(root, "a", b"x" * 10_000, quota=35_000)
    with pytest.raises(Refused, match="no room"):
        write_beneath(root, "b", b"x" * 10_000, quota=35_000)
    assert [path for path, _ in files_beneath(root, "", 10)] == ["a"]


def test_t40_many_empty_files_fill_a_workspace_too(root: Path) -> None:
    for number in range(10):
        write_beneath(root, f"data/{number}", b"")
    with pytest.raises(Refused, match="no room"):
        check_room(root, 1, quota=40_960)


def test_t40_the_last_of_the_disk_is_left_to_the_store(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "KEEP_FREE", 1 << 60)
    with pytest.raises(Refused, match="disk is almost full"):
        save_asset(user_assets_dir(root), "a.txt", b"x", at=AT)
    assert list(user_assets_dir(root).iterdir()) == []


def test_a_persons_files_are_shared_as_copies_that_lose_nothing(tmp_path: Path) -> None:
    agent, old, new = AgentId("main"), PersonId("p_old"), PersonId("p_new")
    share_workspace(agent, tmp_path, old, new)  # nothing to share, and nothing is made
    assert not (tmp_path / "workspaces").exists()
    source, target = (setup_user_workspace(agent, tmp_path, one) for one in (old, new))
    write_beneath(source, "data/a.txt", b"old a")
    write_beneath(source, "data/sub/b.txt", b"old b")
    write_beneath(target, "data/a.txt", b"new a")
    outside = tmp_path / "secret"
    outside.write_text("secret")
    (source / "data/link").symlink_to(outside)
    (target / "data/c.txt").symlink_to(outside)
    write_beneath(source, "data/c.txt", b"old c")
    for _ in range(2):
        share_workspace(agent, tmp_path, old, new)
    assert read_beneath(target, "data/a.txt") == b"new a"
    assert read_beneath(target, "data/sub/b.txt") == b"old b"
    assert read_beneath(source, "data/sub/b.txt") == b"old b"
    assert outside.read_text() == "secret"
    assert not (target / "data/link").exists()


def test_a_group_whose_move_is_told_twice_moves_once(tmp_path: Path) -> None:
    """As by Telegram, which tells it in the old group and in the new one, at the same moment."""
    old = setup_group_workspace(MAIN, tmp_path, "old")
    (old / "data/kept.txt").write_text("kept")
    for _ in range(2):
        move_group_workspace(MAIN, tmp_path, "old", "new")
    new = setup_group_workspace(MAIN, tmp_path, "new")
    assert not old.exists()
    assert (new / "data/kept.txt").read_text() == "kept"


def test_a_group_that_loses_its_directory_while_it_moves_has_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(path: Path, target: Path) -> None:
        path.replace(target)
        path.replace(target)  # as whoever is second does

    old = setup_group_workspace(MAIN, tmp_path, "old")
    monkeypatch.setattr(Path, "rename", rename)
    move_group_workspace(MAIN, tmp_path, "old", "new")
    assert not old.exists()
    assert setup_group_workspace(MAIN, tmp_path, "new").is_dir()
