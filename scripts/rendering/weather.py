"""A slow tool that pictures wait for."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import override

from gateway.contracts.tool import Effect, Tool, ToolContext, ToolOutput


class Weather(Tool):
    """Tells of the weather once it may."""

    name = "weather"
    description = "The weather in a city."
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    effect = Effect.READ
    is_parallel = True
    is_asked: ClassVar[asyncio.Event]
    may_tell: ClassVar[asyncio.Event]

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        self.is_asked.set()
        await self.may_tell.wait()
        return ToolOutput(f"Sunny in {arguments['city']}, 21 degrees")


def tools() -> Sequence[Tool]:
    return [Weather()]


@contextmanager
def installed(folder: Path) -> Iterator[None]:
    """Have the gateway find this tool as it finds those of any package."""
    facts = folder / "weather-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: weather\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[parley.tools]\nweather = {__name__}:tools\n")
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
