"""Calls of one step run side by side only where every one of them may."""

import asyncio
from pathlib import Path

import pytest

from gateway.contracts.tool import Effect
from gateway.errors import StoreBusy
from gateway.events import EntryRecorded
from gateway.transcript import ToolResultEntry
from tests.fakes.provider import Gate, calls, says
from tests.fakes.tools import make_tool
from tests.fakes.turns import AGENT, PERSON, SESSION
from tests.gateway.runners.stage import Stage, told


async def test_neighbours_that_may_run_side_by_side(tmp_path: Path) -> None:
    slow, quick = Gate(), Gate()
    one = make_tool("one", "1", is_parallel=True, gate=slow)
    two = make_tool("two", "2", is_parallel=True, gate=quick)
    stage = Stage(
        tmp_path, calls(("c1", "one", {}), ("c2", "two", {})), says("ok"), tools=[one, two]
    )
    chatting = await stage.begin()
    await asyncio.gather(slow.reached.wait(), quick.reached.wait())
    assert (one.running, two.running) == (1, 1)
    quick.open()
    await stage.clock.settle()
    slow.open()
    events = await chatting
    assert told(events) == [
        "ToolStarted c1",
        "ToolStarted c2",
        "ToolFinished c1",
        "ToolFinished c2",
    ]


@pytest.mark.parametrize("alone", [["two"], ["one", "two"], ["one", "two", "three"]])
async def test_a_call_that_may_not_waits_for_those_before_it(
    tmp_path: Path, alone: list[str]
) -> None:
    gates = [Gate(), Gate(), Gate()]
    names = ["one", "two", "three"]
    tools = [
        make_tool(name, name, is_parallel=name not in alone, gate=gate)
        for name, gate in zip(names, gates, strict=True)
    ]
    step = calls(*((name, name, {}) for name in names))
    stage = Stage(tmp_path, step, says("ok"), tools=tools)
    chatting = await stage.begin()
    for number, gate in enumerate(gates):
        await gate.reached.wait()
        assert [tool.running for tool in tools] == [int(at == number) for at in range(3)]
        gate.open()
    await chatting


async def test_results_are_kept_in_the_order_of_the_calls(tmp_path: Path) -> None:
    slow = Gate()
    one = make_tool("one", "1", is_parallel=True, gate=slow)
    two = make_tool("two", "2", is_parallel=True)
    step = calls(("c1", "one", {}), ("c2", "two", {}), ("c3", "one", {}))
    stage = Stage(tmp_path, step, says("ok"), tools=[one, two])
    chatting = await stage.begin()
    await slow.reached.wait()
    slow.open()
    events = await chatting
    kept = [event.entry for event in events if isinstance(event, EntryRecorded)][1:-1]
    assert kept == [
        ToolResultEntry("c1", "one", "1"),
        ToolResultEntry("c2", "two", "2"),
        ToolResultEntry("c3", "one", "1"),
    ]


async def test_a_failure_beside_another_call_harms_it_not(tmp_path: Path) -> None:
    bad = make_tool("bad", RuntimeError("x"), is_parallel=True)
    good = make_tool("good", is_parallel=True)
    stage = Stage(
        tmp_path, calls(("c1", "bad", {}), ("c2", "good", {})), says("ok"), tools=[bad, good]
    )
    assert told(await stage.chat())[2:] == ["ToolFailed c1", "ToolFinished c2"]


async def test_a_tool_knows_whose_turn_it_is_in(tmp_path: Path) -> None:
    look = make_tool("look")
    stage = Stage(tmp_path, calls(("c1", "look", {})), says("ok"), tools=[look])
    await stage.chat()
    context = look.runs[0].context
    assert (context.agent, context.session, context.turn) == (AGENT, SESSION, "turn_1")
    assert (context.person, context.call_id) == (PERSON, "c1")
    assert context.workspace == tmp_path / "workspaces/main/users/person_1"
    assert context.skills == tmp_path / "workspaces/main/.agents/skills"
    assert context.outgoing == tmp_path / "outgoing/turn_1"
    assert context.clock is stage.clock


async def test_the_time_a_call_took_is_told(tmp_path: Path) -> None:
    gate = Gate()
    stage = Stage(
        tmp_path,
        calls(("c1", "look", {})),
        says("ok"),
        tools=[make_tool("look", gate=gate)],
    )
    chatting = await stage.begin()
    await gate.reached.wait()
    await stage.clock.advance(4.0)
    gate.open()
    assert [event.seconds for event in await chatting if hasattr(event, "seconds")] == [4.0]


async def test_r14_a_stuck_tool_beside_others_ends_at_its_time(tmp_path: Path) -> None:
    stuck = make_tool("stuck", is_parallel=True, gate=Gate(), timeout=5.0)
    look = make_tool("look", is_parallel=True)
    stage = Stage(
        tmp_path, calls(("c1", "stuck", {}), ("c2", "look", {})), says("ok"), tools=[stuck, look]
    )
    events = await stage.chat_in_time(6.0)
    assert told(events)[2:] == ["ToolFailed c1", "ToolFinished c2"]


async def test_r5_effects_side_by_side_are_all_noted_first(tmp_path: Path) -> None:
    pay = make_tool("pay", effect=Effect.EFFECT, is_parallel=True)
    stage = Stage(tmp_path, calls(("c1", "pay", {}), ("c2", "pay", {})), says("ok"), tools=[pay])
    stage.steps.refuses = StoreBusy("full", 1.0)
    with pytest.raises(StoreBusy):
        await stage.chat()
    assert pay.runs == []
    assert len(stage.kept) == 1
