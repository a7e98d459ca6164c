"""Runs the tool calls of one step, and tells of each."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby

from gateway.contracts.approvals import Grant
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
from gateway.ids import ApprovalId
from gateway.runners.kit import RunnerKit, Scene
from gateway.runners.summaries import summarize_error, summarize_input, summarize_result
from gateway.transcript import ToolCall, ToolResultEntry

_LOST = ToolOutput(
    "Unknown outcome: a restart came while this ran. It may have been done, wholly, partly or "
    "not at all, and was not run again.",
    is_error=True,
)

_DENIED = ToolOutput(
    "The person did not allow this, so it was not run. Do not try it again unless they ask.",
    is_error=True,
)

Timed = tuple[ToolOutput, float]
"""An output, and the seconds it took."""


class CallRunner:
    """Runs batches of calls; those in one batch side by side."""

    def __init__(self, kit: RunnerKit, scene: Scene) -> None:
        self._kit = kit
        self._scene = scene
        self._asked: dict[str, ApprovalId] = {}
        """By call: the questions of a batch that is about to run."""

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

    async def announce(
        self, batch: Sequence[ToolCall], offered: Collection[str], lost: Collection[str]
    ) -> list[RunnerEvent]:
        """Tell of a batch, and ask for leave where the settings want it; `run` waits for it."""
        asked = [
            await self._kit.desk.ask(self._scene.turn, call)
            for call in batch
            if self._needs_leave(call, offered) and call.call_id not in lost
        ]
        self._asked = {one.call_id: one.approval for one in asked}
        return [*_announced(batch), *asked]

    def _needs_leave(self, call: ToolCall, offered: Collection[str]) -> bool:
        is_possible = call.tool in offered and call.tool in self._kit.toolbox.tools
        return is_possible and call.tool in self._kit.settings.approvals

    async def run(
        self, batch: Sequence[ToolCall], offered: Collection[str], lost: Collection[str]
    ) -> list[RunnerEvent]:
        """Run a batch, except for the `lost` calls that a restart cut off and might repeat.

        Of each call the result comes first, as an entry, then what is to be shown.
        """
        leave = {call: await self._kit.desk.wait(asked) for call, asked in self._asked.items()}
        denied = {call for call, grant in leave.items() if grant is None}
        for call in batch:
            if self._needs_noting(call, lost) and call.call_id not in denied:
                await self._kit.steps.start_step(self._scene.turn, call.call_id, call.tool)
        async with asyncio.TaskGroup() as together:
            running = [
                together.create_task(self._run_one(call, offered, lost, leave)) for call in batch
            ]
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
        self,
        call: ToolCall,
        offered: Collection[str],
        lost: Collection[str],
        leave: Mapping[str, Grant | None],
    ) -> Timed:
        if call.call_id in lost:
            return _LOST, 0.0
        grant = leave.get(call.call_id)
        if grant is None and call.call_id in leave:
            return _DENIED, 0.0
        began = self._kit.clock.monotonic()
        context = self._context(call.call_id, grant)
        output = await self._kit.toolbox.run(call, context, self._scene.run, offered)
        return output, self._kit.clock.monotonic() - began

    def _context(self, call_id: str, grant: Grant | None) -> ToolContext:
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
            grant=grant,
            skills=scene.skills,
        )


def _announced(batch: Sequence[ToolCall]) -> Iterator[ToolStarted]:
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
