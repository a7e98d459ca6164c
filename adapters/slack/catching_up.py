"""Looking for what was written while nobody listened: Slack keeps it, and time is its order."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog

from adapters.slack.api import Api, SaidNo
from adapters.slack.intake import Intake
from adapters.slack.ledger import Ledger
from gateway.clock import Clock
from gateway.errors import RetryLater

log = structlog.get_logger()

_PAGE = 200
_PAGES = 5
_CONVERSATIONS = 1000
"""At the rate that Slack allows so many take 22 minutes; where somebody writes comes first."""
_KINDS = "im,mpim,public_channel,private_channel"
_TOLD_OF_WITHIN = 7 * 86_400.0
"""Seconds; what is older than that is not even told of."""
_THREADS_WITHIN = 90 * 86_400.0
"""How old a thread may be in which somebody writes anew."""
_GONE = {"thread_not_found", "message_not_found", "channel_not_found", "not_in_channel"}
_OVERLAP = 10
"""Seconds before the last message seen: one of another conversation may have overtaken it."""
_AHEAD = 60.0
"""Seconds that Slack's clock may be before ours."""
_BEFORE_A_NEW_ONE = 30.0
"""Seconds that a new message waits for older ones. Slack tells it again when that takes three."""

Json = Mapping[str, Any]


class CatchingUp:
    """Reads histories after a gap, through the same door as everything else."""

    def __init__(
        self, api: Api, intake: Intake, ledger: Ledger, clock: Clock, oldest_age: float
    ) -> None:
        self._api = api
        self._intake = intake
        self._ledger = ledger
        self._clock = clock
        self._oldest_age = oldest_age
        self._wanted = asyncio.Event()
        self._since: Decimal | None = None
        """From when on what was missed is answered, while there is a gap."""
        self._told_since = Decimal(0)
        """What lies between this and that is too old for it, and is told of."""
        self._looking: dict[str, asyncio.Lock] = {}
        self._done: set[str] = set()

    def want(self) -> None:
        """Have it looked for what has been missed since the last message surely seen."""
        self._ledger.note_gap()
        gap = self._ledger.gap
        if gap is not None:
            begun = Decimal(gap) - _OVERLAP
            self._since = max(begun, self._ago(self._oldest_age))
            self._told_since = max(begun, self._ago(_TOLD_OF_WITHIN))
            self._done.clear()
            self._wanted.set()

    def _ago(self, seconds: float) -> Decimal:
        return Decimal(f"{self._clock.now() - seconds:.6f}")

    async def run(self) -> None:
        """Look whenever it is wanted."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            gap = self._ledger.gap
            for channel in await self._conversations():
                await self._catch_up(channel)
            if not self._wanted.is_set() and gap is not None:
                self._ledger.close_gap(gap)
                self._since = None
                self._done.clear()

    async def first(self, channel: str) -> None:
        """Have what was missed in a conversation kept before something new, if it can be had."""
        if self._since is not None:
            with suppress(TimeoutError):
                async with self._clock.timeout(_BEFORE_A_NEW_ONE):
                    await self._catch_up(channel)

    async def _catch_up(self, channel: str) -> None:
        lock = self._looking.setdefault(channel, asyncio.Lock())
        async with lock:
            since = self._since
            if since is None or channel in self._done:
                return
            shown = await self._shown(channel, since)
            messages = [one for one in shown if Decimal(one["ts"]) > since]
            for message in messages:
                await self._intake.take_missed(channel, message)
            await self._intake.tell_missed(channel, shown[: len(shown) - len(messages)])
            if since == self._since:
                self._done.add(channel)
        if messages:
            log.info("history.caught_up", conversation=channel, messages=len(messages))
        if not lock.locked():
            self._looking.pop(channel, None)

    async def _conversations(self) -> list[str]:
        """Return where to look: what is known, the latest first, then what Slack names."""
        names = dict.fromkeys(self._ledger.conversations)
        listed = await self._pages(
            "users.conversations", "channels", types=_KINDS, exclude_archived=True
        )
        names.update(dict.fromkeys(one["id"] for one in listed))
        if len(names) > _CONVERSATIONS:
            log.warning("history.not_read", reason="the app is in so many conversations")
        return list(names)[:_CONVERSATIONS]

    async def _shown(self, channel: str, since: Decimal) -> list[Json]:
        """Return what was missed in a conversation and its threads, oldest first.

        The newest is read first, as there may be more than can be read, and what is met on the way
        before `since` costs no other call: it shows which older threads were written in.
        """
        told_since = self._told_since
        bounds = {"oldest": str(self._ago(_THREADS_WITHIN)), "latest": str(self._ago(-_AHEAD))}
        told = await self._pages(
            "conversations.history", "messages", until=since, channel=channel, **bounds
        )
        roots = {one["thread_ts"] for one in told if _last_reply(one) > told_since}
        roots.update(self._ledger.threads_of(channel))
        for root in sorted(roots):
            told += await self._pages(
                "conversations.replies",
                "messages",
                channel=channel,
                ts=root,
                oldest=str(told_since),
            )
        new = {one["ts"]: one for one in told if Decimal(one["ts"]) > told_since}
        return [new[ts] for ts in sorted(new, key=Decimal)]

    async def _pages(
        self, method: str, kind: str, *, until: Decimal | None = None, **parameters: Any
    ) -> list[Json]:
        """Read a list to its end, back to a moment, or as far as is sensible.

        What may not be read is no list.
        """
        found: list[Json] = []
        cursor: dict[str, str] = {}
        for _ in range(_PAGES):
            try:
                answer = await self._patiently(method, limit=_PAGE, **parameters, **cursor)
            except SaidNo as refusal:
                if refusal.error not in _GONE:
                    log.warning("history.not_read", method=method, reason=str(refusal))
                return found
            found += answer.get(kind) or ()
            following = (answer.get("response_metadata") or {}).get("next_cursor")
            is_far_enough = found and until is not None and Decimal(found[-1]["ts"]) <= until
            if not following or is_far_enough:
                return found
            cursor = {"cursor": following}
        return found

    async def _patiently(self, method: str, **parameters: Any) -> Json:
        while True:
            try:
                answer: Json = await self._api.call(method, **parameters)
            except RetryLater as pause:
                log.info("history.put_off", method=method, after=pause.after)
                await self._clock.sleep(pause.after)
            else:
                return answer


def _last_reply(message: Json) -> Decimal:
    """Return when a thread was last written in; 0 for what is none.

    https://docs.slack.dev/messaging/retrieving-messages
    """
    if not message.get("thread_ts") or not message.get("reply_count"):
        return Decimal(0)
    try:
        return Decimal(str(message.get("latest_reply") or message["ts"]))
    except InvalidOperation:
        return Decimal(0)
