"""An agent has the builtin tools, or those that it names."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.contracts.tool import Effect
from gateway.errors import ConfigInvalid
from gateway.tools.registry import ToolRegistry
from tests.fakes.packages import install
from tests.fakes.tools import make_tool

BUILTIN = (
    "edit_file", "list_files", "now", "read_file", "search_files", "send_file", "send_image",
    "write_file",
)  # fmt: skip
SOURCE = """
from gateway.contracts.tool import Tool, ToolOutput

class Weather(Tool):
    name = "weather"
    description = "Tells the weather."
    parameters = {"type": "object"}

    async def run(self, arguments, context):
        return ToolOutput("rain")

class Now(Weather):
    name = "now"

def tools():
    return [Weather(), Now()]
"""


def names(registry: ToolRegistry, chosen: tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(tool.name for tool in registry.select(chosen, "agents.main.tools"))


def test_without_a_choice_an_agent_has_every_builtin_tool_in_order() -> None:
    assert names(ToolRegistry.load(), None) == BUILTIN


def test_t22_an_empty_choice_is_no_tool() -> None:
    assert names(ToolRegistry.load(), ()) == ()


def test_a_choice_is_kept_to_in_a_fixed_order() -> None:
    assert names(ToolRegistry.load(), ("write_file", "now", "now")) == ("now", "write_file")


def test_an_unknown_name_is_a_wrong_setting_with_a_cure() -> None:
    with pytest.raises(ConfigInvalid, match=r"no tool `nwo`; there are: edit_file, .*, now,") as e:
        ToolRegistry.load().select(("nwo",), "agents.main.tools")
    assert e.value.path == "agents.main.tools"


def test_t28_a_tool_of_another_package_is_had_only_when_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "extra_tools", SOURCE, tools="extra = extra_tools:tools")
    registry = ToolRegistry.load()
    assert names(registry, None) == BUILTIN
    assert names(registry, ("weather",)) == ("weather",)


def test_t28_no_package_can_take_a_builtin_tools_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "shadow_tools", SOURCE, tools="a = shadow_tools:tools")
    with capture_logs() as logs:
        (now,) = ToolRegistry.load().select(("now",), "agents.main.tools")
    assert type(now).__module__ == "gateway.tools.now"
    assert [(line["event"], line["tool"]) for line in logs] == [("tool.shadowed", "now")]


def test_a_package_that_cannot_be_loaded_takes_nothing_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "broken_tools", "raise OSError", tools="b = broken_tools:tools")
    with capture_logs() as logs:
        assert names(ToolRegistry.load(), None) == BUILTIN
    assert [line["event"] for line in logs] == ["tools.not_loaded"]


def test_every_builtin_tool_is_briefly_described_and_fit_for_a_model() -> None:
    for tool in ToolRegistry.load().select(None, "tools"):
        assert 0 < len(tool.description) <= 80
        assert tool.parameters["type"] == "object"
        assert tool.effect in Effect
        assert 0 < tool.timeout <= 120


def test_tools_that_are_given_are_had() -> None:
    given = make_tool("given")
    assert ToolRegistry([given]).select(None, "tools") == (given,)
