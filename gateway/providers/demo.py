"""A model that needs no network: it shows what the gateway can do, the same way every time."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import ClassVar

from typing_extensions import override

from gateway.clock import Clock, SystemClock
from gateway.contracts.provider import (
    EndPart,
    ModelRequest,
    Part,
    Provider,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)
from gateway.errors import ProviderFailed
from gateway.providers.demo_script import Step, next_step
from gateway.settings import AgentSettings
from gateway.transcript import Usage, entry_tokens, estimate_tokens

_PACE = 0.02
_LONGEST = 3.0
"""Seconds for one answer at the normal pace, however long it is."""
_SLOW = 25.0
"""So much slower is a slow answer."""


class DemoProvider(Provider):
    """Answers by keyword; the script is in `demo_script.py`."""

    default_model: ClassVar[str] = "demo"

    def __init__(
        self, settings: AgentSettings, *, clock: Clock | None = None, pace: float = _PACE
    ) -> None:
        self._clock = clock or SystemClock()
        self._pace = pace
        """Seconds between words; 0 for none at all."""

    @override
    async def stream(self, request: ModelRequest) -> AsyncIterator[Part]:
        step = next_step(request)
        if step.thought:
            yield ThinkingPart(step.thought)
        words = list(_words(step.text))
        delay = self._delay(step, len(words))
        for word in words:
            if delay:
                await self._clock.sleep(delay)
            yield TextPart(word)
        if step.failure:
            raise ProviderFailed(step.failure)
        for number, (tool, arguments) in enumerate(step.calls, 1):
            yield ToolCallPart(f"demo_{len(request.entries)}_{number}", tool, arguments)
        yield EndPart("tools" if step.calls else "finished", _usage(request, step))

    def _delay(self, step: Step, words: int) -> float:
        if step.is_slow:
            return self._pace * _SLOW
        return min(self._pace, _LONGEST / max(words, 1))

    @override
    async def check(self) -> str:
        return "the demo is offline and always there"


def _words(text: str) -> Iterator[str]:
    return (match[0] for match in re.finditer(r"\s*\S+\s*", text))


def _usage(request: ModelRequest, step: Step) -> Usage:
    calls = sum(estimate_tokens(f"{tool} {arguments}") for tool, arguments in step.calls)
    return Usage(
        input_tokens=estimate_tokens(request.system) + sum(map(entry_tokens, request.entries)),
        output_tokens=estimate_tokens(step.thought) + estimate_tokens(step.text) + calls,
    )
