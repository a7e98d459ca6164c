"""The model and the tools of the golden scenario, as the gateway reaches them."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from gateway.contracts.provider import EndPart, ModelRequest, Part, Provider, TextPart, ToolCallPart
from gateway.contracts.tool import Effect, Tool, ToolContext, ToolOutput
from gateway.transcript import (
    AssistantEntry,
    Entry,
    FileBlock,
    ToolResultEntry,
    Usage,
    UserEntry,
    message_text,
)
from tests.proof.accounts import Outside
from tests.proof.history import PAID, UNSURE
from tests.proof.world import Request

WAY = 0.05
PIECE = 4
"""Words that come at once."""
MARKER = re.compile(r"\b[a-z]+\d+\b")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an answer: so many words, so far apart, and the tools it asks for."""

    words: int
    pause: float = 0.1
    tools: tuple[str, ...] = ()


class Mind(Provider):
    """Answers each question by its marker; asked again, it uses other words."""

    def __init__(self, outside: Outside, answers: dict[str, tuple[Step, ...]]) -> None:
        self._outside = outside
        self._answers = answers

    @override
    async def stream(self, request: ModelRequest) -> AsyncIterator[Part]:
        question, since = _latest(request.entries)
        marker = MARKER.findall(message_text(question.content))[-1]
        done = sum(isinstance(entry, AssistantEntry) for entry in since)
        steps = self._answers.get(marker, (Step(3, 0.0),))
        step = steps[done]
        values = (marker, done + 1)
        generation = await self._outside.ask(Request("model", "ask", values), WAY)
        for text in _pieces(f"{marker}s{done + 1}g{generation}", step, _remark(marker, since)):
            await self._outside.clock.sleep(step.pause)
            yield TextPart(text)
        for tool in step.tools:
            arguments = {"marker": marker}
            if tool == "send_file":
                arguments = {"path": _file_of(question)}
            yield ToolCallPart(f"{marker} {done} {tool}", tool, arguments)
        yield EndPart("tools" if step.tools else "finished", Usage(10, 5))

    @override
    async def check(self) -> str:
        return "good"


def _latest(entries: tuple[Entry, ...]) -> tuple[UserEntry, list[Entry]]:
    at = max(at for at, entry in enumerate(entries) if isinstance(entry, UserEntry))
    question = entries[at]
    assert isinstance(question, UserEntry)
    return question, list(entries[at + 1 :])


def _remark(marker: str, since: list[Entry]) -> str:
    paid = [one for one in since if isinstance(one, ToolResultEntry) and one.tool == "pay"]
    if not paid:
        return ""
    return UNSURE if paid[-1].is_error else f"{PAID} {marker}"


def _pieces(prefix: str, step: Step, remark: str) -> list[str]:
    words = [f"{prefix}w{number:02}of{step.words:02} " for number in range(1, step.words + 1)]
    pieces = ["".join(words[at : at + PIECE]) for at in range(0, len(words), PIECE)]
    return [*pieces, remark] if remark else pieces


def _file_of(question: UserEntry) -> str:
    assert not isinstance(question.content, str)
    return next(block.path for block in question.content if isinstance(block, FileBlock))


class Look(Tool):
    """Changes nothing."""

    name = "look"
    description = "Look something up."
    parameters: ClassVar[dict[str, Any]] = {"type": "object"}
    effect = Effect.READ

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        await self._outside.clock.sleep(WAY)
        return ToolOutput("It is so.")


class Pay(Tool):
    """Does at the bank what cannot be undone, and would be done twice if asked twice."""

    name = "pay"
    description = "Pay."
    parameters: ClassVar[dict[str, Any]] = {"type": "object"}
    effect = Effect.EFFECT

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        await self._outside.ask(Request("bank", "charge", (arguments["marker"],)), WAY)
        return ToolOutput("It is paid.")
