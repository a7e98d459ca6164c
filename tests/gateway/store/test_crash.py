"""Kills, full disks and broken files: nothing acknowledged is lost, nothing half is kept."""

import asyncio
import resource
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from gateway.contracts.inbox import KeepOutcome
from gateway.errors import StoreBusy, StoreFailed
from gateway.ids import AgentId, Lane
from gateway.messages import Message
from gateway.store.statements import Transaction
from gateway.store.store import SqlStore
from tests.fakes.clock import FakeClock
from tests.fakes.read_only_disk import read_only_for_sqlite
from tests.gateway.store.keeper import NO_BOUNDS
from tests.messages import keep_one, message

ROOT = Path(__file__).parents[3]


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(url_of(path), clock=FakeClock(), queues=NO_BOUNDS)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def keeper(path: Path, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `keeper.py` until it is killed, here at the latest."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gateway.store.keeper", url_of(path), name,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"open\n"
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def keep(store: SqlStore, given: Message) -> KeepOutcome:
    return await keep_one(
        store.inbox,
        given,
        lane=Lane("lane"),
        session_key="lane",
        agent=AgentId("main"),
        person=None,
    )


async def kept_texts(store: SqlStore) -> list[str]:
    texts = []
    for lane in await store.inbox.waiting_lanes():
        while (head := await store.inbox.head(lane)) is not None:
            texts.append(head.message.text)
            await store.inbox.close(head, "done")
    return texts


async def test_r1_what_was_acknowledged_survives_kills(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    told: set[str] = set()
    for life in ("first", "second", "third"):
        async with keeper(path, life) as process:
            assert process.stdout is not None
            for _ in range(150):
                told.add((await process.stdout.readline()).decode().strip())
            process.kill()
            rest = (await process.stdout.read()).decode()
            told.update(rest.rpartition("\n")[0].split())
    async with opened(path) as store:
        kept = await kept_texts(store)
    assert told <= set(kept)
    assert len(kept) == len(set(kept))


async def test_r1_an_onlooker_can_read_what_a_killed_process_left(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    async with keeper(path, "it") as process:
        assert process.stdout is not None
        await process.stdout.readline()
        onlooker = SqlStore(url_of(path), clock=FakeClock(), read_only=True)
        await onlooker.open()
        assert await onlooker.inbox.waiting() >= 1
        await onlooker.close()
    onlooker = SqlStore(url_of(path), clock=FakeClock(), read_only=True)
    await onlooker.open()
    assert await onlooker.inbox.waiting() >= 1
    await onlooker.close()


async def test_a_second_process_is_told_which_one_has_the_store(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    async with keeper(path, "it") as process:
        with pytest.raises(StoreFailed, match=rf"another parley process \(pid {process.pid}\)"):
            await SqlStore(url_of(path), clock=FakeClock()).open()
        assert process.stdout is not None
        await process.stdout.readline()
        process.kill()
        await process.wait()
        async with opened(path) as store:
            assert await store.inbox.waiting() > 0


@asynccontextmanager
async def full_disk(store: SqlStore) -> AsyncIterator[None]:
    """Let the database grow by no page while the body runs."""

    def limit(pages: str) -> None:
        def operation(transaction: Transaction) -> None:
            transaction._connection.execute(f"PRAGMA max_page_count={pages}")

        store._database.write_later(operation)

    limit("1")
    try:
        yield
    finally:
        limit("1000000")


async def test_r1_a_full_disk_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    async with opened(path) as store:
        assert await keep(store, message("before")) is KeepOutcome.KEPT
        async with full_disk(store):
            big = [message(f"{number} " + "x" * 20_000) for number in range(30)]
            outcomes = await asyncio.gather(
                *(keep(store, given) for given in big), return_exceptions=True
            )
        assert {type(outcome) for outcome in outcomes} <= {KeepOutcome, StoreBusy}
        refused = [outcome for outcome in outcomes if isinstance(outcome, StoreBusy)]
        assert len(refused) > 20
        assert "the disk is full" in str(refused[0])
        again = [given for given, was in zip(big, outcomes, strict=True) if was in refused]
        for given in again:
            assert await keep(store, given) is KeepOutcome.KEPT
        assert len(await kept_texts(store)) == 31


@contextmanager
def no_file_grows_beyond(size: int) -> Iterator[None]:
    """Make the system refuse writes past `size`, as a failing disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_r1_a_failing_disk_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    async with opened(path) as store:
        assert await keep(store, message("before")) is KeepOutcome.KEPT
        log = path.with_name("parley.db-wal")
        given = [message(f"{number} " + "x" * 100_000) for number in range(3)]
        with no_file_grows_beyond(log.stat().st_size + 4096):
            for each in given:
                with pytest.raises(StoreBusy, match="the disk reports an error"):
                    await keep(store, each)
        assert await store.inbox.waiting() == 1
        for each in given:
            assert await keep(store, each) is KeepOutcome.KEPT
        assert len(await kept_texts(store)) == 4


async def test_another_programs_lock_is_waited_for_then_told(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    async with opened(path) as store:
        await store.cursors.save("name", "1")
        store._database.write_later(_impatience)
        other = sqlite3.connect(path, isolation_level=None)
        await store.cursors.save("name", "2")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="another process holds a lock"):
            await store.cursors.save("name", "3")
        other.execute("ROLLBACK")
        other.close()
        await store.cursors.save("name", "4")
        assert await store.cursors.load("name") == "4"


def _impatience(transaction: Transaction) -> None:
    transaction._connection.execute("PRAGMA busy_timeout=10")


def break_the_lanes(path: Path) -> None:
    """Overwrite the first page of an index that opening does not read."""
    connection = sqlite3.connect(path)
    asked = "SELECT rootpage FROM sqlite_master WHERE name = 'inbox_waiting'"
    (page,) = connection.execute(asked).fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)


async def test_a_database_that_was_not_closed_is_looked_through(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    async with opened(path) as store:
        await keep(store, message())
    break_the_lanes(path)
    async with opened(path):
        pass  # closed in order: what was well is not read again
    path.with_name("parley.db.lock").write_text("4711")
    with pytest.raises(StoreFailed, match=r"^the database .* is damaged .*: restore a backup"):
        await SqlStore(url_of(path), clock=FakeClock()).open()


async def test_damage_that_shows_later_is_told_with_its_cure(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    async with opened(path) as store:
        await keep(store, message())
    break_the_lanes(path)
    async with opened(path) as store:
        with pytest.raises(StoreFailed, match="restore a backup"):
            await store.inbox.waiting_lanes()
        with pytest.raises(StoreFailed, match="restore a backup"):
            await keep(store, message())


async def test_r1_a_disk_that_becomes_read_only_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    is_read_only = False
    with read_only_for_sqlite(lambda: is_read_only):
        async with opened(path) as store:
            assert await keep(store, message("before")) is KeepOutcome.KEPT
            given = [message(str(number)) for number in range(3)]
            is_read_only = True
            for each in given:
                with pytest.raises(StoreBusy, match="the disk reports an error"):
                    await keep(store, each)
            assert await store.inbox.waiting() == 1
            with pytest.raises(StoreFailed, match="read-only"):
                await SqlStore(url_of(tmp_path / "new.db"), clock=FakeClock()).open()
            is_read_only = False
            for each in given:
                assert await keep(store, each) is KeepOutcome.KEPT
            assert len(await kept_texts(store)) == 4
