"""When a model server is left alone, and when it is asked again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers.breaker import (
    IN_A_ROW,
    LEAST_CALLS,
    REMEMBERED,
    REST,
    WINDOW,
    Breaker,
    BreakerState,
    Ticket,
)

pytestmark = pytest.mark.promise("R15")


def entered(breaker: Breaker, session: str = "s1", now: float = 0.0) -> Ticket:
    ticket = breaker.enter(session, now)
    assert ticket is not None
    return ticket


def fail(breaker: Breaker, session: str = "s1", now: float = 0.0, lost: float = 0.1) -> None:
    breaker.failed(entered(breaker, session, now), now, lost=lost)


def succeed(breaker: Breaker, session: str = "s1", now: float = 0.0) -> None:
    breaker.succeeded(entered(breaker, session, now), now)


def is_open(breaker: Breaker) -> bool:
    return breaker.state is BreakerState.OPEN


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker()
    for number in range(IN_A_ROW):
        fail(breaker, f"s{number}", at)
    assert breaker.state is BreakerState.OPEN
    return breaker


def test_half_of_twenty_calls_within_a_minute_open_it() -> None:
    breaker = Breaker()
    for number in range(LEAST_CALLS // 2):
        assert breaker.state is BreakerState.CLOSED
        succeed(breaker, "good", float(number))
        fail(breaker, f"s{number % 3}", float(number))
    assert breaker.state is BreakerState.OPEN
    assert breaker.counts(10.0) == (20, 10)


def test_less_than_half_does_not_open_it() -> None:
    breaker = Breaker()
    for number in range(100):
        succeed(breaker, "good", number / 10)
        if number % 5 < 4:
            fail(breaker, f"s{number % 3}", number / 10)
    assert breaker.state is BreakerState.CLOSED


def test_what_is_older_than_a_minute_does_not_count() -> None:
    breaker = Breaker()
    for number in range(LEAST_CALLS - 2):
        (succeed if number % 2 else fail)(breaker, f"s{number % 4}", 0.0)
    for number in range(4):
        (succeed if number % 2 else fail)(breaker, f"s{number}", WINDOW + 1)
    assert breaker.state is BreakerState.CLOSED
    assert breaker.counts(WINDOW + 1) == (4, 2)


def test_five_failures_in_a_row_open_it_where_few_people_ask() -> None:
    breaker = Breaker()
    for number in range(IN_A_ROW - 1):
        fail(breaker, f"s{number % 2}", number * 100.0)
    assert not is_open(breaker)
    fail(breaker, "s1", 500.0)
    assert is_open(breaker)


def test_a_success_begins_the_row_anew() -> None:
    breaker = Breaker()
    for _ in range(IN_A_ROW - 1):
        fail(breaker, "s1")
    succeed(breaker, "s2")
    for _ in range(IN_A_ROW - 1):
        fail(breaker, "s3")
    assert breaker.state is BreakerState.CLOSED


def test_two_that_waited_for_half_a_minute_in_vain_open_it() -> None:
    breaker = Breaker()
    fail(breaker, "s1", 30.0, lost=30.0)
    assert not is_open(breaker)
    fail(breaker, "s2", 31.0, lost=30.0)
    assert is_open(breaker)


def test_one_long_wait_says_nothing() -> None:
    breaker = Breaker()
    fail(breaker, "s1", 300.0, lost=300.0)
    assert breaker.state is BreakerState.CLOSED


def test_one_session_alone_cannot_take_the_model_from_others() -> None:
    breaker = Breaker()
    succeed(breaker, "s1", 0.0)
    for number in range(100):
        fail(breaker, "poison", number / 10)
    assert not is_open(breaker)
    fail(breaker, "s2", 11.0)
    assert is_open(breaker)


def test_the_only_session_there_is_opens_it_by_itself() -> None:
    breaker = Breaker()
    succeed(breaker, "another", 0.0)
    succeed(breaker, "mine", 1.0)
    for number in range(IN_A_ROW):
        fail(breaker, "mine", REMEMBERED + number)
    assert breaker.state is BreakerState.OPEN


def test_open_it_lets_nobody_through_and_says_how_long() -> None:
    breaker = opened()
    assert breaker.enter("s1", REST - 1) is None
    assert breaker.rest("s1", REST - 1) == 1.0


def test_half_open_it_lets_exactly_one_through() -> None:
    breaker = opened()
    probe = entered(breaker, "s1", REST)
    assert breaker.state.value == "half_open"
    assert breaker.enter("s2", REST + 500) is None
    assert breaker.rest("s2", REST + 500) is None
    breaker.succeeded(probe, REST + 501)
    assert breaker.state is BreakerState.CLOSED
    entered(breaker, "s2", REST + 501)


def test_a_probe_that_fails_opens_it_again_and_the_next_is_anothers() -> None:
    breaker = opened()
    breaker.failed(entered(breaker, "poison", REST), REST, lost=0.0)
    assert breaker.state is BreakerState.OPEN
    assert breaker.enter("poison", 2 * REST) is None
    assert breaker.rest("poison", 2 * REST) == REST
    entered(breaker, "s2", 2 * REST)


def test_alone_the_session_of_a_failed_probe_may_try_again_later() -> None:
    breaker = opened()
    breaker.failed(entered(breaker, "mine", REST), REST, lost=0.0)
    entered(breaker, "mine", 3 * REST)


def test_a_probe_that_was_stopped_leaves_its_place_to_the_next() -> None:
    breaker = opened()
    breaker.left(entered(breaker, "s1", REST))
    assert breaker.state is BreakerState.HALF_OPEN
    entered(breaker, "s2", REST)


def test_a_probe_whose_request_is_refused_has_shown_that_the_server_is_there() -> None:
    breaker = opened()
    breaker.refused(entered(breaker, "s1", REST))
    assert breaker.state is BreakerState.CLOSED


def test_what_began_before_it_opened_says_nothing_later() -> None:
    breaker = Breaker()
    early, late = entered(breaker), entered(breaker)
    for number in range(IN_A_ROW):
        fail(breaker, f"s{number}")
    breaker.succeeded(early, 1.0)
    assert breaker.state is BreakerState.OPEN
    breaker.succeeded(entered(breaker, "s1", REST), REST)
    breaker.failed(late, REST, lost=1.0)
    assert breaker.counts(REST) == (1, 0)


def test_a_server_that_asks_for_longer_is_left_alone_longer() -> None:
    breaker = Breaker()
    for number in range(IN_A_ROW):
        breaker.failed(entered(breaker, f"s{number}"), 0.0, lost=0.0, asked=120.0)
    assert breaker.enter("s1", 119.0) is None
    entered(breaker, "s1", 120.0)


_STEPS = st.tuples(
    st.sampled_from(["enter", "succeeded", "failed", "refused", "left"]),
    st.integers(0, 4),
    st.floats(0, 40),
)


@given(st.lists(_STEPS, max_size=120))
def test_whatever_happens_no_two_probe_and_it_is_never_shut_for_good(
    steps: list[tuple[str, int, float]],
) -> None:
    breaker, running, now = Breaker(), list[Ticket](), 0.0
    probe: Ticket | None = None
    for what, number, seconds in steps:
        now += seconds
        if what == "enter":
            before = breaker.state
            ticket = breaker.enter(f"s{number}", now)
            if ticket is None:
                continue
            if before is not BreakerState.CLOSED:
                assert probe is None or probe not in running
                probe = ticket
            running.append(ticket)
        elif running:
            ticket = running.pop(number % len(running))
            if what == "failed":
                breaker.failed(ticket, now, lost=seconds)
            elif what == "succeeded":
                breaker.succeeded(ticket, now)
            else:
                getattr(breaker, what)(ticket)
    for ticket in running:
        breaker.left(ticket)
    assert breaker.enter("s0", now + 2 * REST) is not None
