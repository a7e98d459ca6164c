"""The demo answers at its pace, and the same way every time."""

import pytest
from typing_extensions import override

from gateway.contracts.provider import EndPart, Part, TextPart, ToolCallPart
from gateway.errors import ProviderFailed
from gateway.providers.demo import DemoProvider
from gateway.settings import AgentSettings
from gateway.transcript import UserEntry
from tests.fakes.clock import FakeClock
from tests.fakes.served import asking, parts_of, text_of

SETTINGS = AgentSettings(provider="demo")


async def say(words: str) -> list[Part]:
    return await parts_of(DemoProvider(SETTINGS, pace=0), asking(UserEntry(words)))


async def test_words_come_one_by_one_and_make_the_whole_text() -> None:
    parts = await say("long")
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    assert len(texts) > 1_000
    assert all(text.strip() for text in texts)
    assert text_of(parts).endswith("That was all of it.")


async def test_the_same_question_has_the_same_answer_and_cost() -> None:
    first, second = await say("hello"), await say("hello")
    assert first == second
    end = first[-1]
    assert isinstance(end, EndPart)
    assert end.usage.input_tokens > 0
    assert end.usage.output_tokens > 0


async def test_a_tool_is_asked_for_after_the_words() -> None:
    *_, call, end = await say("what time is it?")
    assert isinstance(call, ToolCallPart)
    assert call.tool == "now"
    assert isinstance(end, EndPart)
    assert end.reason == "tools"


async def test_failing_half_way_leaves_half_an_answer() -> None:
    seen: list[Part] = []
    with pytest.raises(ProviderFailed, match="as it was asked to"):
        await record(DemoProvider(SETTINGS, pace=0), UserEntry("fail"), seen)
    assert text_of(seen) == "I begin to answer, and then"


async def record(provider: DemoProvider, entry: UserEntry, seen: list[Part]) -> None:
    async for part in provider.stream(asking(entry)):
        seen.append(part)  # noqa: PERF401 -- what came before the failure is wanted


@pytest.mark.parametrize(("words", "least", "most"), [("long", 2.0, 3.5), ("slow", 10.0, 30.0)])
async def test_the_pace_suits_the_answer(words: str, least: float, most: float) -> None:
    clock = SkippingClock()
    await parts_of(DemoProvider(SETTINGS, clock=clock), asking(UserEntry(words)))
    assert least <= clock.monotonic() <= most


class SkippingClock(FakeClock):
    """Moves on by itself whenever somebody waits."""

    @override
    async def sleep(self, seconds: float) -> None:
        self._now += seconds


async def test_the_check_needs_no_network() -> None:
    assert "offline" in await DemoProvider(SETTINGS).check()
