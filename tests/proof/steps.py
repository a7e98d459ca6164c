"""An event loop that can be looked at between any two steps, and a clock that never waits.

A step is one run of one callback: between two of them nothing of the gateway is running, so
what is on the disk then is what a kill would leave. Time moves on only when nothing else can
happen, and threads' work is done in steps of its own.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from typing import Any, TypeVar

from typing_extensions import override

T = TypeVar("T")

EPOCH = 1_800_000_000.0
_TICK = 1e-6
"""Time moves on by this at least: whoever waits for less than a number can hold waits in vain."""


class _Impatient(selectors.SelectSelector):
    """Never waits: where nothing is ready, time moves on to what comes next."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.now = start

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise AssertionError("everybody waits, and nothing will ever happen")
            self.now += max(timeout, _TICK)
        return ready


class StepLoop(asyncio.SelectorEventLoop):
    """Calls `after_step` between steps; what fails where nobody waits is in `failures`."""

    def __init__(self, start: float = 0.0) -> None:
        self._impatient = _Impatient(start)
        super().__init__(self._impatient)
        self.steps = 0
        self.commits = 0
        """How often the store has committed: a cheap way to know that it has not."""
        self.works = 0
        """How often a thread would have done something, such as writing a file."""
        self.after_step: Callable[[], None] | None = None
        self.failures: list[str] = []
        self.set_exception_handler(self._note_failure)

    @override
    def time(self) -> float:
        return self._impatient.now

    @override
    def call_soon(  # type: ignore[override]  # the base class has type variables for it
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        return super().call_soon(self._step, callback, *args, context=context)

    @override
    def call_at(  # type: ignore[override]  # the base class has type variables for it
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return super().call_at(when, self._step, callback, *args, context=context)

    @override
    def run_in_executor(  # type: ignore[override]  # the base class says that it is async
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        done: asyncio.Future[T] = self.create_future()
        self.call_soon(self._work, done, func, args)
        return done

    def _step(self, callback: Callable[..., Any], *args: Any) -> None:
        callback(*args)
        self.steps += 1
        if self.after_step is not None:
            self.after_step()

    def _work(
        self, done: "asyncio.Future[T]", func: Callable[..., T], args: tuple[Any, ...]
    ) -> None:
        self.works += 1
        if done.cancelled():
            return
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whoever waits for it is told
            done.set_exception(error)

    def _note_failure(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.failures.append(f"{context.get('message')}: {context.get('exception')!r}")


def run(loop: StepLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; nothing may have failed unseen on the way."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(work)
    assert not loop.failures, loop.failures
    return result


class LoopClock:
    """The loop's time; `monotonic` begins anew with each process, as a machine's may."""

    def __init__(self, loop: StepLoop) -> None:
        self._loop = loop
        self._began = loop.time() - 77.0

    def now(self) -> float:
        return EPOCH + self._loop.time()

    def monotonic(self) -> float:
        return self._loop.time() - self._began

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float | None) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)
