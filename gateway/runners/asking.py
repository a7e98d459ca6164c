"""One model call: streamed, tried again where that helps, and gathered into an answer."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace
from typing import assert_never

import structlog

from gateway.clock import Clock
from gateway.contracts.provider import (
    EndPart,
    ModelRequest,
    Part,
    Provider,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)
from gateway.errors import ProviderFailed, ProviderUnavailable
from gateway.events import TextDelta, TextRestarted
from gateway.ids import HoldId
from gateway.runners.retry import Tries
from gateway.transcript import Usage

log = structlog.get_logger()


class Answer:
    """What a model has said in one call, as far as it has come."""

    def __init__(self) -> None:
        self.calls: list[ToolCallPart] = []
        self._texts: list[str] = []
        self._end: EndPart | None = None
        self.hold: HoldId | None = None
        """What is held for the call."""

    @property
    def text(self) -> str:
        return "".join(self._texts)

    @property
    def end(self) -> EndPart:
        """Say how it ended.

        Raises:
            ProviderUnavailable: it broke off.
        """
        if self._end is None:
            raise ProviderUnavailable("The model's answer broke off.")
        return self._end

    def take(self, part: Part) -> str:
        """Add a part, and return what of it is to be shown."""
        match part:
            case TextPart(text=text):
                self._texts.append(text)
                return text
            case ThinkingPart():
                pass
            case ToolCallPart():
                self.calls.append(part)
            case EndPart():
                self._end = part
            case _:
                assert_never(part)
        return ""

    def usage_so_far(self, guess: Callable[[str], Usage]) -> Usage:
        """Say what the call has used; guessed where it broke off, nothing where none began."""
        if self._end is not None:
            return self._end.usage
        return guess(self.text) if self.text or self.calls else Usage()

    def forget(self) -> None:
        """Start over: the model is asked again."""
        self.calls.clear()
        self._texts.clear()
        self._end = None

    def check(self) -> None:
        """Raise `ProviderFailed` for an end that leaves the user without an answer."""
        if self.end.reason == "refused":
            raise ProviderFailed("The model declined to answer this.")
        if self.end.reason == "length" and not (self.text or self.calls):
            raise ProviderFailed("The model reached its length limit before the first word.")


async def ask(
    provider: Provider, request: ModelRequest, answer: Answer, tries: Tries, clock: Clock
) -> AsyncGenerator[TextDelta | TextRestarted, None]:
    """Fill `answer`, showing its text as it comes.

    Raises:
        ProviderUnavailable, ProviderFailed: after all tries.
    """
    while True:
        stream = provider.stream(replace(request, model=tries.model))
        try:
            async for part in stream:
                if text := answer.take(part):
                    yield TextDelta(text=text)
            answer.check()
        except ProviderUnavailable as error:
            has_text = bool(answer.text)
            pause = tries.pause(error, has_text=has_text, now=clock.monotonic())
        else:
            return
        finally:
            await _close(stream)
        log.warning("model.asked_again", model=tries.model, after=round(pause, 1))
        answer.forget()
        if has_text:
            yield TextRestarted()
        await clock.sleep(pause)


async def _close(stream: AsyncIterator[Part]) -> None:
    if isinstance(stream, AsyncGenerator):
        await stream.aclose()
