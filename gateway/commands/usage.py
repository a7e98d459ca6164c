"""`/usage`: what the person has used, and what is left of their budgets."""

from collections.abc import Callable, Sequence

from typing_extensions import override

from gateway.clock import Clock
from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.money import UsageLedger, UsageShare, UsageTotal
from gateway.contracts.people import People
from gateway.contracts.roles import Role
from gateway.money.budgets import Budgets
from gateway.money.words import left, spent

_DAY = 86_400.0
_MONTH = 30 * _DAY
_SPANS = (("Last 24 hours", _DAY), ("Last 30 days", _MONTH))
_AT_MOST = 10
_COST = (" Cost |", "--:|")
"""The head of a column that is only there where something has a price, and the line below."""


class Usage(Command):
    """Shows a person their own; to an owner, where nobody else reads it, everybody's."""

    name = "usage"
    summary = "Show what you have used"
    is_control = True

    def __init__(self, ledger: UsageLedger, people: People, budgets: Budgets, clock: Clock) -> None:
        self._ledger = ledger
        self._people = people
        self._budgets = budgets
        self._clock = clock

    @override
    async def run(self, call: Call) -> Answer:
        parts = []
        for title, span in _SPANS:
            totals = await self._ledger.totals(person=call.kept.person, since=self._since(span))
            parts.append(_table(title, totals, self._money))
        if standings := await self._budgets.standings(call.kept.payer):
            currency = self._budgets.currency
            lines = (f"- {left(one.cap, one.used, currency)}" for one in standings)
            parts.append("**Budgets**\n\n" + "\n".join(lines))
        if call.admission.role is Role.OWNER and call.kept.message.address.place.is_direct:
            parts += await self._everybodys()
        return Answer("\n\n".join(parts))

    async def _everybodys(self) -> Sequence[str]:
        people = {
            row["person"]: f"{row['platform']}:{row['external_user']}"
            for row in await self._people.all()
        }
        since = self._since(_MONTH)
        by_person = await self._ledger.shares("person", since)
        by_place = await self._ledger.shares("place", since)
        named = [(people.get(share.name, share.name), share) for share in by_person]
        places = [(share.name or "direct messages", share) for share in by_place]
        return [
            _shares("Everybody, last 30 days", "Person", named, self._money),
            _shares("Everywhere, last 30 days", "Place", places, self._money),
        ]

    def _since(self, span: float) -> float:
        return self._clock.now() - span

    def _money(self, micros: int) -> str:
        return spent(micros, self._budgets.currency)


def _table(title: str, totals: Sequence[UsageTotal], money_of: Callable[[int], str]) -> str:
    if not totals:
        return f"**{title}**: nothing"
    has_prices = any(total.micros for total in totals)
    rows = "\n".join(
        f"| {total.model} | {total.calls} | {total.usage.input_tokens:,} "
        f"| {total.usage.cache_read_tokens:,} | {total.usage.output_tokens:,} |"
        + (f" {money_of(total.micros)} |" if has_prices else "")
        for total in totals
    )
    cost, rule = _COST if has_prices else ("", "")
    head = f"| Model | Calls | In | Cached | Out |{cost}\n|---|--:|--:|--:|--:|{rule}"
    return f"**{title}**\n\n{head}\n{rows}"


def _shares(
    title: str,
    of: str,
    shares: Sequence[tuple[str, UsageShare]],
    money_of: Callable[[int], str],
) -> str:
    if not shares:
        return f"**{title}**: nothing"
    has_prices = any(share.amount.micros for _, share in shares)
    rows = "\n".join(
        f"| `{name}` | {share.calls} | {share.amount.tokens:,} |"
        + (f" {money_of(share.amount.micros)} |" if has_prices else "")
        for name, share in shares[:_AT_MOST]
    )
    more = f"\n\nand {len(shares) - _AT_MOST} more" if len(shares) > _AT_MOST else ""
    cost, rule = _COST if has_prices else ("", "")
    head = f"| {of} | Calls | Tokens |{cost}\n|---|--:|--:|{rule}"
    return f"**{title}**\n\n{head}\n{rows}{more}"
