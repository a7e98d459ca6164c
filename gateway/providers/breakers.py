"""Keeps calls from model servers that are down: one breaker for each model, server and key."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field

import structlog
from pydantic import SecretStr
from typing_extensions import override

from gateway.clock import Clock
from gateway.contracts.provider import ModelRequest, Part, Provider
from gateway.errors import ModelResting, ProviderFailed, ProviderUnavailable
from gateway.ids import AgentId
from gateway.providers.breaker import Breaker, BreakerState
from gateway.settings import AgentSettings

log = structlog.get_logger()

RESTING_WORDS = "The model server has failed too often and is left alone for a while."


@dataclass(frozen=True, slots=True)
class _Server:
    """Whom a breaker is about; never shown whole, as it has the key."""

    provider: str
    base_url: str | None
    api_key: SecretStr | None
    model: str


@dataclass(slots=True)
class _Guarded:
    server: _Server
    breaker: Breaker = field(default_factory=Breaker)
    agents: set[AgentId] = field(default_factory=set)


class Breakers:
    """All breakers of the process; agents that share a server and a key share theirs."""

    def __init__(self, clock: Clock, on_closed: Callable[[AgentId], None]) -> None:
        self._clock = clock
        self._on_closed = on_closed
        self._guarded: dict[_Server, _Guarded] = {}

    def guard(self, agent: AgentId, settings: AgentSettings, provider: Provider) -> Provider:
        """Return the provider with its breakers before it."""

        def guarded(model: str) -> _Guarded:
            model = model or settings.model or provider.default_model
            server = _Server(settings.provider, settings.base_url, settings.api_key, model)
            found = self._guarded.setdefault(server, _Guarded(server))
            found.agents.add(agent)
            return found

        return _GuardedProvider(provider, guarded, self._tell, self._clock)

    def describe(self) -> list[dict[str, object]]:
        """Tell of every model that has been asked, as `status` shows it."""
        return [self._described(one) for one in self._guarded.values()]

    def _described(self, one: _Guarded) -> dict[str, object]:
        now = self._clock.monotonic()
        calls, failed = one.breaker.counts(now)
        is_open = one.breaker.state is not BreakerState.CLOSED
        return {
            "model": one.server.model,
            "provider": one.server.provider,
            "agents": sorted(one.agents),
            "state": one.breaker.state.value,
            "calls": calls,
            "failed": failed,
            "seconds_open": round(now - one.breaker.opened_at, 1) if is_open else None,
        }

    def _tell(self, one: _Guarded, before: BreakerState) -> None:
        """Log what has changed, and let those go who wait for the model."""
        breaker, now = one.breaker, self._clock.monotonic()
        about = {"provider": one.server.provider, "model": one.server.model}
        if before is BreakerState.CLOSED and breaker.state is BreakerState.OPEN:
            calls, failed = breaker.counts(now)
            log.warning("breaker.opened", **about, calls=calls, failed=failed)
        elif before is BreakerState.HALF_OPEN and breaker.state is BreakerState.CLOSED:
            log.info("breaker.closed", **about, seconds=round(now - breaker.opened_at, 1))
            for agent in one.agents:
                self._on_closed(agent)


class _GuardedProvider(Provider):
    """One agent's provider, not called while the breaker of the model is open."""

    def __init__(
        self,
        provider: Provider,
        guarded: Callable[[str], _Guarded],
        tell: Callable[[_Guarded, BreakerState], None],
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._guarded = guarded
        self._tell = tell
        self._clock = clock
        # An instance's own, as the wrapped provider decides it.
        self.default_model = provider.default_model  # type: ignore[misc]

    @override
    async def stream(self, request: ModelRequest) -> AsyncIterator[Part]:
        guarded = self._guarded(request.model)
        call = _Call(guarded, request.session, self._tell, self._clock)
        stream = self._provider.stream(request)
        try:
            async for part in stream:
                call.heard()
                yield part
        except ProviderUnavailable as error:
            call.failed(error)
            raise
        except ProviderFailed:
            call.refused()
            raise
        finally:
            call.left()
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    @override
    async def check(self) -> str:
        return await self._provider.check()

    @override
    async def warm_up(self) -> None:
        await self._provider.warm_up()

    @override
    async def close(self) -> None:
        await self._provider.close()


class _Call:
    """One call that was let through, and what its breaker is told of it."""

    def __init__(
        self,
        guarded: _Guarded,
        session: str,
        tell: Callable[[_Guarded, BreakerState], None],
        clock: Clock,
    ) -> None:
        """Raise `ModelResting` when the call is not let through."""
        self._guarded = guarded
        self._tell = tell
        self._clock = clock
        self._heard_at = clock.monotonic()
        self._has_begun = False
        ticket = guarded.breaker.enter(session, self._heard_at)
        if ticket is None:
            after = guarded.breaker.rest(session, self._heard_at)
            raise ModelResting(RESTING_WORDS, after)
        self._ticket = ticket

    def heard(self) -> None:
        """A part has come."""
        self._heard_at = self._clock.monotonic()
        if not self._has_begun:
            self._has_begun = True
            before = self._guarded.breaker.state
            self._guarded.breaker.succeeded(self._ticket, self._heard_at)
            self._tell(self._guarded, before)

    def failed(self, error: ProviderUnavailable) -> None:
        if not error.is_server_down:
            self.refused()
            return
        now, before = self._clock.monotonic(), self._guarded.breaker.state
        lost = now - self._heard_at
        self._guarded.breaker.failed(self._ticket, now, lost=lost, asked=error.after)
        self._tell(self._guarded, before)

    def refused(self) -> None:
        before = self._guarded.breaker.state
        self._guarded.breaker.refused(self._ticket)
        self._tell(self._guarded, before)

    def left(self) -> None:
        self._guarded.breaker.left(self._ticket)
