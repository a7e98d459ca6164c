"""Many hooks as one, none of which can end or hold a turn."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import structlog
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.hook import Blocked, Hook, RunInfo
from gateway.contracts.provider import ModelRequest
from gateway.contracts.tool import ToolContext, ToolOutput
from gateway.transcript import Usage

log = structlog.get_logger()

T = TypeVar("T")


class HookChain(Hook):
    """Passes a value through hooks in order; one that fails or is slow is logged and skipped."""

    def __init__(self, hooks: Iterable[Hook], clock: Clock) -> None:
        self._hooks = sorted(hooks, key=lambda hook: (hook.priority, type(hook).__name__))
        self._clock = clock

    @override
    async def before_run(self, run: RunInfo, system: str) -> str:
        for hook in self._hooks:
            system = await self._try(hook, hook.before_run, system, run, system)
        return system

    @override
    async def before_model(self, run: RunInfo, request: ModelRequest) -> ModelRequest:
        for hook in self._hooks:
            request = await self._try(hook, hook.before_model, request, run, request)
        return request

    @override
    async def before_tool(
        self, run: RunInfo, tool: str, arguments: dict[str, Any], context: ToolContext
    ) -> dict[str, Any] | Blocked:
        current: dict[str, Any] | Blocked = arguments
        for hook in self._hooks:
            if isinstance(current, Blocked):
                break
            current = await self._try(
                hook, hook.before_tool, current, run, tool, dict(current), context
            )
        return current

    @override
    async def after_tool(self, run: RunInfo, tool: str, output: ToolOutput) -> ToolOutput:
        for hook in self._hooks:
            output = await self._try(hook, hook.after_tool, output, run, tool, output)
        return output

    @override
    async def after_run(
        self, run: RunInfo, usage: Usage, seconds: float, error: str | None
    ) -> None:
        for hook in self._hooks:
            await self._try(hook, hook.after_run, None, run, usage, seconds, error)

    async def _try(
        self, hook: Hook, ask: Callable[..., Awaitable[T]], otherwise: T, *arguments: Any
    ) -> T:
        """Return the hook's answer, or `otherwise` when it has none that can be used."""
        try:
            async with self._clock.timeout(hook.timeout):
                answer = await ask(*arguments)
        except Exception:
            log.exception("hook.failed", hook=type(hook).__name__, point=ask.__name__)
            return otherwise
        if not _can_replace(answer, otherwise):
            log.warning("hook.ignored", hook=type(hook).__name__, point=ask.__name__)
            return otherwise
        return answer


def _can_replace(answer: object, given: object) -> bool:
    if isinstance(given, dict) and isinstance(answer, Blocked):
        return True
    return isinstance(answer, type(given))
