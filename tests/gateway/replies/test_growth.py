"""Where too many answers are written at once for all of them to grow, some come whole."""

import pytest

from gateway.contracts.stores import OutboxKind
from gateway.errors import NotSupported
from tests.fakes.adapter import EditingAdapter, FindingAdapter, KeyedAdapter, StreamingAdapter
from tests.fakes.clock import FakeClock
from tests.fakes.talk import Said, Talk, an_address


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


CROWDED = NotSupported("too many answers are being written")


@pytest.mark.parametrize("kind", [EditingAdapter, KeyedAdapter, FindingAdapter, StreamingAdapter])
async def test_r6_an_answer_that_may_not_grow_comes_whole_and_once(
    clock: FakeClock, kind: type[EditingAdapter]
) -> None:
    talk = Talk(clock, kind(clock))
    talk.platform.script["send"].append(CROWDED)
    await talk.answer(["Hello ", 5.0, "there, ", 5.0, "friend."])
    assert talk.platform.texts() == ["Hello there, friend."]
    assert set(talk.memory.states()) == {"abandoned", "final"}


@pytest.mark.parametrize("kind", [KeyedAdapter, FindingAdapter, StreamingAdapter])
async def test_r6_r7_what_was_cut_off_and_may_not_grow_any_more_comes_whole(
    clock: FakeClock, kind: type[EditingAdapter]
) -> None:
    talk = Talk(clock, kind(clock))
    turn = talk.turn(name="t")
    await talk.outbox.begin(an_address(), turn=turn, position=0, kind=OutboxKind.TEXT, text="")
    talk.restart()
    talk.platform.script["send"].append(CROWDED)
    await talk.answer(["Hello there."], talk.turn(name="t", attempt=2))
    assert talk.platform.texts() == ["Hello there."]
    assert talk.memory.states() == ["abandoned", "final"]


async def test_it_is_not_tried_again_before_the_end(clock: FakeClock) -> None:
    talk = Talk(clock, KeyedAdapter(clock))
    talk.platform.script["send"].append(CROWDED)
    more: list[Said] = [5.0, "and "]
    await talk.answer(["Hello ", *more * 20, "bye."])
    kinds = [call.kind for call in talk.platform.calls]
    assert kinds.count("send") == 2
    assert "edit" not in kinds
