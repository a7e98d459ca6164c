"""Runs the tool calls of one step, and tells of each."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from gateway.contracts.tool import Effect, ToolContext, ToolOutput
from gateway.events import (
    EntryRecorded,
    FileReady,
    ImageReady,
    RunnerEvent,
    ToolFailed,
    ToolFinished,
    ToolStarted,
)
from gateway.runners.kit import RunnerKit, Scene
from gateway.runners.summaries import summarize_error, summarize_input, summarize_result
from gateway.transcript import ToolCall, ToolResultEntry

_LOST = ToolOutput(
    "Unknown outcome: a restart came while this ran. It may have been done, wholly, partly or "
    "not at all, and was not run again.",
    is_error=True,
)

Timed = tuple[ToolOutput, float]
"""An output, and the seconds it took."""


class CallRunner:
    """Runs batches of calls; those in one batch side by side."""

    def __init__(self, kit: RunnerKit, scene: Scene) -> None:
        self._kit = kit
        self._scene = scene

    def batches(self, calls: Sequence[ToolCall]) -> Iterator[list[ToolCall]]:
        """Keep neighbours together that are safe together, and all in order."""
        for are_parallel, neighbours in groupby(calls, self._is_parallel):
            if are_parallel:
                yield list(neighbours)
            else:
                yield from ([call] for call in neighbours)

    def _is_parallel(self, call: ToolCall) -> bool:
        tool = self._kit.toolbox.tools.get(call.tool)
        return tool is not None and tool.is_parallel

    async def run(
        self, batch: Sequence[ToolCall], offered: Collection[str], lost: Collection[str]
    ) -> list[RunnerEvent]:
        """Run a batch, except for the `lost` calls that a restart cut off and might repeat.

        Of each call the result comes first, as an entry, then what is to be shown.
        """
        for call in batch:
            if self._needs_noting(call, lost):
                await self._kit.steps.start_step(self._scene.turn, call.call_id, call.tool)
        async with asyncio.TaskGroup() as together:
            running = [together.create_task(self._run_one(call, offered, lost)) for call in batch]
        timed = [task.result() for task in running]
        return [
            event
            for call, (output, seconds) in zip(batch, timed, strict=True)
            for event in _told(call, output, seconds)
        ]

    def _needs_noting(self, call: ToolCall, lost: Collection[str]) -> bool:
        tool = self._kit.toolbox.tools.get(call.tool)
        return tool is not None and tool.effect is Effect.EFFECT and call.call_id not in lost

    async def _run_one(
        self, call: ToolCall, offered: Collection[str], lost: Collection[str]
    ) -> Timed:
        if call.call_id in lost:
            return _LOST, 0.0
        began = self._kit.clock.monotonic()
        context = self._context(call.call_id)
        output = await self._kit.toolbox.run(call, context, self._scene.run, offered)
        return output, self._kit.clock.monotonic() - began

    def _context(self, call_id: str) -> ToolContext:
        scene = self._scene
        return ToolContext(
            agent=scene.run.agent,
            session=scene.run.session,
            turn=scene.run.turn,
            call_id=call_id,
            person=scene.run.person,
            workspace=scene.workspace,
            outgoing=scene.outgoing,
            clock=self._kit.clock,
            role=scene.role,
            skills=scene.skills,
        )


def announced(batch: Sequence[ToolCall]) -> Iterator[ToolStarted]:
    for call in batch:
        summary = summarize_input(call.arguments)
        yield ToolStarted(call_id=call.call_id, tool=call.tool, summary=summary)


def _told(call: ToolCall, output: ToolOutput, seconds: float) -> Iterator[RunnerEvent]:
    yield EntryRecorded(
        entry=ToolResultEntry(
            call.call_id, call.tool, output.text, is_error=output.is_error, files=output.files
        )
    )
    ended = ToolFailed if output.is_error else ToolFinished
    summarize = summarize_error if output.is_error else summarize_result
    yield ended(
        call_id=call.call_id, tool=call.tool, summary=summarize(output.text), seconds=seconds
    )
    for file in output.files:
        ready = ImageReady if file.is_image else FileReady
        yield ready(file=file, call_id=call.call_id)
