"""A hook that notes what it sees and changes what it is told to."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from typing_extensions import override

from gateway.contracts.hook import Blocked, Hook, RunInfo
from gateway.contracts.provider import ModelRequest
from gateway.contracts.tool import ToolContext, ToolOutput
from gateway.transcript import Usage


class NotingHook(Hook):
    """Adds its mark to all that passes; `trouble`, if given, happens at every point."""

    def __init__(self, mark: str = "", trouble: Callable[[], Any] | None = None) -> None:
        self.mark = mark
        self.seen: list[str] = []
        self.ended: list[tuple[Usage, float, str | None]] = []
        self._trouble = trouble

    async def _meet(self, point: str) -> None:
        self.seen.append(point)
        if self._trouble is not None:
            await self._trouble()

    @override
    async def before_run(self, run: RunInfo, system: str) -> str:
        await self._meet("before_run")
        return system + self.mark

    @override
    async def before_model(self, run: RunInfo, request: ModelRequest) -> ModelRequest:
        await self._meet("before_model")
        return replace(request, system=request.system + self.mark)

    @override
    async def before_tool(
        self, run: RunInfo, tool: str, arguments: dict[str, Any], context: ToolContext
    ) -> dict[str, Any] | Blocked:
        arguments["marks"] = arguments.get("marks", "") + self.mark
        await self._meet("before_tool")
        return arguments

    @override
    async def after_tool(self, run: RunInfo, tool: str, output: ToolOutput) -> ToolOutput:
        await self._meet("after_tool")
        return replace(output, text=output.text + self.mark)

    @override
    async def after_run(
        self, run: RunInfo, usage: Usage, seconds: float, error: str | None
    ) -> None:
        self.ended.append((usage, seconds, error))
        await self._meet("after_run")
