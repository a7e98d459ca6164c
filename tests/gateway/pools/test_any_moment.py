"""A turn that is ended at any moment keeps each word once, and can be gone on with."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from pathlib import Path

from typing_extensions import override

from gateway.contracts.runner import RunnerParams, TurnOptions
from gateway.errors import TurnStopped
from gateway.events import EntryRecorded, ReplyEvent, RunnerEvent, TextDelta
from gateway.transcript import (
    AssistantEntry,
    Content,
    Entry,
    ToolCall,
    ToolResultEntry,
    UserEntry,
)
from tests.fakes.runner import FakeRunner, FakeRunners
from tests.gateway.pools.house import House, open_house, text_of

MOMENTS = [number * number for number in range(60)]
"""Rounds of the loop: most turns are over within the last of them, as writes take their time."""
WHOLE: list[Entry] = [
    AssistantEntry("Let me look. ", (ToolCall("c1", "now", {}),)),
    ToolResultEntry("c1", "now", "12:00"),
    AssistantEntry("It is noon."),
]


class Steady(FakeRunner):
    """Does what is left of the same turn, word by word, suspending before each."""

    @override
    async def chat(
        self, history: Sequence[Entry], message: Content | None, options: TurnOptions
    ) -> AsyncGenerator[RunnerEvent, None]:
        done = [] if message is not None else _after_last_user(history)
        assert done == WHOLE[: len(done)]
        assert done != WHOLE, "asked for nothing"
        for entry in WHOLE[len(done) :]:
            if isinstance(entry, AssistantEntry):
                for word in entry.text.split(" "):
                    await asyncio.sleep(0)
                    yield TextDelta(text=f"{word} ")
            yield EntryRecorded(entry=entry)


def _after_last_user(history: Sequence[Entry]) -> list[Entry]:
    last = max(place for place, entry in enumerate(history) if isinstance(entry, UserEntry))
    return list(history[last + 1 :])


class SteadyRunners(FakeRunners):
    @override
    async def __call__(self, params: RunnerParams) -> FakeRunner:
        return Steady(params, self, self._clock)


def words(entries: Sequence[Entry]) -> list[str]:
    said = [entry.text for entry in entries if isinstance(entry, AssistantEntry)]
    return " ".join(said).split()


async def read(house: House, key: str, shown: list[ReplyEvent], has_begun: asyncio.Event) -> None:
    session = await house.session(key)
    options = TurnOptions(turn=await house.turn("time?", key))
    async with aclosing(house.pool.chat(session, "time?", options=options)) as events:
        has_begun.set()
        async for event in events:
            shown.append(event)  # noqa: PERF401 - what came before an error counts


async def begin(house: House, moment: int) -> tuple["asyncio.Task[None]", str, list[ReplyEvent]]:
    """Begin a turn in a session of its own, and let it run for a while."""
    key = f"main:local:u{moment}:dm"
    shown: list[ReplyEvent] = []
    has_begun = asyncio.Event()
    reading = asyncio.ensure_future(read(house, key, shown, has_begun))
    await has_begun.wait()
    for _ in range(moment):
        await asyncio.sleep(0)
    return reading, key, shown


async def test_a_stop_at_any_moment_keeps_each_shown_word_once(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.make = SteadyRunners(clock=house.clock)
        await house.pool.apply(house.pool.settings)
        for moment in MOMENTS:
            reading, key, shown = await begin(house, moment)
            await house.pool.stop(await house.session(key))
            with suppress(TurnStopped):
                await reading
            entries = await house.entries(key)
            assert words(entries) == text_of(shown).split()
            assert sum(isinstance(entry, UserEntry) for entry in entries) <= 1
            await house.end_turn(key)


async def test_r4_an_interruption_at_any_moment_can_be_gone_on_with(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.make = SteadyRunners(clock=house.clock)
        await house.pool.apply(house.pool.settings)
        for moment in MOMENTS:
            reading, key, _ = await begin(house, moment)
            reading.cancel()
            await asyncio.wait({reading})
            turn = await house.begin_again(key)
            events = await house.say("time?", key, turn=turn)
            assert text_of(events).split() == words(WHOLE)
            assert await house.entries(key) == [UserEntry("time?"), *WHOLE]
            await house.end_turn(key)
