"""Reads one answer of a model server while it arrives; deals with silence, size and breaks."""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from pydantic_core import from_json

from gateway.clock import Clock
from gateway.contracts.provider import Part, TextPart
from gateway.errors import MALFORMED, GatewayError, ProviderFailed, ProviderUnavailable
from gateway.providers.failures import NO_MODEL_SERVER
from gateway.providers.sse import SseDecoder

ANSWER_LIMIT = 10_000_000
"""Characters of one answer, thoughts and arguments included."""
_REST = 1.0
"""Seconds for what may follow a whole answer: its cost, and the end of the stream, which lets
the connection serve again."""


class OpenAnswer(Protocol):
    """An answer whose bytes are still arriving."""

    is_stream: bool
    """What arrives was announced as events."""

    async def read(self) -> bytes | None:
        """Wait for more; None at the end. Raises `ProviderUnavailable` when it breaks off."""
        ...

    async def close(self) -> None:
        """Release the connection, or drop it when the answer goes on."""
        ...


class Wire(Protocol):
    """The way to one model server, with one key."""

    async def ask(self, path: str, body: bytes) -> OpenAnswer:
        """Raises `Rejected` or `ProviderUnavailable`."""
        ...

    async def look_up(self, path: str) -> Any:
        """Get a small JSON document. Raises as `ask`."""
        ...

    async def close(self) -> None: ...


class Answer(Protocol):
    """Turns a server's events into parts."""

    has_begun: bool
    """Something of the answer has come, if only its beginning."""
    is_whole: bool
    """The server said why the model stopped."""
    is_over: bool
    """The server said that nothing follows."""
    size: int
    """Characters so far."""

    def take(self, event: Any) -> Sequence[Part]:
        """Take the next event."""
        ...

    def end(self) -> Sequence[Part]:
        """Return the last parts. Raises when the answer is no whole one."""
        ...


class Patience:
    """How long a server may be silent: until its answer begins, and then between bytes.

    Keep-alives do not count as a beginning.
    """

    def __init__(self, clock: Clock, *, first: float, gap: float) -> None:
        self._clock = clock
        self._first = first
        self._gap = gap
        self._until = clock.monotonic() + first
        self.has_begun = False

    def wait(self) -> AbstractAsyncContextManager[object]:
        if self.has_begun:
            return self._clock.timeout(self._gap)
        return self._clock.timeout(max(self._until - self._clock.monotonic(), 0.0))

    def rest(self) -> AbstractAsyncContextManager[object]:
        return self._clock.timeout(_REST)

    def lost(self) -> ProviderUnavailable:
        """Return what to raise when the wait was in vain."""
        if self.has_begun:
            return ProviderUnavailable(
                f"The model fell silent for {self._gap:g} s in the midst of its answer."
            )
        return ProviderUnavailable(f"The model did not answer within {self._first:g} s.")


async def read_answer(
    arriving: OpenAnswer, answer: Answer, patience: Patience
) -> AsyncGenerator[Part, None]:
    """Yield the parts of an answer as they arrive, and close it in every case."""
    decoder = SseDecoder()
    chunk: bytes | None = b""
    try:
        while not answer.is_over and chunk is not None:
            chunk = await _read(arriving, answer, patience)
            events = decoder.finish() if chunk is None else decoder.feed(chunk)
            for part in _joined(part for event in events for part in _taken(answer, event)):
                yield part
            _check(answer, patience)
        for part in _ended(arriving, answer):
            yield part
        while chunk is not None:
            chunk = await _read_rest(arriving, patience)
    finally:
        await arriving.close()


async def _read(arriving: OpenAnswer, answer: Answer, patience: Patience) -> bytes | None:
    if answer.is_whole:
        return await _read_rest(arriving, patience)
    try:
        async with patience.wait():
            return await arriving.read()
    except TimeoutError:
        raise patience.lost() from None


async def _read_rest(arriving: OpenAnswer, patience: Patience) -> bytes | None:
    """Read what follows a whole answer; whatever goes wrong with it spoils nothing."""
    try:
        async with patience.rest():
            return await arriving.read()
    except (TimeoutError, ProviderUnavailable):
        return None


def _joined(parts: Iterable[Part]) -> Iterator[Part]:
    """Make one of pieces of text that came together: what is above works for each part."""
    texts: list[str] = []
    trouble: GatewayError | None = None
    try:
        for part in parts:
            if isinstance(part, TextPart):
                texts.append(part.text)
                continue
            if texts:
                yield TextPart("".join(texts))
                texts.clear()
            yield part
    except GatewayError as error:
        trouble = error
    if texts:
        yield TextPart("".join(texts))
    if trouble is not None:
        raise trouble


def _taken(answer: Answer, event: bytes) -> Sequence[Part]:
    if event.startswith(b"[DONE]"):
        answer.is_over = True
        return ()
    try:
        return answer.take(from_json(event))
    except MALFORMED as error:
        raise _garbled() from error


def _ended(arriving: OpenAnswer, answer: Answer) -> Sequence[Part]:
    if not answer.has_begun and not arriving.is_stream:
        raise ProviderFailed(NO_MODEL_SERVER)
    try:
        return answer.end()
    except MALFORMED as error:
        raise _garbled() from error


def _garbled() -> ProviderUnavailable:
    return ProviderUnavailable("The model's answer was garbled on its way.")


def _check(answer: Answer, patience: Patience) -> None:
    patience.has_begun = answer.has_begun
    if answer.size > ANSWER_LIMIT:
        raise ProviderFailed("The model's answer grew beyond all reason and was dropped.")
