"""Hooks change what passes, in order, and can do no harm."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from gateway.contracts.hook import Blocked, Hook, RunInfo
from gateway.contracts.provider import ModelRequest
from gateway.contracts.tool import ToolContext, ToolOutput
from gateway.hooks.chain import HookChain
from gateway.transcript import Usage
from tests.fakes.clock import FakeClock
from tests.fakes.hooks import NotingHook
from tests.fakes.turns import RUN, a_context

REQUEST = ModelRequest("big", "system", (), (), lambda _path: b"", "session_1")
POINTS = ["before_run", "before_model", "before_tool", "after_tool", "after_run"]


async def pass_all(chain: Hook, clock: FakeClock) -> list[object]:
    """Take one value of each kind through the chain."""
    context = a_context(Path("/nowhere"), clock)
    results: list[object] = [
        await chain.before_run(RUN, "system"),
        (await chain.before_model(RUN, REQUEST)).system,
        await chain.before_tool(RUN, "now", {}, context),
        (await chain.after_tool(RUN, "now", ToolOutput("out"))).text,
    ]
    await chain.after_run(RUN, Usage(), 1.0, None)
    return results


async def test_hooks_run_by_priority_then_by_name() -> None:
    class Late(NotingHook):
        priority = 200

    class Anna(NotingHook):
        pass

    class Bert(NotingHook):
        pass

    chain = HookChain([Late("3"), Bert("2"), Anna("1")], FakeClock())
    assert await pass_all(chain, FakeClock()) == [
        "system123",
        "system123",
        {"marks": "123"},
        "out123",
    ]


async def test_without_hooks_everything_passes_as_it_is() -> None:
    assert await pass_all(HookChain([], FakeClock()), FakeClock()) == [
        "system",
        "system",
        {},
        "out",
    ]


async def fail() -> None:
    raise RuntimeError("broken")


async def test_a_failing_hook_is_logged_and_passed_over_at_every_point() -> None:
    broken = NotingHook("x", trouble=fail)
    with capture_logs() as logs:
        results = await pass_all(HookChain([broken, NotingHook("1")], FakeClock()), FakeClock())
    assert results == ["system1", "system1", {"marks": "1"}, "out1"]
    assert broken.seen == POINTS
    assert [(line["event"], line["point"]) for line in logs] == [
        ("hook.failed", point) for point in POINTS
    ]


async def test_r14_a_slow_hook_is_passed_over_after_its_time() -> None:
    clock = FakeClock()

    class Slow(NotingHook):
        timeout = 3.0

    slow = Slow("x", trouble=lambda: clock.sleep(60))
    chain = HookChain([slow], clock)

    async def waited() -> None:
        for _ in POINTS:
            await clock.advance(3.0)

    results, _ = await asyncio.gather(pass_all(chain, clock), waited())
    assert results == ["system", "system", {}, "out"]
    assert clock.monotonic() == 15.0


@pytest.mark.parametrize("useless", [None, 5, Blocked("no")])
async def test_an_answer_of_the_wrong_kind_is_passed_over(useless: object) -> None:
    class Useless(NotingHook):
        @override
        async def before_run(self, run: RunInfo, system: str) -> str:
            return useless  # type: ignore[return-value]  # what a careless author may do

        @override
        async def after_tool(self, run: RunInfo, tool: str, output: ToolOutput) -> ToolOutput:
            return useless  # type: ignore[return-value]  # as above

    results = await pass_all(HookChain([Useless()], FakeClock()), FakeClock())
    assert (results[0], results[3]) == ("system", "out")


class Blocking(Hook):
    """Lets no tool run."""

    @override
    async def before_tool(
        self, run: RunInfo, tool: str, arguments: dict[str, Any], context: ToolContext
    ) -> dict[str, Any] | Blocked:
        return Blocked("not on Sundays")


async def test_a_block_ends_the_chain() -> None:
    class Zoe(NotingHook):
        pass

    after = Zoe("1")
    context = a_context(Path("/nowhere"), FakeClock())
    chain = HookChain([after, Blocking()], FakeClock())
    assert await chain.before_tool(RUN, "now", {}, context) == Blocked("not on Sundays")
    assert after.seen == []
