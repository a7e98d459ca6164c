"""Erasing what is kept of a person: their talk first, in small steps, and then all the rest.

What stays are the numbers of their messages, for as long as any message's, so that none is
answered twice; sums of money and tokens without a name; and the audit trail, which has ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import (
    ColumnElement,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)

from gateway.contracts.privacy import Leftovers
from gateway.ids import PersonId
from gateway.store.codec import (
    SUMMARY,
    dump_entry,
    load_address,
    load_entry,
    load_facts,
    load_identity,
)
from gateway.store.kept import ERASED
from gateway.store.schema import (
    IS_SHARED,
    IS_WAITING,
    announcements,
    approvals,
    code_tries,
    entries,
    erasures,
    holds,
    identities,
    inbox,
    lanes,
    link_codes,
    outbox,
    overheard,
    pairings,
    people,
    sessions,
    steps,
    turns,
    usage,
)
from gateway.store.statements import Statement, Transaction
from gateway.transcript import (
    Content,
    FileBlock,
    HeardBlock,
    SummaryEntry,
    UserEntry,
    entry_text,
)

_SUMMARY_WORDS = "What was said here before was erased, as somebody who spoke here asked for it."

_OF_SESSION = entries.c.session == bindparam("session")
_DROP_ENTRIES = delete(entries).where(_OF_SESSION)
_DROP_SESSION = delete(sessions).where(sessions.c.id == bindparam("session"))
_WAITS_IN_KEY = (
    select(inbox.c.number)
    .join(sessions, sessions.c.key == inbox.c.session_key)
    .where(IS_WAITING, sessions.c.id == bindparam("session"), inbox.c.lane.not_like("%!control"))
    .limit(1)
)
_OWNED = select(sessions.c.id).where(
    sessions.c.id == bindparam("session"), sessions.c.person == bindparam("person")
)

SHARED_OF_AUTHOR = (
    select(
        sessions.c.id,
        sessions.c.agent,
        sessions.c.key,
        sessions.c.folded_upto,
        func.min(entries.c.seq).label("first"),
    )
    .join(entries, entries.c.session == sessions.c.id)
    .where(entries.c.author == bindparam("author"))
    .group_by(sessions.c.id, sessions.c.agent, sessions.c.key, sessions.c.folded_upto)
)
_BY_AUTHOR = (_OF_SESSION, entries.c.author == bindparam("author"))
_SAID = select(entries.c.body).where(*_BY_AUTHOR, entries.c.kind == "user")
_DROP_SAID = delete(entries).where(*_BY_AUTHOR)
QUOTING = (
    select(entries.c.session, entries.c.seq, entries.c.body, sessions.c.folded_upto)
    .join(sessions, sessions.c.id == entries.c.session)
    .where(
        IS_SHARED,
        entries.c.kind == "user",
        entries.c.body.like(bindparam("pattern"), escape="\\"),
    )
)
_REWRITE = (
    update(entries)
    .where(entries.c.session == bindparam("which"), entries.c.seq == bindparam("place"))
    .values(body=bindparam("new_body"), words=bindparam("new_words"))
)
_BLANK_SUMMARIES = (
    update(entries)
    .where(entries.c.session == bindparam("which"), entries.c.kind == SUMMARY)
    .values(body=bindparam("new_body"), words="")
)
_FORGET_TITLE = (
    update(sessions)
    .where(
        sessions.c.id == bindparam("which"),
        ~exists().where(entries.c.session == sessions.c.id, entries.c.seq < bindparam("first")),
    )
    .values(title=null())
)

IS_OF_SENDER: ColumnElement[bool] = or_(
    inbox.c.sender == bindparam("of_sender"), inbox.c.person == bindparam("of_sender")
)
_TURNS = select(turns.c.id).join(inbox, inbox.c.number == turns.c.number).where(IS_OF_SENDER)
_DROP_TURNS = (
    delete(steps).where(steps.c.turn.in_(_TURNS)),
    delete(outbox).where(outbox.c.turn.in_(_TURNS)),
    delete(turns).where(
        turns.c.number.in_(select(inbox.c.number).where(IS_OF_SENDER))
    ),
)  # fmt: skip
_CLOSE = update(inbox).where(IS_WAITING, IS_OF_SENDER).values(state=ERASED)
_CLEAR = (
    update(inbox)
    .where(IS_OF_SENDER)
    .values(
        sender=ERASED,
        person=null(),
        lane=null(),
        session_key=null(),
        album=null(),
        message=null(),
    )
)
_SESSIONS_OF = select(sessions.c.id).where(sessions.c.person == bindparam("person"))
_ANONYMOUS: Sequence[Statement] = (
    update(usage).where(usage.c.person == bindparam("which")).values(person=null(), session=""),
    delete(holds).where(holds.c.person == bindparam("which")),
    delete(approvals).where(approvals.c.person == bindparam("which")),
)
_OF_ACCOUNT: Sequence[Statement] = (
    delete(overheard).where(overheard.c.author == bindparam("account")),
    delete(code_tries).where(code_tries.c.identity == bindparam("account")),
)
_DROP_LANES = delete(lanes).where(lanes.c.lane.like(bindparam("pattern"), escape="\\"))
_DROP_REQUEST = delete(pairings).where(
    pairings.c.platform == bindparam("platform"), pairings.c.external_user == bindparam("user")
)
_LINKS = select(link_codes.c.id, link_codes.c.asker, link_codes.c.redeemer)
_DROP_LINK = delete(link_codes).where(link_codes.c.id == bindparam("which"))
_NEWS = select(announcements.c.number, announcements.c.address, announcements.c.facts)
_DROP_NEWS = delete(announcements).where(announcements.c.number == bindparam("which"))
_NOTICES = select(outbox.c.id, outbox.c.address).where(
    outbox.c.turn.is_(None), outbox.c.address.like(bindparam("pattern"), escape="\\")
)
_DROP_NOTICE = delete(outbox).where(outbox.c.id == bindparam("which"))
_OWN = select(identities.c.own_person).where(identities.c.person == bindparam("person"))
_DROP_IDENTITIES = delete(identities).where(identities.c.person == bindparam("person"))
_DROP_PERSON = delete(people).where(people.c.id == bindparam("person"))
_DROP_ERASURE = delete(erasures).where(erasures.c.person == bindparam("person"))
_UNUSED = (
    select(sessions.c.id)
    .where(
        sessions.c.last_active < bindparam("before"),
        ~exists().where(IS_WAITING, inbox.c.session_key == sessions.c.key),
    )
    .limit(literal_column("20"))
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is to be erased."""

    person: PersonId
    accounts: tuple[str, ...]

    @property
    def senders(self) -> tuple[str, ...]:
        """How messages name who sent them."""
        return (self.person, *self.accounts)


