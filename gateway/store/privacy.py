"""What is a person's own: asking for it to be erased, and a copy of it all."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import bindparam, delete, select
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.people import Identity
from gateway.contracts.privacy import Erasure, Leftovers, Privacy
from gateway.ids import ExternalUser, NewId, PersonId, PlatformName, SessionId
from gateway.store import erasing
from gateway.store.announcements import announce
from gateway.store.audit import note
from gateway.store.belongings import belongings
from gateway.store.database import Database
from gateway.store.erasing import Subject
from gateway.store.inserts import insert_or_skip
from gateway.store.schema import erasures
from gateway.store.standing import identities_of, look_up
from gateway.store.statements import Transaction

_ASK = insert_or_skip(erasures)
_ALL = select(erasures).order_by(erasures.c.due_at, erasures.c.id)
_OF_PERSON = select(erasures).where(erasures.c.person == bindparam("person"))
_OF_ID = select(erasures).where(erasures.c.id == bindparam("which"))
_DROP = delete(erasures).where(erasures.c.person == bindparam("person")).returning(erasures.c.id)


class SqlPrivacy(Privacy):
    """Tells `forget` when somebody is no more: who was looked up before it was somebody else."""

    def __init__(
        self, database: Database, clock: Clock, new_id: NewId, forget: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._forget = forget

    @override
    async def everything(self, person: PersonId) -> Mapping[str, Any]:
        return await belongings(self._database, person)

    @override
    async def ask(self, account: str, by: str, delay: float) -> Erasure:
        new, now = self._new_id("e"), self._clock.now()
        return await self._database.write(
            lambda transaction: _ask(transaction, new, account, by, now, now + delay)
        )

    @override
    async def take_back(self, person: PersonId, by: str) -> bool:
        now = self._clock.now()
        return await self._database.write(
            lambda transaction: _take_back(transaction, person, by, now)
        )

    @override
    async def of(self, person: PersonId) -> Erasure | None:
        row = await self._database.read_one(_OF_PERSON, person=person)
        return None if row is None else _erasure(row)

    @override
    async def waiting(self) -> Sequence[Erasure]:
        return [_erasure(row) for row in await self._database.read(_ALL)]

    @override
    async def is_still_asked(self, erasure: Erasure) -> bool:
        now = self._clock.now()
        return await self._database.write(
            lambda transaction: _is_still_asked(transaction, erasure, now)
        )

    @override
    async def erase_talk(self, erasure: Erasure) -> Leftovers:
        subject = Subject(erasure.person, erasure.accounts)
        write = self._database.write
        await write(lambda transaction: erasing.close_waiting(transaction, subject))
        for session in await write(
            lambda transaction: erasing.sessions_of_person(transaction, subject.person)
        ):
            await self._drop_session(session)
        shared: list[Any] = []
        for account in subject.accounts:
            shared += await self._erase_account(account)
        persons = await write(lambda transaction: erasing.persons_of(transaction, subject.person))
        return Leftovers(persons, tuple(shared))

    @override
    async def erase_rest(self, erasure: Erasure) -> None:
        subject, now = Subject(erasure.person, erasure.accounts), self._clock.now()

        def operation(transaction: Transaction) -> None:
            erasing.erase_rest(transaction, subject)
            facts = {"person": erasure.person, "accounts": " ".join(erasure.accounts)}
            note(transaction, now, "person.erased", erasure.asked_by, facts)

        try:
            await self._database.write(operation)
        finally:
            self._forget()
        await self._database.scrub()

    @override
    async def erase_session(self, session: SessionId, person: PersonId) -> bool:
        return await self._database.write(
            lambda transaction: erasing.drop_own_session(transaction, session, person)
        )

    @override
    async def erase_unused(self, before: float) -> int:
        erased = 0
        while count := await self._database.write(
            lambda transaction: erasing.drop_unused(transaction, before)
        ):
            erased += count
        return erased

    async def _drop_session(self, session: str) -> None:
        await self._database.write(lambda transaction: erasing.drop_session(transaction, session))

    async def _erase_account(self, account: str) -> Sequence[Any]:
        def operation(transaction: Transaction) -> Leftovers:
            erasing.erase_heard(transaction, account)
            return erasing.erase_said(transaction, account)

        return (await self._database.write(operation)).shared


def _ask(
    transaction: Transaction, new: str, account: str, by: str, now: float, due_at: float
) -> Erasure:
    platform, _, user = account.partition(":")
    known = look_up(transaction, platform, user)
    # Of whom nobody is known there may still be words that were overheard, or a request.
    person = PersonId(account) if known is None else known.id
    asked = transaction.row(_OF_PERSON, {"person": person})
    if asked is not None and asked.due_at <= due_at:
        return _erasure(asked)
    transaction.rows(_DROP, {"person": person})
    everybody = identities_of(transaction, person)
    accounts = tuple(map(str, everybody)) or (account,)
    erasure = Erasure(new, person, accounts, by, due_at)
    row = {**asdict(erasure), "accounts": json.dumps(accounts), "asked_at": now}
    transaction.run(_ASK, row)
    note(transaction, now, "erasure.asked", by, {"accounts": " ".join(accounts)})
    if due_at > now:
        _tell(transaction, everybody, by, "forgetting", {"by": by, "at": f"{due_at:.0f}"}, now)
    return erasure


def _take_back(transaction: Transaction, person: PersonId, by: str, now: float) -> bool:
    if not transaction.rows(_DROP, {"person": person}):
        return False
    note(transaction, now, "erasure.taken_back", by, {"person": person})
    everybody = identities_of(transaction, person)
    _tell(transaction, everybody, by, "kept", {"by": by}, now)
    return True


def _is_still_asked(transaction: Transaction, erasure: Erasure, now: float) -> bool:
    if transaction.row(_OF_ID, {"which": erasure.id}) is None:
        return False
    everybody = identities_of(transaction, erasure.person)
    is_unknown = not everybody and erasure.person == erasure.accounts[0]
    if is_unknown or set(erasure.accounts) == set(map(str, everybody)):
        return True
    transaction.rows(_DROP, {"person": erasure.person})
    note(transaction, now, "erasure.fell", "gateway", {"accounts": " ".join(erasure.accounts)})
    told = [one for account in erasure.accounts if (one := _identity(transaction, account))]
    _tell(transaction, told, "", "not_forgotten", {}, now)
    return False


def _identity(transaction: Transaction, account: str) -> Identity | None:
    platform, _, user = account.partition(":")
    known = look_up(transaction, PlatformName(platform), ExternalUser(user))
    everybody = [] if known is None else identities_of(transaction, known.id)
    return next((one for one in everybody if str(one) == account), None)


def _tell(
    transaction: Transaction,
    everybody: Sequence[Identity],
    by: str,
    kind: str,
    facts: Mapping[str, str],
    now: float,
) -> None:
    """Tell all accounts but the one that did it, which is answered there."""
    for one in everybody:
        if str(one) != by:
            announce(transaction, now, one.address, kind, facts)


def _erasure(row: Any) -> Erasure:
    accounts = tuple(json.loads(row.accounts))
    return Erasure(row.id, PersonId(row.person), accounts, row.asked_by, row.due_at)
