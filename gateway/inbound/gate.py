"""The gate: everything that comes in is authorised and kept here, once, or refused."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from gateway.commands.registry import Commands
from gateway.contracts.inbox import Arrival, Inbox, KeepOutcome, Overheard
from gateway.contracts.people import Identities
from gateway.contracts.stores import Sessions
from gateway.ids import Lane
from gateway.inbound.rates import Excess, Rates
from gateway.inbound.routing import Routing
from gateway.inbound.turn_files import TurnFiles
from gateway.inbound.turned_away import TurnedAway
from gateway.messages import (
    Burst,
    Inbound,
    Message,
    MessageDeleted,
    MessagesMissed,
    PlaceMoved,
    Receipt,
    channel_context,
)
from gateway.people.access import Access, Refusal

log = structlog.get_logger()


class Gate:
    """Returns from `accept` after the commit; only then may an adapter acknowledge."""

    def __init__(
        self,
        access: Access,
        routing: Routing,
        commands: Commands,
        inbox: Inbox,
        identities: Identities,
        overheard: Overheard,
        sessions: Sessions,
        files: TurnFiles,
        turned_away: TurnedAway,
        rates: Rates,
        wake: Callable[[Lane], None],
    ) -> None:
        self._access = access
        self._routing = routing
        self._commands = commands
        self._inbox = inbox
        self._identities = identities
        self._overheard = overheard
        self._sessions = sessions
        self._files = files
        self._turned_away = turned_away
        self._rates = rates
        self._wake = wake

    async def accept(self, inbound: Inbound) -> Receipt:
        """Keep it, or refuse it; raise `RetryLater` when neither could be written down."""
        match inbound:
            case Message():
                (receipt,) = await self._accept_messages([inbound])
                return receipt
            case Burst():
                await self._accept_messages(inbound.messages)
                return Receipt()
            case PlaceMoved():
                return await self._accept_move(inbound)
            case MessageDeleted():
                await self._inbox.withdraw(inbound.account, inbound.message_id)
                return Receipt()
            case MessagesMissed():
                await self._note_missed(inbound)
                return Receipt()

    async def _note_missed(self, missed: MessagesMissed) -> None:
        answerable = [
            message
            for message in missed.messages
            if not isinstance(await self._access.authorise(message), Refusal)
        ]
        if answerable:
            await self._turned_away.miss(answerable)

    async def _accept_move(self, moved: PlaceMoved) -> Receipt:
        old = channel_context(moved.platform, moved.old)
        new = channel_context(moved.platform, moved.new)
        await self._access.move_place(moved)
        await self._files.move_place(old, new)
        await self._sessions.move_place(moved.platform, old, new)
        for lane in await self._inbox.waiting_lanes():
            self._wake(lane)
        return Receipt()

    async def _accept_messages(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        verdicts = [await self._judge(message) for message in messages]
        arrivals = [verdict for verdict in verdicts if isinstance(verdict, Arrival)]
        outcomes = await self._inbox.keep(arrivals) if arrivals else ()
        if KeepOutcome.STALE in outcomes:
            return await self._accept_messages(messages)
        kept = iter(outcomes)
        return await _all([
            self._conclude(verdict, next(kept))
            if isinstance(verdict, Arrival)
            else self._turn_away(message, verdict)
            for message, verdict in zip(messages, verdicts, strict=True)
        ])

    async def _judge(self, message: Message) -> Arrival | Refusal | Excess:
        admission = await self._access.authorise(message)
        if isinstance(admission, Refusal):
            return admission
        is_control = self._commands.is_control(message)
        if (over := self._rates.excess(message, admission, is_control=is_control)) is not None:
            return over
        urgent = self._commands.urgent(message)
        route = self._routing.route(message, admission, is_control=is_control, urgent=urgent)
        return Arrival(
            message,
            lane=route.lane,
            session_key=route.key.encode(),
            agent=route.agent,
            person=admission.person.id,
            is_linked=admission.person.is_linked,
            is_bounded=not is_control,
        )

    async def _conclude(self, arrival: Arrival, outcome: KeepOutcome) -> Receipt:
        message = arrival.message
        log.info("message.accepted", account=message.address.account, outcome=outcome.value)
        if outcome in (KeepOutcome.KEPT, KeepOutcome.REPLACED, KeepOutcome.DUPLICATE):
            # What is told again may have been cut off before this, once it was kept.
            self._wake(arrival.lane)
        if message.address.place.is_direct:
            await self._identities.meet(message)
        return self._turned_away.shed(message) if outcome is KeepOutcome.FULL else Receipt()

    async def _turn_away(self, message: Message, verdict: Refusal | Excess) -> Receipt:
        if not isinstance(verdict, Refusal):
            return await self._turned_away.slow_down(message, verdict)
        if verdict.context:
            await self._overheard.note(message, verdict.context)
        return await self._turned_away.refuse(message, verdict)


async def _all(steps: Sequence[Coroutine[Any, Any, Receipt]]) -> Sequence[Receipt]:
    """Take steps side by side; raise the first error once none goes on."""
    if len(steps) == 1:
        return [await steps[0]]
    receipts: list[Receipt] = []
    for ended in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended
        receipts.append(ended)
    return receipts
