"""However a turn ends, what was said is kept, the session is free, and the end is told once."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.contracts.runner import TurnOptions
from gateway.errors import (
    ChatTimeout,
    ProviderFailed,
    ProviderUnavailable,
    StoreBusy,
    TurnStopped,
)
from gateway.events import EntryRecorded, TextDelta, TextRestarted, TurnFailed
from gateway.pools.stream import TurnStream
from gateway.transcript import AssistantEntry, ToolCall, UserEntry
from tests.fakes.provider import Gate
from tests.fakes.runner import answer
from tests.gateway.pools.house import House, open_house, text_of

HALF = AssistantEntry("half an", is_partial=True)


async def begin(house: House, gate: Gate) -> TurnStream:
    """Begin a turn that says `half an` and then waits."""
    house.make.scripts = [[TextDelta(text="half an"), gate, *answer(" answer")]]
    options = TurnOptions(turn=await house.turn("hi"))
    stream = house.pool.chat(await house.session(), "hi", options=options)
    await gate.reached.wait()
    return stream


async def read(stream: TurnStream) -> str:
    async with aclosing(stream) as events:
        return text_of([event async for event in events])


async def test_stopping_keeps_the_text_and_frees_the_session(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        stream = await begin(house, Gate())
        assert await house.pool.stop(await house.session())
        assert await house.entries() == [UserEntry("hi"), HALF]
        assert await anext(stream) == TextDelta(text="half an")
        with pytest.raises(TurnStopped):
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        assert text_of(await house.say("next")) == "you said next"
        assert not await house.pool.stop(await house.session())


async def test_a_turn_can_be_stopped_before_its_first_step(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        options = TurnOptions(turn=await house.turn("hi"))
        session = await house.session()
        stream = house.pool.chat(session, "hi", options=options)
        assert await house.pool.stop(session)
        with pytest.raises(TurnStopped):
            await read(stream)
        assert house.make.made == []


async def test_stopping_between_a_call_and_its_result_adds_nothing(tmp_path: Path) -> None:
    gate = Gate()
    asks = AssistantEntry("Look: ", (ToolCall("c1", "now", {}),))
    async with open_house(tmp_path) as house:
        house.make.scripts = [[TextDelta(text="Look: "), EntryRecorded(entry=asks), gate]]
        options = TurnOptions(turn=await house.turn("hi"))
        stream = house.pool.chat(await house.session(), "hi", options=options)
        await gate.reached.wait()
        await house.pool.stop(await house.session())
        with pytest.raises(TurnStopped):
            await read(stream)
        assert await house.entries() == [UserEntry("hi"), asks]


async def test_an_entry_that_is_being_kept_is_kept_once(tmp_path: Path) -> None:
    """A stop in the middle of a write must not keep its text again, nor ask for more."""
    async with open_house(tmp_path) as house:
        said = AssistantEntry("Look: ", (ToolCall("c1", "now", {}),))
        never = Gate()
        house.make.scripts = [[TextDelta(text="Look: "), EntryRecorded(entry=said), never]]
        options = TurnOptions(turn=await house.turn("hi"))
        session = await house.session()
        append = house.store.transcript.append
        stopping: list[asyncio.Task[bool]] = []

        async def append_and_stop(*args: object, **kwargs: object) -> None:
            entries = args[1]
            assert isinstance(entries, tuple)
            if isinstance(entries[0], AssistantEntry):
                stopping.append(asyncio.ensure_future(house.pool.stop(session)))
                await asyncio.sleep(0)
            await append(*args, **kwargs)  # type: ignore[arg-type]

        house.store.transcript.append = append_and_stop  # type: ignore[method-assign]
        with pytest.raises(TurnStopped):
            await read(house.pool.chat(session, "hi", options=options))
        assert await stopping[0]
        assert await house.entries() == [UserEntry("hi"), said]
        assert not never.reached.is_set()


async def test_r16_a_stuck_tool_does_not_hold_the_session(tmp_path: Path) -> None:
    gate = Gate()
    async with open_house(tmp_path) as house, asyncio.TaskGroup() as tasks:
        house.make.ignores_cancel = True
        stream = await begin(house, gate)
        stopping = tasks.create_task(house.pool.stop(await house.session()))
        await house.clock.advance(6)
        assert await stopping
        with pytest.raises(TurnStopped):
            await read(stream)
        assert await house.entries() == [UserEntry("hi"), HALF]
        house.make.ignores_cancel = False
        await house.say("next")
        assert len(house.make.made) == 2
        gate.open()


async def test_r16_what_a_stuck_tool_says_too_late_is_not_kept(tmp_path: Path) -> None:
    gate = Gate()
    async with open_house(tmp_path) as house, asyncio.TaskGroup() as tasks:
        house.make.ignores_cancel = True
        await begin(house, gate)
        tasks.create_task(house.pool.stop(await house.session()))
        await house.clock.advance(6)
        gate.open()
        await house.clock.settle()
        await house.say("next")
        assert await house.entries() == [
            UserEntry("hi"),
            HALF,
            UserEntry("next"),
            AssistantEntry("you said next"),
        ]


async def test_a_full_disk_does_not_keep_a_stop_from_its_user(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        stream = await begin(house, Gate())

        async def refuse(*_args: object, **_kwargs: object) -> None:
            raise StoreBusy("the disk is full", after=5.0)

        house.store.transcript.append = refuse  # type: ignore[method-assign]
        with capture_logs() as logs:
            await house.pool.stop(await house.session())
        assert [line["event"] for line in logs] == ["partial.lost"]
        with pytest.raises(TurnStopped):
            await read(stream)


async def test_trouble_in_ending_a_turn_is_logged_and_not_told(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        stream = await begin(house, Gate())
        house.make.fails_on_cancel = OSError("half a connection")
        with capture_logs() as logs:
            await house.pool.stop(await house.session())
        assert [line["event"] for line in logs] == ["turn.cleanup_failed"]
        assert await anext(stream) == TextDelta(text="half an")
        with pytest.raises(TurnStopped):
            await anext(stream)


async def test_r14_a_timeout_keeps_the_text_and_the_session_goes_on(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        stream = await begin(house, Gate())
        await house.clock.advance(1799)
        assert await anext(stream) == TextDelta(text="half an")
        await house.clock.advance(1)
        with pytest.raises(ChatTimeout):
            await anext(stream)
        assert await house.entries() == [UserEntry("hi"), HALF]
        assert text_of(await house.say("go on")) == "you said go on"
        assert house.make.made[0].histories[-1] == (UserEntry("hi"), HALF)


async def test_r14_a_reader_that_has_vanished_frees_the_session_in_time(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        gate = Gate()
        full = [TextDelta(text="x")] * 100
        house.make.scripts = [[*full, gate, *answer("one too many")]]
        options = TurnOptions(turn=await house.turn("hi"))
        house.pool.chat(await house.session(), "hi", options=options)
        await gate.reached.wait()
        gate.open()
        await house.clock.advance(1800)
        await house.pool._turns_ended()
        assert text_of(await house.say("next")) == "you said next"


async def test_leaving_early_keeps_the_text_and_frees_the_session(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        stream = await begin(house, Gate())
        async with aclosing(stream):
            await anext(stream)
        assert await house.entries() == [UserEntry("hi"), HALF]
        assert text_of(await house.say("next")) == "you said next"


async def test_r4_a_cancelled_reader_leaves_the_turn_to_be_gone_on_with(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house, asyncio.TaskGroup() as tasks:
        stream = await begin(house, Gate())
        reading = tasks.create_task(read(stream))
        await house.clock.settle()
        reading.cancel()
        await asyncio.wait({reading})
        assert await house.entries() == [UserEntry("hi")]
        assert not await house.pool.stop(await house.session())


async def test_r12_closing_the_pool_leaves_turns_to_be_gone_on_with(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        stream = await begin(house, Gate())
        await house.pool.close()
        with pytest.raises(asyncio.CancelledError):
            await read(stream)
        assert await house.entries() == [UserEntry("hi")]


async def test_a_failed_model_keeps_the_text_then_tells(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.make.scripts = [[TextDelta(text="half an"), ProviderFailed("bad key")]]
        with pytest.raises(ProviderFailed, match="bad key"):
            await house.say("hi")
        assert await house.entries() == [UserEntry("hi"), HALF]


async def test_a_model_that_is_away_keeps_no_half_as_the_turn_is_tried_again(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path) as house:
        turn = await house.turn("hi")
        house.make.scripts = [[TextDelta(text="half an"), ProviderUnavailable("busy")]]
        with pytest.raises(ProviderUnavailable):
            await house.say("hi", turn=turn)
        assert await house.entries() == [UserEntry("hi")]
        again = await house.store.turns.begin(turn.kept)
        house.make.scripts = [answer("whole")]
        assert text_of(await house.say("hi", turn=again)) == "whole"
        assert await house.entries() == [UserEntry("hi"), AssistantEntry("whole")]


async def test_a_stopped_turn_that_is_tried_again_starts_anew(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        stream = await begin(house, Gate())
        await stream.aclose()
        turn = house.make.made[0].options[0].turn
        house.make.scripts = [answer("whole")]
        again = await house.store.turns.begin(turn.kept)
        assert text_of(await house.say("hi", turn=again)) == "whole"
        assert house.make.made[0].histories[-1] == (UserEntry("hi"),)


async def test_text_that_the_model_took_back_is_not_kept(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.make.scripts = [
            [TextDelta(text="wrong"), TextRestarted(), TextDelta(text="half an"), OSError("x")]
        ]
        with pytest.raises(OSError, match="x"):
            await house.say("hi")
        assert await house.entries() == [UserEntry("hi"), HALF]


async def test_a_turn_that_the_runner_calls_failed_keeps_its_text(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.make.scripts = [[TextDelta(text="half an"), TurnFailed(words="too many steps")]]
        events = await house.say("hi")
        assert events[-1] == TurnFailed(words="too many steps")
        assert await house.entries() == [UserEntry("hi"), HALF]


async def test_a_runner_that_cancels_itself_is_an_error_and_no_shutdown(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.make.scripts = [[asyncio.CancelledError()]]
        with pytest.raises(RuntimeError):
            await house.say("hi")
