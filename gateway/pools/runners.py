"""The live runners of one agent: lent to turns, replaced between them, closed when idle."""

from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from gateway.clock import Clock
from gateway.contracts.runner import MakeRunner, Runner, RunnerParams
from gateway.ids import PersonId, SessionId

log = structlog.get_logger()

_CLOSE_WITHIN = 10.0


@dataclass(slots=True)
class Lease:
    """A session's runner, and whether a turn has it."""

    runner: Runner
    maker: MakeRunner
    model: str
    person: PersonId | None
    is_lent: bool = True
    is_stale: bool = False
    """Its person's credentials or the like have changed: no further turn gets it."""

    @property
    def is_busy(self) -> bool:
        return self.is_lent or self.runner.is_busy

    def is_good_for(self, model: str, maker: MakeRunner) -> bool:
        is_current = self.maker is maker and not self.is_stale
        return is_current and self.model == model and self.runner.is_alive


class Runners:
    """At most one runner for a session. A busy one is never closed.

    Nothing is awaited between a look at a lease and the change that follows from it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._leases: dict[SessionId, Lease] = {}
        self._resets = 0

    async def borrow(self, params: RunnerParams, make: MakeRunner) -> Lease:
        """Lend the session's runner; a new one if it is stale, dead, or made otherwise."""
        lease = self._leases.get(params.session)
        if lease is not None and not lease.is_lent:
            if lease.is_good_for(params.model, make):
                lease.is_lent = True
                return lease
            del self._leases[params.session]
            await self._close(lease.runner)
        resets = self._resets
        lease = Lease(await make(params), make, params.model, params.person)
        lease.is_stale = resets != self._resets
        self._leases[params.session] = lease
        return lease

    async def drop(self, session: SessionId) -> None:
        """Close the session's runner, at once or when its turn is over."""
        await self._make_stale([session])

    async def reset(self, person: PersonId | None = None) -> None:
        """Close all runners, or one person's, at once or when their turns are over."""
        self._resets += 1
        await self._make_stale([
            session
            for session, lease in self._leases.items()
            if person is None or lease.person == person
        ])

    async def reap(self, idle_timeout: float) -> None:
        """Close runners that are of no more use: never a busy one; then dead; then idle."""
        latest = self._clock.monotonic() - idle_timeout
        await self._close_all(
            session
            for session, lease in self._leases.items()
            if not lease.is_busy
            and (
                lease.is_stale or not lease.runner.is_alive or lease.runner.last_activity <= latest
            )
        )

    async def close(self) -> None:
        await self._close_all(self._leases)

    async def _make_stale(self, sessions: Iterable[SessionId]) -> None:
        held = [session for session in sessions if session in self._leases]
        for session in held:
            self._leases[session].is_stale = True
        await self._close_all(session for session in held if not self._leases[session].is_busy)

    async def _close_all(self, sessions: Iterable[SessionId]) -> None:
        for lease in [self._leases.pop(session) for session in list(sessions)]:
            await self._close(lease.runner)

    async def _close(self, runner: Runner) -> None:
        try:
            async with self._clock.timeout(_CLOSE_WITHIN):
                await runner.close()
        except TimeoutError:
            log.warning("runner.close_timed_out", seconds=_CLOSE_WITHIN)
        except Exception:
            log.exception("runner.close_failed")
