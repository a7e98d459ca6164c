"""Requests of strangers to be let in: one for each, hashed codes, bounded in number."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.people import PairingRequest, Pairings
from gateway.errors import NotAllowed
from gateway.ids import ExternalUser, NewId, PersonId, PlatformName
from gateway.messages import Address, Message
from gateway.store.announcements import announce
from gateway.store.audit import note
from gateway.store.codec import dump_address, load_address, storable
from gateway.store.database import Database
from gateway.store.inserts import insert_or_replace
from gateway.store.keep import delivery, record
from gateway.store.people import admit
from gateway.store.schema import pairings
from gateway.store.statements import Transaction
from gateway.store.tries import are_too_many, count_wrong_code

_AT_MOST = 1000
_HOUR = 3600.0
_OWNERS_ASKED_AT_MOST = 10
"""Strangers an hour of whom owners are told; the command line lists them all."""
LOCKED_WORDS = "Too many wrong codes were tried. Wait a while, then try again."

_INSERT = insert_or_replace(pairings)
_COLUMNS = (
    pairings.c.platform,
    pairings.c.external_user,
    pairings.c.name,
    pairings.c.address,
    pairings.c.requested_at,
    pairings.c.expires_at,
)
_IS_LIVE = pairings.c.expires_at > bindparam("now")
_LAST = select(pairings.c.requested_at).where(
    pairings.c.platform == bindparam("platform"),
    pairings.c.external_user == bindparam("external_user"),
)
_COUNT = select(func.count().label("requests")).select_from(pairings)
_RECENT = _COUNT.where(pairings.c.requested_at > bindparam("since"))
_OLDEST_EXPIRED = (
    select(pairings.c.platform, pairings.c.external_user)
    .where(pairings.c.expires_at <= bindparam("now"))
    .order_by(pairings.c.expires_at)
    .limit(1)
)
_DROP = delete(pairings).where(
    pairings.c.platform == bindparam("of_platform"),
    pairings.c.external_user == bindparam("of_user"),
)
_GIVE_CODE = (
    update(pairings)
    .where(
        pairings.c.platform == bindparam("of_platform"),
        pairings.c.external_user == bindparam("of_user"),
        _IS_LIVE,
    )
    .values(code_hash=bindparam("new_hash"))
    .returning(pairings.c.platform)
)
_REDEEM = (
    delete(pairings).where(pairings.c.code_hash == bindparam("hash"), _IS_LIVE).returning(*_COLUMNS)
)
_TAKE = _DROP.where(pairings.c.requested_at > bindparam("after")).returning(*_COLUMNS)
_LIVE = select(*_COLUMNS).where(_IS_LIVE).order_by(pairings.c.requested_at)


class SqlPairings(Pairings):
    """Lets people in by the step that takes their request; `forget` is told of each."""

    def __init__(
        self, database: Database, clock: Clock, new_id: NewId, forget: Callable[[], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._forget = forget

    @override
    async def request(
        self,
        message: Message,
        reason: str,
        *,
        lifetime: float,
        notice_every: float,
        owners: Sequence[Address] = (),
    ) -> bool:
        now = self._clock.now()
        row = _request_row(message, now, now + lifetime)
        refusal = {**delivery(message, person=None, now=now), "reason": reason}

        def operation(transaction: Transaction) -> bool:
            if not record(transaction, refusal, "refused"):
                return False
            _request(transaction, row, message, owners, now - notice_every)
            return True

        return await self._database.write(operation)

    @override
    async def give_code(self, platform: PlatformName, user: ExternalUser, code_hash: str) -> bool:
        now = self._clock.now()
        return await self._database.write(
            lambda transaction: _give_code(transaction, platform, user, code_hash, now)
        )

    @override
    async def redeem(
        self, code_hash: str, *, by: str, account: str | None = None
    ) -> PairingRequest | None:
        now = self._clock.now()
        return await self._let_in(
            lambda transaction: _redeem(transaction, code_hash, account, by, now), by, now
        )

    @override
    async def grant(
        self, platform: PlatformName, user: ExternalUser, *, by: str, asked_after: float
    ) -> PairingRequest | None:
        return await self._let_in(
            lambda transaction: _take(transaction, platform, user, asked_after),
            by,
            self._clock.now(),
        )

    @override
    async def drop(self, platform: PlatformName, user: ExternalUser, *, by: str) -> bool:
        now = self._clock.now()

        def operation(transaction: Transaction) -> bool:
            if _take(transaction, platform, user, 0.0) is None:
                return False
            note(transaction, now, "pairing.refused", by, {"account": f"{platform}:{user}"})
            return True

        return await self._database.write(operation)

    async def _let_in(
        self, taken: Callable[[Transaction], PairingRequest | None], by: str, now: float
    ) -> PairingRequest | None:
        """Take a request and admit its stranger, in one step."""
        new = PersonId(self._new_id("p"))

        def operation(transaction: Transaction) -> PairingRequest | None:
            request = taken(transaction)
            if request is not None:
                identity = {
                    "platform": request.platform,
                    "external_user": request.external_user,
                    "name": request.name,
                    "created_at": now,
                }
                admit(transaction, identity, new, "member")
                facts = {"account": f"{request.platform}:{request.external_user}"}
                note(transaction, now, "pairing.admitted", by, facts)
                announce(transaction, now, request.address, "welcome", {})
            return request

        try:
            return await self._database.write(operation)
        finally:
            self._forget()

    @override
    async def live(self) -> Sequence[PairingRequest]:
        rows = await self._database.read(_LIVE, now=self._clock.now())
        return [_request_from(row) for row in rows]


def _request_row(message: Message, requested_at: float, expires_at: float) -> dict[str, Any]:
    return {
        "platform": message.address.platform,
        "external_user": message.address.external_user,
        "name": storable(message.sender_name),
        "address": dump_address(message.address),
        "code_hash": "",
        "requested_at": requested_at,
        "expires_at": expires_at,
    }


def _request(
    transaction: Transaction,
    row: dict[str, Any],
    message: Message,
    owners: Sequence[Address],
    noticed_after: float,
) -> None:
    """Note a request and who is to be told of it, unless notice was given or too many are pending.

    An expired request is kept to know by that notice was given, until its room is needed. Its
    code is made when the stranger is told, and nowhere kept.
    """
    now = row["requested_at"]
    last = transaction.row(_LAST, row)
    if last is not None:
        if last.requested_at > noticed_after:
            return
    elif not _make_room(transaction, now):
        return
    transaction.run(_INSERT, row)
    address = message.address
    stranger = {"platform": address.platform, "user": address.external_user}
    announce(transaction, now, address, "stranger", stranger)
    (recent,) = transaction.rows(_RECENT, {"since": now - _HOUR})
    for owner in owners if recent.requests <= _OWNERS_ASKED_AT_MOST else ():
        announce(transaction, now, owner, "asks", {**stranger, "name": message.sender_name})


def _give_code(
    transaction: Transaction, platform: str, user: str, code_hash: str, now: float
) -> bool:
    """Let a live request have this code; False when there is none."""
    values = {"of_platform": platform, "of_user": user, "new_hash": code_hash, "now": now}
    return bool(transaction.rows(_GIVE_CODE, values))


def _make_room(transaction: Transaction, now: float) -> bool:
    (pending,) = transaction.rows(_COUNT, {})
    if pending.requests < _AT_MOST:
        return True
    oldest = transaction.row(_OLDEST_EXPIRED, {"now": now})
    if oldest is None:
        return False
    transaction.run(_DROP, {"of_platform": oldest.platform, "of_user": oldest.external_user})
    return True


def _redeem(
    transaction: Transaction, code_hash: str, account: str | None, sayer: str, now: float
) -> PairingRequest | None:
    """Take a request; whoever comes second with its code finds nothing.

    Raises:
        NotAllowed: too many wrong codes came from this sayer, or on this account.
    """
    if account is not None and are_too_many(transaction, account, sayer, now):
        raise NotAllowed(LOCKED_WORDS)
    taken = transaction.row(_REDEEM, {"hash": code_hash, "now": now})
    if taken is None:
        if account is not None:
            count_wrong_code(transaction, account, sayer, now)
        return None
    return _request_from(taken)


def _take(
    transaction: Transaction, platform: str, user: str, asked_after: float
) -> PairingRequest | None:
    """Take a stranger's request by who they are; whoever comes second finds nothing."""
    values = {"of_platform": platform, "of_user": user, "after": asked_after}
    taken = transaction.row(_TAKE, values)
    return None if taken is None else _request_from(taken)


def _request_from(row: Any) -> PairingRequest:
    address = load_address(row.address)
    return PairingRequest(
        platform=row.platform,
        account=address.account,
        external_user=row.external_user,
        name=row.name,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        address=address,
    )
