"""A call runs only as it may, and whatever goes wrong becomes its output."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from gateway.contracts.hook import Blocked, Hook, RunInfo
from gateway.contracts.tool import ToolContext, ToolOutput
from gateway.errors import NotAllowed, Refused
from gateway.hooks.chain import HookChain
from gateway.tools.executor import ToolExecutor
from gateway.transcript import ToolCall
from tests.fakes.clock import FakeClock
from tests.fakes.hooks import NotingHook
from tests.fakes.provider import Gate
from tests.fakes.tools import FakeTool, make_tool
from tests.fakes.turns import RUN, a_context

NAMED = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
    "required": ["name"],
    "additionalProperties": False,
}


class Bench:
    """Tools, hooks and a clock around one executor."""

    def __init__(self, folder: Path, *tools: FakeTool, hooks: tuple[Hook, ...] = ()) -> None:
        self.clock = FakeClock()
        self.context = a_context(folder, self.clock)
        self.names = [tool.name for tool in tools]
        self.executor = ToolExecutor(tools, HookChain(hooks, self.clock), self.clock)

    async def call(
        self, name: str, arguments: dict[str, Any], offered: list[str] | None = None
    ) -> ToolOutput:
        call = ToolCall("call_1", name, arguments)
        offered = self.names if offered is None else offered
        return await self.executor.run(call, self.context, RUN, offered)


async def test_a_tool_gets_its_arguments_and_its_context(tmp_path: Path) -> None:
    tool = make_tool("greet", "hello", parameters=NAMED)
    bench = Bench(tmp_path, tool)
    assert await bench.call("greet", {"name": "Ann", "count": 2}) == ToolOutput("hello")
    (run,) = tool.runs
    assert run.arguments == {"name": "Ann", "count": 2}
    assert run.context == bench.context


@pytest.mark.parametrize("name", ["missing", "greet ", "GREET", "../greet", ""])
async def test_t22_a_tool_that_is_not_listed_is_refused(tmp_path: Path, name: str) -> None:
    tool = make_tool("greet")
    output = await Bench(tmp_path, tool).call(name, {})
    assert output.is_error
    assert tool.runs == []


async def test_t22_a_tool_that_was_not_offered_is_refused(tmp_path: Path) -> None:
    tool = make_tool("greet")
    output = await Bench(tmp_path, tool).call("greet", {}, offered=["other"])
    assert output == ToolOutput("There is no tool 'greet'.", is_error=True)
    assert tool.runs == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({}, "'name' is a required property"),
        ({"name": 5}, "Wrong arguments['name']: 5 is not of type 'string'"),
        ({"name": "Ann", "count": 0}, "less than the minimum"),
        ({"name": "Ann", "mediaUrl": "/etc/passwd"}, "mediaUrl"),
    ],
)
async def test_wrong_arguments_are_told_and_nothing_is_run(
    tmp_path: Path, arguments: dict[str, Any], complaint: str
) -> None:
    tool = make_tool("greet", parameters=NAMED)
    output = await Bench(tmp_path, tool).call("greet", arguments)
    assert output.is_error
    assert complaint in output.text
    assert tool.runs == []


async def test_a_long_wrong_argument_is_not_repeated_in_full(tmp_path: Path) -> None:
    tool = make_tool("greet", parameters=NAMED)
    output = await Bench(tmp_path, tool).call("greet", {"name": ["x" * 10_000]})
    assert len(output.text) < 400


async def test_t31_a_schema_makes_us_fetch_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _socket, address: reached.append(address))
    tool = make_tool("greet", parameters={"$ref": "http://127.0.0.1:9/schema.json"})
    output = await Bench(tmp_path, tool).call("greet", {})
    assert output == ToolOutput("The tool failed for a reason of its own.", is_error=True)
    assert reached == []


@pytest.mark.parametrize("error", [Refused("no such city"), NotAllowed("no such city")])
async def test_a_tools_refusal_is_told_in_its_words(tmp_path: Path, error: Refused) -> None:
    output = await Bench(tmp_path, make_tool("greet", error)).call("greet", {})
    assert output == ToolOutput("no such city", is_error=True)


@pytest.mark.parametrize("error", [RuntimeError("secret path"), OSError("secret"), KeyError("x")])
async def test_t72_any_other_failure_is_logged_and_told_in_general(
    tmp_path: Path, error: Exception
) -> None:
    with capture_logs() as logs:
        output = await Bench(tmp_path, make_tool("greet", error)).call("greet", {})
    assert output == ToolOutput("The tool failed for a reason of its own.", is_error=True)
    assert [(line["event"], line["tool"]) for line in logs] == [("tool.failed", "greet")]


async def test_a_tool_that_gives_back_something_odd_has_failed(tmp_path: Path) -> None:
    class Odd(FakeTool):
        name = "odd"

        @override
        async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
            return None  # type: ignore[return-value]  # what a careless author may do

    output = await Bench(tmp_path, Odd("", lambda: None)).call("odd", {})
    assert output.is_error


async def test_r16_a_stuck_tool_ends_at_its_time(tmp_path: Path) -> None:
    stuck = make_tool("stuck", gate=Gate(), timeout=7.0)
    bench = Bench(tmp_path, stuck)
    running = asyncio.ensure_future(bench.call("stuck", {}))
    await bench.clock.advance(6.9)
    assert not running.done()
    await bench.clock.advance(0.2)
    assert await running == ToolOutput("Timed out after 7 seconds.", is_error=True)
    assert stuck.running == 0


async def test_cancelling_goes_through(tmp_path: Path) -> None:
    gate = Gate()
    stuck = make_tool("stuck", gate=gate)
    running = asyncio.ensure_future(Bench(tmp_path, stuck).call("stuck", {}))
    await gate.reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert stuck.running == 0


async def test_t24_a_long_output_is_cut_with_a_word_about_it(tmp_path: Path) -> None:
    tool = make_tool("talk", "x" * 1000, output_limit=100)
    output = await Bench(tmp_path, tool).call("talk", {})
    assert output.text == "x" * 100 + "\n[Cut here: 900 more characters.]"
    assert not output.is_error


async def test_an_output_is_text_that_can_be_stored(tmp_path: Path) -> None:
    for gives in ("a\0b\ud800c", Refused("a\0b\ud800c")):
        output = await Bench(tmp_path, make_tool("talk", gives)).call("talk", {})
        assert output.text == "a\ufffdb?c"


async def test_hooks_come_before_and_after_a_tool(tmp_path: Path) -> None:
    tool = make_tool("talk", "out")
    hook = NotingHook("!")
    output = await Bench(tmp_path, tool, hooks=(hook,)).call("talk", {"a": 1})
    assert tool.runs[0].arguments == {"a": 1, "marks": "!"}
    assert output.text == "out!"
    assert hook.seen == ["before_tool", "after_tool"]


async def test_what_a_hook_makes_of_arguments_is_checked_too(tmp_path: Path) -> None:
    tool = make_tool("greet", parameters=NAMED)
    output = await Bench(tmp_path, tool, hooks=(NotingHook("!"),)).call("greet", {"name": "Ann"})
    assert "marks" in output.text
    assert tool.runs == []


async def test_a_blocked_call_is_not_run_and_the_model_is_told_why(tmp_path: Path) -> None:
    class Guard(Hook):
        @override
        async def before_tool(
            self, run: RunInfo, tool: str, arguments: dict[str, Any], context: ToolContext
        ) -> dict[str, Any] | Blocked:
            return Blocked("not on Sundays")

    tool = make_tool("talk")
    output = await Bench(tmp_path, tool, hooks=(Guard(),)).call("talk", {})
    assert output == ToolOutput("not on Sundays", is_error=True)
    assert tool.runs == []


def test_its_tools_can_be_looked_at_and_not_changed(tmp_path: Path) -> None:
    executor = Bench(tmp_path, make_tool("talk")).executor
    assert list(executor.tools) == ["talk"]
    with pytest.raises(TypeError):
        executor.tools["other"] = make_tool("other")  # type: ignore[index]  # it is read-only
