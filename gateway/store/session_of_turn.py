"""Which session a turn belongs to, when its person may have been linked or parted meanwhile."""

from dataclasses import replace

from sqlalchemy import bindparam, exists, select

from gateway.contracts.people import NO_LONGER_WORDS, PARTED_WORDS
from gateway.contracts.stores import SessionInfo, Turn
from gateway.errors import NotAllowed
from gateway.store.schema import entries, identities, inbox, sessions, steps
from gateway.store.sessions import FIELDS, active_of, info_from, insert_session
from gateway.store.statements import Transaction

_BEGUN_IN = (
    select(*(sessions.c[name] for name in FIELDS))
    .join(entries, entries.c.session == sessions.c.id)
    .where(entries.c.turn == bindparam("turn"))
    .limit(1)
)
_MESSAGE = select(
    inbox.c.session_key,
    inbox.c.person,
    exists().where(identities.c.person == inbox.c.person).label("is_known"),
).where(inbox.c.number == bindparam("number"))

_HAS_STEPS = select(steps.c.call_id).where(steps.c.turn == bindparam("turn")).limit(1)


def session_of(transaction: Transaction, turn: Turn, new: SessionInfo) -> SessionInfo:
    """Return where the turn has left something, or the active session of its message's key.

    Raises:
        NotAllowed: its person was sent away since it began, or has left those they were one
            with, and would have done again what is done once.
    """
    message = transaction.row(_MESSAGE, {"number": turn.kept.number})
    if message is not None:
        owner = None if turn.kept.owner is None else message.person
        if owner is not None and not message.is_known:
            raise NotAllowed(NO_LONGER_WORDS)
        new = replace(new, key=message.session_key, person=owner)
    if turn.is_resumed:
        begun = transaction.row(_BEGUN_IN, {"turn": turn.id})
        # Whoever has left a person since does not go on in what is that person's.
        if begun is not None and begun.person == new.person:
            return info_from(begun)
        if begun is not None and transaction.row(_HAS_STEPS, {"turn": turn.id}) is not None:
            raise NotAllowed(PARTED_WORDS)
    return active_of(transaction, new) or insert_session(transaction, new)
