"""The store: every part on one database."""

import sqlite3
from pathlib import Path

from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.approvals import Approvals
from gateway.contracts.dead_letters import DeadLetters
from gateway.contracts.inbox import Inbox, Missed, Overheard
from gateway.contracts.linking import Announcements, Audit, Links
from gateway.contracts.money import Holds, UsageLedger
from gateway.contracts.overview import Overview
from gateway.contracts.people import Identities, Pairings, People
from gateway.contracts.privacy import Privacy
from gateway.contracts.stores import (
    Cursors,
    Outbox,
    Sessions,
    Store,
    Transcript,
    Turns,
)
from gateway.ids import NewId, new_id
from gateway.settings import QueueSettings
from gateway.store.announcements import SqlAnnouncements
from gateway.store.approvals import SqlApprovals
from gateway.store.audit import SqlAudit
from gateway.store.cursors import SqlCursors
from gateway.store.database import Database
from gateway.store.dead_letters import SqlDeadLetters
from gateway.store.holds import SqlHolds
from gateway.store.identities import SqlIdentities
from gateway.store.inbox import SqlInbox
from gateway.store.linking import SqlLinks
from gateway.store.location import database_path
from gateway.store.missed import SqlMissed
from gateway.store.outbox import SqlOutbox
from gateway.store.overheard import SqlOverheard
from gateway.store.overview import SqlOverview
from gateway.store.pairings import SqlPairings
from gateway.store.people import SqlPeople
from gateway.store.privacy import SqlPrivacy
from gateway.store.pruning import prune
from gateway.store.schema import VERSION
from gateway.store.sessions import SqlSessions
from gateway.store.transcript import SqlTranscript
from gateway.store.turns import SqlTurns
from gateway.store.usage import SqlUsage

_SAFE_RESET = (3, 51, 3)
"""Before it, SQLite can damage a log that two connections write or reset at once."""


class SqlStore(Store):
    """A SQLite file that one process writes; `read_only` looks on while another does."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        new_id: NewId = new_id,
        queues: QueueSettings = QueueSettings(),  # noqa: B008 - it is frozen
        read_only: bool = False,
    ) -> None:
        self._database = Database(database_path(url), is_read_only=read_only)
        self.inbox: Inbox = SqlInbox(self._database, clock, queues)
        self.missed: Missed = SqlMissed(self._database, clock)
        self.overheard: Overheard = SqlOverheard(self._database)
        self.approvals: Approvals = SqlApprovals(self._database, clock)
        self.turns: Turns = SqlTurns(self._database, clock, new_id)
        self.sessions: Sessions = SqlSessions(self._database, clock, new_id)
        self.transcript: Transcript = SqlTranscript(self._database, clock)
        self.outbox: Outbox = SqlOutbox(self._database, clock, new_id)
        self.cursors: Cursors = SqlCursors(self._database, clock)
        self.usage: UsageLedger = SqlUsage(self._database, clock)
        self.holds: Holds = SqlHolds(self._database, clock, new_id)
        identities = SqlIdentities(self._database)
        people = SqlPeople(self._database, clock, new_id, identities.forget)
        self.people: People = people
        self.pairings: Pairings = SqlPairings(self._database, clock, new_id, people.forget)
        self.identities: Identities = identities
        self.privacy: Privacy = SqlPrivacy(self._database, clock, new_id, people.forget)
        self.links: Links = SqlLinks(self._database, clock, new_id, people.forget)
        self.announcements: Announcements = SqlAnnouncements(self._database, clock)
        self.audit: Audit = SqlAudit(self._database, clock)
        self.overview: Overview = SqlOverview(self._database)
        self.dead_letters: DeadLetters = SqlDeadLetters(self._database, clock)

    @override
    async def open(self) -> None:
        await self._database.open()

    @override
    async def close(self) -> None:
        await self._database.close()

    @override
    async def check(self) -> str:
        path = self._database.path
        waiting = await self.inbox.waiting()
        advice = "" if sqlite3.sqlite_version_info >= _SAFE_RESET else " (3.51.3 mends a rare bug)"
        return (
            f"SQLite {sqlite3.sqlite_version}{advice}, schema {VERSION}, {path} {_size(path)}, "
            f"log {_size(path.with_name(f'{path.name}-wal'))}, {waiting} waiting"
        )

    @override
    async def prune(self, before: float) -> int:
        return await prune(self._database, before)


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB" if path.exists() else "none"
