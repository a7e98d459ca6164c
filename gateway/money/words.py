"""What people are told of budgets. Pure."""

from datetime import UTC, datetime

from gateway.contracts.money import MICROS, Amount, Cap, Scope

_WHOSE = {
    Scope.PERSON: "Your budget",
    Scope.PLACE: "The budget of this place",
    Scope.TOTAL: "My budget for all conversations",
}
_SPANS = {"day": "today", "month": "this month"}


def refusal(cap: Cap) -> str:
    """Say that a budget has no room for another answer, and when it has again."""
    return (
        f"{title(cap)} does not allow another answer. "
        f"It opens again on {moment(cap.until)}. /usage shows what is left."
    )


def title(cap: Cap) -> str:
    whose = _WHOSE[cap.scope]
    span = _SPANS[cap.span]
    return f"{whose}, {span}," if cap.scope is Scope.TOTAL else f"{whose} for {span}"


def left(cap: Cap, used: Amount, currency: str) -> str:
    """Say what is left of a cap."""
    parts = []
    if cap.tokens is not None:
        parts.append(f"{max(cap.tokens - used.tokens, 0):,} of {cap.tokens:,} tokens")
    if cap.micros is not None:
        rest = money(max(cap.micros - used.micros, 0), currency)
        parts.append(f"{rest} of {money(cap.micros, currency)}")
    return f"{title(cap).rstrip(',')}: {' and '.join(parts)} left"


def spent(micros: int, currency: str) -> str:
    """Write what was paid; where nothing was, as there was no price, a dash."""
    return money(micros, currency) if micros else "-"


def money(micros: int, currency: str) -> str:
    """Write an amount: two digits, or as many as a small one needs to be seen."""
    amount = micros / MICROS
    return f"{amount:.4f} {currency}" if 0 < amount < 1 else f"{amount:,.2f} {currency}"


def moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%A, %d %B at %H:%M} UTC"
