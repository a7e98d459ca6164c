"""Deliveries: the one place that calls an adapter's send, and what it does when that fails.

A message's row is committed before its send, and its id before anything else happens to
it. What was certainly not applied is tried again; what may have been is repeated only
where a repeat cannot show twice.
"""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog

from gateway.clock import Clock
from gateway.contracts.adapter import (
    DeletesMessages,
    EditsMessages,
    FindsSent,
    RepeatsSafely,
    SendsFiles,
    ShowsTyping,
)
from gateway.contracts.stores import Outbox, OutboxKind, OutboxRow, OutboxState
from gateway.errors import (
    AccountRejected,
    NotSupported,
    RetryLater,
    SendRefused,
    SendUncertain,
    StoreBusy,
)
from gateway.ids import MessageId
from gateway.messages import OutgoingFile, OutgoingMessage
from gateway.replies.pace import backoff
from gateway.replies.route import Route
from gateway.replies.wording import PLACEHOLDER, is_stub, stub

log = structlog.get_logger()

_FAULTS_AT_MOST = 6
_DOUBTS_AT_MOST = 12
"""Sends that failed in doubt, each found not to have arrived: about seven minutes of them."""
_STUBS_AT_MOST = 6
_LATER = 60.0
_LOOK_AFTER = (2.0, 8.0)
"""Pauses before each look for a message that may have arrived."""
_OLD_REQUEST = 30.0
"""Seconds in which a request of an ended process may still be at work."""

