"""What the owner may ask about money: who used how much, and what is left of all budgets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from gateway.clock import Clock
from gateway.contracts.money import MICROS, UsageLedger, UsageShare
from gateway.control.server import Verb
from gateway.errors import Refused
from gateway.money.budgets import Budgets, Standing
from gateway.people.directory import Directory
from gateway.transcript import Usage

_DAY = 86_400.0
_WAYS = ("person", "place", "agent", "model")


@dataclass(frozen=True, slots=True)
class UsageControl:
    """Answers the verb `usage`."""

    ledger: UsageLedger
    budgets: Budgets
    directory: Directory
    clock: Clock

    def verbs(self) -> dict[str, Verb]:
        return {"usage": self.usage}

    async def usage(self, args: Mapping[str, Any]) -> dict[str, Any]:
        by, days = str(args["by"]), float(args["days"])
        if by not in _WAYS:
            raise Refused(f"Usage is told by one of: {', '.join(_WAYS)}.")
        since = self.clock.now() - days * _DAY
        way = cast("Literal['person', 'place', 'agent', 'model']", by)
        shares = await self.ledger.shares(way, since)
        accounts = await self._accounts() if by == "person" else {}
        return {
            "by": by,
            "since": since,
            "currency": self.budgets.currency,
            "rows": [{**_row(one), "accounts": accounts.get(one.name, [])} for one in shares],
            "total": _row(_sum(shares)),
            "budgets": [_standing(one) for one in await self.budgets.total_standings()],
        }

    async def _accounts(self) -> dict[str, list[str]]:
        return {
            person.id: [account.identity for account in person.accounts]
            for person in await self.directory.everybody()
        }


def _sum(shares: Sequence[UsageShare]) -> UsageShare:
    usage = sum((one.usage for one in shares), start=Usage())
    return UsageShare(
        "", sum(one.calls for one in shares), usage, sum(one.micros for one in shares)
    )


def _row(share: UsageShare) -> dict[str, Any]:
    return {
        "name": share.name,
        "calls": share.calls,
        "input_tokens": share.usage.input_tokens,
        "cached_tokens": share.usage.cache_read_tokens,
        "output_tokens": share.usage.output_tokens,
        "total_tokens": share.amount.tokens,
        "cost": share.micros / MICROS,
    }


def _standing(standing: Standing) -> dict[str, Any]:
    cap, used = standing.cap, standing.used
    return {
        "span": cap.span,
        "until": cap.until,
        "tokens": cap.tokens,
        "tokens_left": None if cap.tokens is None else max(cap.tokens - used.tokens, 0),
        "cost": None if cap.micros is None else cap.micros / MICROS,
        "cost_left": None if cap.micros is None else max(cap.micros - used.micros, 0) / MICROS,
    }
