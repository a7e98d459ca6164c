import os
import sqlite3
import stat
from pathlib import Path

import pytest

from gateway.errors import ConfigInvalid, StoreFailed
from gateway.store.schema import VERSION
from gateway.store.store import SqlStore
from tests.fakes.clock import FakeClock


def store_at(path: Path, *, read_only: bool = False) -> SqlStore:
    return SqlStore(f"sqlite:///{path}", clock=FakeClock(), read_only=read_only)


async def made(path: Path) -> None:
    store = store_at(path)
    await store.open()
    await store.cursors.save("name", "kept")
    await store.close()


async def refused(path: Path, *, read_only: bool = False) -> str:
    """Open what cannot be opened, and return the one line that says why."""
    with pytest.raises(StoreFailed) as failure:
        await store_at(path, read_only=read_only).open()
    assert "\n" not in str(failure.value)
    return str(failure.value)


async def test_a_database_outlives_its_process(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "parley.db"
    await made(path)
    store = store_at(path)
    await store.open()
    assert await store.cursors.load("name") == "kept"
    await store.close()


async def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "parley.db"
    store = store_at(path)
    await store.open()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes) == {"parley.db", "parley.db-wal", "parley.db-shm", "parley.db.lock"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await store.close()
    assert not path.with_name("parley.db-wal").exists()


async def test_every_commit_reaches_the_disk(tmp_path: Path) -> None:
    store = store_at(tmp_path / "parley.db")
    await store.open()
    asked = ("synchronous", "foreign_keys", "mmap_size")
    found = await store._database.write(
        lambda tx: [tx._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]
    )
    assert found == [2, 1, 0]
    await store.close()


async def test_a_store_that_is_in_use_is_refused(tmp_path: Path) -> None:
    store = store_at(tmp_path / "parley.db")
    await store.open()
    assert f"(pid {os.getpid()})" in await refused(tmp_path / "parley.db")
    await store.close()
    await made(tmp_path / "parley.db")


async def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    words = await refused(tmp_path / "file" / "parley.db")
    assert f"File exists ({tmp_path / 'file'})" in words
    assert "data_dir" in words
    (tmp_path / "parley.db").mkdir()
    assert "cannot open the database" in await refused(tmp_path / "parley.db")


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    path.write_text("Dear diary, " * 1000)
    assert "is damaged (file is not a database): restore a backup" in await refused(path)
    assert path.read_text().startswith("Dear diary")
    assert "is damaged" in await refused(path, read_only=True)


async def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (name)")
    other.close()
    assert "a database of something else" in await refused(path)
    assert "cannot open the database" in await refused(path, read_only=True)


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    await made(path)
    set_version(path, "9999")
    assert f"newer version of parley (schema 9999, this one knows {VERSION})" in await refused(path)
    assert "newer version" in await refused(path, read_only=True)


async def test_an_onlooker_makes_and_upgrades_nothing(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    assert "start the gateway once" in await refused(path, read_only=True)
    assert not path.exists()
    await made(path)
    set_version(path, "0000")
    assert "older" in await refused(path, read_only=True)


async def test_an_onlooker_reads_while_another_writes(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    owner, onlooker = store_at(path), store_at(path, read_only=True)
    await owner.open()
    await onlooker.open()
    await owner.cursors.save("name", "kept")
    assert await onlooker.cursors.load("name") == "kept"
    with pytest.raises(StoreFailed, match="for reading only"):
        await onlooker.cursors.save("name", "mine")
    await onlooker.close()
    await owner.close()


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = store_at(tmp_path / "parley.db")
    for _ in range(2):
        with pytest.raises(StoreFailed, match="the store is closed"):
            await store.cursors.load("name")
        with pytest.raises(StoreFailed, match="the store is closed"):
            await store.cursors.save("name", "1")
        await store.open()
        await store.close()


@pytest.mark.parametrize(
    "url", ["parley.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "postgresql://h/d",
            "sqlite:///a.db?mode=ro"],
)  # fmt: skip
def test_a_wrong_url_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"store\.url: must be sqlite:///path"):
        SqlStore(url, clock=FakeClock())


async def test_check_tells_versions_and_sizes(tmp_path: Path) -> None:
    store = store_at(tmp_path / "parley.db")
    await store.open()
    words = await store.check()
    for part in (sqlite3.sqlite_version, f"schema {VERSION}", "parley.db", "MB", "0 waiting"):
        assert part in words
    assert "\n" not in words
    await store.close()


def set_version(path: Path, version: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.close()
