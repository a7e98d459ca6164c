"""The steps of one turn, from the session's row to its last entry."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

import structlog

from gateway.contracts.runner import Runner, RunnerParams, TurnOptions
from gateway.contracts.stores import SessionInfo, Store
from gateway.errors import Refused, StoreBusy
from gateway.events import EntryRecorded, ReplyEvent, RunnerEvent, TextDelta, TextRestarted
from gateway.ids import AgentId, SessionId
from gateway.pools.kit import AgentKit
from gateway.pools.models import check_model, session_model
from gateway.pools.replay import as_left, has_begun, is_answered, shown_so_far
from gateway.pools.runners import Runners
from gateway.sessions.compaction import Compactor
from gateway.sessions.title import make_title
from gateway.transcript import AssistantEntry, Content, StoredEntry, UserEntry

log = structlog.get_logger()

Emit = Callable[[ReplyEvent], Awaitable[None]]


class TurnWork:
    """Does one turn. Everything it keeps is kept before the runner is asked for more."""

    def __init__(
        self,
        agent: AgentId,
        store: Store,
        runners: Runners,
        current_kit: Callable[[], AgentKit],
        session: SessionId,
        message: Content | None,
        options: TurnOptions,
    ) -> None:
        self._agent = agent
        self._sessions = store.sessions
        self._transcript = store.transcript
        self._runners = runners
        self._current_kit = current_kit
        self._session = session
        self._message = message
        self._options = options
        self._pieces: list[str] = []
        """Text shown since the last entry of the model was kept."""
        self._is_keeping = False
        self._is_halted = False

    async def run(self, emit: Emit) -> None:
        """Take the turn's steps, or those that an earlier attempt has left."""
        kit = self._current_kit()
        async with kit.in_use():
            info = await self._find_session()
            params = await self._params(info, kit.models)
            lease = await self._runners.borrow(params, kit.make_runner)
            try:
                await self._answer(info, lease.runner, kit.compactor, emit)
            finally:
                lease.is_lent = False

    def halt(self, task: "asyncio.Task[None]") -> None:
        """End the work: at once, or as soon as the entry that is being kept is kept."""
        self._is_halted = True
        if not self._is_keeping:
            task.cancel()

    async def keep_partial(self) -> None:
        """Keep the text that was shown and belongs to no kept entry.

        Raises:
            LaneLost: another owner has the lane; nothing is kept.
        """
        text = "".join(self._pieces)
        self._pieces.clear()
        if not text:
            return
        try:
            await self._append(EntryRecorded(entry=AssistantEntry(text, is_partial=True)))
        except StoreBusy as error:
            log.warning("partial.lost", reason=str(error))

    async def _find_session(self) -> SessionInfo:
        info = await self._sessions.get(self._session)
        if info is None or info.agent != self._agent:
            raise Refused("I do not know this conversation.")
        return info

    async def _params(self, info: SessionInfo, models: Sequence[str]) -> RunnerParams:
        model = session_model(info.model, models, self._options.usual_model)
        wanted = self._options.model
        if wanted and wanted != model:
            model = check_model(wanted, models)
            await self._sessions.set_model(info.id, model)
        return RunnerParams(
            info.agent,
            info.id,
            info.key,
            info.person,
            model,
            info.prompt,
            self._options.opening,
        )

    async def _answer(
        self, info: SessionInfo, runner: Runner, compactor: Compactor, emit: Emit
    ) -> None:
        turn = self._options.turn.id
        history = await self._transcript.history(info.id)
        message: Content | None = None
        if has_begun(history, turn):
            for event in shown_so_far(history, turn):
                await emit(event)
            if is_answered(history, turn):
                return
        else:
            history = await self._compacted(history, compactor)
            message = self._message
            await self._open(info, runner)
        entries = as_left(history, turn)
        await self._pump(runner.chat(entries, message, self._options), emit)

    async def _compacted(
        self, history: Sequence[StoredEntry], compactor: Compactor
    ) -> Sequence[StoredEntry]:
        """Return the history, folded first when it is too long; a failure costs no turn."""
        if not compactor.is_due(history):
            return history
        try:
            done = await compactor.compact(self._session, history, self._options.turn.kept.payer)
        except Exception:
            log.exception("compaction.failed")
            return history
        return await self._transcript.history(self._session) if done.entries_folded else history

    async def _open(self, info: SessionInfo, runner: Runner) -> None:
        """Keep what the person said, before anything is paid for, and freeze the prompt."""
        if self._message is None:
            return
        if info.prompt is None:
            title = make_title(self._message)
            await self._sessions.freeze_prompt(info.id, runner.system_prompt, title)
        said = UserEntry(self._message, self._options.speaker)
        await self._append(EntryRecorded(entry=said))

    async def _pump(self, events: AsyncGenerator[RunnerEvent, None], emit: Emit) -> None:
        async with aclosing(events):
            async for event in events:
                match event:
                    case TextDelta(text=text):
                        self._pieces.append(text)
                        await emit(event)
                    case EntryRecorded():
                        await self._keep(event)
                    case TextRestarted():
                        self._pieces.clear()
                        await emit(event)
                    case _:
                        await emit(event)

    async def _keep(self, event: EntryRecorded) -> None:
        if not self._is_halted:
            self._is_keeping = True
            try:
                await self._append(event)
            finally:
                self._is_keeping = False
            if isinstance(event.entry, AssistantEntry):
                self._pieces.clear()
        if self._is_halted:
            raise asyncio.CancelledError

    async def _append(self, event: EntryRecorded) -> None:
        await self._transcript.append(
            self._session,
            (event.entry,),
            turn=self._options.turn,
            usage=event.usage,
            model=event.model,
            micros=event.micros,
            hold=event.hold,
        )
