"""The loop of one turn: ask the model, run what it asks for, until it asks for nothing more."""

from collections.abc import AsyncGenerator, Iterator, Sequence

from gateway.contracts.provider import ModelRequest, ToolSpec
from gateway.events import EntryRecorded, NoticeAdded, RunnerEvent, TextDelta
from gateway.runners.asking import Answer
from gateway.runners.calls import CallRunner
from gateway.runners.kit import RunnerKit, Scene
from gateway.runners.paying import ask_and_pay
from gateway.runners.retry import Tries
from gateway.runners.unfinished import standing
from gateway.transcript import AssistantEntry, Entry, ToolCall
from gateway.workspace import read_beneath


class TurnLoop:
    """Goes through one turn once, from wherever its entries end."""

    def __init__(self, kit: RunnerKit, scene: Scene, entries: Sequence[Entry]) -> None:
        self._kit = kit
        self._scene = scene
        self._entries = list(entries)
        self._calls = CallRunner(kit, scene)
        self._models: tuple[str, ...] = (scene.run.model, *kit.settings.fallback_models)
        """Who is asked first, and then; one that failed is not asked again in this turn."""
        self._call_ids = {
            call.call_id
            for entry in entries
            if isinstance(entry, AssistantEntry)
            for call in entry.calls
        }

    async def events(self) -> AsyncGenerator[RunnerEvent, None]:
        """Do what is left of the turn; an entry is kept when the next event is asked for."""
        so_far = standing(self._entries)
        if so_far.answer is not None:
            yield TextDelta(text=so_far.answer)
            return
        steps, calls = so_far.steps, so_far.open_calls
        lost = await self._kit.steps.started_steps(self._scene.turn.id) if calls else frozenset()
        offered = [spec.name for spec in self._specs()]
        while True:
            for batch in self._calls.batches(calls):
                for told in await self._calls.announce(batch, offered, lost):
                    yield told
                for event in await self._calls.run(batch, offered, lost):
                    yield self._noted(event)
            if steps >= self._kit.settings.max_steps:
                yield NoticeAdded(words=f"I stopped after {steps} steps. Write to me to go on.")
                return
            request = await self._request()
            answer, tries = Answer(), self._tries(request.model)
            asking = ask_and_pay(self._kit, self._scene, request, answer, tries)
            try:
                async for delta in asking:
                    yield delta
            finally:
                await asking.aclose()
            self._models = tries.models
            calls = self._named(answer)
            for event in self._ended(answer, calls):
                yield self._noted(event)
            if not calls:
                return
            steps, lost, offered = steps + 1, frozenset(), [spec.name for spec in request.tools]

    def _specs(self) -> tuple[ToolSpec, ...]:
        """Tell of the tools in a fixed order, so that prompt caches hold."""
        names = self._kit.toolbox.allowed(self._scene.role) - self._scene.excluded_tools
        if self._scene.only_tools is not None:
            names &= self._scene.only_tools
        tools = [self._kit.toolbox.tools[name] for name in sorted(names)]
        return tuple(ToolSpec(tool.name, tool.description, tool.parameters) for tool in tools)

    async def _request(self) -> ModelRequest:
        request = ModelRequest(
            model=self._models[0],
            system=self._scene.system,
            entries=tuple(self._entries),
            tools=self._specs(),
            read_file=lambda path: read_beneath(self._scene.workspace, path),
            session=self._scene.run.session,
        )
        return await self._kit.hooks.before_model(self._scene.run, request)

    def _tries(self, first: str) -> Tries:
        models = (first, *self._models[1:])
        return Tries(models, self._kit.clock.monotonic(), self._kit.jitter)

    def _named(self, answer: Answer) -> tuple[ToolCall, ...]:
        """Return the answer's calls, each with an id of its own, as steps are known by it."""
        calls = []
        for part in answer.calls:
            call_id = part.call_id
            if not call_id or call_id in self._call_ids:
                call_id = self._kit.new_id("call")
            self._call_ids.add(call_id)
            calls.append(ToolCall(call_id, part.tool, part.arguments))
        return tuple(calls)

    def _ended(self, answer: Answer, calls: tuple[ToolCall, ...]) -> Iterator[RunnerEvent]:
        usage, model = answer.end.usage, self._models[0]
        yield EntryRecorded(
            entry=AssistantEntry(answer.text, calls),
            usage=usage,
            model=model,
            micros=self._kit.purse.price(model, usage),
            hold=answer.hold,
        )
        if answer.end.reason == "length" and not calls:
            yield NoticeAdded(words="The answer was cut at the length limit.")

    def _noted(self, event: RunnerEvent) -> RunnerEvent:
        if isinstance(event, EntryRecorded):
            self._entries.append(event.entry)
        return event