def like(text: str) -> str:
    """Return a pattern for what contains the text."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"


def close_waiting(transaction: Transaction, subject: Subject) -> None:
    for sender in subject.senders:
        transaction.run(_CLOSE, {"of_sender": sender})


def sessions_of_person(transaction: Transaction, person: PersonId) -> list[str]:
    return [row.id for row in transaction.rows(_SESSIONS_OF, {"person": person})]


def drop_session(transaction: Transaction, session: str) -> None:
    transaction.run(_DROP_ENTRIES, {"session": session})
    transaction.run(_DROP_SESSION, {"session": session})


def drop_own_session(transaction: Transaction, session: str, person: PersonId) -> bool:
    """Drop a session if it is the person's own and nothing waits in it."""
    asked = {"session": session, "person": person}
    if transaction.row(_OWNED, asked) is None or transaction.row(_WAITS_IN_KEY, asked) is not None:
        return False
    drop_session(transaction, session)
    return True


def drop_unused(transaction: Transaction, before: float) -> int:
    """Drop a few sessions that were not used since then; count them."""
    found = transaction.rows(_UNUSED, {"before": before})
    for row in found:
        drop_session(transaction, row.id)
    return len(found)


def erase_said(transaction: Transaction, account: str) -> Leftovers:
    """Drop what an account said and was answered in shared sessions; return its files there."""
    files = []
    for session in transaction.rows(SHARED_OF_AUTHOR, {"author": account}):
        asked = {"session": session.id, "author": account}
        for row in transaction.rows(_SAID, asked):
            entry = load_entry("user", row.body)
            if isinstance(entry, UserEntry):
                files += [(session.agent, session.key, path) for path in _paths(entry.content)]
        transaction.run(_FORGET_TITLE, {"which": session.id, "first": session.first})
        transaction.run(_DROP_SAID, asked)
        _blank_summaries(transaction, session.id, session.first, session.folded_upto)
    return Leftovers(shared=tuple(files))


