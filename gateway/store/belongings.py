"""All that is kept of a person, as plain data: what they are given when they ask for a copy."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, or_, select

from gateway.ids import PersonId
from gateway.store.codec import load_address, load_facts, load_identity
from gateway.store.database import Database
from gateway.store.erasing import IS_OF_SENDER, QUOTING, like
from gateway.store.schema import (
    approvals,
    audit,
    entries,
    erasures,
    identities,
    inbox,
    link_codes,
    outbox,
    overheard,
    pairings,
    people,
    sessions,
    turns,
    usage,
)
from gateway.store.standing import IDENTITIES
from gateway.store.statements import Statement

_PERSON = (
    select(identities.c.platform, identities.c.external_user, people.c.role)
    .join(people, people.c.id == identities.c.own_person)
    .where(identities.c.person == bindparam("person"))
)
_SESSIONS = (
    select(
        sessions.c.id,
        sessions.c.agent,
        sessions.c.title,
        sessions.c.model,
        sessions.c.created_at,
        sessions.c.last_active,
        sessions.c.is_archived,
    )
    .where(sessions.c.person == bindparam("person"))
    .order_by(sessions.c.created_at, sessions.c.id)
)
_ENTRY = (entries.c.seq, entries.c.kind, entries.c.created_at, entries.c.body)
_ENTRIES = select(*_ENTRY).where(entries.c.session == bindparam("session")).order_by(entries.c.seq)
_IN_GROUPS = (
    select(sessions.c.agent, sessions.c.key, *_ENTRY)
    .join(sessions, sessions.c.id == entries.c.session)
    .where(entries.c.author == bindparam("account"))
    .order_by(entries.c.session, entries.c.seq)
)
_OVERHEARD = select(overheard.c.place, overheard.c.text, overheard.c.said_at).where(
    overheard.c.author == bindparam("account")
)
_RECEIVED = (
    select(
        inbox.c.number,
        inbox.c.account,
        inbox.c.message_id,
        inbox.c.state,
        inbox.c.reason,
        inbox.c.kept_at,
        inbox.c.message,
    )
    .where(IS_OF_SENDER)
    .order_by(inbox.c.number)
)
_SENT = (
    select(outbox.c.kind, outbox.c.state, outbox.c.created_at)
    .join(turns, turns.c.id == outbox.c.turn)
    .join(inbox, inbox.c.number == turns.c.number)
    .where(IS_OF_SENDER)
    .order_by(outbox.c.created_at)
)
_NOTICES = select(outbox.c.address, outbox.c.kind, outbox.c.state, outbox.c.created_at).where(
    outbox.c.turn.is_(None), outbox.c.address.like(bindparam("pattern"), escape="\\")
)
_USAGE = select(usage).where(usage.c.person == bindparam("person")).order_by(usage.c.number)
_APPROVALS = select(
    approvals.c.tool, approvals.c.state, approvals.c.asked_at, approvals.c.session_key
).where(approvals.c.person == bindparam("person"))
_LINKS = select(
    link_codes.c.state,
    link_codes.c.asker,
    link_codes.c.redeemer,
    link_codes.c.created_at,
    link_codes.c.linked_at,
)
_REQUESTS = select(pairings.c.name, pairings.c.requested_at, pairings.c.expires_at).where(
    pairings.c.platform == bindparam("platform"), pairings.c.external_user == bindparam("user")
)
_ERASURES = select(erasures.c.asked_by, erasures.c.asked_at, erasures.c.due_at).where(
    erasures.c.person == bindparam("person")
)
_AUDIT = (
    select(audit.c.number, audit.c.happened_at, audit.c.action, audit.c.actor, audit.c.facts)
    .where(
        or_(
            audit.c.actor == bindparam("named"),
            audit.c.facts.like(bindparam("pattern"), escape="\\"),
        )
    )
    .order_by(audit.c.number)
)


async def belongings(database: Database, person: PersonId) -> Mapping[str, Any]:
    """Read everything of the person, and of each of their accounts."""
    known = await database.read(IDENTITIES, of_person=person)
    accounts = [f"{row.platform}:{row.external_user}" for row in known]
    reading = _Reading(database, person, accounts)
    return {
        "person": person,
        "accounts": await reading.accounts(),
        "conversations": await reading.conversations(),
        "in_groups": await reading.in_groups(),
        "overheard_in_groups": await reading.of_accounts(_OVERHEARD),
        "messages_received": await reading.received(),
        "messages_sent": await reading.sent(),
        "usage": await reading.of_person(_USAGE),
        "approvals": await reading.of_person(_APPROVALS),
        "links": await reading.links(),
        "requests_to_be_let_in": await reading.requests(),
        "erasures": await reading.of_person(_ERASURES),
        "audit": await reading.audit(),
    }


class _Reading:
    """One person's rows, table by table."""

    def __init__(self, database: Database, person: PersonId, accounts: Sequence[str]) -> None:
        self._read = database.read
        self._person = person
        self._accounts = accounts

    async def of_person(self, statement: Statement) -> list[dict[str, Any]]:
        return [row._asdict() for row in await self._read(statement, person=self._person)]

    async def of_accounts(self, statement: Statement) -> list[dict[str, Any]]:
        return [
            {"account": account, **row._asdict()}
            for account in self._accounts
            for row in await self._read(statement, account=account)
        ]

    async def accounts(self) -> list[dict[str, Any]]:
        roles = {
            f"{row.platform}:{row.external_user}": row.role
            for row in await self._read(_PERSON, person=self._person)
        }
        return [
            {
                "account": f"{row.platform}:{row.external_user}",
                "name": row.name,
                "role": roles.get(f"{row.platform}:{row.external_user}"),
                "known_since": row.created_at,
                "linked_at": row.linked_at,
                "last_direct_conversation": row.address and json.loads(row.address),
            }
            for row in await self._read(IDENTITIES, of_person=self._person)
        ]

    async def conversations(self) -> list[dict[str, Any]]:
        return [
            {**session, "entries": await self._entries(session["id"])}
            for session in await self.of_person(_SESSIONS)
        ]

    async def _entries(self, session: str) -> list[dict[str, Any]]:
        return [_entry(row) for row in await self._read(_ENTRIES, session=session)]

    async def in_groups(self) -> list[dict[str, Any]]:
        said = [
            {
                "account": account,
                "agent": row.agent,
                "place": row.key,
                **_without_heard(_entry(row)),
            }
            for account in self._accounts
            for row in await self._read(_IN_GROUPS, account=account)
        ]
        quoted = [
            {"account": account, "place": row.session, "quoted_in": json.loads(row.body)}
            for account in self._accounts
            for row in await self._read(QUOTING, pattern=like(f'"{account}"'))
        ]
        # A name or a file may be called as somebody's id is written.
        return [*said, *(told for one in quoted if (told := _own_words(one))["quoted"])]

    async def received(self) -> list[dict[str, Any]]:
        rows = [
            row
            for sender in (self._person, *self._accounts)
            for row in await self._read(_RECEIVED, of_sender=sender)
        ]
        by_number = {row.number: row for row in rows}
        return [
            {**row._asdict(), "message": row.message and json.loads(row.message)}
            for _, row in sorted(by_number.items())
        ]

    async def sent(self) -> list[dict[str, Any]]:
        answers = await self._read(_SENT, of_sender=self._person)
        notices = [
            row
            for account in self._accounts
            for row in await self._read(_NOTICES, pattern=like(account.partition(":")[2]))
            if load_address(row.address).identity == account
        ]
        return [
            *(row._asdict() for row in answers),
            *(
                {"kind": "notice", "state": row.state, "created_at": row.created_at}
                for row in notices
            ),
        ]

    async def links(self) -> list[dict[str, Any]]:
        return [
            {
                "state": row.state,
                "accounts": parties,
                "created_at": row.created_at,
                "linked_at": row.linked_at,
            }
            for row in await self._read(_LINKS)
            if not set(parties := _parties(row)).isdisjoint(self._accounts)
        ]

    async def requests(self) -> list[dict[str, Any]]:
        asked = [(account, *account.partition(":")[::2]) for account in self._accounts]
        return [
            {"account": account, **row._asdict()}
            for account, platform, user in asked
            for row in await self._read(_REQUESTS, platform=platform, user=user)
        ]

    async def audit(self) -> list[dict[str, Any]]:
        names = (self._person, *self._accounts)
        rows = {
            row.number: row
            for name in names
            for row in await self._read(_AUDIT, named=name, pattern=like(name))
            if not {row.actor, *_words(load_facts(row.facts))}.isdisjoint(names)
        }
        return [
            {**row._asdict(), "facts": load_facts(row.facts)} for _, row in sorted(rows.items())
        ]


def _entry(row: Any) -> dict[str, Any]:
    return {"kind": row.kind, "created_at": row.created_at, **json.loads(row.body)}


def _without_heard(entry: dict[str, Any]) -> dict[str, Any]:
    """Leave out what others said before it; one's own such words are told as quoted."""
    if not (blocks := _blocks(entry)):
        return entry
    return {**entry, "content": [block for block in blocks if "author" not in block]}


def _blocks(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of what was said; plain words have none."""
    content = entry.get("content")
    return content if isinstance(content, list) else []


def _own_words(quoted: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of another's question only the words that it quotes of this account."""
    blocks = _blocks(quoted["quoted_in"])
    own = [block["text"] for block in blocks if block.get("author") == quoted["account"]]
    return {"account": quoted["account"], "place": quoted["place"], "quoted": own}


def _parties(row: Any) -> list[str]:
    return [str(load_identity(text)) for text in (row.asker, row.redeemer) if text is not None]


def _words(facts: Mapping[str, str]) -> list[str]:
    return [word for value in facts.values() for word in value.split(" ")]
