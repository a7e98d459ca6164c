"""Letting a conversation go on under the new id that its platform gave it."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sqlalchemy import bindparam, exists, select, update

from gateway.contracts.stores import TurnState
from gateway.ids import PlatformName
from gateway.session_key import SessionKey
from gateway.store.schema import IS_ACTIVE, IS_WAITING, inbox, sessions, turns
from gateway.store.statements import Transaction

_SESSIONS = select(
    sessions.c.id,
    sessions.c.agent,
    sessions.c.key,
    sessions.c.last_active,
    sessions.c.is_archived,
).where(sessions.c.key.like(bindparam("ending"), escape="\\"))
_RIVAL = select(sessions.c.id, sessions.c.last_active).where(
    IS_ACTIVE, sessions.c.agent == bindparam("agent"), sessions.c.key == bindparam("key")
)
_ARCHIVE = update(sessions).where(sessions.c.id == bindparam("which")).values(is_archived=True)
_RENAME = update(sessions).where(sessions.c.id == bindparam("which")).values(key=bindparam("new"))
_WAITING = select(
    inbox.c.number,
    inbox.c.lane,
    inbox.c.session_key,
    exists()
    .where(turns.c.number == inbox.c.number, turns.c.state == TurnState.RUNNING.value)
    .label("is_running"),
).where(IS_WAITING, inbox.c.session_key.like(bindparam("ending"), escape="\\"))
_MOVE = (
    update(inbox)
    .where(inbox.c.number == bindparam("which"))
    .values(lane=bindparam("new_lane"), session_key=bindparam("new"))
)


def move_place(transaction: Transaction, platform: PlatformName, old: str, new: str) -> int:
    """Rename the keys of all sessions and waiting messages of a place; count the sessions.

    Where both places have an active session, the one that was used last stays active.
    """
    if old == new or not old.startswith(f"{quote(platform, safe='')}/"):
        return 0  # a direct message is the same place for ever
    asked = {"ending": _ending(old)}
    moved = 0
    for row in transaction.rows(_SESSIONS, asked):
        key = _moved(row.key, old, new)
        if key is not None:
            _move_session(transaction, row, key)
            moved += 1
    for row in transaction.rows(_WAITING, asked):
        key = _moved(row.session_key, old, new)
        if key is not None:
            # A running turn ends in the lane that it holds.
            lane = row.lane if row.is_running else row.lane.replace(row.session_key, key)
            transaction.run(_MOVE, {"which": row.number, "new_lane": lane, "new": key})
    return moved


def _ending(channel_context: str) -> str:
    written = quote(channel_context, safe="/")
    return "%:" + written.replace("%", r"\%").replace("_", r"\_")


def _moved(key: str, old: str, new: str) -> str | None:
    decoded = SessionKey.decode(key)
    if decoded.channel_context != old:
        return None
    return replace(decoded, channel_context=new).encode()


def _move_session(transaction: Transaction, row: Any, key: str) -> None:
    if not row.is_archived:
        rival = transaction.row(_RIVAL, {"agent": row.agent, "key": key})
        if rival is not None:
            older = row.id if rival.last_active >= row.last_active else rival.id
            transaction.run(_ARCHIVE, {"which": older})
    transaction.run(_RENAME, {"which": row.id, "new": key})
