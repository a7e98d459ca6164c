"""Who works on a lane: a fencing number that grows with every claim."""

from sqlalchemy import bindparam, select, update

from gateway.contracts.stores import Turn
from gateway.errors import LaneLost
from gateway.ids import Lane
from gateway.store.inserts import insert
from gateway.store.schema import lanes
from gateway.store.statements import Transaction

_CLAIM = (
    update(lanes)
    .where(lanes.c.lane == bindparam("claimed"))
    .values(fence=lanes.c.fence + 1)
    .returning(lanes.c.fence)
)
_FIRST = insert(lanes)
_FENCE = select(lanes.c.fence).where(lanes.c.lane == bindparam("lane"))


def claim(transaction: Transaction, lane: Lane) -> int:
    """Make every earlier owner's fence void, and return the new one."""
    claimed = transaction.row(_CLAIM, {"claimed": lane})
    if claimed is None:
        transaction.run(_FIRST, {"lane": lane, "fence": 1})
        return 1
    return int(claimed.fence)


def require(transaction: Transaction, turn: Turn) -> None:
    """Raise `LaneLost` unless the turn's claim is the newest."""
    newest = transaction.row(_FENCE, {"lane": turn.kept.lane})
    if newest is None or newest.fence != turn.fence:
        raise LaneLost(f"lane {turn.kept.lane} has a newer owner")
