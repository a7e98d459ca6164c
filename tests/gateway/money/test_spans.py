from datetime import UTC, datetime

import pytest

from gateway.money.spans import day_of, month_of


def at(*moment: int) -> float:
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type] # three or more


def test_a_day_is_from_midnight_to_midnight() -> None:
    assert day_of(at(2026, 11, 26, 23, 59, 59)) == (at(2026, 11, 26), at(2026, 11, 27))
    assert day_of(at(2026, 12, 31)) == (at(2026, 12, 31), at(2027, 1, 1))


@pytest.mark.parametrize(
    ("now", "begins", "ends"),
    [
        ((2026, 11, 30, 12), (2026, 11, 1), (2026, 12, 1)),
        ((2026, 12, 1), (2026, 12, 1), (2027, 1, 1)),
        ((2028, 2, 29), (2028, 2, 1), (2028, 3, 1)),
        ((2026, 1, 31, 23), (2026, 1, 1), (2026, 2, 1)),
    ],
)
def test_a_month_is_one_of_the_calendar(
    now: tuple[int, ...], begins: tuple[int, ...], ends: tuple[int, ...]
) -> None:
    assert month_of(at(*now)) == (at(*begins), at(*ends))
