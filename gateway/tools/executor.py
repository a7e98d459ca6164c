"""Runs one tool call: offered, checked, bounded in time and length, and never raising."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import structlog

from gateway.clock import Clock
from gateway.contracts.hook import Blocked, Hook, RunInfo
from gateway.contracts.roles import Role
from gateway.contracts.tool import Tool, ToolContext, ToolOutput
from gateway.errors import Refused
from gateway.settings import RoleTools
from gateway.tools.by_role import tools_by_role
from gateway.transcript import ToolCall

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

log = structlog.get_logger()

NOT_ALLOWED = "Nobody has allowed this call with these arguments, so it was not run."
_COMPLAINT = 300
"""Characters of a schema's complaint: enough to mend a call."""


class ToolExecutor:
    """The tools of one agent. Nothing that goes wrong in a tool goes further than its output."""

    def __init__(
        self,
        tools: Iterable[Tool],
        hooks: Hook,
        clock: Clock,
        tools_for: RoleTools | None = None,
        asked_first: Iterable[str] = (),
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._allowed = tools_by_role(self._tools, tools_for or RoleTools())
        self._asked_first = frozenset(asked_first)
        self._hooks = hooks
        self._clock = clock
        self._validators: dict[str, Validator] = {}

    @property
    def tools(self) -> Mapping[str, Tool]:
        return MappingProxyType(self._tools)

    def allowed(self, role: Role) -> frozenset[str]:
        return self._allowed[role]

    async def run(
        self, call: ToolCall, context: ToolContext, run: RunInfo, offered: Collection[str]
    ) -> ToolOutput:
        """Run a call if its tool was among those `offered`, and is for who speaks.

        The second is looked at here again, as whoever calls may have made a list of its own.
        """
        tool = self._tools.get(call.tool)
        if tool is None or call.tool not in offered or call.tool not in self.allowed(context.role):
            return ToolOutput(f"There is no tool {call.tool!r}.", is_error=True)
        output = await self._guarded(tool, call.arguments, context, run)
        return await self._hooks.after_tool(run, tool.name, output)

    async def _guarded(
        self, tool: Tool, arguments: dict[str, Any], context: ToolContext, run: RunInfo
    ) -> ToolOutput:
        try:
            output = await self._checked(tool, arguments, context, run)
            return replace(output, text=_bounded(output.text, tool.output_limit))
        except Refused as refusal:
            return ToolOutput(_bounded(str(refusal), tool.output_limit), is_error=True)
        except TimeoutError:
            log.warning("tool.timed_out", tool=tool.name, seconds=tool.timeout)
            return ToolOutput(f"Timed out after {tool.timeout:g} seconds.", is_error=True)
        except Exception:
            log.exception("tool.failed", tool=tool.name)
            return ToolOutput("The tool failed for a reason of its own.", is_error=True)

    async def _checked(
        self, tool: Tool, arguments: dict[str, Any], context: ToolContext, run: RunInfo
    ) -> ToolOutput:
        self._check(tool, arguments)
        allowed = await self._hooks.before_tool(run, tool.name, arguments, context)
        if isinstance(allowed, Blocked):
            raise Refused(allowed.reason)
        if allowed != arguments:
            self._check(tool, allowed)
        if tool.name in self._asked_first and not _is_granted(tool, allowed, context):
            raise Refused(NOT_ALLOWED)
        async with self._clock.timeout(tool.timeout):
            return await tool.run(allowed, context)

    def _check(self, tool: Tool, arguments: dict[str, Any]) -> None:
        # Imported at the first call: a cold start needs no schemas.
        from jsonschema.exceptions import best_match  # noqa: PLC0415

        if tool.name not in self._validators:
            self._validators[tool.name] = _compile(tool.parameters)
        problem = best_match(self._validators[tool.name].iter_errors(arguments))
        if problem is not None:
            where = "".join(f"[{step!r}]" for step in problem.absolute_path)
            raise Refused(f"Wrong arguments{where}: {problem.message[:_COMPLAINT]}")


def _is_granted(tool: Tool, arguments: dict[str, Any], context: ToolContext) -> bool:
    return context.grant is not None and context.grant.spend(tool.name, arguments)


def _compile(schema: dict[str, Any]) -> "Validator":
    from jsonschema.validators import validator_for  # noqa: PLC0415 - as above
    from referencing import Registry  # noqa: PLC0415 - as above

    # An empty registry: a schema from outside must not make us fetch what it refers to.
    compiled: Validator = validator_for(schema)(schema, registry=Registry())
    return compiled


def _bounded(text: str, limit: int) -> str:
    storable = text.encode(errors="replace").decode().replace("\0", "\ufffd")
    if len(storable) <= limit:
        return storable
    return f"{storable[:limit]}\n[Cut here: {len(storable) - limit} more characters.]"
