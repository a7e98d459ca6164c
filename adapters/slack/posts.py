"""Messages of ours, from the first word to the last: posted, streamed, changed, found again."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import structlog

from adapters.slack.api import Api, NoRoom, SaidNo, unreadable
from adapters.slack.identity import Identity, Names
from adapters.slack.inbound import encode_message_id, is_command_id, message_id_of
from adapters.slack.outbound import (
    Parameters,
    edit_parameters,
    key_of,
    send_parameters,
    thread_of,
    without_blocks,
)
from adapters.slack.settings import SlackSettings
from adapters.slack.streams import Streams
from gateway.clock import Clock
from gateway.errors import NotSupported, reading
from gateway.ids import MessageId
from gateway.messages import Address, OutgoingMessage, Place

log = structlog.get_logger()

_BROKEN_BLOCKS = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"}
_STREAMING = "streaming"
"""Is in the name of the refusal to change a message that still streams."""
_GROWING_REMEMBERED = 1000
_CLOCKS_DIFFER_BY = 60.0
_PAGE = 200
_PAGES_AT_MOST = 5
_SOON = 1.0
_EDITS_OF_ONE = 8
"""Left for a message to be worth growing."""


class Posts:
    """What one account has to say."""

    def __init__(
        self,
        settings: SlackSettings,
        api: Api,
        identity: Identity,
        names: Names,
        clock: Clock,
    ) -> None:
        self._previews = settings.link_previews
        self._api = api
        self._identity = identity
        self._names = names
        self._streams = Streams(api, identity, clock)
        self._growing: dict[MessageId, None] = {}
        self._begun = 0
        """Messages that will grow by edits and are just being posted."""

    @property
    def growing(self) -> Mapping[MessageId, object]:
        """Messages that will be changed anyhow."""
        return MappingProxyType(self._growing)

    async def send(self, to: Address, message: OutgoingMessage, *, may_stream: bool) -> MessageId:
        sent = None
        if may_stream and message.is_growing:
            sent = await self._streams.begin(to, message)
        if sent is None:
            with self._beginning(message):
                sent = await self._post(to, message)
        self._note(sent, message)
        return sent

    @contextmanager
    def _beginning(self, message: OutgoingMessage) -> Iterator[None]:
        """Let no more messages grow by edits than Slack has edits for: posts are cheaper."""
        if not message.is_growing:
            yield
            return
        if self._api.left("chat.update") < self._edits_to_come() + _EDITS_OF_ONE:
            raise NotSupported("more answers are being written than Slack takes edits for")
        self._begun += 1
        try:
            yield
        finally:
            self._begun -= 1

    def _edits_to_come(self) -> int:
        """Count the messages that an edit will end."""
        return self._begun + sum(not self._streams.knows(one) for one in self._growing)

    async def _post(self, to: Address, message: OutgoingMessage) -> MessageId:
        asker = await self._asker(to, message)
        parameters = send_parameters(to.place, message, previews=self._previews, asker=asker)
        answer = await self._with_blocks("chat.postMessage", parameters, is_repeatable=False)
        return message_id_of(to.place.conversation, answer)

    async def edit(self, to: Address, sent: MessageId, message: OutgoingMessage) -> None:
        """Add to a stream, end it, or change the message as a whole."""
        self._note(sent, message)
        try:
            await self._change(to, sent, message)
        except NoRoom:
            log.debug("edit.left_out")

    async def _change(self, to: Address, sent: MessageId, message: OutgoingMessage) -> None:
        if self._streams.knows(sent):
            if message.is_growing and await self._streams.grow(sent, message):
                return
            if not message.is_growing and await self._streams.finish(to, sent, message):
                return
        await self._update(to, sent, message)
        if not message.is_growing:
            await self._streams.show_done(to.place)

    async def _update(self, to: Address, sent: MessageId, message: OutgoingMessage) -> None:
        if message.is_growing and self._api.left("chat.update") <= self._edits_to_come():
            raise NoRoom("chat.update", _SOON)
        asker = await self._asker(to, message)
        parameters = edit_parameters(sent, message, asker=asker)
        try:
            await self._with_blocks("chat.update", parameters, is_passing=message.is_growing)
        except SaidNo as refusal:
            if _STREAMING not in refusal.error:
                raise
            # An earlier process has begun it.
            await self._streams.stop(sent)
            await self._with_blocks("chat.update", parameters)

    async def _asker(self, to: Address, message: OutgoingMessage) -> str:
        """Name who has called by a command, which in a channel nobody else sees."""
        if to.place.is_direct or not is_command_id(message.reply_to):
            return ""
        return await self._names.name(to.external_user.partition(":")[2])

    async def _with_blocks(self, method: str, parameters: Parameters, **how: bool) -> Any:
        """Make a call; should its blocks be refused, the words go without them."""
        try:
            return await self._api.call(method, **how, **parameters)
        except SaidNo as refusal:
            if refusal.error not in _BROKEN_BLOCKS:
                raise
            log.warning("blocks.refused", method=method, reason=refusal.error)
        return await self._api.call(method, **how, **without_blocks(parameters))

    def _note(self, sent: MessageId, message: OutgoingMessage) -> None:
        self._growing.pop(sent, None)
        if message.is_growing:
            self._growing[sent] = None
            if len(self._growing) > _GROWING_REMEMBERED:
                del self._growing[next(iter(self._growing))]

    async def find(
        self, place: Place, sought: OutgoingMessage, since: float, *, may_stream: bool
    ) -> MessageId | None:
        """Look for a message by its key; a stream has none until it ends."""
        me = await self._identity.me()
        written = await self._written(place, since)
        with reading(unreadable()):
            own = [one for one in written if me.wrote(one)]
            found = [one["ts"] for one in own if key_of(one) == sought.key]
            if not found and may_stream and sought.is_growing:
                found = [one["ts"] for one in own if self._may_be_stream(place, one, since)]
        return encode_message_id(place.conversation, max(found)) if found else None

    def _may_be_stream(self, place: Place, message: Mapping[str, Any], since: float) -> bool:
        return (
            not message.get("metadata")
            and not message.get("files")
            and float(message["ts"]) >= since
            and not self._streams.knows(encode_message_id(place.conversation, message["ts"]))
        )

    async def _written(self, place: Place, since: float) -> Sequence[Mapping[str, Any]]:
        """Return what was written in a place since then, all of it or nothing.

        Raises:
            NotSupported: it may not be read, or is too much.
        """
        thread = thread_of(place)
        method = "conversations.history" if thread is None else "conversations.replies"
        parameters: dict[str, Any] = {
            "channel": place.conversation,
            "oldest": f"{since - _CLOCKS_DIFFER_BY:.6f}",
            "include_all_metadata": True,
            "limit": _PAGE,
        } | ({"ts": thread} if thread else {})
        found: list[Mapping[str, Any]] = []
        for _ in range(_PAGES_AT_MOST):
            try:
                answer = await self._api.call(method, **parameters)
            except SaidNo as refusal:
                raise NotSupported(str(refusal)) from refusal
            with reading(unreadable()):
                found += answer.get("messages") or ()
                following = (answer.get("response_metadata") or {}).get("next_cursor")
            if not following:
                return found
            parameters["cursor"] = following
        raise NotSupported("more has been written since than is looked through")
