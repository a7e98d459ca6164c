"""Sessions: at most one active for a key, which an index sees to."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from itertools import product
from typing import Any

from sqlalchemy import (
    String,
    Update,
    bindparam,
    func,
    not_,
    select,
    update,
)
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.stores import SessionInfo, Sessions
from gateway.errors import Refused
from gateway.ids import AgentId, NewId, PersonId, PlatformName, SessionId
from gateway.store.audit import note
from gateway.store.codec import storable
from gateway.store.database import Database
from gateway.store.inserts import insert
from gateway.store.moving import move_place
from gateway.store.schema import IS_ACTIVE, sessions
from gateway.store.statements import Statement, Transaction

FIELDS = tuple(field.name for field in fields(SessionInfo))
_INFO = select(*(sessions.c[name] for name in FIELDS))
_BY_ID = _INFO.where(sessions.c.id == bindparam("session"))
_ACTIVE = _INFO.where(IS_ACTIVE, sessions.c.key == bindparam("key")).limit(1)
_ACTIVE_OF_AGENT = _INFO.where(
    IS_ACTIVE, sessions.c.agent == bindparam("agent"), sessions.c.key == bindparam("key")
)
_OF_PERSON = sessions.c.person == bindparam("person")
_OF_AGENT = sessions.c.agent == bindparam("agent")
_NEWEST_FIRST = (sessions.c.last_active.desc(), sessions.c.id)
_ALL = _INFO.order_by(*_NEWEST_FIRST)
_ARCHIVED_OF_PERSON = _BY_ID.where(_OF_AGENT, _OF_PERSON, not_(IS_ACTIVE))
_LISTS: dict[tuple[bool, bool, bool], Statement] = {
    (of_agent, of_person, with_archived): _ALL.where(
        *[_OF_AGENT] * of_agent, *[_OF_PERSON] * of_person, *[IS_ACTIVE] * (not with_archived)
    )
    for of_agent, of_person, with_archived in product((False, True), repeat=3)
}
"""By whether one agent's are asked for, or one person's, and whether archived ones are."""

_INSERT = insert(sessions)
_NO_ENTRIES = {"last_seq": 0, "summary_seq": 0, "folded_upto": 0}
_OF_ID = update(sessions).where(sessions.c.id == bindparam("session"))
_ARCHIVE = _OF_ID.values(is_archived=True)
_ARCHIVE_ACTIVE = _ARCHIVE.where(IS_ACTIVE).returning(sessions.c.id)
_TAKE_UP = _OF_ID.values(key=bindparam("new_key"), is_archived=False, last_active=bindparam("now"))
_SET_MODEL = _OF_ID.values(model=bindparam("new_model"))
_FREEZE = _OF_ID.values(
    prompt=bindparam("new_prompt"),
    title=func.coalesce(bindparam("new_title", type_=String), sessions.c.title),
)


class SqlSessions(Sessions):
    """Looks and changes in one transaction, so that two who ask at once get one session."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    @override
    async def active(self, key: str) -> SessionInfo | None:
        row = await self._database.read_one(_ACTIVE, key=key)
        return None if row is None else info_from(row)

    @override
    async def resolve(self, agent: AgentId, key: str, person: PersonId | None) -> SessionInfo:
        new = self._new(agent, key, person)
        return await self._database.write(
            lambda transaction: active_of(transaction, new) or insert_session(transaction, new)
        )

    @override
    async def create(self, agent: AgentId, key: str, person: PersonId | None) -> SessionInfo:
        new = self._new(agent, key, person)
        return await self._database.write(
            lambda transaction: _replace(transaction, active_of(transaction, new), new)
        )

    @override
    async def rotate(
        self,
        agent: AgentId,
        key: str,
        person: PersonId | None,
        expected: SessionId | None,
        to: SessionId | None = None,
    ) -> SessionInfo:
        new = self._new(agent, key, person)

        def operation(transaction: Transaction) -> SessionInfo:
            active = active_of(transaction, new)
            if active is not None and active.id != expected:
                return active
            if to is not None:
                return _take_up(transaction, active, new, to)
            return _replace(transaction, active, new)

        return await self._database.write(operation)

    @override
    async def get(self, session: SessionId) -> SessionInfo | None:
        row = await self._database.read_one(_BY_ID, session=session)
        return None if row is None else info_from(row)

    @override
    async def all(
        self,
        agent: AgentId | None = None,
        *,
        person: PersonId | None = None,
        archived: bool = False,
    ) -> Sequence[SessionInfo]:
        given = {"agent": agent, "person": person}
        asked = {name: value for name, value in given.items() if value is not None}
        statement = _LISTS[agent is not None, person is not None, archived]
        return [info_from(row) for row in await self._database.read(statement, **asked)]

    @override
    async def archive(self, session: SessionId, *, by: str | None = None) -> bool:
        now = self._clock.now()
        return await self._database.write(
            lambda transaction: _put_aside(transaction, session, by, now)
        )

    @override
    async def set_model(self, session: SessionId, model: str | None) -> None:
        await self._change(_SET_MODEL, {"session": session, "new_model": model})

    @override
    async def freeze_prompt(self, session: SessionId, prompt: str, title: str | None) -> None:
        values = {
            "session": session,
            "new_prompt": storable(prompt),
            "new_title": None if title is None else storable(title),
        }
        await self._change(_FREEZE, values)

    @override
    async def move_place(self, platform: PlatformName, old: str, new: str) -> int:
        return await self._database.write(
            lambda transaction: move_place(transaction, platform, old, new)
        )

    async def _change(self, statement: Update, values: dict[str, Any]) -> None:
        def operation(transaction: Transaction) -> None:
            transaction.run(statement, values)

        await self._database.write(operation)

    def _new(self, agent: AgentId, key: str, person: PersonId | None) -> SessionInfo:
        return new_session(agent, key, person, self._new_id, self._clock.now())


