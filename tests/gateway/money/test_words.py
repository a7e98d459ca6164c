from datetime import UTC, datetime

import pytest

from gateway.contracts.money import Amount, Cap, Scope
from gateway.money.words import left, money, refusal

UNTIL = datetime(2026, 11, 27, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (Scope.PERSON, "Your budget for today does not allow another answer."),
        (Scope.PLACE, "The budget of this place for today does not allow another answer."),
        (Scope.TOTAL, "My budget for all conversations, today, does not allow another answer."),
    ],
)
def test_a_refusal_says_whose_budget_it_is_and_when_it_opens(scope: Scope, words: str) -> None:
    said = refusal(Cap(scope, "day", 0.0, UNTIL, 100, None))
    assert said.startswith(words)
    assert "It opens again on Friday, 27 November at 00:00 UTC." in said


def test_what_is_left_is_said_in_tokens_and_in_money() -> None:
    cap = Cap(Scope.PERSON, "month", 0.0, UNTIL, 50_000, 2_000_000)
    assert left(cap, Amount(8_000, 500_000), "USD") == (
        "Your budget for this month: 42,000 of 50,000 tokens and 1.50 USD of 2.00 USD left"
    )
    assert left(cap, Amount(80_000, 9_000_000), "USD").startswith(
        "Your budget for this month: 0 of 50,000 tokens and 0.00 USD"
    )


def test_small_amounts_are_seen() -> None:
    assert money(1_234, "EUR") == "0.0012 EUR"
    assert money(0, "EUR") == "0.00 EUR"
    assert money(1_234_567_890, "EUR") == "1,234.57 EUR"
