"""Links between accounts: each step is one transaction, with its audit row and its news."""

from collections.abc import Callable
from typing import Any

from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.linking import Change, Link, LinkId, Links, Trouble
from gateway.contracts.people import Identity
from gateway.ids import ExternalUser, NewId, PersonId, PlatformName
from gateway.messages import Message
from gateway.store import link_codes as codes
from gateway.store.announcements import announce
from gateway.store.audit import note
from gateway.store.database import Database
from gateway.store.joining import (
    Before,
    dump_before,
    join,
    load_before,
    part,
)
from gateway.store.standing import identities_of, look_up
from gateway.store.statements import Transaction
from gateway.store.tries import are_too_many, count_wrong_code

UNDO_WITHIN = 86_400.0


class SqlLinks(Links):
    """Tells `forget` of each change: who was looked up before it may be somebody else now."""

    def __init__(
        self, database: Database, clock: Clock, new_id: NewId, forget: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._forget = forget

    @override
    async def open(self, asker: Message, person: PersonId, code_hash: str) -> Trouble | None:
        who, now = _party(asker, self._clock.now()), self._clock.now()
        row = codes.new_row(self._new_id("l"), code_hash, person, who, now)
        return await self._database.write(lambda transaction: _open(transaction, row, who, now))

    @override
    async def redeem(self, redeemer: Message, person: PersonId, code_hash: str) -> Link | Trouble:
        now = self._clock.now()
        return await self._database.write(
            lambda transaction: _redeem(transaction, redeemer, person, code_hash, now)
        )

    @override
    async def burn(self, shown_by: Message, code_hash: str) -> None:
        now = self._clock.now()
        await self._database.write(lambda transaction: _burn(transaction, shown_by, code_hash, now))

    @override
    async def agree(self, link: LinkId, sayer: Message) -> Link | Trouble:
        now = self._clock.now()
        return await self._database.write(lambda transaction: _agree(transaction, link, sayer, now))

    @override
    async def accept(
        self, link: LinkId, sayer: Message, *, goes_on_there: bool
    ) -> Change | Trouble:
        now = self._clock.now()
        try:
            return await self._database.write(
                lambda transaction: _accept(transaction, link, sayer, goes_on_there, now)
            )
        finally:
            self._forget()

    @override
    async def refuse(self, link: LinkId, sayer: Message) -> Link | Trouble:
        now = self._clock.now()
        return await self._database.write(
            lambda transaction: _refuse(transaction, link, sayer, now)
        )

    @override
    async def unlink(
        self, platform: PlatformName, user: ExternalUser, *, by: str
    ) -> Change | Trouble:
        new, now = PersonId(self._new_id("p")), self._clock.now()
        try:
            return await self._database.write(
                lambda transaction: unlink(transaction, platform, user, new, by, now)
            )
        finally:
            self._forget()

    @override
    async def undo(self, sayer: Message, person: PersonId) -> Change | Trouble:
        now = self._clock.now()
        try:
            return await self._database.write(
                lambda transaction: _undo(transaction, sayer, person, now)
            )
        finally:
            self._forget()


def _party(message: Message, now: float) -> Identity:
    address = message.address
    return Identity(address.platform, address.external_user, message.sender_name, address, now)


def _named(identity: Identity) -> dict[str, str]:
    return {
        "platform": identity.platform,
        "user": identity.external_user,
        "name": identity.name,
    }


def _open(
    transaction: Transaction, row: dict[str, Any], who: Identity, now: float
) -> Trouble | None:
    if codes.are_too_many(transaction, row["person"], now):
        return Trouble.TOO_MANY_CODES
    codes.void_open_ones(transaction, row["person"], who, now)
    codes.add(transaction, row)
    note(transaction, now, "link.code_made", str(who), {"link": row["id"]})
    return None


def _redeem(
    transaction: Transaction, message: Message, person: PersonId, code_hash: str, now: float
) -> Link | Trouble:
    who = _party(message, now)
    account = message.address.account
    if are_too_many(transaction, account, str(who), now):
        return Trouble.LOCKED
    shown = codes.live_code(transaction, code_hash, now, codes.State.SHOWN)
    if shown is not None and str(shown.redeemer) == str(who):
        # Said once more, after a crash or by mistake: the question is the same.
        return Link(LinkId(shown.id), shown.asker, who)
    found = codes.live_code(transaction, code_hash, now)
    if found is None:
        count_wrong_code(transaction, account, str(who), now)
        note(transaction, now, "link.code_wrong", str(who), {})
        return Trouble.WRONG_CODE
    trouble = _misfit(transaction, found, who, person)
    if trouble is not None:
        return trouble
    codes.show(transaction, found.id, who, now)
    note(transaction, now, "link.code_used", str(who), {"link": found.id, "of": str(found.asker)})
    return Link(LinkId(found.id), found.asker, who)


def _misfit(
    transaction: Transaction, found: codes.Found, redeemer: Identity, person: PersonId
) -> Trouble | None:
    """Say why these two accounts cannot become one person."""
    asker = look_up(transaction, found.asker.platform, found.asker.external_user)
    if str(found.asker) == str(redeemer):
        return Trouble.OWN_CODE
    if asker is None:
        return Trouble.WRONG_CODE
    if asker.id == person:
        return Trouble.SAME_PERSON
    us = look_up(transaction, redeemer.platform, redeemer.external_user)
    if us is None:
        return Trouble.SETTLED
    return Trouble.BOTH_LINKED if asker.is_linked and us.is_linked else None


def _burn(transaction: Transaction, message: Message, code_hash: str, now: float) -> None:
    who = _party(message, now)
    if are_too_many(transaction, message.address.account, str(who), now):
        return
    found = codes.live_code(transaction, code_hash, now)
    if found is None:
        count_wrong_code(transaction, message.address.account, str(who), now)
        return
    codes.settle(transaction, found.id, codes.State.BURNT)
    announce(transaction, now, found.asker.address, "burnt", {})
    note(transaction, now, "link.code_burnt", str(who), {"link": found.id})


def _agree(transaction: Transaction, link: LinkId, sayer: Message, now: float) -> Link | Trouble:
    found = codes.live_link(transaction, link, now, {codes.State.SHOWN, codes.State.AGREED})
    who = _party(sayer, now)
    if found is None or found.redeemer is None or str(found.redeemer) != str(who):
        return Trouble.SETTLED
    if found.state is codes.State.AGREED:
        return Link(link, found.asker, found.redeemer)
    codes.agree(transaction, link, now)
    facts = {"link": link, **_named(found.redeemer)}
    announce(transaction, now, found.asker.address, "confirm", facts)
    note(transaction, now, "link.agreed", str(who), {"link": link, "with": str(found.asker)})
    return Link(link, found.asker, found.redeemer)


def _accept(
    transaction: Transaction, link: LinkId, sayer: Message, goes_on_there: bool, now: float
) -> Change | Trouble:
    found = codes.live_link(transaction, link, now, {codes.State.AGREED, codes.State.MADE})
    who = _party(sayer, now)
    if found is None or found.redeemer is None or str(found.asker) != str(who):
        return Trouble.SETTLED
    if found.before is not None:  # said once more, after a crash
        return Change(found.person, load_before(found.before).person, (), is_link=True)
    here = look_up(transaction, who.platform, who.external_user)
    there = look_up(transaction, found.redeemer.platform, found.redeemer.external_user)
    if here is None or there is None or here.id == there.id:
        return Trouble.SETTLED
    if here.is_linked and there.is_linked:
        return Trouble.BOTH_LINKED
    # Files are kept by person: where nothing else decides, who stays is whose talk goes on.
    here_stays = here.is_linked or (not there.is_linked and not goes_on_there)
    stays, joins = (here.id, there.id) if here_stays else (there.id, here.id)
    joining = identities_of(transaction, joins)
    before = join(transaction, stays, joins, of_joining_go_on=here_stays == goes_on_there, now=now)
    codes.make(transaction, link, stays, dump_before(before), now)
    _tell_both(transaction, found.asker, found.redeemer, stays, now)
    facts = {"link": link, "with": str(found.redeemer), "person": stays, "joined": joins}
    note(transaction, now, "link.made", str(who), facts)
    return Change(stays, joins, tuple(joining), is_link=True)


def _tell_both(
    transaction: Transaction, asker: Identity, redeemer: Identity, person: PersonId, now: float
) -> None:
    """Tell every account of the person what was linked; each of the two, with what."""
    for one in identities_of(transaction, person):
        other = asker if str(one) == str(redeemer) else redeemer
        own = {"own_platform": asker.platform, "own_user": asker.external_user}
        if str(one) == str(redeemer):
            own = {"own_platform": redeemer.platform, "own_user": redeemer.external_user}
        facts = {**_named(other), **own, "at": f"{now:.0f}"}
        announce(transaction, now, one.address, "linked", facts)


def _refuse(transaction: Transaction, link: LinkId, sayer: Message, now: float) -> Link | Trouble:
    found = codes.live_link(transaction, link, now, {codes.State.SHOWN, codes.State.AGREED})
    who = _party(sayer, now)
    if found is None or found.redeemer is None:
        return Trouble.SETTLED
    if str(who) not in {str(found.asker), str(found.redeemer)}:
        return Trouble.SETTLED
    codes.settle(transaction, link, codes.State.REFUSED)
    other = found.asker if str(who) == str(found.redeemer) else found.redeemer
    announce(transaction, now, other.address, "refused", _named(who))
    note(transaction, now, "link.refused", str(who), {"link": link, "with": str(other)})
    return Link(link, found.asker, found.redeemer)


def unlink(
    transaction: Transaction,
    platform: PlatformName,
    user: ExternalUser,
    new: PersonId,
    by: str,
    now: float,
) -> Change | Trouble:
    """Take an account out of the person it belongs to; it leaves with nothing."""
    known = look_up(transaction, platform, user)
    if known is None or not known.is_linked:
        return Trouble.NOT_LINKED
    everybody = identities_of(transaction, known.id)
    leaving = [one for one in everybody if (one.platform, one.external_user) == (platform, user)]
    part(transaction, known.id, leaving, new, now)
    for link in codes.made(transaction, known.id):
        if load_before(link.before).accounts == ((platform, user),):
            codes.settle(transaction, link.id, codes.State.VOID)
    return _parted(transaction, everybody, leaving, known.id, new, by, "unlink.made", now)


def _undo(
    transaction: Transaction, sayer: Message, person: PersonId, now: float
) -> Change | Trouble:
    links = codes.made(transaction, person)
    if not links:
        return Trouble.NOT_LINKED
    made = links[0]
    if now - made.linked_at > UNDO_WITHIN:
        return Trouble.TOO_LATE
    before: Before = load_before(made.before)
    everybody = identities_of(transaction, person)
    leaving = [one for one in everybody if (one.platform, one.external_user) in before.accounts]
    if not leaving or len(leaving) == len(everybody):
        return Trouble.NOT_LINKED
    part(transaction, person, leaving, before.person, now, before)
    codes.settle(transaction, made.id, codes.State.UNDONE)
    by = str(_party(sayer, now))
    return _parted(transaction, everybody, leaving, person, before.person, by, "link.undone", now)


def _parted(
    transaction: Transaction,
    everybody: list[Identity],
    leaving: list[Identity],
    stays: PersonId,
    leaves: PersonId,
    by: str,
    action: str,
    now: float,
) -> Change:
    """Note and tell that accounts have parted, and let no question of theirs stand open."""
    for one in leaving:
        codes.void_all_of(transaction, one, now)
        for told in everybody:
            facts = {**_named(one), "at": f"{now:.0f}", "is_you": "yes" * (told is one)}
            announce(transaction, now, told.address, "unlinked", facts)
    names = " ".join(map(str, leaving))
    note(transaction, now, action, by, {"person": stays, "left": names, "as": leaves})
    return Change(stays, leaves, tuple(leaving), is_link=False)
