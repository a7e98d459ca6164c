"""A runner that plays scripts, and the factory that makes it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from gateway.clock import Clock
from gateway.contracts.runner import RunnerParams, TurnOptions
from gateway.events import EntryRecorded, RunnerEvent, TextDelta
from gateway.transcript import AssistantEntry, Content, Entry, Usage, message_text
from tests.fakes.provider import Gate

Script = Sequence[RunnerEvent | Gate | BaseException]
"""One turn: events are yielded, gates waited at, errors raised."""


def answer(text: str, *, usage: Usage | None = None, model: str | None = None) -> Script:
    """Say this in one piece, and finish."""
    return [
        TextDelta(text=text),
        EntryRecorded(entry=AssistantEntry(text), usage=usage, model=model),
    ]


class FakeRunner:
    """Plays the factory's next script for each turn; busy while it does."""

    def __init__(self, params: RunnerParams, factory: "FakeRunners", clock: Clock) -> None:
        self.params = params
        self.is_alive = True
        self.is_closed = False
        self.was_closed_busy = False
        self.histories: list[tuple[Entry, ...]] = []
        self.messages: list[Content | None] = []
        self.options: list[TurnOptions] = []
        self.last_activity = clock.monotonic()
        self._factory = factory
        self._clock = clock
        self._working = 0

    @property
    def is_busy(self) -> bool:
        return self._working > 0

    @property
    def system_prompt(self) -> str:
        return self.params.prompt or f"{self._factory.prompt} ({self.params.model})"

    async def chat(
        self, history: Sequence[Entry], message: Content | None, options: TurnOptions
    ) -> AsyncGenerator[RunnerEvent, None]:
        self.histories.append(tuple(history))
        self.messages.append(message)
        self.options.append(options)
        self._working += 1
        self.last_activity = self._clock.monotonic()
        try:
            for item in self._factory.next_script(message):
                if isinstance(item, Gate):
                    await self._wait(item)
                elif isinstance(item, BaseException):
                    raise item
                else:
                    yield item
        finally:
            self._working -= 1
            self.last_activity = self._clock.monotonic()

    async def _wait(self, gate: Gate) -> None:
        while True:
            try:
                return await gate.wait()
            except asyncio.CancelledError:
                if self._factory.fails_on_cancel is not None:
                    raise self._factory.fails_on_cancel from None
                if not self._factory.ignores_cancel:
                    raise

    async def close(self) -> None:
        self.was_closed_busy = self.is_busy
        self.is_closed = True
        if self._factory.closing is not None:
            await self._factory.closing.wait()


class FakeRunners:
    """Makes runners, and holds the scripts that they play in order of their turns."""

    def __init__(
        self, *scripts: Script, clock: Clock, otherwise: Callable[[str], Script] | None = None
    ) -> None:
        self.scripts = list(scripts)
        self.made: list[FakeRunner] = []
        self.prompt = "prompt"
        self.ignores_cancel = False
        """Play a stuck tool: cancelling does not end it."""
        self.fails_on_cancel: Exception | None = None
        self.closing: Gate | None = None
        """Where closing a runner waits."""
        self._clock = clock
        self._otherwise = otherwise or (lambda said: answer(f"you said {said}"))

    async def __call__(self, params: RunnerParams) -> FakeRunner:
        runner = FakeRunner(params, self, self._clock)
        self.made.append(runner)
        return runner

    def next_script(self, message: Content | None) -> Script:
        if self.scripts:
            return self.scripts.pop(0)
        return self._otherwise("" if message is None else message_text(message))
