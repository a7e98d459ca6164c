"""Who is asked next after a failure, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ModelResting, ProviderUnavailable
from gateway.runners.retry import Tries

MODELS = ("big", "small", "tiny")


def down(after: float | None = None) -> ProviderUnavailable:
    return ProviderUnavailable("overloaded", after=after)


def a_call(*models: str, jitter: float = 1.0) -> Tries:
    return Tries(models or MODELS, 0.0, lambda: jitter)


def test_r11_pauses_grow_and_then_another_model_is_asked() -> None:
    tries = a_call()
    pauses = [(tries.pause(down(), has_text=False, now=0.0), tries.model) for _ in range(8)]
    assert pauses == [
        (0.5, "big"), (1.0, "big"), (0.0, "small"),
        (0.5, "small"), (1.0, "small"), (0.0, "tiny"),
        (0.5, "tiny"), (1.0, "tiny"),
    ]  # fmt: skip
    last = down()
    with pytest.raises(ProviderUnavailable) as raised:
        tries.pause(last, has_text=False, now=0.0)
    assert raised.value is last


def test_r11_a_server_is_asked_no_sooner_than_it_said() -> None:
    tries = a_call()
    assert tries.pause(down(after=20.0), has_text=False, now=0.0) == 20.0
    assert tries.pause(down(after=0.2), has_text=False, now=0.0) == 1.0
    assert tries.model == "big"


def test_r15_a_server_that_wants_long_pauses_is_left_for_another() -> None:
    tries = a_call()
    assert tries.pause(down(after=21.0), has_text=False, now=0.0) == 0.0
    assert tries.model == "small"
    assert tries.models == ("small", "tiny")
    with pytest.raises(ProviderUnavailable):
        a_call("big").pause(down(after=600.0), has_text=False, now=0.0)


@pytest.mark.promise("R15")
@pytest.mark.parametrize("has_text", [False, True])
def test_a_model_at_rest_costs_no_time(*, has_text: bool) -> None:
    tries, resting = a_call("big", "small"), ModelResting("at rest", 12.0)
    assert tries.pause(resting, has_text=has_text, now=0.0) == 0.0
    assert tries.model == "small"
    with pytest.raises(ModelResting):
        tries.pause(resting, has_text=False, now=0.0)


def test_a_server_that_was_silent_for_long_is_not_asked_again() -> None:
    tries = a_call()
    assert tries.pause(down(), has_text=False, now=30.0) == 0.0
    assert tries.model == "small"


def test_after_visible_text_the_same_model_is_asked_once_more() -> None:
    tries = a_call()
    assert tries.pause(down(), has_text=True, now=500.0) == 0.5
    assert tries.model == "big"
    with pytest.raises(ProviderUnavailable):
        tries.pause(down(), has_text=False, now=500.0)


def test_text_twice_broken_off_is_given_up() -> None:
    tries = a_call()
    tries.pause(down(), has_text=True, now=0.0)
    with pytest.raises(ProviderUnavailable):
        tries.pause(down(), has_text=True, now=0.0)


def test_text_that_could_only_be_restarted_late_is_given_up() -> None:
    with pytest.raises(ProviderUnavailable):
        a_call().pause(down(after=21.0), has_text=True, now=0.0)


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(0, 1e9)),
            st.booleans(),
            st.floats(0, 40),
            st.floats(0, 1),
        )
    )
)
def test_r11_no_order_of_failures_waits_long_or_early(
    failures: list[tuple[float | None, bool, float, float]],
) -> None:
    now, jitters = 0.0, [jitter for *_, jitter in failures]
    tries = Tries(MODELS, 0.0, lambda: jitters[0])
    texts = waited = count = 0.0
    for after, has_text, took, _ in failures:
        now += took
        asked = tries.model
        try:
            pause = tries.pause(down(after), has_text=has_text, now=now)
        except ProviderUnavailable:
            break
        texts += has_text
        count += 1
        waited += pause
        if tries.model == asked and after is not None:
            assert pause >= after
        if tries.model == asked and not has_text:
            assert now + pause <= 30.0
        now += pause
    assert texts <= 1
    assert count <= 9
    assert waited <= 30.0 + 20.0
