"""A provider that plays a script, and notes what it was asked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from typing_extensions import override

from gateway.contracts.provider import EndPart, ModelRequest, Part, Provider, TextPart, ToolCallPart
from gateway.transcript import Usage

USAGE = Usage(input_tokens=10, output_tokens=5)
"""What every scripted call costs unless it says otherwise."""


class Gate:
    """A place in a script where the model falls silent until the test says `open`."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        """Set once a stream waits here."""
        self._open = asyncio.Event()

    def open(self) -> None:
        self._open.set()

    async def wait(self) -> None:
        self.reached.set()
        await self._open.wait()


Step = Sequence[Part | Gate | Exception]
"""One model call: parts are yielded, gates waited at, exceptions raised."""


def says(*texts: str, usage: Usage = USAGE) -> Step:
    """Answer in these pieces, and finish."""
    return [*(TextPart(text) for text in texts), EndPart("finished", usage)]


def calls(*wanted: tuple[str, str, dict[str, Any]], text: str = "", usage: Usage = USAGE) -> Step:
    """Ask for tools, each `(call_id, tool, arguments)`, after saying `text`."""
    said = [TextPart(text)] if text else []
    return [*said, *(ToolCallPart(*call) for call in wanted), EndPart("tools", usage)]


class FakeProvider(Provider):
    """Plays one step for each call, in order; past the script, what `otherwise` makes."""

    def __init__(
        self, *script: Step, otherwise: Callable[[ModelRequest], Step] | None = None
    ) -> None:
        self.script = list(script)
        self.requests: list[ModelRequest] = []
        self.streaming = 0
        """Streams that are open now."""
        self.is_closed = False
        self._otherwise = otherwise

    @override
    async def stream(self, request: ModelRequest) -> AsyncIterator[Part]:
        self.requests.append(request)
        step = self._next_step(request)
        self.streaming += 1
        try:
            for item in step:
                if isinstance(item, Gate):
                    await item.wait()
                elif isinstance(item, Exception):
                    raise item
                else:
                    yield item
        finally:
            self.streaming -= 1

    def _next_step(self, request: ModelRequest) -> Step:
        if self.script:
            return self.script.pop(0)
        if self._otherwise is None:
            raise AssertionError("the model was asked more often than its script says")
        return self._otherwise(request)

    @override
    async def check(self) -> str:
        return "fake: good"

    @override
    async def close(self) -> None:
        self.is_closed = True
