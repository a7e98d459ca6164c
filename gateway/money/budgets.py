"""Budgets: nothing is asked of a model that the settings would not pay for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from gateway.clock import Clock
from gateway.contracts.money import MICROS, Amount, Cap, Holds, Payer, Scope
from gateway.errors import Refused
from gateway.ids import AgentId, HoldId
from gateway.money.spans import day_of, month_of
from gateway.money.words import refusal
from gateway.settings import BudgetSettings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Standing:
    """A cap, and what of it is used."""

    cap: Cap
    used: Amount


class Budgets:
    """The caps of the settings, over the store's holds."""

    def __init__(self, settings: BudgetSettings, holds: Holds, clock: Clock) -> None:
        self._settings = settings
        self._holds = holds
        self._clock = clock

    async def hold(self, payer: Payer, worst: Callable[[], Amount], lasts: float) -> HoldId | None:
        """Hold an amount; None where no budget has to be asked.

        Raises:
            Refused: a budget has no room for it.
        """
        caps = list(self._caps(payer))
        if not caps:
            return None
        held = await self._holds.hold(payer, worst(), caps, lasts=lasts)
        if isinstance(held, Cap):
            log.info("budget.refused", scope=held.scope.value, span=held.span)
            raise Refused(refusal(held))
        return held

    @property
    def currency(self) -> str:
        return self._settings.currency

    async def release(self, hold: HoldId) -> None:
        await self._holds.release(hold)

    async def standings(self, payer: Payer) -> Sequence[Standing]:
        """Return every cap that the payer has to keep to."""
        return [Standing(cap, await self._holds.used(cap, payer)) for cap in self._caps(payer)]

    async def total_standings(self) -> Sequence[Standing]:
        """Return the caps on what everybody spends together."""
        anybody = Payer(AgentId(""), None, None)
        return [
            Standing(cap, await self._holds.used(cap, anybody))
            for cap in self._caps(anybody)
            if cap.scope is Scope.TOTAL
        ]

    def _caps(self, payer: Payer) -> Iterator[Cap]:
        now = self._clock.now()
        day, month = day_of(now), month_of(now)
        settings = self._settings
        for scope, of_day, of_month in (
            (Scope.PERSON, settings.per_person_day, settings.per_person_month),
            (Scope.PLACE, settings.per_place_day, settings.per_place_month),
            (Scope.TOTAL, settings.total_day, settings.total_month),
        ):
            if scope is Scope.PLACE and payer.place is None:
                continue
            if of_day is not None:
                yield Cap(scope, "day", *day, of_day.tokens, _micros(of_day.money))
            if of_month is not None:
                yield Cap(scope, "month", *month, of_month.tokens, _micros(of_month.money))


def _micros(money: float | None) -> int | None:
    return None if money is None else round(money * MICROS)
