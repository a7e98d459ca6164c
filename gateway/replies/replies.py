"""Replies: one for each turn, and the gateway's own words outside any turn."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog

from gateway.clock import Clock
from gateway.contracts.adapter import Adapter
from gateway.contracts.stores import Outbox, OutboxRow, OutboxState, Turn
from gateway.errors import GatewayError, SendRefused
from gateway.ids import AccountName, MessageId
from gateway.messages import Address, Choice, Message, Origin
from gateway.replies.body import View
from gateway.replies.outbox import Deliveries
from gateway.replies.pace import AccountPace
from gateway.replies.pages import Pages
from gateway.replies.reply import Reply
from gateway.replies.route import Account, Route
from gateway.replies.split import split
from gateway.replies.wording import listed

log = structlog.get_logger()

_NOTICE_LASTS = 3600.0
"""Seconds after which a notice that was never sent is no news any more."""


class Replies:
    """Opens replies and sends notices, on every account."""

    def __init__(
        self, outbox: Outbox, adapters: Mapping[AccountName, Adapter], clock: Clock
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._deliveries = Deliveries(outbox, clock)
        self._accounts = {
            name: Account(adapter, AccountPace(adapter.limits, clock))
            for name, adapter in adapters.items()
        }
        self._started_at = clock.now()
        self._notices: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[Reply]:
        """Lend the turn's reply; what it shows stops growing when the block is left."""
        message = turn.kept.message
        account = self._account(message.address)
        reply_to = _answered(message)
        with account.pace.using(message.address.place) as conversation:
            route = Route(account, message.address, conversation, turn, reply_to)
            rows = await self._outbox.of_turn(turn.id) if turn.is_resumed else ()
            reply = Reply(self._deliveries, route, rows, self._clock)
            async with reply:
                yield reply

    async def notice(
        self,
        address: Address,
        text: str,
        *,
        reply_to: MessageId | None = None,
        choices: Sequence[Choice] = (),
        announcement: int | None = None,
    ) -> bool:
        """Say something outside any turn; False if the gateway closes before it is said.

        What was noted by then is said after the next start. An announcement is said by whoever
        keeps it: said again, it goes on in the messages that it has.
        """
        said = self._say(address, text, reply_to, choices, announcement)
        return await self._until_closed(said)

    async def recover(self) -> None:
        """Bring to their end the notices that an earlier process left."""
        rows = await self._outbox.unsettled_notices()
        async with asyncio.TaskGroup() as tasks:
            for row in rows:
                if row.created_at < self._started_at and row.address.account in self._accounts:
                    tasks.create_task(self._until_closed(self._recover(row)))

    async def close(self) -> None:
        """Give up notices that still wait to be sent."""
        for task in self._notices:
            task.cancel()
        if self._notices:
            await asyncio.wait(self._notices)

    def _account(self, address: Address) -> Account:
        account = self._accounts.get(address.account)
        if account is None:
            raise SendRefused(f"no account is named {address.account} any more")
        return account

    async def _until_closed(self, work: Coroutine[Any, Any, None]) -> bool:
        task = asyncio.create_task(work)
        self._notices.add(task)
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            await asyncio.wait([task])
            self._notices.discard(task)
        if task.cancelled():
            return False
        task.result()
        return True

    async def _say(
        self,
        address: Address,
        text: str,
        reply_to: MessageId | None,
        choices: Sequence[Choice],
        announcement: int | None,
    ) -> None:
        account = self._account(address)
        with account.pace.using(address.place) as conversation:
            route = Route(account, address, conversation, None, reply_to, announcement)
            buttons, others = route.parted(choices)
            whole = "\n\n".join(filter(None, [text, listed(others)]))
            texts = split(whole, route.limits.text, route.limits.measure)
            views = [View(one) for one in texts]
            pages = Pages(self._deliveries, route, self._clock)
            if announcement is not None:
                await pages.resume(await self._outbox.of_announcement(announcement))
            await pages.finish(views, buttons)

    async def _recover(self, row: OutboxRow) -> None:
        if row.state is OutboxState.SENDING and self._clock.now() - row.created_at > _NOTICE_LASTS:
            await self._deliveries.settle(row, OutboxState.ABANDONED)
            return
        account = self._account(row.address)
        try:
            with account.pace.using(row.address.place) as conversation:
                route = Route(account, row.address, conversation, None)
                pages = Pages(self._deliveries, route, self._clock)
                await pages.resume([replace(row, position=0)])
                await pages.finish([View(row.text)], ())
        except GatewayError as error:
            log.warning("notice.not_recovered", reason=type(error).__name__)


def _answered(message: Message) -> MessageId | None:
    """Return what a reply shows that it answers; between two people that needs no showing."""
    if message.origin is Origin.INVOKED:
        return message.message_id
    return None if message.address.place.is_direct else message.pressed_on or message.message_id
