"""Answers that are streamed: what Slack has of each, and what has to be added.

A stream dies some five minutes after its beginning, whatever is added to it. So each is
ended before that, and its message goes on to grow by plain edits.
"""

from dataclasses import dataclass, field
from typing import Any

import structlog

from adapters.slack.api import Api, SaidNo
from adapters.slack.identity import Identity
from adapters.slack.inbound import decode_message_id, message_id_of
from adapters.slack.markdown import safe
from adapters.slack.outbound import (
    buttons,
    growing_text,
    metadata,
    task_chunk,
    text_chunk,
    thread_of,
)
from gateway.clock import Clock
from gateway.errors import GatewayError, RetryLater, SendUncertain
from gateway.ids import MessageId
from gateway.messages import Address, OutgoingMessage, Place, Task

log = structlog.get_logger()

_LASTS = 240.0
_FORGOTTEN_AFTER = 600.0
_CANNOT_STREAM = {"unknown_method", "method_not_supported", "feature_not_enabled", "not_allowed"}


@dataclass(slots=True)
class Stream:
    """What stands in a message that is still being streamed."""

    began: float
    text: str = ""
    """As it was sent, with everything escaped."""
    tasks: dict[str, Task] = field(default_factory=dict)
    is_sure: bool = True
    """False once an addition may have arrived or not."""


class Streams:
    """The streams of one account."""

    def __init__(self, api: Api, identity: Identity, clock: Clock) -> None:
        self._api = api
        self._identity = identity
        self._clock = clock
        self._streams: dict[MessageId, Stream] = {}
        self._at_work: set[tuple[str, str]] = set()
        """Threads whose session Slack shows as being worked on, with its Stop button."""
        self._may_stream = True
        self._has_sessions = True

    def knows(self, sent: MessageId) -> bool:
        return sent in self._streams

    async def begin(self, to: Address, message: OutgoingMessage) -> MessageId | None:
        """Start a stream, or return None where the message has to be posted instead."""
        if not self._may_stream:
            return None
        stream = Stream(self._clock.monotonic())
        chunks = _additions(stream, growing_text(message), message)
        place, thread = to.place, thread_of(to.place)
        parameters: dict[str, Any] = {"chunks": chunks} if chunks else {}
        team, _, user = to.external_user.partition(":")
        try:
            answer = await self._api.call(
                "chat.startStream",
                is_repeatable=False,
                channel=place.conversation,
                thread_ts=thread,
                recipient_team_id=team,
                recipient_user_id=user,
                task_display_mode="timeline",
                **parameters,
            )
        except (SaidNo, RetryLater) as trouble:
            self._note_refusal(trouble)
            return None
        sent = message_id_of(place.conversation, answer)
        _note(stream, growing_text(message), message)
        self._remember(sent, stream)
        await self._show_at_work(place)
        return sent

    def _note_refusal(self, trouble: GatewayError) -> None:
        if isinstance(trouble, SaidNo):
            log.info("stream.refused", reason=trouble.error)
            self._may_stream = trouble.error not in _CANNOT_STREAM

    def _remember(self, sent: MessageId, stream: Stream) -> None:
        oldest = self._clock.monotonic() - _FORGOTTEN_AFTER
        self._streams = {name: one for name, one in self._streams.items() if one.began > oldest} | {
            sent: stream
        }

    async def grow(self, sent: MessageId, message: OutgoingMessage) -> bool:
        """Add what is new; False when the message is no stream any more and must be edited."""
        stream, shown = self._streams[sent], growing_text(message)
        if not self._goes_on(stream, shown):
            await self._end(sent)
            return False
        chunks = _additions(stream, shown, message)
        if not chunks:
            return True
        channel, ts = decode_message_id(sent)
        try:
            await self._api.call(
                "chat.appendStream",
                is_repeatable=False,
                channel=channel,
                ts=ts,
                chunks=chunks,
            )
        except SaidNo:
            del self._streams[sent]
            return False
        except SendUncertain:
            stream.is_sure = False
            raise
        _note(stream, shown, message)
        return True

    async def finish(self, to: Address, sent: MessageId, message: OutgoingMessage) -> bool:
        """End the stream with the rest; False when the message must be edited besides."""
        stream, shown = self._streams[sent], safe(message.text).rstrip()
        if not self._goes_on(stream, shown):
            await self._end(sent)
            return False
        chunks = _additions(stream, shown, message)
        parameters: dict[str, Any] = {"chunks": chunks} if chunks else {}
        if message.choices:
            parameters["blocks"] = [buttons(message.choices)]
        channel, ts = decode_message_id(sent)
        try:
            await self._api.call(
                "chat.stopStream",
                is_repeatable=False,
                channel=channel,
                ts=ts,
                metadata=metadata(message.key),
                **parameters,
            )
        except SaidNo:
            del self._streams[sent]
            return False
        except SendUncertain:
            stream.is_sure = False
            raise
        del self._streams[sent]
        self._at_work.discard((to.place.conversation, thread_of(to.place) or ""))
        return bool(shown or stream.tasks)

    async def _end(self, sent: MessageId) -> None:
        """End the stream as it stands, with its session still being worked on."""
        await self.stop(sent, session_status="processing")
        self._streams.pop(sent, None)

    async def stop(self, sent: MessageId, **more: Any) -> None:
        """End a stream, ours or one of an earlier process; that it has ended is success."""
        channel, ts = decode_message_id(sent)
        try:
            await self._api.call("chat.stopStream", channel=channel, ts=ts, **more)
        except SaidNo as refusal:
            log.info("stream.not_stopped", reason=refusal.error)

    def _goes_on(self, stream: Stream, shown: str) -> bool:
        is_young = self._clock.monotonic() - stream.began < _LASTS
        return stream.is_sure and is_young and shown.startswith(stream.text)

    async def _show_at_work(self, place: Place) -> None:
        """Have Slack show its own Stop button, where it has one."""
        me = self._identity.known
        if me is not None and me.is_agent and await self._set_status(place, "processing"):
            self._at_work.add((place.conversation, thread_of(place) or ""))

    async def show_done(self, place: Place) -> None:
        """Take the Stop button away where the end of a stream has not."""
        thread = (place.conversation, thread_of(place) or "")
        if thread in self._at_work:
            self._at_work.discard(thread)
            await self._set_status(place, "active")

    async def _set_status(self, place: Place, status: str) -> bool:
        if not self._has_sessions:
            return False
        try:
            await self._api.call(
                "agents.sessions.setStatus",
                channel_id=place.conversation,
                thread_ts=thread_of(place),
                status=status,
            )
        except SaidNo as refusal:
            log.info("session.refused", reason=refusal.error)
            self._has_sessions = False
            return False
        except GatewayError:
            return False
        return True


def _additions(stream: Stream, shown: str, message: OutgoingMessage) -> list[dict[str, Any]]:
    """Return what the stream lacks: words, then tasks, as a tool runs after its reason."""
    new = shown[len(stream.text) :]
    changed = [task for task in message.tasks if stream.tasks.get(task.id) != task]
    return [*([text_chunk(new)] if new else []), *map(task_chunk, changed)]


def _note(stream: Stream, shown: str, message: OutgoingMessage) -> None:
    stream.text = shown
    stream.tasks = {task.id: task for task in message.tasks}
