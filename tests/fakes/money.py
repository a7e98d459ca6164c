"""Purses: a real one over a store, and one for tests without a store that notes what is asked."""

from collections.abc import Sequence

from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.money import Payer, Purse
from gateway.contracts.provider import ModelRequest
from gateway.contracts.stores import Store
from gateway.ids import AgentId, HoldId, PersonId, SessionId
from gateway.money.budgets import Budgets
from gateway.money.purse import AgentPurse
from gateway.settings import AgentSettings, BudgetSettings
from gateway.transcript import Usage, estimate_tokens

PAYER = Payer(AgentId("main"), PersonId("p_ann"), None)


def purse_over(
    store: Store,
    clock: Clock,
    *,
    agent: AgentSettings | None = None,
    budgets: BudgetSettings | None = None,
) -> AgentPurse:
    settings = agent or AgentSettings(provider="demo")
    return AgentPurse(settings, budgets_over(store, clock, budgets), store.usage)


def budgets_over(store: Store, clock: Clock, budgets: BudgetSettings | None = None) -> Budgets:
    return Budgets(budgets or BudgetSettings(), store.holds, clock)


class FakePurse(Purse):
    """Holds whatever is asked, unless it is told to refuse."""

    def __init__(self) -> None:
        self.refuses: Exception | None = None
        self.held: list[tuple[Payer, tuple[str, ...]]] = []
        self.settled: list[tuple[HoldId | None, str, Usage]] = []

    @override
    async def hold(
        self, payer: Payer, models: Sequence[str], requests: Sequence[ModelRequest]
    ) -> HoldId | None:
        if self.refuses is not None:
            raise self.refuses
        self.held.append((payer, tuple(models)))
        return None

    @override
    def price(self, model: str, usage: Usage) -> int:
        return 0

    @override
    def estimate(self, request: ModelRequest, text: str) -> Usage:
        return Usage(len(request.entries), estimate_tokens(text))

    @override
    async def settle(
        self, hold: HoldId | None, session: SessionId, payer: Payer, model: str, usage: Usage
    ) -> None:
        self.settled.append((hold, model, usage))
