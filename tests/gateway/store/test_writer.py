import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.errors import StoreBusy, StoreFailed
from gateway.store.statements import Transaction
from gateway.store.writer import Writer


class Log:
    """A table of words, and every transaction that was committed to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.groups = 0

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE IF NOT EXISTS words (word UNIQUE)")
        connection.set_trace_callback(self._count)
        return connection

    def _count(self, sql: str) -> None:
        self.groups += sql == "COMMIT"

    def words(self) -> list[str]:
        connection = sqlite3.connect(self.path)
        words = [word for (word,) in connection.execute("SELECT word FROM words ORDER BY rowid")]
        connection.close()
        return words


def say(word: str) -> Callable[[Transaction], str]:
    def operation(transaction: Transaction) -> str:
        transaction._connection.execute("INSERT INTO words VALUES (?)", (word,))
        return word

    return operation


class Gate:
    """An operation that holds the writer up until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self, transaction: Transaction) -> None:
        self.entered.set()
        assert self.opened.wait(10)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "words.db")


@pytest.fixture
async def writer(log: Log) -> AsyncIterator[Writer]:
    made = Writer(log.connect, lambda error: error, waiting_at_most=100)
    await made.open()
    log.groups = 0
    yield made
    await made.close()


@asynccontextmanager
async def held_up(writer: Writer) -> AsyncIterator[None]:
    """Have the writer at work for as long as the body runs."""
    gate = Gate()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(writer.run(gate))
        await asyncio.to_thread(gate.entered.wait, 10)
        try:
            yield
        finally:
            gate.opened.set()


async def asked(writer: Writer, *words: str) -> "list[asyncio.Task[str]]":
    tasks = [asyncio.create_task(writer.run(say(word))) for word in words]
    await asyncio.sleep(0)
    return tasks


async def test_a_write_is_there_once_it_returns(writer: Writer, log: Log) -> None:
    assert await writer.run(say("hello")) == "hello"
    assert log.words() == ["hello"]


async def test_one_that_comes_alone_is_committed_at_once(writer: Writer, log: Log) -> None:
    for word in "abc":
        await writer.run(say(word))
    assert log.groups == 3


async def test_what_waits_is_committed_together_in_order(writer: Writer, log: Log) -> None:
    words = [f"{number:02}" for number in range(50)]
    async with held_up(writer):
        tasks = await asked(writer, *words)
    assert await asyncio.gather(*tasks) == words
    assert log.words() == words
    assert log.groups == 2


async def test_an_operation_that_fails_fails_alone(writer: Writer, log: Log) -> None:
    def half(transaction: Transaction) -> str:
        say("half")(transaction)
        raise LookupError("no such thing")

    async with held_up(writer):
        before = await asked(writer, "a")
        failing = asyncio.create_task(writer.run(half))
        after = await asked(writer, "b", "a", "c")
    outcomes = await asyncio.gather(*before, failing, *after, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        str, LookupError, str, sqlite3.IntegrityError, str,
    ]  # fmt: skip
    assert log.words() == ["a", "b", "c"]
    assert log.groups == 2


async def test_an_operation_sees_those_before_it(writer: Writer) -> None:
    def count(transaction: Transaction) -> int:
        (found,) = transaction._connection.execute("SELECT count(*) FROM words").fetchone()
        return int(found)

    async with held_up(writer):
        await asked(writer, "a", "b")
        counted = asyncio.create_task(writer.run(count))
        await asyncio.sleep(0)
    assert await counted == 2


async def test_a_cancelled_caller_withdraws_what_has_not_begun(writer: Writer, log: Log) -> None:
    async with held_up(writer):
        first, second = await asked(writer, "withdrawn", "kept")
        first.cancel()
        await asyncio.sleep(0)
    assert await second == "kept"
    assert first.cancelled()
    assert log.words() == ["kept"]


async def test_a_caller_cancelled_too_late_is_kept_as_a_whole(writer: Writer, log: Log) -> None:
    entered, opened = threading.Event(), threading.Event()

    def slow(transaction: Transaction) -> str:
        entered.set()
        assert opened.wait(10)
        return say("kept")(transaction)

    task = asyncio.create_task(writer.run(slow))
    await asyncio.to_thread(entered.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    opened.set()
    await writer.run(say("next"))
    assert task.cancelled()
    assert log.words() == ["kept", "next"]


async def test_a_commit_that_fails_undoes_its_whole_group(writer: Writer, log: Log) -> None:
    def spoil(transaction: Transaction) -> None:
        # As SQLite does by itself when the disk is full.
        transaction._connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    async with held_up(writer):
        before = await asked(writer, "before")
        failing = asyncio.create_task(writer.run(spoil))
        after = await asked(writer, "after")
    outcomes = await asyncio.gather(*before, failing, *after, return_exceptions=True)
    assert {str(outcome) for outcome in outcomes} == {"database or disk is full"}
    assert await writer.run(say("again")) == "again"
    assert log.words() == ["again"]


async def test_a_full_queue_is_refused(writer: Writer) -> None:
    async with held_up(writer):
        tasks = await asked(writer, *(f"{number:02}" for number in range(99)))
        with pytest.raises(StoreBusy, match="too many writes"):
            await writer.run(say("one too many"))
    await asyncio.gather(*tasks)
    assert await writer.run(say("room again")) == "room again"


async def test_later_writes_keep_company_and_order(writer: Writer, log: Log) -> None:
    writer.run_later(_note("first"))
    writer.run_later(_note("second"))
    await writer.run(say("third"))
    assert log.words() == ["first", "second", "third"]
    assert log.groups == 1


async def test_later_writes_are_made_without_company(writer: Writer, log: Log) -> None:
    writer.run_later(_note("alone"))
    async with asyncio.timeout(10):
        while log.words() != ["alone"]:
            await asyncio.sleep(0.01)


async def test_a_later_write_that_fails_is_logged(writer: Writer) -> None:
    with capture_logs() as logs:
        writer.run_later(_note("twice"))
        writer.run_later(_note("twice"))
        await writer.run(say("next"))
    assert [entry["event"] for entry in logs] == ["write.lost"]
    assert "twice" not in str(logs)


async def test_closing_does_what_waits_first(log: Log) -> None:
    writer = Writer(log.connect, lambda error: error)
    await writer.open()
    tasks = await asked(writer, "a", "b")
    writer.run_later(_note("c"))
    await writer.close()
    assert log.words() == ["a", "b", "c"]
    assert await asyncio.gather(*tasks) == ["a", "b"]
    with pytest.raises(StoreFailed, match="closed"):
        await writer.run(say("d"))


async def test_a_connection_that_cannot_be_made_is_told_by_open() -> None:
    def fail() -> sqlite3.Connection:
        raise StoreFailed("no disk")

    before = threading.active_count()
    with pytest.raises(StoreFailed, match="no disk"):
        await Writer(fail, lambda error: error).open()
    assert threading.active_count() <= before + 1  # the loop keeps a thread to wait with


def _note(word: str) -> Callable[[Transaction], None]:
    def operation(transaction: Transaction) -> None:
        say(word)(transaction)

    return operation
