"""Giving direct conversations to another owner: their sessions, and what waits for them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from sqlalchemy import bindparam, exists, select, update

from gateway.contracts.people import Identity
from gateway.contracts.stores import TurnState
from gateway.ids import PersonId
from gateway.messages import Message
from gateway.session_key import SessionKey
from gateway.store.codec import load_message
from gateway.store.schema import IS_ACTIVE, IS_WAITING, inbox, sessions, turns
from gateway.store.statements import Transaction

Owner = tuple[str, ...]

_SESSIONS = (
    select(
        sessions.c.id,
        sessions.c.agent,
        sessions.c.key,
        sessions.c.is_archived,
        sessions.c.last_seq,
    )
    .where(sessions.c.key.like(bindparam("pattern"), escape="\\"))
    .order_by(sessions.c.id)
)
_RIVAL = select(sessions.c.id).where(
    IS_ACTIVE, sessions.c.agent == bindparam("agent"), sessions.c.key == bindparam("key")
)
_GIVE = (
    update(sessions)
    .where(sessions.c.id == bindparam("which"))
    .values(
        key=bindparam("new_key"), person=bindparam("new_person"), is_archived=bindparam("is_put_by")
    )
)
_WAITING = select(
    inbox.c.number,
    inbox.c.lane,
    inbox.c.session_key,
    inbox.c.message,
    exists()
    .where(turns.c.number == inbox.c.number, turns.c.state == TurnState.RUNNING.value)
    .label("is_running"),
).where(IS_WAITING, inbox.c.sender == bindparam("person"))
_MOVE = (
    update(inbox)
    .where(inbox.c.number == bindparam("which"))
    .values(
        lane=bindparam("new_lane"),
        session_key=bindparam("new_key"),
        person=bindparam("new_person"),
        sender=bindparam("new_person"),
    )
)


@dataclass(frozen=True, slots=True)
class Held:
    """A session as it was before it was given away."""

    id: str
    agent: str
    key: str
    is_archived: bool
    last_seq: int


def owner_of(person: PersonId, identities: Iterable[Identity]) -> Owner:
    """Return whose keys a person's direct conversations have."""
    known = list(identities)
    if len(known) > 1:
        return "user", person
    return known[0].platform, known[0].external_user


def sessions_of(transaction: Transaction, owner: Owner) -> list[Held]:
    """Return all sessions of the owner, with every agent."""
    written = ":".join(quote(part, safe="") for part in owner)
    escaped = written.replace("%", r"\%").replace("_", r"\_")
    rows = transaction.rows(_SESSIONS, {"pattern": f"%:{escaped}:%"})
    return [
        Held(row.id, row.agent, row.key, bool(row.is_archived), row.last_seq)
        for row in rows
        if SessionKey.decode(row.key).owner == owner
    ]


def without_rivals(losers: Sequence[Held], winners: Sequence[Held]) -> list[Held]:
    """Return the losers, archived where a winner is in use for the same agent and place."""
    taken = {_place(held) for held in winners if not held.is_archived}
    return [replace(held, is_archived=held.is_archived or _place(held) in taken) for held in losers]


def _place(held: Held) -> tuple[str, str]:
    return held.agent, SessionKey.decode(held.key).channel_context


def give(transaction: Transaction, held: Held, owner: Owner, person: PersonId) -> None:
    """Let a session go on under another owner; archived, should another be in use there."""
    key = replace(SessionKey.decode(held.key), owner=owner).encode()
    rival = transaction.row(_RIVAL, {"agent": held.agent, "key": key})
    is_archived = held.is_archived or (rival is not None and rival.id != held.id)
    values = {"which": held.id, "new_key": key, "new_person": person, "is_put_by": is_archived}
    transaction.run(_GIVE, values)


def move_waiting(
    transaction: Transaction,
    person: PersonId,
    owner: Owner,
    new_person: PersonId,
    is_meant: Callable[[Message], bool],
) -> None:
    """Let what a person wrote and what is not done go on under the new owner, in order.

    A running turn ends in the lane that it holds; what follows it in line waits for it.
    """
    for row in transaction.rows(_WAITING, {"person": person}):
        message = load_message(row.message)
        if is_meant(message):
            transaction.run(_MOVE, _moved(row, message, owner, new_person))


def _moved(row: Any, message: Message, owner: Owner, person: PersonId) -> dict[str, Any]:
    key, lane = row.session_key, row.lane
    if message.address.place.is_direct:
        key = replace(SessionKey.decode(key), owner=owner).encode()
        lane = lane if row.is_running else lane.replace(row.session_key, key)
    return {"which": row.number, "new_lane": lane, "new_key": key, "new_person": person}