Result = TypeVar("Result")
Call = Callable[[], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that was sent, and what it shows."""

    row: OutboxRow
    shown: OutgoingMessage


class Deliveries:
    """Sends and edits, each through its conversation's bucket and its outbox row."""

    def __init__(self, store: Outbox, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def post(
        self, route: Route, position: int, message: OutgoingMessage, *, may_edit: bool = True
    ) -> Posted:
        """Send a new message, however long it takes.

        It shows less than the whole where a send may show twice: an edit follows. Its
        row is `sent`, or `unknown` where nothing more can be done for it. What grows is
        kept without its text: should nobody know what became of it, it is sent again.

        Raises:
            SendRefused: the platform will not have it; the row is `failed`.
            NotSupported: it cannot grow here now, and may be sent once it is whole.
            RetryLater: it never says whether a message has arrived.
        """
        first = _stubbed(message) if may_edit and route.needs_stub else message
        kept = message.text if route.turn is None else first.text
        if message.is_growing and not route.needs_stub:
            kept = ""
        is_little = first is not message or not kept
        for tries in range(1, _STUBS_AT_MOST + 1):
            row = await self._store.begin(
                route.address,
                turn=route.turn,
                position=position,
                kind=OutboxKind.TEXT,
                text=kept,
                announcement=route.announcement,
            )
            sent = await self._send_row(route, row, first, kept, is_little=is_little)
            if sent.state is not OutboxState.ABANDONED:
                return Posted(sent, first)
            await self._clock.sleep(backoff(tries))
            await self._wait_until_reachable(route)
        raise RetryLater("the platform does not say whether a message has arrived", _LATER)

    async def _wait_until_reachable(self, route: Route) -> None:
        """Make a call that does no harm twice until it gets through."""
        adapter = route.adapter
        if not isinstance(adapter, ShowsTyping):
            return
        for doubts in itertools.count(1):
            try:
                await self._made(route, lambda: adapter.show_typing(route.address))
            except SendUncertain:
                await self._clock.sleep(backoff(doubts))
            except (SendRefused, NotSupported):
                return
            else:
                return

    async def edit(self, route: Route, row: OutboxRow, message: OutgoingMessage) -> None:
        """Make a sent message say this, however long it takes.

        Raises:
            SendRefused: it cannot be edited any more.
            NotSupported: nothing can be edited here.
        """
        for doubts in itertools.count(1):
            try:
                await self._made(route, lambda: self._edit(route, row, message))
            except SendUncertain:
                # Saying it again changes nothing if it was said.
                await self._clock.sleep(backoff(doubts))
            else:
                return

    async def edit_once(self, route: Route, row: OutboxRow, message: OutgoingMessage) -> None:
        """Try an interim edit, and leave its errors to the caller."""
        async with route.conversation.slot():
            await self._edit(route, row, message)

    async def send_files(
        self, route: Route, position: int, files: Sequence[OutgoingFile]
    ) -> OutboxRow:
        """Send files of one kind together; their row is `final`, or `unknown`.

        Raises:
            SendRefused: the platform will not have them; the row is `failed`.
        """
        row = await self._store.begin(
            route.address, turn=route.turn, position=position, kind=OutboxKind.FILES, files=files
        )
        return await self._send_row(route, row, None, "", is_little=False)

    async def adopt(self, route: Route, row: OutboxRow) -> OutboxRow:
        """Settle what an earlier process left in `sending`: find it, repeat it or give it up."""
        if row.state is not OutboxState.SENDING:
            return row
        adapter = route.adapter
        is_little = _is_little(route, row)
        if isinstance(adapter, FindsSent) and not self._may_repeat(route, row):
            # At most so long, should the clock have been set back meanwhile.
            left = row.created_at + _OLD_REQUEST - self._clock.now()
            await self._clock.sleep(min(left, _OLD_REQUEST))
            found, is_known = await self._find(route, row)
            if found is not None:
                await self._note_sent(row, found, row.text)
                return replace(row, state=OutboxState.SENT, message_id=found)
            if not is_known:
                return await self._give_up(row, is_little=is_little)
        elif not isinstance(adapter, RepeatsSafely):
            return await self._give_up(row, is_little=is_little)
        message = _sought(route, row) if row.kind is OutboxKind.TEXT else None
        try:
            return await self._send_row(route, row, message, row.text, is_little=is_little)
        except (SendRefused, NotSupported) as refusal:
            # What cannot grow here now is sent once it is whole.
            is_refused = isinstance(refusal, SendRefused)
            return replace(row, state=OutboxState.FAILED if is_refused else OutboxState.ABANDONED)

    async def delete(self, route: Route, row: OutboxRow) -> None:
        """Take a message back.

        Raises:
            SendRefused: it cannot be taken back.
            NotSupported: nothing can be taken back here.
        """
        adapter = route.adapter
        if not isinstance(adapter, DeletesMessages):
            raise NotSupported("this platform takes no message back")
        message_id = _id_of(row)
        for doubts in itertools.count(1):
            try:
                await self._made(route, lambda: adapter.delete(route.address, message_id))
            except SendUncertain:
                await self._clock.sleep(backoff(doubts))
            else:
                break
        await self._store.settle_later(row.id, OutboxState.ABANDONED)

    async def checkpoint(self, row: OutboxRow, text: str) -> None:
        """Note what a growing message says; losing one note does no harm."""
        try:
            await self._store.checkpoint(row.id, text)
        except StoreBusy:
            log.info("checkpoint.skipped", row=row.id)

    async def settle(self, row: OutboxRow, state: OutboxState) -> None:
        await self._store.settle_later(row.id, state)

    async def _made(self, route: Route, call: Call[Result]) -> Result:
        """Make a call as often as it takes, each time when its conversation lets it."""
        faults = 0
        while True:
            try:
                async with route.conversation.slot():
                    return await call()
            except RetryLater as pause:
                log.info("call.put_off", account=route.address.account, after=pause.after)
            except (SendUncertain, SendRefused, NotSupported, AccountRejected):
                raise
            except Exception as fault:
                faults += 1
                log.exception("adapter.misbehaved", account=route.address.account, faults=faults)
                if faults >= _FAULTS_AT_MOST:
                    raise SendRefused("an error in the adapter") from fault
                route.conversation.close_for(backoff(faults))

    async def _send_row(
        self,
        route: Route,
        row: OutboxRow,
        message: OutgoingMessage | None,
        kept: str,
        *,
        is_little: bool,
    ) -> OutboxRow:
        """Send a row that is noted as `sending`, and note what became of it."""
        try:
            message_id = await self._sent_once(route, row, message)
        except (SendRefused, NotSupported) as refusal:
            if isinstance(refusal, NotSupported) and message is not None and message.is_growing:
                await self._store.settle(row.id, OutboxState.ABANDONED, str(refusal))
                raise
            log.warning("send.refused", row=row.id, kind=row.kind.value)
            await self._store.settle(row.id, OutboxState.FAILED, str(refusal))
            if isinstance(refusal, SendRefused):
                raise
            raise SendRefused(str(refusal)) from refusal
        if message_id is None:
            return await self._give_up(row, is_little=is_little)
        await self._note_sent(row, message_id, kept)
        if row.kind is OutboxKind.FILES:
            await self._store.settle_later(row.id, OutboxState.FINAL)
        return replace(row, state=OutboxState.SENT, message_id=message_id)

    async def _sent_once(
        self, route: Route, row: OutboxRow, message: OutgoingMessage | None
    ) -> MessageId | None:
        """Send under the row's key; None when it may have arrived and nobody can tell.

        What is known not to have arrived is sent again for minutes, and is refused then.
        """
        for doubts in itertools.count(1):
            try:
                return await self._made(route, lambda: _send(route, row, message))
            except SendUncertain:
                log.warning("send.uncertain", row=row.id, kind=row.kind.value)
            if self._may_repeat(route, row):
                await self._clock.sleep(backoff(doubts))
                continue
            found, is_known = await self._find(route, row)
            if found is not None or not is_known:
                return found
            if doubts >= _DOUBTS_AT_MOST:
                raise SendRefused("the platform did not take it")
            await self._clock.sleep(backoff(doubts))
        raise AssertionError("counting never ends")

    def _may_repeat(self, route: Route, row: OutboxRow) -> bool:
        """Say whether the platform still knows the row's key from its first send."""
        adapter = route.adapter
        if not isinstance(adapter, RepeatsSafely):
            return False
        # Nobody can say how old it is where the clock was set back since.
        return 0 <= self._clock.now() - row.created_at < adapter.repeat_window

    async def _find(self, route: Route, row: OutboxRow) -> tuple[MessageId | None, bool]:
        """Look for a message that may have arrived; False when that cannot be known."""
        adapter = route.adapter
        # A message of files is shown without a key, so that none found would mean nothing.
        if not isinstance(adapter, FindsSent) or row.kind is OutboxKind.FILES:
            return None, False
        sought = _sought(route, row)
        looks = 0
        while looks < len(_LOOK_AFTER):
            await self._clock.sleep(_LOOK_AFTER[looks])
            try:
                found = await self._made(
                    route, lambda: adapter.find_sent(route.address, sought, row.created_at)
                )
            except SendUncertain:
                continue
            except (SendRefused, NotSupported):
                route.account.can_look = False
                return None, False
            if found is not None:
                return found, True
            looks += 1
        return None, True

    async def _give_up(self, row: OutboxRow, *, is_little: bool) -> OutboxRow:
        """Note what may be there; unless it `is_little`, it is not to be sent again."""
        state = OutboxState.ABANDONED if is_little else OutboxState.UNKNOWN
        log.warning("send.given_up", row=row.id, kind=row.kind.value, state=state.value)
        await self._store.settle(row.id, state)
        return replace(row, state=state)

    async def _note_sent(self, row: OutboxRow, message_id: MessageId, text: str) -> None:
        for tries in itertools.count(1):
            try:
                await self._store.sent(row.id, message_id, text)
            except StoreBusy as pause:
                await self._clock.sleep(max(pause.after, backoff(tries)))
            else:
                return

    async def _edit(self, route: Route, row: OutboxRow, message: OutgoingMessage) -> None:
        adapter = route.adapter
        if not isinstance(adapter, EditsMessages):
            raise NotSupported("this platform edits no message")
        await adapter.edit(route.address, _id_of(row), replace(message, key=row.id))


async def _send(route: Route, row: OutboxRow, message: OutgoingMessage | None) -> MessageId:
    if message is not None:
        return await route.adapter.send(route.address, replace(message, key=row.id))
    if not isinstance(route.adapter, SendsFiles):
        raise NotSupported("this platform takes no files")
    return (await route.adapter.send_files(route.address, row.files, row.id))[0]


def _sought(route: Route, row: OutboxRow) -> OutgoingMessage:
    """Return a row's message as it was first sent, as far as that was kept."""
    reply_to = route.reply_to if row.position <= 0 else None
    return OutgoingMessage(row.id, row.text or PLACEHOLDER, reply_to, is_growing=True)


def _is_little(route: Route, row: OutboxRow) -> bool:
    """Say whether an earlier process sent so little that the answer may follow it anew."""
    if row.kind is not OutboxKind.TEXT:
        return False
    # A notice is kept whole, whatever of it was sent.
    return route.needs_stub if row.turn is None else not row.text or is_stub(row.text)


def _stubbed(message: OutgoingMessage) -> OutgoingMessage:
    """Return a few words of a message: seen twice, they are no second answer."""
    choices = message.choices if message.is_growing else ()
    return replace(message, text=stub(message.text), choices=choices, is_growing=True)


def _id_of(row: OutboxRow) -> MessageId:
    if row.message_id is None:
        raise SendRefused("the message's id is not known")
    return row.message_id
