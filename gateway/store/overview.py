"""Everybody's sessions and places, as those see them who look after the bot."""

from collections.abc import Sequence
from dataclasses import fields
from itertools import product
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from typing_extensions import override

from gateway.contracts.overview import Overview, PlaceRefused, PlaceTalk, SessionFacts
from gateway.ids import AgentId, PersonId
from gateway.session_key import SessionKey
from gateway.store.codec import load_message
from gateway.store.database import Database
from gateway.store.erasing import like
from gateway.store.schema import IS_ACTIVE, inbox, sessions, usage
from gateway.store.statements import Statement

_FOUND_AT_MOST = 5
_REFUSED_AT_MOST = 5_000
_MARK_LENGTH = 8

_COLUMNS = tuple(field.name for field in fields(SessionFacts))
_FACTS = select(
    sessions.c.last_seq.label("entries"),
    *(sessions.c[name] for name in _COLUMNS if name != "entries"),
).order_by(sessions.c.last_active.desc(), sessions.c.id)
_OF_AGENT = sessions.c.agent == bindparam("agent")
_OF_PERSON = sessions.c.person == bindparam("person")
_LISTS: dict[tuple[bool, bool, bool], Statement] = {
    (of_agent, of_person, with_archived): _FACTS.where(
        *[_OF_AGENT] * of_agent, *[_OF_PERSON] * of_person, *[IS_ACTIVE] * (not with_archived)
    )
    for of_agent, of_person, with_archived in product((False, True), repeat=3)
}
"""By whether one agent's are asked for, or one person's, and whether archived ones are."""
_BY_ID = _FACTS.where(sessions.c.id == bindparam("part"))
_BY_PART = _FACTS.where(
    or_(
        sessions.c.id.like(bindparam("beginning"), escape="\\"),
        sessions.c.id.like(bindparam("ending"), escape="\\"),
    )
).limit(_FOUND_AT_MOST)

_NEWEST_MESSAGE = (
    select(inbox.c.message)
    .where(inbox.c.session_key == sessions.c.key, inbox.c.message.is_not(None))
    .order_by(inbox.c.number.desc())
    .limit(1)
    .scalar_subquery()
)
_TALKS = (
    select(
        sessions.c.agent,
        sessions.c.key,
        func.count().label("sessions"),
        func.max(sessions.c.last_active).label("last_active"),
        _NEWEST_MESSAGE.label("message"),
    )
    .where(sessions.c.key.like("%:group:%"))
    .group_by(sessions.c.agent, sessions.c.key)
    .order_by(sessions.c.key)
)
_PAID = (
    select(sessions.c.key, usage.c.place)
    .join(sessions, sessions.c.id == usage.c.session)
    .where(usage.c.place.is_not(None))
    .distinct()
    .order_by(usage.c.place)
)
_REFUSED = (
    select(inbox.c.kept_at, inbox.c.message)
    .where(
        inbox.c.state == "refused",
        inbox.c.reason == bindparam("reason"),
        inbox.c.message.is_not(None),
    )
    .order_by(inbox.c.number.desc())
    .limit(_REFUSED_AT_MOST)
)


class SqlOverview(Overview):
    """Reads much at a time: for commands, which are few."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def sessions(
        self,
        agent: AgentId | None = None,
        *,
        person: PersonId | None = None,
        archived: bool = False,
    ) -> Sequence[SessionFacts]:
        given = {"agent": agent, "person": person}
        asked = {name: value for name, value in given.items() if value is not None}
        statement = _LISTS[agent is not None, person is not None, archived]
        return [_facts(row) for row in await self._database.read(statement, **asked)]

    @override
    async def find(self, part: str) -> Sequence[SessionFacts]:
        rows = await self._database.read(_BY_ID, part=part)
        if not rows and part:
            escaped = like(part)[1:-1]
            # Of the mark at the end, too, a beginning is enough.
            rest = "_" * (_MARK_LENGTH - len(part))
            asked = {"beginning": f"{escaped}%", "ending": f"%-{escaped}{rest}"}
            rows = await self._database.read(_BY_PART, **asked)
        return [_facts(row) for row in rows]

    @override
    async def talks(self) -> Sequence[PlaceTalk]:
        paid: dict[str, list[str]] = {}
        for row in await self._database.read(_PAID):
            paid.setdefault(row.key, []).append(row.place)
        return [
            PlaceTalk(
                agent=row.agent,
                key=row.key,
                sessions=row.sessions,
                last_active=row.last_active,
                address=None if row.message is None else load_message(row.message).address,
                places=tuple(paid.get(row.key, ())),
            )
            for row in await self._database.read(_TALKS)
            if SessionKey.decode(row.key).is_group
        ]

    @override
    async def refused(self, reason: str) -> Sequence[PlaceRefused]:
        found: dict[tuple[str, str], PlaceRefused] = {}
        for row in await self._database.read(_REFUSED, reason=reason):
            address = load_message(row.message).address
            place = (address.account, address.place_name)
            newer = found.get(place, PlaceRefused(address, 0, row.kept_at))
            found[place] = PlaceRefused(newer.address, newer.times + 1, newer.last)
        return list(found.values())


def _facts(row: Any) -> SessionFacts:
    values = {name: getattr(row, name) for name in _COLUMNS}
    return SessionFacts(**{**values, "is_archived": bool(row.is_archived)})
