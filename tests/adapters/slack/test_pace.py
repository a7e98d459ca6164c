"""As many calls as Slack allows, and room among them for what matters."""

import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.pace import _PER_MINUTE, Pace
from gateway.errors import HeldBack, NotSupported
from gateway.ids import MessageId
from gateway.messages import Address, OutgoingMessage
from tests.fakes.clock import FakeClock
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.arguments import METHODS
from tests.fakes.slack_address import at


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


async def test_n8_what_it_holds_back_itself_is_no_refusal_of_slacks(
    adapter: SlackAdapter, server: FakeSlack
) -> None:
    ann = server.user("U0ANN", "Ann")
    place = at(ann.dm, ann.writes("hi").ts, f"T0TEAM:{ann.id}")
    for number in range(3):
        await adapter.send(place, OutgoingMessage(f"out_{number}", "Hello"))
    with pytest.raises(HeldBack):
        await adapter.send(place, OutgoingMessage("out_3", "Hello"))
    assert not [call for call in server.log if call.refused]


async def test_memory_is_bounded() -> None:
    pace = Pace(FakeClock())
    for number in range(3000):
        pace.take(f"post in D{number}", is_passing=False)
    assert len(pace._buckets) <= 1000


async def test_a_crowd_gets_its_answers_whole_before_edits_run_out(
    adapter: SlackAdapter, server: FakeSlack
) -> None:
    server.world.rates.enabled = True
    people = [server.user(f"U0P{number}", f"P{number}") for number in range(80)]
    places = [at(one.dm, one.writes("hi").ts, f"T0TEAM:{one.id}") for one in people]
    growing: list[tuple[Address, MessageId]] = []
    whole = 0
    for number, place in enumerate(places):
        message = OutgoingMessage(f"out_{number}", "Hel", is_growing=True)
        try:
            growing.append((place, await adapter.send(place, message)))
        except NotSupported:
            whole += 1
            await adapter.send(place, OutgoingMessage(f"whole_{number}", "Hello"))
    assert whole > 0
    for place, sent in growing:
        await adapter.edit(place, sent, OutgoingMessage("out", "Hello wor", is_growing=True))
    for place, sent in growing:
        await adapter.edit(place, sent, OutgoingMessage("out", "Hello world"))
    assert server.calls_in_penalty == 0
    assert not [call for call in server.log if call.refused]
    assert all(one.dm.shown()[-1].shown in {"Hello", "Hello world"} for one in people)
