"""Any faults in any order: the answer is shown once, whole, and no penalty is broken."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.errors import NotSupported, RetryLater, SendRefused
from gateway.events import ReplyEvent, TextDelta, TextRestarted, ToolFinished, ToolStarted
from gateway.messages import Limits
from gateway.replies.body import Body
from tests.fakes.adapter import (
    DraftingAdapter,
    EditingAdapter,
    FindingAdapter,
    KeyedAdapter,
    Lost,
    MarkingAdapter,
    PlainAdapter,
    StreamingAdapter,
)
from tests.fakes.clock import FakeClock
from tests.fakes.talk import Said, Talk, an_address

LIMITS = Limits(
    text=120,
    edit_every=1.0,
    edit_every_in_groups=2.0,
    draft_every=0.5,
    calls_per_minute_in_groups=20,
    calls_per_second=5.0,
)
_words = st.integers(0, 999).map("word{} ".format)
_events: st.SearchStrategy[Said] = st.one_of(
    _words,
    _words,
    st.lists(_words, min_size=5, max_size=40).map("".join),
    st.sampled_from([0.05, 0.4, 1.1, 3.0]),
    st.just(TextRestarted()),
    st.just(ToolStarted(call_id="1", tool="now", summary="x")),
    st.just(ToolFinished(call_id="1", tool="now", summary="x", seconds=0.1)),
)
_pauses = st.sampled_from([0.0, 0.7, 5.0, 40.0]).map(lambda after: RetryLater("429", after))
_faults = st.none() | _pauses | st.builds(Lost, st.booleans())
_scripts = st.fixed_dictionaries({
    "send": st.lists(_faults, max_size=4),
    "edit": st.lists(_faults, max_size=8),
    "typing": st.lists(_faults | st.just(SendRefused("no")), max_size=3),
    "draft": st.lists(_faults | st.just(NotSupported("no")), max_size=3),
    "find": st.lists(_faults, max_size=2),
    "mark": st.lists(_faults, max_size=2),
    "end typing": st.lists(_faults, max_size=1),
})


class LastingKeysAdapter(KeyedAdapter):
    """Remembers keys for longer than any of these stories lasts."""

    repeat_window = 1e6


KINDS = [
    PlainAdapter,
    EditingAdapter,
    DraftingAdapter,
    KeyedAdapter,
    FindingAdapter,
    StreamingAdapter,
    MarkingAdapter,
]


def expected(events: list[Said], kind: type[PlainAdapter] = EditingAdapter) -> str:
    body = Body(LIMITS, has_tasks=issubclass(kind, StreamingAdapter))
    for event in events:
        if isinstance(event, str):
            body.add(TextDelta(text=event))
        elif isinstance(event, (TextRestarted, ToolStarted, ToolFinished)):
            body.add(event)
    return " ".join(" ".join(view.text for view in body.final_pages()).split())


def is_stub(text: str) -> bool:
    return text.endswith("…") and len(text) <= 82


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_direct", [True, False])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=st.lists(_events, max_size=14), scripts=_scripts)
def test_r6_r11_whatever_fails_the_answer_is_there_once(
    kind: type[PlainAdapter], is_direct: bool, events: list[Said], scripts: dict[str, list[object]]
) -> None:
    async def scenario() -> None:
        clock = FakeClock()
        platform = kind(clock, LIMITS)
        talk = Talk(clock, platform)
        for name, script in scripts.items():
            platform.script[name].extend(script)
        turn = talk.turn(an_address(is_direct=is_direct))
        await talk.answer(events, turn, within=5000)
        assert platform.violations == []
        assert platform.overlaps == 0
        _check(platform, expected(events, kind), lost=_lost(scripts))
        assert not {"sending", "sent"} & set(talk.memory.states())

    with capture_logs():
        asyncio.run(scenario())


def _lost(scripts: dict[str, list[object]]) -> bool:
    return any(isinstance(fault, Lost) for fault in scripts["send"])


def _check(platform: PlainAdapter, answer: str, *, lost: bool) -> None:
    """Without its orphaned stubs, a conversation shows just the answer."""
    texts = platform.texts()
    if isinstance(platform, StreamingAdapter):
        assert platform.breaches == []
        assert all(stream.has_ended for stream in platform.streams.values())
    if isinstance(platform, EditingAdapter):
        texts = [text for text in texts if not (lost and is_stub(text))]
    shown = " ".join(" ".join(texts).split())
    if lost and not isinstance(platform, EditingAdapter):
        # A page whose answer was lost is not repeated: it may be missing, never doubled.
        assert len(texts) == len(set(texts)) or "word" not in shown
        return
    assert shown == answer


@pytest.mark.parametrize(
    "kind",
    [EditingAdapter, DraftingAdapter, LastingKeysAdapter, FindingAdapter, StreamingAdapter],
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    events=st.lists(_events, min_size=1, max_size=12),
    scripts=_scripts,
    cuts=st.lists(st.floats(0.01, 12), min_size=1, max_size=3),
    latency=st.sampled_from([0.0, 0.3]),
)
def test_r6_r7_a_turn_that_is_cut_off_again_and_again_ends_with_one_answer(
    kind: type[EditingAdapter],
    events: list[Said],
    scripts: dict[str, list[object]],
    cuts: list[float],
    latency: float,
) -> None:
    async def scenario() -> None:
        clock = FakeClock()
        platform = kind(clock, LIMITS)
        platform.latency = latency
        talk = Talk(clock, platform)
        for name, script in scripts.items():
            platform.script[name].extend(script)
        turn = talk.turn()
        for cut in cuts:
            telling = asyncio.ensure_future(talk.tell(events, turn))
            await clock.advance(cut)
            telling.cancel()
            while not telling.done():
                # A sign of work is taken away by a call, which takes its time.
                await clock.advance(0.1)
            talk.restart()
            if isinstance(platform, StreamingAdapter):
                platform.forget()
            # As long as the server's own penalty would last: it is forgotten with the process.
            await clock.advance(60)
            turn = replace(turn, attempt=turn.attempt + 1, is_resumed=True)
        await talk.answer(events, turn, within=5000)
        assert platform.overlaps == 0
        _check(platform, expected(events, kind), lost=True)

    with capture_logs():
        asyncio.run(scenario())


async def test_a_fault_free_run_shows_the_answer_and_nothing_else() -> None:
    clock = FakeClock()
    talk = Talk(clock, EditingAdapter(clock, LIMITS))
    events: list[ReplyEvent | float | str] = [f"word{n} " for n in range(100)]
    await talk.answer(events)
    _check(talk.platform, expected(events), lost=False)
