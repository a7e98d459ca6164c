"""`/usage`: what the person's questions have cost in tokens."""

from collections.abc import Sequence

from typing_extensions import override

from gateway.clock import Clock
from gateway.commands.registry import Answer, Call, Command
from gateway.contracts.stores import UsageLedger, UsageTotal

_DAY = 86_400.0
_SPANS = (("Last 24 hours", _DAY), ("Last 30 days", 30 * _DAY))


class Usage(Command):
    """Shows tokens by model, for this person only."""

    name = "usage"
    summary = "Show what you have used"
    is_control = True

    def __init__(self, ledger: UsageLedger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    @override
    async def run(self, call: Call) -> Answer:
        parts = []
        for title, span in _SPANS:
            since = self._clock.now() - span
            totals = await self._ledger.totals(person=call.kept.person, since=since)
            parts.append(_table(title, totals))
        return Answer("\n\n".join(parts))


def _table(title: str, totals: Sequence[UsageTotal]) -> str:
    if not totals:
        return f"**{title}**: nothing"
    rows = "\n".join(
        f"| {total.model} | {total.calls} | {total.usage.input_tokens:,} "
        f"| {total.usage.cache_read_tokens:,} | {total.usage.output_tokens:,} |"
        for total in totals
    )
    return f"**{title}**\n\n| Model | Calls | In | Cached | Out |\n|---|--:|--:|--:|--:|\n{rows}"
