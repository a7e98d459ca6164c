"""Requests of strangers to be let in: one for each, hashed codes, bounded in number."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from gateway.contracts.people import PairingRequest
from gateway.errors import NotAllowed
from gateway.messages import Message
from gateway.store.codec import dump_address, load_address, storable
from gateway.store.database import Database
from gateway.store.inserts import insert_or_replace
from gateway.store.schema import pairings
from gateway.store.statements import Transaction
from gateway.store.tries import are_too_many, count_wrong_code

_AT_MOST = 1000
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
_REDEEM = (
    delete(pairings).where(pairings.c.code_hash == bindparam("hash"), _IS_LIVE).returning(*_COLUMNS)
)
_TAKE = _DROP.where(pairings.c.requested_at > bindparam("after")).returning(*_COLUMNS)
_LIVE = select(*_COLUMNS).where(_IS_LIVE).order_by(pairings.c.requested_at)


def request_row(
    message: Message, code_hash: str, requested_at: float, expires_at: float
) -> dict[str, Any]:
    return {
        "platform": message.address.platform,
        "external_user": message.address.external_user,
        "name": storable(message.sender_name),
        "address": dump_address(message.address),
        "code_hash": code_hash,
        "requested_at": requested_at,
        "expires_at": expires_at,
    }


def request(transaction: Transaction, row: dict[str, Any], noticed_after: float) -> bool:
    """Note a request; False when its stranger has had notice, or too many are pending.

    An expired request is kept to know by that notice was given, until its room is needed.
    """
    last = transaction.row(_LAST, row)
    if last is not None:
        if last.requested_at > noticed_after:
            return False
    elif not _make_room(transaction, row["requested_at"]):
        return False
    transaction.run(_INSERT, row)
    return True


def _make_room(transaction: Transaction, now: float) -> bool:
    (pending,) = transaction.rows(_COUNT, {})
    if pending.requests < _AT_MOST:
        return True
    oldest = transaction.row(_OLDEST_EXPIRED, {"now": now})
    if oldest is None:
        return False
    transaction.run(_DROP, {"of_platform": oldest.platform, "of_user": oldest.external_user})
    return True


def redeem(
    transaction: Transaction, code_hash: str, account: str, sayer: str, now: float
) -> PairingRequest | None:
    """Take a request; whoever comes second with its code finds nothing.

    Raises:
        NotAllowed: too many wrong codes came from this sayer, or on this account.
    """
    if sayer and are_too_many(transaction, account, sayer, now):
        raise NotAllowed(LOCKED_WORDS)
    taken = transaction.row(_REDEEM, {"hash": code_hash, "now": now})
    if taken is None:
        if sayer:
            count_wrong_code(transaction, account, sayer, now)
        return None
    return _request(taken)


def take(
    transaction: Transaction, platform: str, user: str, asked_after: float
) -> PairingRequest | None:
    """Take a stranger's request by who they are; whoever comes second finds nothing."""
    values = {"of_platform": platform, "of_user": user, "after": asked_after}
    taken = transaction.row(_TAKE, values)
    return None if taken is None else _request(taken)


async def live_requests(database: Database, now: float) -> Sequence[PairingRequest]:
    return [_request(row) for row in await database.read(_LIVE, now=now)]


def _request(row: Any) -> PairingRequest:
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
