"""Having what Slack delivers kept: whatever comes is acknowledged only after that."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog

from adapters.slack.contents import needs_asking
from adapters.slack.errands import Errands
from adapters.slack.identity import Names
from adapters.slack.inbound import Reader
from adapters.slack.lateness import Met
from adapters.slack.ledger import Ledger
from gateway.contracts.adapter import AdapterKit, Deliver
from gateway.errors import MALFORMED, RetryLater
from gateway.ids import ExternalUser
from gateway.messages import Inbound, Message, MessagesMissed, Origin, Receipt

log = structlog.get_logger()

Body = Mapping[str, Any]
Answer = dict[str, Any]

_ACKNOWLEDGED_WITHIN = 2.4
"""Slack waits three seconds."""
_FILES_REMEMBERED = 500
_GUESTS_REMEMBERED = 10_000
_WAIT_FOR_A_MESSAGE = 1.0
"""A file's message may follow the notice of the file."""


_NOT_NOW = "I cannot take this now. Please try again in a minute."
_NOT_HERE = (
    "I am not in this conversation, so I could not answer. Invite me, or write to me directly."
)


class Accident(Exception):
    """Keeping something has gone wrong as nobody foresaw; what came is not to blame."""


class Intake:
    """Reads what comes and has it delivered, in order within a conversation."""

    def __init__(
        self,
        reader: Reader,
        deliver: Deliver,
        kit: AdapterKit,
        ledger: Ledger,
        names: Names,
        errands: Errands,
    ) -> None:
        self._reader = reader
        self._deliver = deliver
        self._clock = kit.clock
        self._ledger = ledger
        self._names = names
        self._errands = errands
        self.first: Callable[[str], Awaitable[None]] = _nothing_is_missed
        """Has what was missed in a conversation kept before something new."""
        self.catch_up: Callable[[], None] = lambda: None
        self._lines: dict[str, tuple[asyncio.Lock, int]] = {}
        """A lock for each conversation that is being taken, and how many want it."""
        self._met = Met()
        self._files_seen: OrderedDict[str, None] = OrderedDict()
        self._guests: dict[str, ExternalUser] = {}
        """People of other workspaces, by their id alone."""

    async def take(self, body: Body, *, is_again: bool = False) -> Answer:
        """Return what to acknowledge with; `is_again` where Slack has tried before.

        Raises:
            RetryLater, Accident: it is not kept and must not be acknowledged.
        """
        try:
            return await self._take(body, is_again=is_again)
        except MALFORMED as error:
            log.warning("event.skipped", kind=str(body.get("type")), error=type(error).__name__)
            return {}

    async def _take(self, body: Body, *, is_again: bool) -> Answer:
        if body.get("type") == "event_callback":
            await self._take_event(body["event"], is_again=is_again)
            return {}
        if body.get("type") == "block_actions":
            await self._take_press(body)
            return {}
        if "command" in body:
            return await self._take_command(body)
        if body.get("type") == "app_rate_limited":
            log.warning("events.rate_limited", cure="the app is in channels with too much traffic")
        return {}

    async def _take_event(self, event: Body, *, is_again: bool) -> None:
        kind = event.get("type")
        if kind in {"message", "app_mention", "agent_session_stopped"}:
            await self._take_message(event, is_again=is_again)
        elif kind == "file_shared":
            await self._take_file(event)
        elif kind in {"app_home_opened", "assistant_thread_started"}:
            self._errands.welcome(event)

    async def _take_message(self, event: Body, *, is_again: bool = False) -> None:
        channel = event["channel"]
        ts = event.get("ts") or event["event_ts"]
        if is_again and (since := self._met.last_before(ts)) is not None:
            self._ledger.note_gap(since)
            self.catch_up()
        self._met.note(ts)
        self._note_files(event)
        self._ledger.arrived(channel, ts)
        try:
            await self.first(channel)
            async with self._in_line(channel):
                inbound = self._read(event)
                if inbound is not None:
                    receipt = await self._kept(inbound, within=_ACKNOWLEDGED_WITHIN)
                    self._tell_presser(inbound, receipt)
        except RetryLater:
            # Slack delivers it again, but not for ever.
            self.catch_up()
            raise
        self._ledger.kept(ts)

    def _read(self, event: Body) -> Inbound | None:
        """Read an event; one that is not formed as it should be must not come for ever."""
        try:
            return self._reader.read_event(event)
        except MALFORMED as error:
            log.warning("event.skipped", kind=event.get("type"), error=type(error).__name__)
            return None

    async def take_missed(self, channel: str, message: Body) -> None:
        """Have a message of a channel's history kept, however long it takes."""
        self._note_files(message)
        self._met.note(message["ts"])
        async with self._in_line(channel):
            inbound = self._read_shown(channel, message)
            if inbound is not None:
                await self._kept_or_left(inbound)

    async def tell_missed(self, channel: str, messages: Sequence[Body]) -> None:
        """Have it told that these are too old to be answered."""
        read = [self._read_shown(channel, message) for message in messages]
        missed = tuple(one for one in read if one is not None)
        if missed:
            await self._kept_or_left(MessagesMissed(missed))

    async def _kept_or_left(self, inbound: Inbound) -> None:
        """Have it kept, however long it takes; what nobody can keep must not hold up the rest."""
        try:
            await self._kept(inbound, within=None)
        except Accident:
            log.exception("event.broken")

    def _read_shown(self, channel: str, message: Body) -> Message | None:
        try:
            return self._reader.read_message(channel, message)
        except MALFORMED as error:
            log.warning("event.skipped", kind="history", error=type(error).__name__)
            return None

    async def _take_press(self, body: Body) -> None:
        inbound = self._reader.read_press(body)
        if inbound is None:
            return
        async with self._in_line(inbound.address.place.conversation):
            receipt = await self._kept(inbound, within=_ACKNOWLEDGED_WITHIN)
        if receipt.is_taken:
            self._errands.settle(body, inbound)
        self._tell_presser(inbound, receipt)

    def _tell_presser(self, inbound: Inbound, receipt: Receipt) -> None:
        """Say aside why a press was not taken."""
        if not isinstance(inbound, Message) or inbound.origin is not Origin.PRESSED:
            return
        if not receipt.is_taken and receipt.words:
            self._errands.tell(inbound.address, receipt.words)

    async def _take_command(self, body: Body) -> Answer:
        inbound = self._reader.read_command(body, self._clock.now())
        if not await self._errands.may_write_in(body["channel_id"]):
            return _ephemeral(_NOT_HERE)
        try:
            async with self._in_line(inbound.address.place.conversation):
                receipt = await self._kept(inbound, within=_ACKNOWLEDGED_WITHIN)
        except RetryLater:
            # It would not be delivered again: its writer has to know.
            return _ephemeral(_NOT_NOW)
        return {} if receipt.is_taken or not receipt.words else _ephemeral(receipt.words)

    async def _take_file(self, event: Body) -> None:
        """Have a file's message kept if none came: several files at once may have no event."""
        file, channel = event["file_id"], event.get("channel_id")
        is_ours = event.get("user_id") == self._reader.me.user
        if channel is None or is_ours or await self._is_seen(file):
            return
        message = await self._errands.message_of(file, channel)
        if message is None or file in self._files_seen:
            return
        await self._take_message({**message, "type": "message", "channel": channel})

    async def _is_seen(self, file: str) -> bool:
        if file not in self._files_seen:
            await self._clock.sleep(_WAIT_FOR_A_MESSAGE)
        return file in self._files_seen

    def _note_files(self, message: Body) -> None:
        for file in message.get("files") or ():
            self._files_seen[str(file.get("id"))] = None
        while len(self._files_seen) > _FILES_REMEMBERED:
            self._files_seen.popitem(last=False)

    async def _kept(self, inbound: Inbound, *, within: float | None) -> Receipt:
        """Deliver, and again as long as there is time."""
        inbound = await self._complete(inbound)
        deadline = None if within is None else self._clock.monotonic() + within
        while True:
            try:
                receipt = await self._deliver(inbound)
            except RetryLater as trouble:
                if deadline is not None:
                    left = deadline - self._clock.monotonic()
                    if left < trouble.after:
                        raise
                await self._clock.sleep(trouble.after)
            except MALFORMED as error:
                raise Accident from error
            else:
                self._note_thread(inbound, receipt)
                return receipt

    async def _complete(self, inbound: Inbound) -> Inbound:
        """Add what a message leaves out: its writer's name, and what other teams' files are."""
        if not isinstance(inbound, Message) or inbound.is_from_bot:
            return inbound
        inbound = self._of_known_team(inbound)
        user = inbound.address.external_user.partition(":")[2]
        if inbound.sender_name == user:
            inbound = replace(inbound, sender_name=await self._names.name(user))
        if needs_asking(inbound.attachments):
            inbound = inbound.with_attachments(await self._errands.told_of(inbound.attachments))
        return inbound

    def _of_known_team(self, message: Message) -> Message:
        """Name whose workspace a person is of, where the event of a press does not."""
        team, _, user = message.address.external_user.partition(":")
        if message.origin is Origin.TYPED:
            if team != self._reader.me.team and len(self._guests) < _GUESTS_REMEMBERED:
                self._guests[user] = message.address.external_user
            return message
        known = self._guests.get(user, message.address.external_user)
        return replace(message, address=replace(message.address, external_user=known))

    def _note_thread(self, inbound: Inbound, receipt: Receipt) -> None:
        if not (isinstance(inbound, Message) and inbound.is_addressed and receipt.is_taken):
            return
        place = inbound.address.place
        thread = place.thread or place.anchor
        if thread is not None and inbound.origin is Origin.TYPED:
            self._ledger.follow(place.conversation, thread)

    @asynccontextmanager
    async def _in_line(self, channel: str) -> AsyncIterator[None]:
        """Wait for those of the same conversation that came before."""
        lock, wanted = self._lines.get(channel, (asyncio.Lock(), 0))
        self._lines[channel] = (lock, wanted + 1)
        try:
            async with lock:
                yield
        finally:
            lock, wanted = self._lines.pop(channel)
            if wanted > 1:
                self._lines[channel] = (lock, wanted - 1)


async def _nothing_is_missed(channel: str) -> None: ...


def _ephemeral(words: str) -> Answer:
    return {"response_type": "ephemeral", "text": words}
