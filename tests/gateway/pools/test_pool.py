"""Turns in a pool: what is kept, in which order, and what changes hold from when."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from gateway.contracts.runner import TurnOptions
from gateway.errors import Busy, LaneLost, Refused, RetryLater
from gateway.events import EntryRecorded, TextDelta, ToolFinished, ToolStarted
from gateway.ids import AgentId, SessionId
from gateway.settings import AgentSettings, CompactionSettings
from gateway.transcript import (
    AssistantEntry,
    FileBlock,
    SummaryEntry,
    TextBlock,
    ToolCall,
    ToolResultEntry,
    Usage,
    UserEntry,
)
from tests.fakes.money import PAYER
from tests.fakes.provider import Gate, says
from tests.fakes.runner import FakeRunners, answer
from tests.gateway.pools.house import KEY, PERSON, SETTINGS, open_house, text_of

CALL = ToolCall("c1", "now", {})
OTHER = "main:local:u2:dm"


async def test_a_turn_is_kept_and_shown(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        events = await house.say("hello")
        assert text_of(events) == "you said hello"
        assert await house.entries() == [UserEntry("hello"), AssistantEntry("you said hello")]


async def test_the_history_is_read_before_the_new_message_is_kept(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("one")
        await house.say("two")
        assert house.make.made[0].histories == [
            (),
            (UserEntry("one"), AssistantEntry("you said one")),
        ]


async def test_r3_a_second_turn_of_a_session_is_refused_while_one_runs(tmp_path: Path) -> None:
    gate = Gate()
    async with open_house(tmp_path) as house:
        house.make.scripts = [[gate, *answer("first")]]
        session = await house.session()
        turn = await house.turn("one")
        first = house.pool.chat(session, "one", options=TurnOptions(turn=turn))
        await gate.reached.wait()
        with pytest.raises(Busy):
            house.pool.chat(session, "two", options=TurnOptions(turn=turn))
        gate.open()
        assert text_of([event async for event in first]) == "first"
        await house.say("two")
        assert house.make.made[0].histories[-1] == (UserEntry("one"), AssistantEntry("first"))


async def test_different_sessions_work_side_by_side(tmp_path: Path) -> None:
    slow = Gate()
    async with open_house(tmp_path) as house, asyncio.TaskGroup() as tasks:
        house.make.scripts = [[slow, *answer("slow")]]
        waiting = tasks.create_task(house.say("one"))
        await slow.reached.wait()
        assert text_of(await house.say("two", OTHER)) == "you said two"
        assert not waiting.done()
        slow.open()


async def test_a_turn_with_text_and_tools_is_kept_once(tmp_path: Path) -> None:
    asks, result = AssistantEntry("Let me see. ", (CALL,)), ToolResultEntry("c1", "now", "12:00")
    async with open_house(tmp_path) as house:
        house.make.scripts = [
            [
                TextDelta(text="Let me "),
                TextDelta(text="see. "),
                EntryRecorded(entry=asks),
                ToolStarted(call_id="c1", tool="now", summary=""),
                EntryRecorded(entry=result),
                ToolFinished(call_id="c1", tool="now", summary="12:00", seconds=0.1),
                *answer("Noon."),
            ]
        ]
        events = await house.say("what time is it?")
        assert text_of(events) == "Let me see. Noon."
        assert await house.entries() == [
            UserEntry("what time is it?"),
            asks,
            result,
            AssistantEntry("Noon."),
        ]


async def test_an_entry_is_kept_before_the_runner_is_asked_for_more(tmp_path: Path) -> None:
    gate = Gate()
    asks = AssistantEntry("", (CALL,))
    async with open_house(tmp_path) as house, asyncio.TaskGroup() as tasks:
        house.make.scripts = [[EntryRecorded(entry=asks), gate, *answer("done")]]
        tasks.create_task(house.say("hi"))
        await gate.reached.wait()
        assert await house.entries() == [UserEntry("hi"), asks]
        gate.open()


async def test_what_a_model_call_cost_is_accounted(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.make.scripts = [answer("hi", usage=Usage(100, 7), model="small")]
        await house.say("hello")
        totals = await house.store.usage.totals(session=await house.session())
        assert [(total.model, total.usage) for total in totals] == [("small", Usage(100, 7))]


async def test_the_speaker_and_files_are_kept(tmp_path: Path) -> None:
    content = (TextBlock("look"), FileBlock("assets/a.png", "a.png", "image/png", 3))
    async with open_house(tmp_path) as house:
        options = TurnOptions(turn=await house.turn(), speaker="Ann")
        session = await house.session()
        async with aclosing(house.pool.chat(session, content, options=options)) as events:
            assert [event async for event in events]
        assert (await house.entries())[0] == UserEntry(content, "Ann")
        assert house.make.made[0].options == [options]


async def test_the_prompt_and_the_title_are_frozen_at_the_first_turn(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("Plan the trip")
        house.make.prompt = "another prompt"
        await house.pool.reset_runners()
        await house.say("And now?")
        info = await house.pool.active_session(KEY)
        assert info is not None
        assert (info.prompt, info.title) == ("prompt (big)", "Plan the trip")
        assert house.make.made[-1].params.prompt == "prompt (big)"
        await house.say("hello", OTHER)
        other = await house.pool.active_session(OTHER)
        assert other is not None
        assert other.prompt == "another prompt (big)"


async def test_a_message_that_cannot_be_kept_is_not_paid_for(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        old = await house.turn("hi")
        await house.store.turns.begin(old.kept)
        with pytest.raises(LaneLost):
            await house.say("hi", turn=old)
        assert house.make.made[0].messages == []
        assert await house.entries() == []


async def test_r13_a_turn_that_has_lost_its_lane_writes_nothing_more(tmp_path: Path) -> None:
    gate = Gate()
    async with open_house(tmp_path) as house:
        house.make.scripts = [[TextDelta(text="half"), gate, *answer("whole")]]
        old = await house.turn("hi")
        options = TurnOptions(turn=old)
        async with aclosing(
            house.pool.chat(await house.session(), "hi", options=options)
        ) as events:
            assert await anext(events) == TextDelta(text="half")
            await house.store.turns.begin(old.kept)
            gate.open()
            await anext(events)
            with pytest.raises(LaneLost):
                await anext(events)
        assert await house.entries() == [UserEntry("hi")]


async def test_a_session_of_another_agent_does_not_exist_here(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        options = TurnOptions(turn=await house.turn())
        theirs = await house.store.sessions.resolve(AgentId("other"), KEY, None)
        for session in (theirs.id, SessionId("nobody's")):
            with pytest.raises(Refused):
                await anext(house.pool.chat(session, "hi", options=options))
        assert house.make.made == []


async def test_a_model_given_with_a_turn_sticks(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("one")
        await house.say("two", model="small")
        await house.say("three")
        assert [runner.params.model for runner in house.make.made] == ["big", "small"]
        info = await house.pool.active_session(KEY)
        assert info is not None
        assert info.model == "small"


async def test_a_chosen_model_holds_from_the_next_turn_on(tmp_path: Path) -> None:
    gate = Gate()
    async with open_house(tmp_path) as house, asyncio.TaskGroup() as tasks:
        house.make.scripts = [[gate, *answer("one")]]
        session = await house.session()
        turn = tasks.create_task(house.say("one"))
        await gate.reached.wait()
        await house.pool.set_model(session, "small")
        gate.open()
        assert text_of(await turn) == "one"
        await house.say("two")
        assert [runner.params.model for runner in house.make.made] == ["big", "small"]
        assert not house.make.made[0].was_closed_busy
        await house.pool.set_model(session, None)
        await house.say("three")
        assert house.make.made[-1].params.model == "big"


async def test_a_model_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        session = await house.session()
        with pytest.raises(Refused, match="gpt-9"):
            await house.pool.set_model(session, "gpt-9")
        with pytest.raises(Refused, match="gpt-9"):
            await house.say("hi", model="gpt-9")
        assert house.pool.allowed_models == ("big", "small")


async def test_a_long_turn_outlives_the_reaper_a_reset_and_new_settings(tmp_path: Path) -> None:
    gate = Gate()
    async with open_house(tmp_path) as house, asyncio.TaskGroup() as tasks:
        reaper = tasks.create_task(house.pool.run_reaper())
        house.make.scripts = [[TextDelta(text="slowly"), gate, *answer(", done")]]
        turn = tasks.create_task(house.say("hi"))
        await gate.reached.wait()
        await house.clock.advance(700)
        await house.pool.reset_runners()
        await house.pool.reset_runners_for_user(PERSON)
        await house.pool.apply(SETTINGS.model_copy(update={"model": "small"}))
        assert not house.make.made[0].is_closed
        assert not house.providers[0].is_closed
        gate.open()
        assert text_of(await turn) == "slowly, done"
        assert house.providers[0].is_closed
        await house.say("again")
        assert house.make.made[0].is_closed
        assert not house.make.made[0].was_closed_busy
        assert house.make.made[-1].params.model == "small"
        reaper.cancel()


async def test_a_turn_that_began_before_new_settings_leaves_no_old_runner(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        old = house.make
        options = TurnOptions(turn=await house.turn("one"))
        stream = house.pool.chat(await house.session(), "one", options=options)
        while not house.pool._kit._users:
            await asyncio.sleep(0)
        house.make = FakeRunners(clock=house.clock)
        await house.pool.apply(SETTINGS)
        assert not house.providers[0].is_closed
        assert text_of([event async for event in stream]) == "you said one"
        assert house.providers[0].is_closed
        await house.say("two")
        assert (len(old.made), len(house.make.made)) == (1, 1)


async def test_a_turn_that_has_not_begun_uses_the_new_settings(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        options = TurnOptions(turn=await house.turn("one"))
        stream = house.pool.chat(await house.session(), "one", options=options)
        await house.pool.apply(SETTINGS.model_copy(update={"model": "small"}))
        assert text_of([event async for event in stream]) == "you said one"
        assert house.make.made[0].params.model == "small"


async def test_new_settings_close_idle_runners_at_once(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("hi")
        await house.pool.apply(SETTINGS)
        assert house.make.made[0].is_closed


async def test_an_idle_session_costs_no_runner(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house, asyncio.TaskGroup() as tasks:
        reaper = tasks.create_task(house.pool.run_reaper())
        await house.say("one")
        await house.clock.advance(660)
        assert house.make.made[0].is_closed
        await house.say("two")
        assert house.make.made[1].histories == [(UserEntry("one"), AssistantEntry("you said one"))]
        reaper.cancel()


async def test_new_settings_that_cannot_be_used_change_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.refuses = OSError("no such key")
        with pytest.raises(OSError, match="no such key"):
            await house.pool.apply(SETTINGS)
        assert text_of(await house.say("hi")) == "you said hi"


async def test_fifty_resolves_at_once_make_one_session(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        found = await asyncio.gather(*(house.pool.resolve_session(KEY, PERSON) for _ in range(50)))
        assert len({session.id for session in found}) == 1
        assert len(await house.pool.list_sessions()) == 1


async def test_a_repeated_new_rotates_once(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("hi")
        old = await house.session()
        first = await house.pool.rotate_session(KEY, PERSON, expected=old)
        second = await house.pool.rotate_session(KEY, PERSON, expected=old)
        assert first.id == second.id != old
        assert house.make.made[0].is_closed
        assert len(await house.pool.history(first.id)) == 0
        assert len(await house.pool.history(old)) == 2
        assert {session.id for session in await house.pool.list_sessions(archived=True)} >= {old}


async def test_an_archived_session_keeps_its_history(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("hi")
        session = await house.session()
        await house.pool.archive_session(session)
        assert house.make.made[0].is_closed
        assert await house.pool.active_session(KEY) is None
        assert len(await house.pool.history(session)) == 2


async def test_a_closed_pool_takes_no_more_turns(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("hi")
        turn = await house.turn()
        session = await house.session()
        await house.pool.close()
        with pytest.raises(RetryLater):
            house.pool.chat(session, "hi", options=TurnOptions(turn=turn))
        assert house.make.made[0].is_closed
        assert house.providers[0].is_closed


async def test_closing_with_grace_lets_turns_end(tmp_path: Path) -> None:
    gate = Gate()
    async with open_house(tmp_path) as house, asyncio.TaskGroup() as tasks:
        house.make.scripts = [[gate, *answer("done")]]
        turn = tasks.create_task(house.say("hi"))
        await gate.reached.wait()
        closing = tasks.create_task(house.pool.close(grace=None))
        await asyncio.sleep(0)
        gate.open()
        assert text_of(await turn) == "done"
        await closing


async def test_r4_a_turn_is_gone_on_with_from_what_is_kept(tmp_path: Path) -> None:
    asks, result = AssistantEntry("Look: ", (CALL,)), ToolResultEntry("c1", "now", "12:00")
    async with open_house(tmp_path) as house:
        turn = await house.turn("time?")
        house.make.scripts = [
            [TextDelta(text="Look: "), EntryRecorded(entry=asks), EntryRecorded(entry=result)]
        ]
        await house.say("time?", turn=turn)
        again = await house.store.turns.begin(turn.kept)
        house.make.scripts = [answer("Noon.")]
        events = await house.say("time?", turn=again)
        assert text_of(events) == "Look: Noon."
        assert [type(event) for event in events] == [
            TextDelta,
            ToolStarted,
            ToolFinished,
            TextDelta,
        ]
        runner = house.make.made[-1]
        assert runner.histories[-1] == (UserEntry("time?"), asks, result)
        assert runner.messages[-1] is None
        assert await house.entries() == [
            UserEntry("time?"),
            asks,
            result,
            AssistantEntry("Noon."),
        ]


async def test_a_history_that_is_too_long_is_folded_before_the_turn(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.pool.apply(folding_at(100))
        await house.say("one " * 50)
        await house.say("two " * 50)
        house.providers[-1].script = [says("They counted.")]
        session = await house.session()
        assert await house.pool.needs_compaction(session)
        await house.say("three")
        assert house.make.made[-1].histories[-1][0] == SummaryEntry("They counted.")
        assert UserEntry("three") not in house.make.made[-1].histories[-1]
        assert UserEntry("one " * 50) in await house.entries()


async def test_a_fold_that_fails_costs_no_turn(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.pool.apply(folding_at(100))
        await house.say("one " * 200)
        house.providers[-1].script = [[OSError("a bug of the provider")]]
        assert text_of(await house.say("two")) == "you said two"
        assert house.make.made[-1].histories[-1][0] == UserEntry("one " * 200)


async def test_without_a_limit_the_whole_history_is_shown(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        for number in range(30):
            await house.say(f"{number} " * 100)
        assert len(house.make.made[0].histories[-1]) == 58
        assert not await house.pool.needs_compaction(await house.session())


async def test_a_session_can_be_folded_by_hand(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        for number in range(12):
            await house.say(f"{number}")
        house.providers[-1].script = [says("They counted.")]
        done = await house.pool.compact_session(await house.session(), PAYER)
        assert done.entries_folded == 4
        await house.say("more")
        assert len(house.make.made[0].histories[-1]) == 21


def folding_at(tokens: int) -> AgentSettings:
    compaction = CompactionSettings(max_tokens=tokens, keep_tail=1)
    return SETTINGS.model_copy(update={"compaction": compaction})
