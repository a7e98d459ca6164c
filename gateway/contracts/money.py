"""The contract for money: who pays, what was spent, and what is held for calls under way.

Money is counted in millionths of the currency in which the settings write prices, so that
sums are exact. Tokens are those of prompts and answers together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from gateway.contracts.provider import ModelRequest
from gateway.ids import AgentId, HoldId, PersonId, SessionId
from gateway.transcript import Usage

MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Payer:
    """On whose account a model call goes."""

    agent: AgentId
    person: PersonId | None
    place: str | None
    """`platform:conversation`; None in a direct message."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens, and what they cost as far as their prices are known."""

    tokens: int = 0
    micros: int = 0


class Scope(StrEnum):
    """Whose spending a cap is about."""

    PERSON = "person"
    PLACE = "place"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that may be spent in a span of time; None is no bound."""

    scope: Scope
    span: Literal["day", "month"]
    since: float
    until: float
    tokens: int | None
    micros: int | None

    def has_room(self, spent: Amount, wanted: Amount) -> bool:
        """Say whether a further amount stays within the cap."""
        return _fits(self.tokens, spent.tokens + wanted.tokens) and _fits(
            self.micros, spent.micros + wanted.micros
        )


def _fits(most: int | None, amount: int) -> bool:
    return most is None or amount <= most


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """Tokens and calls of one model, in some span."""

    model: str
    calls: int
    usage: Usage
    micros: int = 0


@dataclass(frozen=True, slots=True)
class UsageShare:
    """What one person, place, agent or model has used; an empty name is nobody's."""

    name: str
    calls: int
    usage: Usage
    micros: int = 0

    @property
    def amount(self) -> Amount:
        return Amount(self.usage.input_tokens + self.usage.output_tokens, self.micros)


class UsageLedger(Protocol):
    """What was spent: one row for each model call."""

    async def record(
        self,
        session: SessionId,
        payer: Payer,
        model: str,
        usage: Usage,
        micros: int,
        hold: HoldId | None,
    ) -> None:
        """Write down a call that left no entry, and end its hold."""
        ...

    async def totals(
        self,
        *,
        person: PersonId | None = None,
        session: SessionId | None = None,
        since: float = 0.0,
    ) -> Sequence[UsageTotal]: ...

    async def drop(self, before: float) -> int:
        """Forget what was spent before then; count the calls."""
        ...

    async def shares(
        self, by: Literal["person", "place", "agent", "model"], since: float
    ) -> Sequence[UsageShare]:
        """Return everybody's, the greatest first."""
        ...


class Holds(Protocol):
    """Amounts held for model calls that have not come to their end."""

    async def hold(
        self, payer: Payer, worst: Amount, caps: Sequence[Cap], *, lasts: float
    ) -> HoldId | Cap:
        """Hold an amount if every cap has room for it, or return one that has none.

        Looking and holding are one step. A hold that nobody ends is void after `lasts` seconds.
        """
        ...

    async def release(self, hold: HoldId) -> None: ...

    async def used(self, cap: Cap, payer: Payer) -> Amount:
        """Return what of a cap is spent or held."""
        ...


class Purse(Protocol):
    """What an agent's model calls are paid from."""

    async def hold(
        self, payer: Payer, models: Sequence[str], requests: Sequence[ModelRequest]
    ) -> HoldId | None:
        """Hold the worst that these requests may cost, whichever of the models answers.

        Raises:
            Refused: a budget has no room for it; the words say when it has again.
        """
        ...

    def price(self, model: str, usage: Usage) -> int:
        """Return what a call has cost, in millionths; 0 where no price is known."""
        ...

    def estimate(self, request: ModelRequest, text: str) -> Usage:
        """Guess what a call has used that broke off after this text."""
        ...

    async def settle(
        self, hold: HoldId | None, session: SessionId, payer: Payer, model: str, usage: Usage
    ) -> None:
        """Write down a call that leaves no entry behind, and end its hold."""
        ...
