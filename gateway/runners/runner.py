"""A session's runner: takes one turn at a time through the loop, with the hooks around it."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from typing_extensions import override

from gateway.contracts.hook import RunInfo
from gateway.contracts.runner import Runner, RunnerParams, TurnOptions
from gateway.events import EntryRecorded, RunnerEvent
from gateway.runners.kit import RunnerKit, Scene
from gateway.runners.turn import TurnLoop
from gateway.transcript import Content, Entry, Usage, UserEntry
from gateway.workspace import outgoing_dir


class AgentRunner(Runner):
    """Keeps nothing between turns but its prompt; what a turn changes is in its events."""

    def __init__(
        self, kit: RunnerKit, params: RunnerParams, prompt: str, workspace: Path, skills: Path
    ) -> None:
        self._kit = kit
        self._params = params
        self._prompt = prompt
        self._workspace = workspace
        self._skills = skills
        self._turns = 0
        """That are under way."""
        self._last_activity = kit.clock.monotonic()
        self._is_closed = False

    @property
    @override
    def is_alive(self) -> bool:
        return not self._is_closed

    @property
    @override
    def is_busy(self) -> bool:
        return self._turns > 0

    @property
    @override
    def last_activity(self) -> float:
        return self._last_activity

    @property
    @override
    def system_prompt(self) -> str:
        return self._prompt

    @override
    async def chat(
        self, history: Sequence[Entry], message: Content | None, options: TurnOptions
    ) -> AsyncGenerator[RunnerEvent, None]:
        run, began = self._run_info(options), self._begin()
        said = () if message is None else (UserEntry(message, speaker=options.speaker),)
        usage, error = Usage(), None
        try:
            scene = await self._scene(run, options)
            events = TurnLoop(self._kit, scene, [*history, *said]).events()
            try:
                async for event in events:
                    if isinstance(event, EntryRecorded) and event.usage is not None:
                        usage += event.usage
                    yield event
            finally:
                await events.aclose()
        except BaseException as failure:
            error = type(failure).__name__
            raise
        finally:
            seconds = self._end() - began
            await self._kit.desk.leave(run.turn)
            await self._kit.hooks.after_run(run, usage, seconds, error)

    def _begin(self) -> float:
        self._turns += 1
        self._last_activity = self._kit.clock.monotonic()
        return self._last_activity

    def _end(self) -> float:
        self._turns -= 1
        self._last_activity = self._kit.clock.monotonic()
        return self._last_activity

    def _run_info(self, options: TurnOptions) -> RunInfo:
        return RunInfo(
            agent=self._params.agent,
            session=self._params.session,
            turn=options.turn.id,
            person=self._params.person,
            model=options.model or self._params.model,
        )

    async def _scene(self, run: RunInfo, options: TurnOptions) -> Scene:
        system = self._prompt if options.system_override is None else options.system_override
        return Scene(
            turn=options.turn,
            run=run,
            system=await self._kit.hooks.before_run(run, system),
            workspace=self._workspace,
            skills=self._skills,
            outgoing=outgoing_dir(self._kit.data_dir, run.turn),
            role=options.role,
            only_tools=options.only_tools,
            excluded_tools=options.excluded_tools,
        )

    @override
    async def close(self) -> None:
        self._is_closed = True
