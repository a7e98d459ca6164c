"""Which calls wait, and for how long."""

import pytest

from adapters.discord.penalties import Penalties
from gateway.errors import RetryLater
from tests.fakes.clock import FakeClock

SEND, EDIT = "POST /channels/{channel}/messages", "PATCH /channels/{channel}/messages/{message}"
ANSWER = "PATCH /webhooks/{application}/{webhook}/messages/@original"
HERE, THERE = {"channel": "1"}, {"channel": "2"}


def waits(penalties: Penalties, route: str, named: dict[str, str]) -> float:
    try:
        penalties.check(route, named)
    except RetryLater as pause:
        return pause.after
    return 0.0


def used_up(seconds: float, bucket: str = "") -> dict[str, str]:
    told = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": str(seconds)}
    return {**told, "X-RateLimit-Bucket": bucket} if bucket else told


async def test_a_used_up_window_closes_one_route_of_one_channel() -> None:
    clock = FakeClock()
    penalties = Penalties(clock)
    penalties.note(SEND, HERE, used_up(2.5))
    assert waits(penalties, SEND, HERE) == 2.5
    assert waits(penalties, SEND, THERE) == waits(penalties, EDIT, HERE) == 0
    await clock.advance(2.5)
    assert waits(penalties, SEND, HERE) == 0


def test_routes_that_share_a_bucket_wait_together() -> None:
    penalties = Penalties(FakeClock())
    penalties.note(EDIT, THERE, {"X-RateLimit-Bucket": "abc", "X-RateLimit-Remaining": "4"})
    penalties.note(SEND, HERE, used_up(3, "abc"))
    assert waits(penalties, EDIT, HERE) == 3
    assert waits(penalties, EDIT, THERE) == 0


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Retry-After": "7"}, {"retry_after": 7.0, "global": True}),
        ({"Retry-After": "7", "X-RateLimit-Global": "true"}, {"retry_after": 7.0}),
        ({"Retry-After": "7"}, {}),
    ],
    ids=["told", "header", "by what guards the API"],
)
def test_a_penalty_of_the_whole_bot_leaves_only_answers_to_interactions(
    headers: dict[str, str], body: dict[str, object]
) -> None:
    penalties = Penalties(FakeClock())
    assert penalties.refused(SEND, HERE, headers, body) == 7
    assert waits(penalties, EDIT, THERE) == 7
    assert waits(penalties, ANSWER, {"application": "1", "webhook": "t"}) == 0


@pytest.mark.parametrize("told", ["", "soon", "-1", "nan", "inf"])
def test_seconds_that_are_none_become_some(told: str) -> None:
    penalties = Penalties(FakeClock())
    assert penalties.refused(SEND, HERE, {}, {"retry_after": told}) == 5
    assert waits(penalties, SEND, HERE) == 5
