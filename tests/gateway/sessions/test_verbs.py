"""An agent's sessions, as the store has them; those of others do not exist."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.ids import AgentId, PersonId
from gateway.sessions.verbs import SessionVerbs
from gateway.store.store import SqlStore
from gateway.transcript import UserEntry
from tests.fakes.clock import FakeClock

ANN = PersonId("person_ann")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite:///{tmp_path / 'parley.db'}", clock=FakeClock())
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def sessions(store: SqlStore) -> SessionVerbs:
    return SessionVerbs(AgentId("main"), store)


async def test_a_key_has_one_active_session(sessions: SessionVerbs) -> None:
    assert await sessions.active_session("k") is None
    made = await sessions.resolve_session("k", ANN)
    assert (made.agent, made.person, made.is_archived) == ("main", ANN, False)
    assert await sessions.resolve_session("k", ANN) == made
    assert await sessions.active_session("k") == made
    assert await sessions.get_session(made.id) == made


async def test_a_new_session_archives_the_one_before_it(sessions: SessionVerbs) -> None:
    old = await sessions.resolve_session("k", ANN)
    new = await sessions.create_session("k", ANN)
    assert await sessions.active_session("k") == new
    assert [session.id for session in await sessions.list_sessions()] == [new.id]
    archived = {session.id for session in await sessions.list_sessions(archived=True)}
    assert archived == {old.id, new.id}


async def test_another_agents_session_does_not_exist(
    store: SqlStore, sessions: SessionVerbs
) -> None:
    theirs = await store.sessions.resolve(AgentId("other"), "k", ANN)
    await store.transcript.append(theirs.id, [UserEntry("secret")])
    assert await sessions.active_session("k") is None
    assert await sessions.get_session(theirs.id) is None
    assert await sessions.list_sessions(archived=True) == []
    assert len(await sessions.history(theirs.id)) == 0
    await sessions.archive_session(theirs.id)
    kept = await store.sessions.get(theirs.id)
    assert kept is not None
    assert not kept.is_archived
