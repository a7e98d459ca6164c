"""As many calls as Slack allows, and room among them for what matters."""

from adapters.slack.pace import _PER_MINUTE, Pace
from tests.fakes.clock import FakeClock
from tests.fakes.slack.arguments import METHODS


def taken(pace: Pace, key: str, *, is_passing: bool = False) -> int:
    """Count how many calls can be made at once."""
    count = 0
    while pace.take(key, is_passing=is_passing) == 0 and count < 1000:
        count += 1
    return count


async def test_a_minute_has_no_more_calls_than_slack_allows() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    for method in _PER_MINUTE:
        at_once, allowed = taken(pace, method), METHODS[method].per_minute
        assert allowed * 0.8 <= at_once <= allowed, method


async def test_it_says_when_to_come_again() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    taken(pace, "chat.update")
    wait = pace.take("chat.update", is_passing=False)
    await clock.advance(wait)
    assert pace.take("chat.update", is_passing=False) == 0
    assert pace.take("chat.update", is_passing=False) > 0


async def test_passing_calls_leave_room_for_final_ones() -> None:
    pace = Pace(FakeClock())
    passing = taken(pace, "chat.update", is_passing=True)
    final = taken(pace, "chat.update")
    assert 20 <= passing <= 30
    assert passing + final == 45


async def test_posts_are_counted_in_each_conversation() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    assert taken(pace, "post in D1") == taken(pace, "post in D2") == 3
    await clock.advance(2)
    assert taken(pace, "post in D1") == 1


async def test_memory_is_bounded() -> None:
    pace = Pace(FakeClock())
    for number in range(3000):
        pace.take(f"post in D{number}", is_passing=False)
    assert len(pace._buckets) <= 1000
