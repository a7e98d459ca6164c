from hypothesis import given
from hypothesis import strategies as st

from gateway.replies.budget import Budget


@given(st.lists(st.floats(0, 5), max_size=60), st.sampled_from([(3, 1.0), (20, 60.0), (0.5, 1.0)]))
def test_no_span_holds_more_than_the_budget(waits: list[float], size: tuple[float, float]) -> None:
    calls, seconds = size
    budget = Budget(calls, seconds)
    now, made = 0.0, []
    for wait in waits:
        now += wait
        when = budget.take(now)
        assert when >= now
        made.append(when)
    span = seconds if calls >= 1 else seconds / calls
    most = max(1, int(calls))
    for first, later in zip(made, made[most:], strict=False):
        assert later - first >= span * 0.999


def test_a_part_leaves_room_for_others() -> None:
    budget = Budget(10, 60.0)
    for _ in range(7):
        assert budget.free_at(0.0, 0.7) == 0.0
        budget.take(0.0)
    assert budget.free_at(0.0, 0.7) == 60.0
    assert [budget.take(1.0) for _ in range(3)] == [1.0, 1.0, 1.0]
    assert budget.take(1.0) == 60.0


def test_asking_takes_nothing() -> None:
    budget = Budget(1, 1.0)
    for _ in range(5):
        assert budget.free_at(0.0, 1.0) == 0.0
