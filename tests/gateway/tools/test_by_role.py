"""What each role may do with an agent's tools."""

from pathlib import Path

import pytest

from gateway.contracts.roles import Role
from gateway.contracts.tool import Effect
from gateway.hooks.chain import HookChain
from gateway.settings import RoleTools
from gateway.tools.by_role import tools_by_role
from gateway.tools.executor import ToolExecutor
from gateway.tools.registry import ToolRegistry
from gateway.transcript import ToolCall
from tests.fakes.clock import FakeClock
from tests.fakes.tools import make_tool
from tests.fakes.turns import RUN, a_context

LOOK, WRITE, MEND = (
    make_tool("look", effect=Effect.READ),
    make_tool("write", effect=Effect.IDEMPOTENT),
    make_tool("mend", effect=Effect.EFFECT),
)
SHUT = make_tool("shut", effect=Effect.READ)
type(SHUT).least_role = Role.ADMIN
TOOLS = {tool.name: tool for tool in (LOOK, WRITE, MEND, SHUT)}


def test_t22_guests_only_read_unless_the_settings_say_more() -> None:
    allowed = tools_by_role(TOOLS, RoleTools())
    assert allowed == {
        Role.GUEST: {"look"},
        Role.MEMBER: {"look", "write", "mend"},
        Role.ADMIN: set(TOOLS),
        Role.OWNER: set(TOOLS),
    }


def test_t22_the_settings_choose_among_the_agents_tools() -> None:
    chosen = RoleTools(guest=("write", "elsewhere"), member=(), admin=("shut",))
    allowed = tools_by_role(TOOLS, chosen)
    assert allowed[Role.GUEST] == {"write"}
    assert allowed[Role.MEMBER] == set()
    assert allowed[Role.ADMIN] == {"shut"}
    assert allowed[Role.OWNER] == set(TOOLS)


def test_t22_of_the_builtin_tools_guests_have_those_that_read() -> None:
    builtin = {tool.name: tool for tool in ToolRegistry.load().select(None, "tools")}
    allowed = tools_by_role(builtin, RoleTools())
    assert allowed[Role.GUEST] == {"list_files", "now", "read_file", "search_files"}
    assert allowed[Role.MEMBER] == set(builtin)


@pytest.mark.parametrize("role", Role)
async def test_t22_the_executor_looks_again_whatever_list_its_caller_made(
    tmp_path: Path, role: Role
) -> None:
    clock = FakeClock()
    executor = ToolExecutor(TOOLS.values(), HookChain((), clock), clock)
    for name in TOOLS:
        context = a_context(tmp_path, clock, role=role)
        output = await executor.run(ToolCall("c", name, {}), context, RUN, list(TOOLS))
        assert output.is_error is (name not in executor.allowed(role))
