"""Sessions: at most one active for a key, which an index sees to."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
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
from gateway.contracts.stores import SessionInfo, Sessions, Turn
from gateway.ids import AgentId, NewId, PersonId, PlatformName, SessionId
from gateway.store.codec import storable
from gateway.store.database import Database
from gateway.store.inserts import insert
from gateway.store.moving import move_place
from gateway.store.schema import IS_ACTIVE, entries, inbox, sessions
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
_OF_PERSON = _ALL.where(_OF_AGENT, sessions.c.person == bindparam("person"))
_ARCHIVED_OF_PERSON = _BY_ID.where(
    _OF_AGENT, sessions.c.person == bindparam("person"), not_(IS_ACTIVE)
)
_BEGUN_IN = _INFO.join(entries, entries.c.session == sessions.c.id).where(
    entries.c.turn == bindparam("turn")
).limit(1)  # fmt: skip
_MESSAGE = select(inbox.c.session_key, inbox.c.person).where(inbox.c.number == bindparam("number"))
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
    async def of_turn(self, turn: Turn) -> SessionInfo:
        kept = turn.kept
        return await self._database.write(
            lambda transaction: _of_turn(
                transaction, turn, self._new(kept.agent, kept.session_key, kept.owner)
            )
        )

    @override
    async def of_person(self, agent: AgentId, person: PersonId) -> Sequence[SessionInfo]:
        rows = await self._database.read(_OF_PERSON, agent=agent, person=person)
        return [_info(row) for row in rows]

    @override
    async def resume(
        self, agent: AgentId, key: str, person: PersonId, session: SessionId
    ) -> SessionInfo | None:
        asked = {"agent": agent, "key": key, "person": person, "session": session}
        now = self._clock.now()
        return await self._database.write(lambda transaction: _resume(transaction, asked, now))

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


def _of_turn(transaction: Transaction, turn: Turn, new: SessionInfo) -> SessionInfo:
    message = transaction.row(_MESSAGE, {"number": turn.kept.number})
    if message is not None:
        owner = None if turn.kept.owner is None else message.person
        new = replace(new, key=message.session_key, person=owner)
    if turn.is_resumed:
        begun = transaction.row(_BEGUN_IN, {"turn": turn.id})
        # Whoever has left a person since does not go on in what is that person's.
        if begun is not None and (begun.person == new.person or begun.key == new.key):
            return _info(begun)
    return _active(transaction, new) or _insert(transaction, new)


def _resume(transaction: Transaction, asked: dict[str, Any], now: float) -> SessionInfo | None:
    found = transaction.row(_ARCHIVED_OF_PERSON, asked)
    if found is None:
        return None
    active = transaction.row(_ACTIVE_OF_AGENT, asked)
    if active is not None:
        transaction.run(_ARCHIVE, {"session": active.id})
    transaction.run(_TAKE_UP, {"session": found.id, "new_key": asked["key"], "now": now})
    return replace(_info(found), key=asked["key"], is_archived=False, last_active=now)


def _replace(transaction: Transaction, old: SessionInfo | None, new: SessionInfo) -> SessionInfo:
    if old is not None:
        transaction.run(_ARCHIVE, {"session": old.id})
    return _insert(transaction, new)


def _insert(transaction: Transaction, new: SessionInfo) -> SessionInfo:
    transaction.run(_INSERT, {**asdict(new), **_NO_ENTRIES})
    return new
