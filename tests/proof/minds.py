"""The model and the tools of the golden scenario, as the gateway reaches them."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from typing_extensions import override

from gateway.contracts.provider import EndPart, ModelRequest, Part, Provider, TextPart, ToolCallPart
from gateway.contracts.tool import Effect, Tool, ToolContext, ToolOutput
from gateway.errors import ProviderUnavailable
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
from tests.proof.happened import Beside
from tests.proof.history import PAID, UNSURE
from tests.proof.world import Request, Step

WAY = 0.05
PIECE = 4
"""Words that come at once."""
RECALLED = 5
"""Questions that an answer names beside its own."""
MARKER = re.compile(r"\b[a-z]+\d+\b")


class Mind(Provider):
    """Answers each question by its marker; asked again, it uses other words."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    @override
    async def stream(self, request: ModelRequest) -> AsyncIterator[Part]:
        outside, world = self._outside, self._outside.world
        if world.outages:
            world.outages -= 1
            raise ProviderUnavailable("The model is down.")
        question, since = _latest(request.entries)
        marker = MARKER.findall(message_text(question.content))[-1]
        if outside.thinking[request.session]:
            world.log.append(Beside(marker, request.session))
        outside.thinking[request.session] += 1
        done = sum(isinstance(entry, AssistantEntry) for entry in since)
        step = world.answers.get(marker, (Step(3, 0.0),))[done]
        try:
            known = _known(request) if world.recalls else ()
            generation = await outside.ask(Request("model", "ask", (marker, done + 1, known)), WAY)
            prefix = f"{marker}s{done + 1}g{generation}"
            for text in _pieces(prefix, step, _remark(marker, since, () if step.tools else known)):
                await outside.clock.sleep(step.pause)
                await outside.may_speak()
                yield TextPart(text)
        finally:
            outside.thinking[request.session] -= 1
        for tool in step.tools:
            arguments = {"marker": marker}
            if tool == "send_file":
                arguments = {"path": _file_of(question)}
            yield ToolCallPart(f"{marker} {done} {tool}", tool, arguments)
        yield EndPart("tools" if step.tools else "finished", Usage(10, 5))

    @override
    async def check(self) -> str:
        return "good"


def _known(request: ModelRequest) -> tuple[str, ...]:
    """Return the markers of all questions in the history."""
    told = [one for one in request.entries if isinstance(one, UserEntry)]
    return tuple(found for one in told for found in MARKER.findall(message_text(one.content)))


def _latest(entries: tuple[Entry, ...]) -> tuple[UserEntry, list[Entry]]:
    at = max(at for at, entry in enumerate(entries) if isinstance(entry, UserEntry))
    question = entries[at]
    assert isinstance(question, UserEntry)
    return question, list(entries[at + 1 :])


def _remark(marker: str, since: list[Entry], known: tuple[str, ...]) -> str:
    """Say how a payment went, and what else was asked here."""
    paid = [one for one in since if isinstance(one, ToolResultEntry) and one.tool == "pay"]
    how = (UNSURE if paid[-1].is_error else f"{PAID} {marker}") if paid else ""
    recalled = " ".join(["I know", *known[-RECALLED:]]) if known else ""
    return " ".join(filter(None, [how, recalled]))


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


class Hang(Tool):
    """Never comes to an end by itself."""

    name = "hang"
    description = "Hang."
    parameters: ClassVar[dict[str, Any]] = {"type": "object"}
    effect = Effect.READ

    @override
    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolOutput:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


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
