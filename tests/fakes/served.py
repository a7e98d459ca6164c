"""A real provider with its real SDK, and the fake server it talks to."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from gateway.clock import Clock
from gateway.contracts.provider import (
    ModelRequest,
    Part,
    Provider,
    ReadFile,
    TextPart,
    ToolSpec,
)
from gateway.providers.anthropic import AnthropicProvider
from gateway.providers.openai import OpenAIProvider
from gateway.settings import AgentSettings
from gateway.transcript import Entry
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.clock import FakeClock
from tests.fakes.openai import FakeOpenAI

TOOLS = (
    ToolSpec("now", "Tells the time.", {"type": "object", "properties": {}}),
    ToolSpec(
        "read_file",
        "Reads a file.",
        {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    ),
)


def no_file(path: str) -> bytes:
    raise FileNotFoundError(path)


def asking(
    *entries: Entry,
    tools: tuple[ToolSpec, ...] = TOOLS,
    model: str = "test-model",
    read_file: ReadFile = no_file,
) -> ModelRequest:
    return ModelRequest(model, "You are Parley.", entries, tools, read_file, "ses_1")


async def parts_of(provider: Provider, request: ModelRequest) -> list[Part]:
    return [part async for part in provider.stream(request)]


def text_of(parts: list[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextPart))


def generator_of(provider: Provider, request: ModelRequest) -> AsyncGenerator[Part, None]:
    """Return the stream as what it is, so that a test can close it."""
    stream = provider.stream(request)
    assert isinstance(stream, AsyncGenerator)
    return stream


@dataclass(frozen=True, slots=True)
class Served:
    """One provider on one fake server, both on one clock."""

    server: FakeOpenAI | FakeAnthropic
    provider: Provider
    clock: FakeClock

    async def ask(self, *entries: Entry, **request: Any) -> list[Part]:
        return await parts_of(self.provider, asking(*entries, **request))


@asynccontextmanager
async def served(kind: str, **settings: Any) -> AsyncIterator[Served]:
    """Serve `openai` or `anthropic`; settings are those of the agent."""
    clock = FakeClock()
    async with _server(kind, clock) as server:
        chosen: dict[str, Any] = {
            "base_url": server.base_url,
            "api_key": server.key,
            "model": "test-model",
        }
        make = OpenAIProvider if kind == "openai" else AnthropicProvider
        provider = make(AgentSettings(provider=kind, **{**chosen, **settings}), clock=clock)
        try:
            yield Served(server, provider, clock)
        finally:
            await provider.close()


def _server(kind: str, clock: Clock) -> FakeOpenAI | FakeAnthropic:
    return FakeOpenAI(clock=clock) if kind == "openai" else FakeAnthropic(clock=clock)
