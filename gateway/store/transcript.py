"""What was said in sessions: entries in one numbering, folded ones included."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.money import Payer
from gateway.contracts.stores import Transcript, Turn
from gateway.ids import HoldId, SessionId
from gateway.store.codec import SUMMARY, dump_entry, load_entry, storable
from gateway.store.database import Database
from gateway.store.inserts import insert
from gateway.store.leases import require
from gateway.store.schema import entries, inbox, sessions
from gateway.store.statements import Statement, Transaction
from gateway.store.usage import spend
from gateway.transcript import Entry, StoredEntry, SummaryEntry, Usage, entry_text

_ADVANCE = (
    update(sessions)
    .where(sessions.c.id == bindparam("session"))
    .values(last_seq=sessions.c.last_seq + bindparam("count"), last_active=bindparam("now"))
    .returning(sessions.c.last_seq, sessions.c.agent, sessions.c.person)
)
_INSERT = insert(entries)
_SENDER = select(inbox.c.person).where(inbox.c.number == bindparam("number"))
_FOLD = (
    update(sessions)
    .where(
        sessions.c.id == bindparam("session"),
        sessions.c.summary_seq == bindparam("expected_last"),
        sessions.c.last_seq >= bindparam("upto"),
    )
    .values(
        last_seq=sessions.c.last_seq + 1,
        summary_seq=sessions.c.last_seq + 1,
        folded_upto=bindparam("upto"),
    )
    .returning(sessions.c.last_seq)
)

_ENTRIES = select(
    entries.c.seq, entries.c.kind, entries.c.body, entries.c.turn, entries.c.created_at
).where(entries.c.session == bindparam("session"))
_IS_NEWEST_SUMMARY = entries.c.seq == sessions.c.summary_seq
_HISTORY = (
    _ENTRIES
    .join(sessions, sessions.c.id == entries.c.session)
    .where(
        # A summary comes after all that it stands for, so the newest is never before this.
        entries.c.seq > sessions.c.folded_upto,
        or_(_IS_NEWEST_SUMMARY, entries.c.kind != SUMMARY),
    )
    .order_by(_IS_NEWEST_SUMMARY.desc(), entries.c.seq)
)
_EVERYTHING = _ENTRIES.order_by(entries.c.seq)
_SEARCH = (
    _ENTRIES
    .where(entries.c.words.like(bindparam("pattern"), escape="\\"))
    .order_by(entries.c.seq.desc())
    .limit(bindparam("at_most"))
)


class SqlTranscript(Transcript):
    """Entries are only ever added; folding moves where a history begins."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @override
    async def append(
        self,
        session: SessionId,
        entries: Sequence[Entry],
        *,
        turn: Turn | None = None,
        usage: Usage | None = None,
        model: str | None = None,
        micros: int = 0,
        hold: HoldId | None = None,
    ) -> None:
        now = self._clock.now()
        rows = [_row(session, entry, turn, now) for entry in entries]

        def operation(transaction: Transaction) -> None:
            if turn is not None:
                require(transaction, turn)
            owner = _add(transaction, session, rows, now)
            if usage is not None:
                payer = owner if turn is None else _payer(transaction, turn)
                spend(transaction, session, payer, model or "", usage, micros, hold, now)

        await self._database.write(operation)

    @override
    async def history(self, session: SessionId) -> Sequence[StoredEntry]:
        return await self._stored(_HISTORY, session=session)

    @override
    async def everything(self, session: SessionId) -> Sequence[StoredEntry]:
        return await self._stored(_EVERYTHING, session=session)

    @override
    async def fold(
        self, session: SessionId, summary: str, *, upto: int, expected_last: int
    ) -> bool:
        row = _row(session, SummaryEntry(summary), None, self._clock.now())
        asked = {"session": session, "upto": upto, "expected_last": expected_last}

        def operation(transaction: Transaction) -> bool:
            folded = transaction.row(_FOLD, asked)
            if folded is None:
                return False
            transaction.run(_INSERT, {**row, "seq": folded.last_seq})
            return True

        return await self._database.write(operation)

    @override
    async def search(
        self, session: SessionId, words: str, limit: int = 20
    ) -> Sequence[StoredEntry]:
        """Return the newest entries that contain `words`, newest first."""
        sought = _folded(words.strip())
        if not sought:
            return []
        for special in "\\%_":
            sought = sought.replace(special, f"\\{special}")
        return await self._stored(_SEARCH, session=session, pattern=f"%{sought}%", at_most=limit)

    async def _stored(self, statement: Statement, **asked: Any) -> Sequence[StoredEntry]:
        return [
            StoredEntry(row.seq, load_entry(row.kind, row.body), row.turn, row.created_at)
            for row in await self._database.read(statement, **asked)
        ]


def _payer(transaction: Transaction, turn: Turn) -> Payer:
    """Return who has to answer for a turn: they may have been linked while it ran."""
    message = transaction.row(_SENDER, {"number": turn.kept.number})
    payer = turn.kept.payer
    return payer if message is None else replace(payer, person=message.person)


def _row(session: SessionId, entry: Entry, turn: Turn | None, now: float) -> dict[str, Any]:
    kind, body = dump_entry(entry)
    return {
        "session": session,
        "kind": kind,
        "turn": None if turn is None else turn.id,
        "created_at": now,
        "body": body,
        "words": _folded(entry_text(entry)),
        "author": _author(turn),
    }


def _author(turn: Turn | None) -> str | None:
    """Return who asked, where several people share the session."""
    if turn is None or turn.kept.message.address.place.is_direct:
        return None
    return turn.kept.message.address.identity


def _folded(text: str) -> str:
    return storable(text.casefold())


def _add(
    transaction: Transaction, session: SessionId, rows: Sequence[dict[str, Any]], now: float
) -> Payer:
    """Number the rows and write them; return whose session it is."""
    asked = {"session": session, "count": len(rows), "now": now}
    advanced = transaction.row(_ADVANCE, asked)
    if advanced is None:
        raise LookupError(f"there is no session {session}")
    first = advanced.last_seq - len(rows) + 1
    if rows:
        numbered = [{**row, "seq": first + place} for place, row in enumerate(rows)]
        transaction.run_for_each(_INSERT, numbered)
    return Payer(advanced.agent, advanced.person, None)
