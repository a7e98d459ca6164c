"""A pool: one agent's sessions, the runners that work on them, and the turns they do."""

import asyncio
from contextlib import suppress
from functools import partial

from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.money import Payer
from gateway.contracts.runner import TurnOptions
from gateway.contracts.stores import Store
from gateway.errors import Busy, RetryLater
from gateway.ids import AgentId, PersonId, SessionId
from gateway.pools.kit import AgentKit, MakeKit
from gateway.pools.models import check_model
from gateway.pools.runners import Runners
from gateway.pools.running import RunningTurn
from gateway.pools.stream import TurnStream
from gateway.pools.work import TurnWork
from gateway.sessions.compaction import Compaction
from gateway.sessions.verbs import SessionVerbs
from gateway.settings import AgentSettings
from gateway.transcript import Content

_REAP_EVERY = 60.0


class Pool(SessionVerbs):
    """One agent at work: at most one turn at a time in each session, any number in all.

    Turns run in `tasks`, apart from whoever reads them. What is changed meanwhile, a
    model, a setting, a credential, holds from a session's next turn on.
    """

    def __init__(
        self,
        agent: AgentId,
        settings: AgentSettings,
        store: Store,
        make_kit: MakeKit,
        tasks: asyncio.TaskGroup,
        clock: Clock,
    ) -> None:
        super().__init__(agent, store)
        self._store = store
        self._make_kit = make_kit
        self._kit = make_kit(settings)
        self._tasks = tasks
        self._clock = clock
        self._runners = Runners(clock)
        self._turns: dict[SessionId, RunningTurn] = {}
        self._is_closing = False

    @property
    def kit(self) -> AgentKit:
        """What its turns are made with until the settings change."""
        return self._kit

    @property
    def settings(self) -> AgentSettings:
        return self._kit.settings

    @property
    def allowed_models(self) -> tuple[str, ...]:
        """What a session may be set to; the first is the default."""
        return self._kit.models

    def chat(
        self, session: SessionId, message: Content | None, *, options: TurnOptions
    ) -> TurnStream:
        """Begin a turn, or go on with one of which something is kept already.

        The stream raises `ChatTimeout`, `TurnStopped`, `ProviderFailed`, `LaneLost`,
        `StoreBusy` or `Refused`. Raises:
            Busy: the session has a turn at work.
            RetryLater: the pool is being closed.
        """
        if self._is_closing:
            raise RetryLater("the agent is being replaced", after=1.0)
        if session in self._turns:
            raise Busy("I am still at work on your last message.")
        work = TurnWork(
            self.agent, self._store, self._runners, lambda: self._kit, session, message, options
        )
        turn = RunningTurn(work, self._clock, self.settings.chat_timeout)
        self._turns[session] = turn
        turn.start(self._tasks).add_done_callback(partial(self._on_end, session, turn))
        return turn.stream

    def _on_end(
        self,
        session: SessionId,
        turn: RunningTurn,
        task: "asyncio.Task[BaseException | None]",
    ) -> None:
        del self._turns[session]
        turn.stream.end(asyncio.CancelledError() if task.cancelled() else task.result())

    async def stop(self, session: SessionId) -> bool:
        """End the session's turn and return once its text is kept; False without a turn."""
        turn = self._turns.get(session)
        if turn is not None:
            await turn.stop()
        return turn is not None

    async def set_model(self, session: SessionId, model: str | None) -> None:
        """Choose the session's model from its next turn on; None is the agent's default.

        Raises:
            Refused: the agent's settings do not allow it.
        """
        chosen = None if model is None else check_model(model, self._kit.models)
        await self._sessions.set_model(session, chosen)

    async def needs_compaction(self, session: SessionId) -> bool:
        """Tell whether the session's next turn will fold its history first."""
        return self._kit.compactor.is_due(await self.history(session))

    async def compact_session(self, session: SessionId, payer: Payer) -> Compaction:
        """Fold the session's older turns into a summary, however short they are.

        Raises:
            Refused: a budget has no room for it.
        """
        kit = self._kit
        async with kit.in_use():
            return await kit.compactor.compact(session, await self.history(session), payer)

    async def reset_runners(self) -> None:
        """Close every runner, at once or when its turn is over; sessions are kept."""
        await self._runners.reset()

    async def reset_runners_for_user(self, person: PersonId) -> None:
        """As `reset_runners`, for one person's sessions."""
        await self._runners.reset(person)

    async def run_reaper(self) -> None:
        """Close dead and idle runners once a minute, until cancelled."""
        while True:
            await self._clock.sleep(_REAP_EVERY)
            await self._runners.reap(self.settings.idle_timeout)

    async def apply(self, settings: AgentSettings) -> None:
        """Work by new settings from each session's next turn on.

        Raises what making the parts raises; then the old settings stay.
        """
        old, self._kit = self._kit, self._make_kit(settings)
        await self._runners.reset()
        await old.retire()

    async def close(self, *, grace: float | None = 0.0) -> None:
        """Begin no more turns, and release everything.

        Turns that still run after `grace` seconds (None: as long as they take) are
        interrupted as by a crash, so that they can be gone on with.
        """
        self._is_closing = True
        if grace != 0.0:
            with suppress(TimeoutError):
                async with self._clock.timeout(grace):
                    await self._turns_ended()
        for turn in self._turns.values():
            turn.interrupt()
        await self._turns_ended()
        await self._runners.close()
        await self._kit.retire()

    async def _turns_ended(self) -> None:
        for turn in list(self._turns.values()):
            await turn.ended()

    @override
    async def _let_go(self, session: SessionId) -> None:
        await self._runners.drop(session)
