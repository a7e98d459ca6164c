"""A database of each older version opens, is brought up to date, and keeps what is in it."""

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from gateway.contracts.stores import OutboxKind, OutboxState
from gateway.ids import AccountName, AgentId, ExternalUser, Lane, MessageId, PlatformName
from gateway.store import upgrade
from gateway.store.engine import change_tables
from gateway.store.schema import VERSION
from gateway.store.store import SqlStore
from gateway.transcript import UserEntry
from tests.fakes.clock import FakeClock
from tests.messages import group, keep_one, message

OLDER = [f"{number:04}" for number in range(1, int(VERSION))]
LANE = Lane("main:group:telegram/-100")
AGENT = AgentId("main")
MIGRATIONS = Path(upgrade.__file__).parent / "migrations"


def make(path: Path, version: str) -> sqlite3.Connection:
    """Make the tables as a process of that version did."""

    def build(view: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = view
        command.upgrade(config, version)

    connection = sqlite3.connect(path, isolation_level=None)
    change_tables(connection, build)
    return connection


async def fill(path: Path) -> None:
    """Leave an answered message, one that waits, a person and a cursor."""
    store = SqlStore(f"sqlite:///{path}", clock=FakeClock())
    await store.open()
    ann = await store.people.admit(
        PlatformName("telegram"), ExternalUser("42"), name="Ann", role="member"
    )
    session = await store.sessions.resolve(AGENT, LANE, None)
    for number in (1, 2):
        given = message(f"number {number}", group(), message_id=MessageId(f"asked {number}"))
        await keep_one(store.inbox, given, lane=LANE, session_key=LANE, agent=AGENT, person=ann.id)
    kept = await store.inbox.head(LANE)
    assert kept is not None
    turn = await store.turns.begin(kept)
    await store.transcript.append(session.id, [UserEntry("number 1")], turn=turn)
    row = await store.outbox.begin(group(), turn=turn, position=0, kind=OutboxKind.TEXT)
    await store.outbox.sent(row.id, MessageId("answer"), "Which?")
    await store.cursors.save("telegram", "17")
    await store.close()


def move_rows(source: Path, into: sqlite3.Connection) -> None:
    into.execute("ATTACH DATABASE ? AS filled", (str(source),))
    names = "SELECT name FROM filled.sqlite_master WHERE type = 'table' AND sql IS NOT NULL"
    for (name,) in into.execute(names).fetchall():
        if name != "alembic_version" and not name.startswith("sqlite_"):
            columns = [f'"{row[1]}"' for row in into.execute(f"PRAGMA main.table_info({name})")]
            listed = ", ".join(columns)
            if columns:
                into.execute(f'DELETE FROM main."{name}"')
                into.execute(
                    f'INSERT INTO main."{name}" ({listed}) SELECT {listed} FROM filled."{name}"'
                )
    into.execute("DETACH DATABASE filled")


def version_of(path: Path) -> str:
    connection = sqlite3.connect(path)
    (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    connection.close()
    return str(found)


@pytest.mark.parametrize("version", OLDER)
async def test_an_older_database_keeps_its_rows(tmp_path: Path, version: str) -> None:
    path = tmp_path / "parley.db"
    await fill(tmp_path / "filled.db")
    connection = make(path, version)
    move_rows(tmp_path / "filled.db", connection)
    connection.close()
    assert version_of(path) == version
    store = SqlStore(f"sqlite:///{path}", clock=FakeClock())
    await store.open()
    try:
        assert f"schema {VERSION}" in await store.check()
        await see_that_all_is_there(store)
    finally:
        await store.close()
    assert version_of(path) == VERSION


async def see_that_all_is_there(store: SqlStore) -> None:
    kept = await store.inbox.head(LANE)
    assert kept is not None
    assert kept.message.text == "number 1"
    (unfinished,) = await store.turns.unfinished()
    (row,) = await store.outbox.of_turn(unfinished)
    assert (row.state, row.text, row.message_id) == (OutboxState.SENT, "Which?", "answer")
    assert await store.outbox.asked_by(AccountName("bot"), MessageId("answer")) == "42"
    session = await store.sessions.active(LANE)
    assert session is not None
    entries = await store.transcript.everything(session.id)
    assert [one.entry for one in entries] == [UserEntry("number 1")]
    found = await store.people.find(PlatformName("telegram"), ExternalUser("42"))
    assert found is not None
    assert found.role == "member"
    assert await store.cursors.load("telegram") == "17"
    await store.inbox.withdraw(AccountName("bot"), MessageId("asked 2"))
    assert await store.inbox.waiting() == 1
