"""Sessions: at most one active for a key, which an index sees to."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import (
    String,
    Update,
    bindparam,
    func,
    select,
    update,
)
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.stores import SessionInfo, Sessions
from gateway.ids import AgentId, NewId, PersonId, PlatformName, SessionId
from gateway.store.codec import storable
from gateway.store.database import Database
from gateway.store.inserts import insert
from gateway.store.moving import move_place
from gateway.store.schema import IS_ACTIVE, sessions
from gateway.store.statements import Statement, Transaction

_FIELDS = tuple(field.name for field in fields(SessionInfo))
_INFO = select(*(sessions.c[name] for name in _FIELDS))
_BY_ID = _INFO.where(sessions.c.id == bindparam("session"))
_ACTIVE = _INFO.where(IS_ACTIVE, sessions.c.key == bindparam("key")).limit(1)
_ACTIVE_OF_AGENT = _INFO.where(
    IS_ACTIVE, sessions.c.agent == bindparam("agent"), sessions.c.key == bindparam("key")
)
_OF_AGENT = sessions.c.agent == bindparam("agent")
_NEWEST_FIRST = (sessions.c.last_active.desc(), sessions.c.id)
_ALL = _INFO.order_by(*_NEWEST_FIRST)
_LISTS: dict[tuple[bool, bool], Statement] = {
    (False, True): _ALL,
    (False, False): _ALL.where(IS_ACTIVE),
    (True, True): _ALL.where(_OF_AGENT),
    (True, False): _ALL.where(_OF_AGENT, IS_ACTIVE),
}
"""By whether one agent's are asked for, and whether archived ones are."""

_INSERT = insert(sessions)
_NO_ENTRIES = {"last_seq": 0, "summary_seq": 0, "folded_upto": 0}
_OF_ID = update(sessions).where(sessions.c.id == bindparam("session"))
_ARCHIVE = _OF_ID.values(is_archived=True)
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
        return None if row is None else _info(row)

    @override
    async def resolve(self, agent: AgentId, key: str, person: PersonId | None) -> SessionInfo:
        new = self._new(agent, key, person)
        return await self._database.write(
            lambda transaction: _active(transaction, new) or _insert(transaction, new)
        )

    @override
    async def create(self, agent: AgentId, key: str, person: PersonId | None) -> SessionInfo:
        new = self._new(agent, key, person)
        return await self._database.write(
            lambda transaction: _replace(transaction, _active(transaction, new), new)
        )

    @override
    async def rotate(
        self, agent: AgentId, key: str, person: PersonId | None, expected: SessionId | None
    ) -> SessionInfo:
        new = self._new(agent, key, person)

        def operation(transaction: Transaction) -> SessionInfo:
            active = _active(transaction, new)
            if active is not None and active.id != expected:
                return active
            return _replace(transaction, active, new)

        return await self._database.write(operation)

    @override
    async def get(self, session: SessionId) -> SessionInfo | None:
        row = await self._database.read_one(_BY_ID, session=session)
        return None if row is None else _info(row)

    @override
    async def all(
        self, agent: AgentId | None = None, *, archived: bool = False
    ) -> Sequence[SessionInfo]:
        asked = {} if agent is None else {"agent": agent}
        rows = await self._database.read(_LISTS[agent is not None, archived], **asked)
        return [_info(row) for row in rows]

    @override
    async def archive(self, session: SessionId) -> None:
        await self._change(_ARCHIVE, {"session": session})

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
        now = self._clock.now()
        mark = hashlib.sha256(self._new_id("s").encode()).hexdigest()[:8]
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


def _info(row: Any) -> SessionInfo:
    values = {name: getattr(row, name) for name in _FIELDS}
    return SessionInfo(**{**values, "is_archived": bool(row.is_archived)})


def _active(transaction: Transaction, new: SessionInfo) -> SessionInfo | None:
    row = transaction.row(_ACTIVE_OF_AGENT, {"agent": new.agent, "key": new.key})
    return None if row is None else _info(row)


def _replace(transaction: Transaction, old: SessionInfo | None, new: SessionInfo) -> SessionInfo:
    if old is not None:
        transaction.run(_ARCHIVE, {"session": old.id})
    return _insert(transaction, new)


def _insert(transaction: Transaction, new: SessionInfo) -> SessionInfo:
    transaction.run(_INSERT, {**asdict(new), **_NO_ENTRIES})
    return new
