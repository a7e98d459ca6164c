"""The provider contract: one model call in, a stream of parts out."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from gateway.settings import AgentSettings
from gateway.transcript import Entry, Usage


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model is told of it; `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


class ReadFile(Protocol):
    """Gives the bytes behind a `FileBlock.path`; raises `OSError` when it is gone."""

    def __call__(self, path: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One question to a model: the frozen prompt, the history, the tools."""

    model: str
    system: str
    entries: tuple[Entry, ...]
    tools: tuple[ToolSpec, ...]
    read_file: ReadFile
    session: str
    """Steers prompt caches to the same place; says nothing about a person."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingPart:
    """A piece of reasoning; never shown as answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A whole call, sent once its arguments are complete."""

    call_id: str
    tool: str
    arguments: dict[str, Any]
    """Empty when the model wrote arguments that are no JSON object."""


@dataclass(frozen=True, slots=True)
class EndPart:
    """The last part: why the model stopped, and what it cost."""

    reason: Literal["finished", "length", "tools", "refused"]
    usage: Usage


Part = TextPart | ThinkingPart | ToolCallPart | EndPart


class Provider(ABC):
    """Talks to one model server with one key; safe for many streams at once."""

    default_model: ClassVar[str] = ""
    """Asked when neither the request nor the settings name a model."""

    @abstractmethod
    def stream(self, request: ModelRequest) -> AsyncIterator[Part]:
        """Ask the model; the iterator ends after exactly one `EndPart`.

        Closing the iterator early closes the connection. Raises:
            ProviderUnavailable: overloaded, rate limited, silent or unreachable.
            ProviderFailed: bad key, unknown model, request refused; words for the user.
        """

    @abstractmethod
    async def check(self) -> str:
        """Ask the server whether key and model are good, for `doctor`; one line.

        Raises as `stream`.
        """

    async def warm_up(self) -> None:
        """Load what the first answer needs; may run beside anything else."""

    async def close(self) -> None:
        """Release connections."""


MakeProvider = Callable[[AgentSettings], Provider]
"""What an entry point in the group `parley.providers` names."""
