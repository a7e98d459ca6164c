"""What an agent's model calls are paid from: its prices, and everybody's budgets."""

from collections.abc import Sequence

import structlog
from typing_extensions import override

from gateway.contracts.money import Payer, Purse, UsageLedger
from gateway.contracts.provider import ModelRequest
from gateway.errors import GatewayError
from gateway.ids import HoldId, SessionId
from gateway.money.budgets import Budgets
from gateway.money.prices import micros_of, most_input_tokens, worst_of
from gateway.settings import AgentSettings
from gateway.transcript import Usage, estimate_tokens

log = structlog.get_logger()

_LONGER_THAN_A_TURN = 60.0


class AgentPurse(Purse):
    """A hold outlasts the longest turn; one that a crash has left is void soon after."""

    def __init__(self, settings: AgentSettings, budgets: Budgets, usage: UsageLedger) -> None:
        self._settings = settings
        self._budgets = budgets
        self._usage = usage

    @override
    async def hold(
        self, payer: Payer, models: Sequence[str], requests: Sequence[ModelRequest]
    ) -> HoldId | None:
        lasts = self._settings.chat_timeout + _LONGER_THAN_A_TURN
        return await self._budgets.hold(
            payer, lambda: worst_of(self._settings, models, requests), lasts
        )

    @override
    def price(self, model: str, usage: Usage) -> int:
        return micros_of(self._settings.prices.get(model), usage)

    @override
    def estimate(self, request: ModelRequest, text: str) -> Usage:
        return Usage(most_input_tokens(request) // 2, estimate_tokens(text))

    @override
    async def settle(
        self, hold: HoldId | None, session: SessionId, payer: Payer, model: str, usage: Usage
    ) -> None:
        try:
            if usage != Usage():
                micros = self.price(model, usage)
                await self._usage.record(session, payer, model, usage, micros, hold)
            elif hold is not None:
                await self._budgets.release(hold)
        except GatewayError as error:
            # The hold stands until it is void: for the budgets, the worst has been spent.
            log.warning("usage.lost", reason=str(error))
