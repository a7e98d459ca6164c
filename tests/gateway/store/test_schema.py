"""The schema and its migrations are one and the same, and questions find their indexes."""

import ast
import pkgutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Select, UpdateBase, create_mock_engine
from sqlalchemy.schema import CreateTable

import gateway.store
from gateway.contracts.money import Scope
from gateway.store import (
    holds,
    identities,
    inbox,
    keep,
    kept,
    leases,
    link_codes,
    outbox,
    rekeying,
    session_of_turn,
    sessions,
    standing,
    transcript,
    tries,
    turns,
)
from gateway.store.engine import change_tables, open_for_writing
from gateway.store.schema import VERSION, metadata
from gateway.store.statements import Statement, Statements
from gateway.store.store import SqlStore
from gateway.store.upgrade import upgrade
from tests.fakes.clock import FakeClock

MIGRATIONS = Path(sys.modules["gateway.store.upgrade"].__file__ or "").parent / "migrations"


def shape(connection: sqlite3.Connection) -> dict[str, str]:
    made = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: " ".join(sql.split()) for name, sql in made}


def migrated(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    change_tables(connection, upgrade)
    return connection


def test_migrations_and_schema_make_the_same_tables(tmp_path: Path) -> None:
    by_steps = migrated(tmp_path / "steps.db")
    at_once = open_for_writing(tmp_path / "once.db", is_trusted=True)
    assert shape(by_steps) == shape(at_once)
    asked = "SELECT version_num FROM alembic_version"
    assert by_steps.execute(asked).fetchall() == at_once.execute(asked).fetchall()
    by_steps.close()
    at_once.close()


def test_the_version_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [VERSION]


def test_a_failed_change_leaves_the_tables_as_they_were(tmp_path: Path) -> None:
    connection = migrated(tmp_path / "parley.db")
    before = shape(connection)

    def half(_: object) -> None:
        connection.execute("DROP TABLE steps")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_tables(connection, half)
    assert shape(connection) == before
    connection.close()


async def test_an_older_database_is_upgraded_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    connection.close()
    store = SqlStore(f"sqlite:///{path}", clock=FakeClock())
    await store.open()
    await store.cursors.save("name", "kept")
    assert f"schema {VERSION}" in await store.check()
    await store.close()
    assert migrated_version(path) == VERSION


def migrated_version(path: Path) -> str:
    connection = sqlite3.connect(path)
    (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    connection.close()
    return str(found)


def test_starting_needs_neither_alembic_nor_the_object_mapper(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys\n"
        "from gateway.clock import SystemClock\n"
        "from gateway.store.store import SqlStore\n"
        "async def main():\n"
        f"    store = SqlStore('sqlite:///{tmp_path}/parley.db', clock=SystemClock())\n"
        "    await store.open()\n"
        "    await store.inbox.waiting()\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
        "print([name for name in ('alembic', 'sqlalchemy.orm') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(done.stdout) == []


def all_statements() -> Iterator[tuple[str, Statement]]:
    for module in pkgutil.iter_modules(gateway.store.__path__):
        for name, value in vars(import_module(f"gateway.store.{module.name}")).items():
            for each in value.values() if isinstance(value, dict) else [value]:
                if isinstance(each, Select | UpdateBase):
                    yield f"{module.name}.{name}", each


def test_every_question_can_be_put_to_postgresql_as_it_stands() -> None:
    dialect = create_mock_engine("postgresql://", print).dialect
    questions = list(all_statements())
    assert len(questions) > 50
    for name, statement in questions:
        if getattr(statement, "_post_values_clause", None) is not None:
            continue  # `inserts` chooses the class that writes these
        assert str(statement.compile(dialect=dialect)), name
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))


HOT: dict[str, Statement] = {
    "head": inbox._HEAD,
    "album": inbox._ALBUM,
    "untouched": inbox._UNTOUCHED,
    "count in lane": inbox._COUNT_IN_LANE,
    "versions": keep._VERSIONS,
    "waiting row": kept._WAITING,
    "state": kept._STATE,
    "fence": leases._FENCE,
    "claim": leases._CLAIM,
    "again": turns._AGAIN,
    "steps": turns._STEPS,
    "revive": turns._LAST_ASKED,
    "active": sessions._ACTIVE,
    "active of agent": sessions._ACTIVE_OF_AGENT,
    "history": transcript._HISTORY,
    "search": transcript._SEARCH,
    "advance": transcript._ADVANCE,
    "of turn": outbox._OF_TURN,
    "sent": outbox._SENT,
    "of message": outbox._OF_MESSAGE,
    "notices": outbox._NOTICES,
    "of announcement": outbox._OF_ANNOUNCEMENT,
    "find": standing.FIND,
    "spent by a person": holds._SPENT[Scope.PERSON],
    "spent in a place": holds._SPENT[Scope.PLACE],
    "spent in all": holds._SPENT[Scope.TOTAL],
    "known": identities._KNOWN,
    "identities": standing.IDENTITIES,
    "of person": sessions._LISTS[True, True, True],
    "begun in": session_of_turn._BEGUN_IN,
    "message of turn": session_of_turn._MESSAGE,
    "sender": transcript._SENDER,
    "lanes of key": inbox._LANES_OF_KEY,
    "waiting of person": rekeying._WAITING,
    "code": link_codes._BY_HASH,
    "codes": link_codes._COUNT,
    "latest link": link_codes._MADE,
    "tries": tries._COUNTS,
}


@pytest.mark.parametrize("name", HOT)
def test_no_hot_question_reads_a_whole_table(tmp_path: Path, name: str) -> None:
    connection = migrated(tmp_path / "parley.db")
    written = Statements().written(HOT[name])
    plan = connection.execute(f"EXPLAIN QUERY PLAN {written.sql}", Anything(written.constants))
    steps = [detail for *_, detail in plan]
    connection.close()
    assert steps
    assert [step for step in steps if step.startswith("SCAN") and "INDEX" not in step] == []


class Anything(dict[str, object]):
    """Values for whatever a statement asks; plans do not depend on them."""

    def __missing__(self, name: str) -> object:
        return 1
