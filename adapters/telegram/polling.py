"""Asking for updates; asking for the next confirms the last, so it waits until they are kept."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog

from adapters.telegram.api import Api, SaidNo, unknown_bot, unreadable
from adapters.telegram.inbound import UPDATES
from adapters.telegram.patience import Patience
from gateway.clock import Clock
from gateway.contracts.adapter import AdapterKit
from gateway.errors import RetryLater

log = structlog.get_logger()

Update = Mapping[str, Any]
Take = Callable[[Sequence[Update]], Awaitable[None]]
"""Returns once updates of a chat are kept or skipped; or raises `RetryLater`."""
Outcome = tuple[list[Update], RetryLater | None]
"""A chat's updates that are left over, and why."""

_MOST_AT_ONCE = 100
_QUIET_DAYS = 6 * 86_400.0
"""After a week without updates Telegram numbers them anew, from anywhere."""
_SHORTEST_POLL = 0.1
"""Seconds from one empty answer to the next question, if a server does not wait itself."""


class Poller:
    """The one poller of one bot."""

    def __init__(self, api: Api, kit: AdapterKit, timeout: float) -> None:
        self._patience = Patience(api, kit)
        self._clock = kit.clock
        self._health = kit.health
        self._timeout = int(timeout)
        self._position = Position(kit.clock)

    async def prepare(self) -> None:
        """Do what has to be done once before the first question."""
        await self._patience.call("deleteWebhook", {})
        # A question without updates is answered only after its whole time: too late to tell.
        self._health.alive()

    async def run(self, take: Take) -> None:
        """Poll until cancelled."""
        while True:
            asked = self._clock.monotonic()
            updates = await self._ask()
            if updates:
                await self._take_all(updates, take)
                self._position.advance(updates)
            elif self._clock.monotonic() - asked < _SHORTEST_POLL:
                await self._clock.sleep(_SHORTEST_POLL)

    async def _ask(self) -> list[Update]:
        question = {
            "timeout": self._timeout,
            "limit": _MOST_AT_ONCE,
            "allowed_updates": UPDATES,
            **self._position.offset(),
        }
        try:
            answer = await self._patience.call("getUpdates", question)
        except SaidNo as refusal:
            await self._wait_out(refusal)
            return []
        if not isinstance(answer, list):
            await self._patience.wait(str(unreadable()))
            return []
        self._health.alive()
        return [update for update in answer if _is_numbered(update)]

    async def _wait_out(self, refusal: SaidNo) -> None:
        if refusal.code == HTTPStatus.NOT_FOUND:
            raise unknown_bot(refusal) from refusal
        if refusal.code != HTTPStatus.CONFLICT:
            await self._patience.wait(str(refusal))
        elif refusal.says("webhook"):
            await self._patience.wait("a webhook was set for this bot; removing it")
            await self._patience.call("deleteWebhook", {})
        else:
            await self._patience.wait("another program asks for this bot's updates; end it")

    async def _take_all(self, updates: Sequence[Update], take: Take) -> None:
        """Have every update kept, in order within a chat, chats beside one another."""
        waiting = _by_chat(updates)
        while waiting:
            outcomes = await _take_chats(waiting, take)
            waiting = [left for left, _ in outcomes if left]
            pauses = [trouble.after for _, trouble in outcomes if trouble is not None]
            if pauses:
                await self._patience.wait("what comes in cannot be kept now", at_least=max(pauses))
        self._health.alive()


class Position:
    """How far the updates are confirmed.

    Telegram keeps it too: after a restart it delivers again what was not confirmed, and
    the inbox knows what it has kept.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next: int | None = None
        self._reached_at = 0.0

    def advance(self, updates: Sequence[Update]) -> None:
        """Confirm updates with the next question."""
        self._next = max(update["update_id"] for update in updates) + 1
        self._reached_at = self._clock.now()

    def offset(self) -> dict[str, int]:
        if self._next is None or self._clock.now() - self._reached_at > _QUIET_DAYS:
            return {}
        return {"offset": self._next}


def _is_numbered(update: object) -> bool:
    return isinstance(update, dict) and isinstance(update.get("update_id"), int)


def _by_chat(updates: Sequence[Update]) -> list[list[Update]]:
    chats: dict[str | None, list[Update]] = {}
    for update in updates:
        chats.setdefault(_chat(update), []).append(update)
    return list(chats.values())


def _chat(update: Update) -> str | None:
    """Name an update's chat; updates without one keep their order among themselves."""
    for body in update.values():
        if isinstance(body, dict):
            holder = body if "chat" in body else body.get("message")
            chat = holder.get("chat") if isinstance(holder, dict) else None
            return str(chat.get("id")) if isinstance(chat, dict) else None
    return None


async def _take_chats(chats: Sequence[list[Update]], take: Take) -> list[Outcome]:
    if len(chats) == 1:
        return [await _take_in_order(chats[0], take)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_take_in_order(updates, take)) for updates in chats]
    return [task.result() for task in tasks]


async def _take_in_order(updates: list[Update], take: Take) -> Outcome:
    taken = 0
    for together in _runs(updates):
        try:
            await take(together)
        except RetryLater as trouble:
            return updates[taken:], trouble
        taken += len(together)
    return [], None


def _runs(updates: Sequence[Update]) -> list[list[Update]]:
    """Put messages that follow one another together; whatever else comes stays alone."""
    runs: list[list[Update]] = []
    for update in updates:
        if runs and "message" in update and "message" in runs[-1][-1]:
            runs[-1].append(update)
        else:
            runs.append([update])
    return runs