def _put_aside(transaction: Transaction, session: SessionId, by: str | None, now: float) -> bool:
    if transaction.row(_ARCHIVE_ACTIVE, {"session": session}) is None:
        return False
    if by is not None:
        note(transaction, now, "session.archived", by, {"session": session})
    return True


def new_session(
    agent: AgentId, key: str, person: PersonId | None, new_id: NewId, now: float
) -> SessionInfo:
    mark = hashlib.sha256(new_id("s").encode()).hexdigest()[:8]
    return SessionInfo(
        id=SessionId(f"{key}-{mark}"),
        agent=agent,
        key=key,
        person=person,
        title=None,
        model=None,
        prompt=None,
        created_at=now,
        last_active=now,
        is_archived=False,
    )


def info_from(row: Any) -> SessionInfo:
    values = {name: getattr(row, name) for name in FIELDS}
    return SessionInfo(**{**values, "is_archived": bool(row.is_archived)})


def active_of(transaction: Transaction, new: SessionInfo) -> SessionInfo | None:
    row = transaction.row(_ACTIVE_OF_AGENT, {"agent": new.agent, "key": new.key})
    return None if row is None else info_from(row)


def _take_up(
    transaction: Transaction, active: SessionInfo | None, new: SessionInfo, session: SessionId
) -> SessionInfo:
    """Let an archived session of the person be the key's, where another was or would be."""
    asked = {"agent": new.agent, "person": new.person, "session": session}
    row = transaction.row(_ARCHIVED_OF_PERSON, asked)
    if row is None:
        raise Refused("That conversation is not there any more.")
    if active is not None:
        transaction.run(_ARCHIVE, {"session": active.id})
    now = new.last_active
    transaction.run(_TAKE_UP, {"session": session, "new_key": new.key, "now": now})
    return replace(info_from(row), key=new.key, is_archived=False, last_active=now)


def _replace(transaction: Transaction, old: SessionInfo | None, new: SessionInfo) -> SessionInfo:
    if old is not None:
        transaction.run(_ARCHIVE, {"session": old.id})
    return insert_session(transaction, new)


def insert_session(transaction: Transaction, new: SessionInfo) -> SessionInfo:
    transaction.run(_INSERT, {**asdict(new), **_NO_ENTRIES})
    return new
