"""What `parley doctor` asks of others: platforms, models and the store."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

from gateway.cli.control import NothingRuns, ask
from gateway.cli.findings import Finding, look_at_directory, look_at_versions
from gateway.cli.status import duration
from gateway.clock import SystemClock
from gateway.config import LoadedSettings
from gateway.errors import (
    AccountRejected,
    GatewayError,
    ProviderFailed,
    ProviderUnavailable,
    RetryLater,
    StoreFailed,
)
from gateway.ids import AccountName, AgentId
from gateway.inbound.health import AccountHealth
from gateway.parts import build_adapter, open_store, store_url
from gateway.providers.registry import make_provider
from gateway.settings import AgentSettings, GatewaySettings
from gateway.store.location import database_path

_PATIENCE = 20.0
"""Seconds for each answer."""


class TrailBroken(GatewayError):
    """Somebody has changed the audit trail, or taken rows out of it."""


_CURES: tuple[tuple[type[Exception], str], ...] = (
    (
        TrailBroken,
        "compare `parley people audit --json` with a backup, and look through `parley people list`",
    ),
    (AccountRejected, "get a valid token from the platform and put it in the settings"),
    (ProviderUnavailable, "check the network and `base_url`, or wait for the server"),
    (ProviderFailed, "check `api_key` and `model`"),
    (RetryLater, "check the network, and `api_base` if it is set"),
    (TimeoutError, "check the network: the server did not answer"),
    (StoreFailed, "look at the file and its permissions, or restore a backup"),
)


async def examine(loaded: LoadedSettings) -> list[Finding]:
    """Look at everything, at once where others have to answer."""
    settings = loaded.settings
    findings = [*look_at_versions(), *look_at_directory(settings.data_dir)]
    findings += [Finding("warn", "settings", warning) for warning in loaded.warnings]
    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(_find(subject, answer)) for subject, answer in _questions(settings)
        ]
    return findings + [task.result() for task in asked]


def _questions(settings: GatewaySettings) -> Iterator[tuple[str, Coroutine[Any, Any, str]]]:
    yield "gateway", _ask_gateway(settings)
    yield "store", _ask_store(settings)
    yield "audit", _ask_trail(settings)
    for name in settings.adapters:
        yield f"adapters.{name}", _ask_platform(settings, AccountName(name))
    for name, agent in settings.agents.items():
        yield f"agents.{name}", _ask_model(AgentId(name), agent)


async def _find(subject: str, answer: Coroutine[Any, Any, str]) -> Finding:
    try:
        async with SystemClock().timeout(_PATIENCE):
            return Finding("ok", subject, await answer)
    except TimeoutError as error:
        return Finding("fail", subject, f"no answer in {_PATIENCE:.0f} s", _cure(error))
    except GatewayError as error:
        return Finding("fail", subject, str(error), _cure(error))
    except Exception as error:  # noqa: BLE001 - the other findings are wanted all the same
        words = f"{type(error).__name__}: {error}"
        return Finding("fail", subject, words, "this is a bug; please report it")


def _cure(error: Exception) -> str:
    return next((cure for kind, cure in _CURES if isinstance(error, kind)), "")


async def _ask_gateway(settings: GatewaySettings) -> str:
    try:
        status = await asyncio.to_thread(ask, settings.data_dir, "status")
    except NothingRuns:
        return "does not run"
    return f"is up for {duration(status['uptime_seconds'])}, {status['waiting']} waiting"


async def _ask_store(settings: GatewaySettings) -> str:
    """Only look: the store may be in use, and older than this program."""
    if not await asyncio.to_thread(database_path(store_url(settings)).exists):
        return "will be made at the first start"
    store = open_store(settings, SystemClock(), read_only=True)
    await store.open()
    try:
        return await store.check()
    finally:
        await store.close()


async def _ask_trail(settings: GatewaySettings) -> str:
    if not await asyncio.to_thread(database_path(store_url(settings)).exists):
        return "will begin at the first start"
    store = open_store(settings, SystemClock(), read_only=True)
    await store.open()
    try:
        broken = await store.audit.first_broken()
        last = await store.audit.seal()
    finally:
        await store.close()
    if broken is not None:
        raise TrailBroken(f"row {broken} of the audit trail is not as it was written")
    return "nothing was noted yet" if last is None else f"whole, {last.number} rows"


async def _ask_platform(settings: GatewaySettings, name: AccountName) -> str:
    clock = SystemClock()
    health = AccountHealth(name, clock)
    adapter = build_adapter(settings, health, _NoCursors(), (), clock)
    await adapter.open()
    try:
        return await adapter.check()
    finally:
        await adapter.close()


async def _ask_model(name: AgentId, agent: AgentSettings) -> str:
    provider = make_provider(name, agent)
    try:
        return await provider.check()
    finally:
        await provider.close()


class _NoCursors:
    """Remembers no position: nothing is received here."""

    async def load(self, name: str) -> str | None:
        return None

    async def save(self, name: str, position: str) -> None:
        return
