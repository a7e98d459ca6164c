"""Wrong codes: how many came from one account, and how many to one bot."""

from sqlalchemy import bindparam, delete, func, select

from gateway.store.inserts import insert
from gateway.store.schema import code_tries
from gateway.store.statements import Transaction

_OF_IDENTITY_AT_MOST, _OF_IDENTITY_WITHIN = 5, 600.0
_OF_ACCOUNT_AT_MOST, _OF_ACCOUNT_WITHIN = 20, 3600.0

_INSERT = insert(code_tries)
_OF_ACCOUNT = (
    select(func.count())
    .select_from(code_tries)
    .where(
        code_tries.c.account == bindparam("account"),
        code_tries.c.tried_at > bindparam("account_since"),
    )
)
_LATE = code_tries.alias("late")
_COUNTS = select(
    func.count().label("of_identity"), _OF_ACCOUNT.scalar_subquery().label("of_account")
).select_from(_LATE).where(
    _LATE.c.account == bindparam("account"),
    _LATE.c.identity == bindparam("identity"),
    _LATE.c.tried_at > bindparam("identity_since"),
)  # fmt: skip
_FORGET = delete(code_tries).where(
    code_tries.c.account == bindparam("account"),
    code_tries.c.tried_at <= bindparam("account_since"),
)


def are_too_many(transaction: Transaction, account: str, identity: str, now: float) -> bool:
    """Say whether no code at all is taken from there for now, a right one neither."""
    (counted,) = transaction.rows(_COUNTS, _asked(account, identity, now))
    return bool(
        counted.of_identity >= _OF_IDENTITY_AT_MOST or counted.of_account >= _OF_ACCOUNT_AT_MOST
    )


def count_wrong_code(transaction: Transaction, account: str, identity: str, now: float) -> None:
    row = {"account": account, "identity": identity, "tried_at": now}
    transaction.run(_FORGET, _asked(account, identity, now))
    transaction.run(_INSERT, row)


def _asked(account: str, identity: str, now: float) -> dict[str, str | float]:
    return {
        "account": account,
        "identity": identity,
        "identity_since": now - _OF_IDENTITY_WITHIN,
        "account_since": now - _OF_ACCOUNT_WITHIN,
    }