def _paths(content: Content) -> list[str]:
    if isinstance(content, str):
        return []
    return [block.path for block in content if isinstance(block, FileBlock)]


def erase_heard(transaction: Transaction, account: str) -> None:
    """Take what an account said near the bot out of what others asked."""
    for row in transaction.rows(QUOTING, {"pattern": like(f'"{account}"')}):
        entry = load_entry("user", row.body)
        if not isinstance(entry, UserEntry) or isinstance(entry.content, str):
            continue
        left = tuple(
            block
            for block in entry.content
            if not (isinstance(block, HeardBlock) and block.author == account)
        )
        mended = UserEntry(left, entry.speaker)
        _, body = dump_entry(mended)
        words = entry_text(mended).casefold()
        place = {"which": row.session, "place": row.seq}
        transaction.run(_REWRITE, {**place, "new_body": body, "new_words": words})
        _blank_summaries(transaction, row.session, row.seq, row.folded_upto)


def _blank_summaries(transaction: Transaction, session: str, first: int, folded: int) -> None:
    """Leave no summary of words that are gone."""
    if first <= folded:
        _, body = dump_entry(SummaryEntry(_SUMMARY_WORDS))
        transaction.run(_BLANK_SUMMARIES, {"which": session, "new_body": body})


def erase_rest(transaction: Transaction, subject: Subject) -> None:
    """Drop everything but the talk, and who it was."""
    persons = {subject.person, *_former_persons(transaction, subject.person)}
    for sender in subject.senders:
        transaction.run(_CLOSE, {"of_sender": sender})
        for drop in _DROP_TURNS:
            transaction.run(drop, {"of_sender": sender})
        transaction.run(_CLEAR, {"of_sender": sender})
    for person in persons:
        for separate in _ANONYMOUS:
            transaction.run(separate, {"which": person})
        transaction.run(_DROP_LANES, {"pattern": like(f":user:{quote(person, safe='')}:")})
    for account in subject.accounts:
        _erase_account(transaction, account)
    transaction.run(_DROP_IDENTITIES, {"person": subject.person})
    for person in persons:
        transaction.run(_DROP_PERSON, {"person": person})
    transaction.run(_DROP_ERASURE, {"person": subject.person})


def _former_persons(transaction: Transaction, person: PersonId) -> list[PersonId]:
    return [row.own_person for row in transaction.rows(_OWN, {"person": person})]


def persons_of(transaction: Transaction, person: PersonId) -> tuple[PersonId, ...]:
    """Return who the person is, and who their accounts were before they were linked."""
    return tuple(sorted({person, *_former_persons(transaction, person)}))


def _erase_account(transaction: Transaction, account: str) -> None:
    platform, _, user = account.partition(":")
    for drop in _OF_ACCOUNT:
        transaction.run(drop, {"account": account})
    key = ":".join(quote(part, safe="") for part in (platform, user))
    transaction.run(_DROP_LANES, {"pattern": like(f":{key}:")})
    transaction.run(_DROP_REQUEST, {"platform": platform, "user": user})
    for row in transaction.rows(_LINKS, {}):
        parties = [load_identity(text) for text in (row.asker, row.redeemer) if text is not None]
        if account in map(str, parties):
            transaction.run(_DROP_LINK, {"which": row.id})
    for row in transaction.rows(_NEWS, {}):
        facts = load_facts(row.facts)
        about = f"{facts.get('platform')}:{facts.get('user')}"
        if account in {about, load_address(row.address).identity}:
            transaction.run(_DROP_NEWS, {"which": row.number})
    for row in transaction.rows(_NOTICES, {"pattern": like(user)}):
        if load_address(row.address).identity == account:
            transaction.run(_DROP_NOTICE, {"which": row.id})
