"""A runner knows when it is busy, lets go of everything, and has its hooks told of the end."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from gateway.contracts.provider import TextPart
from gateway.contracts.runner import Runner, TurnOptions
from gateway.errors import ProviderFailed
from gateway.events import TextDelta
from gateway.transcript import Usage
from tests.fakes.hooks import NotingHook
from tests.fakes.provider import Gate, calls, says
from tests.fakes.tools import make_tool
from tests.fakes.turns import a_turn
from tests.gateway.runners.stage import Stage, shown

OPTIONS = TurnOptions(turn=a_turn())


async def test_a_runner_is_busy_from_the_first_event_to_the_last(tmp_path: Path) -> None:
    stage = Stage(tmp_path, says("a", "b"))
    runner: Runner = await stage.runner()
    assert (runner.is_alive, runner.is_busy) == (True, False)
    await stage.clock.advance(5.0)
    chatting = runner.chat([], "hi", OPTIONS)
    await anext(chatting)
    assert (runner.is_busy, runner.last_activity) == (True, 5.0)
    await stage.clock.advance(7.0)
    assert [event async for event in chatting]
    assert (runner.is_busy, runner.last_activity) == (False, 12.0)


async def test_closing_a_runner_ends_no_turn(tmp_path: Path) -> None:
    stage = Stage(tmp_path, says("a", "b"))
    runner = await stage.runner()
    chatting = runner.chat([], "hi", OPTIONS)
    first = await anext(chatting)
    await runner.close()
    assert not runner.is_alive
    assert shown([first, *[event async for event in chatting]]) == "ab"
    assert not stage.provider.is_closed


async def test_leaving_a_turn_closes_the_models_stream_at_once(tmp_path: Path) -> None:
    hook = NotingHook()
    stage = Stage(tmp_path, says("a", "b"), hooks=[hook])
    runner = await stage.runner()
    async with aclosing(runner.chat([], "hi", OPTIONS)) as chatting:
        assert await anext(chatting) == TextDelta(text="a")
        assert stage.provider.streaming == 1
    assert (stage.provider.streaming, runner.is_busy) == (0, False)
    assert hook.ended == [(Usage(), 0.0, "GeneratorExit")]


async def test_cancelling_a_turn_ends_its_tools_and_its_stream(tmp_path: Path) -> None:
    gate = Gate()
    hook = NotingHook()
    stuck = make_tool("stuck", is_parallel=True, gate=gate)
    script = calls(("c1", "stuck", {}), ("c2", "stuck", {}), usage=Usage(3, 4))
    stage = Stage(tmp_path, script, tools=[stuck], hooks=[hook])
    chatting = await stage.begin()
    await gate.reached.wait()
    chatting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await chatting
    assert stuck.running == 0
    assert hook.ended == [(Usage(3, 4), 0.0, "CancelledError")]


async def test_cancelling_while_the_model_is_silent_closes_its_stream(tmp_path: Path) -> None:
    gate = Gate()
    stage = Stage(tmp_path, [TextPart("a"), gate])
    chatting = await stage.begin()
    await gate.reached.wait()
    chatting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await chatting
    assert stage.provider.streaming == 0


async def test_hooks_see_a_turn_from_its_prompt_to_its_cost(tmp_path: Path) -> None:
    hook = NotingHook("!")
    script = [calls(("c1", "look", {}), usage=Usage(1, 2)), says("ok", usage=Usage(10, 20))]
    stage = Stage(tmp_path, *script, tools=[make_tool("look")], hooks=[hook])
    await stage.chat()
    assert [one.system for one in stage.provider.requests] == ["be kind!!", "be kind!!"]
    assert hook.seen == [
        "before_run", "before_model", "before_tool", "after_tool", "before_model", "after_run",
    ]  # fmt: skip
    assert hook.ended == [(Usage(11, 22), 0.0, None)]


async def test_hooks_are_told_of_a_failure_without_its_words(tmp_path: Path) -> None:
    hook = NotingHook()
    stage = Stage(tmp_path, [ProviderFailed("The key is wrong.")], hooks=[hook])
    with pytest.raises(ProviderFailed):
        await stage.chat()
    assert hook.ended == [(Usage(), 0.0, "ProviderFailed")]


async def test_a_prompt_for_one_turn_is_for_that_turn(tmp_path: Path) -> None:
    stage = Stage(tmp_path, says("a"), says("b"))
    runner = await stage.runner()
    override = TurnOptions(turn=a_turn(), system_override="be brief")
    for options in (override, OPTIONS):
        assert [event async for event in runner.chat([], "hi", options)]
    assert [one.system for one in stage.provider.requests] == ["be brief", "be kind"]
    assert runner.system_prompt == "be kind"


async def test_a_model_for_one_turn_is_asked(tmp_path: Path) -> None:
    stage = Stage(tmp_path, says("a"))
    await stage.chat(model="other")
    assert stage.provider.requests[0].model == "other"
