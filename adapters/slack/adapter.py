"""The Slack adapter: joins receiving, sending and files into one account of the gateway.

Quality: silver (docs/adapter-quality.md).
"""

from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override

from adapters.slack.api import Api, SaidNo
from adapters.slack.files import Files
from adapters.slack.identity import Identity, Names
from adapters.slack.inbound import PLATFORM, decode_message_id
from adapters.slack.ledger import Ledger
from adapters.slack.manifest import SCOPES
from adapters.slack.marks import Marks
from adapters.slack.outbound import CHOICES_AT_MOST, LIMITS, thread_of
from adapters.slack.posts import Posts
from adapters.slack.receiving import Receiver
from adapters.slack.settings import SlackSettings
from gateway.contracts.adapter import (
    Adapter,
    AdapterKit,
    AsksChoices,
    DeletesMessages,
    Deliver,
    EndsTyping,
    FetchesFiles,
    FindsSent,
    MarksMessages,
    SendsFiles,
    StreamsReplies,
)
from gateway.errors import NotSupported, RetryLater
from gateway.ids import AccountName, MessageId
from gateway.messages import Address, Attachment, Mark, OutgoingFile, OutgoingMessage, Place

_THINKING = "is thinking…"


class SlackAdapter(
    Adapter,
    StreamsReplies,
    DeletesMessages,
    EndsTyping,
    MarksMessages,
    SendsFiles,
    FetchesFiles,
    AsksChoices,
    FindsSent,
):
    """One app in one workspace of Slack, by Socket Mode or by signed requests."""

    platform: ClassVar[str] = PLATFORM
    settings_type: ClassVar[type[SlackSettings]] = SlackSettings
    typing_every: ClassVar[float] = 60.0
    stream_every: ClassVar[float] = 0.7
    choices_at_most: ClassVar[int] = CHOICES_AT_MOST
    limits = LIMITS
    silent_at_most = 180.0
    """A socket answers a ping each 5 seconds; without one Slack is asked each 60."""

    def __init__(self, name: AccountName, settings: SlackSettings, kit: AdapterKit) -> None:
        super().__init__(name, settings, kit)
        self._settings = settings
        self._kit = kit
        self._api = Api(settings, kit.clock)
        self._identity = Identity(self._api, settings)
        self._names = Names(self._api, kit.clock)
        self._ledger = Ledger(kit)
        self._files = Files(self._api, settings, self.limits, kit.clock)
        self._posts = Posts(settings, self._api, self._identity, self._names, kit.clock)
        self._marks = Marks(self._api)
        self.marks = settings.reactions

    @override
    async def open(self) -> None:
        await self._api.open()

    @override
    async def close(self) -> None:
        await self._api.close()

    @override
    async def run(self, deliver: Deliver) -> None:
        await Receiver(
            self.name,
            self._settings,
            self._api,
            self._identity,
            self._names,
            self._ledger,
            self._posts.growing,
            self._kit,
        ).run(deliver)

    @override
    def written(self, command: str, place: Place) -> str:
        me = self._identity.known
        if thread_of(place) is None or me is None:
            return f"{self._settings.command} {command}"
        # In threads Slack takes no commands of its own.
        return f"@{me.name} /{command}"

    @override
    async def check(self) -> str:
        me = await self._identity.ask()
        kind = "an agent" if me.is_agent else "a plain app"
        told = f"@{me.name} in {self._identity.workspace} ({me.team}), {kind}"
        scopes = self._identity.scopes
        missing = sorted(SCOPES - scopes) if scopes is not None else []
        lacking = f", without the scopes {', '.join(missing)}" if missing else ""
        return f"{told}, mode {self._settings.mode}{lacking}"

    @override
    async def send(self, to: Address, message: OutgoingMessage) -> MessageId:
        self._take_part(to.place)
        return await self._posts.send(to, message, may_stream=self.streams_in(to.place))

    def _take_part(self, place: Place) -> None:
        thread = thread_of(place)
        if thread is not None:
            self._ledger.follow(place.conversation, thread)

    @override
    async def edit(self, to: Address, sent: MessageId, message: OutgoingMessage) -> None:
        await self._posts.edit(to, sent, message)

    @override
    def streams_in(self, place: Place) -> bool:
        return self._settings.streaming and thread_of(place) is not None

    @override
    async def delete(self, to: Address, sent: MessageId) -> None:
        channel, ts = decode_message_id(sent)
        try:
            await self._api.call("chat.delete", channel=channel, ts=ts)
        except SaidNo as refusal:
            if refusal.error != "message_not_found":
                raise

    @override
    async def show_typing(self, to: Address) -> None:
        await self._show_status(to.place, _THINKING)

    @override
    async def end_typing(self, to: Address) -> None:
        await self._show_status(to.place, "")

    async def _show_status(self, place: Place, status: str) -> None:
        thread = thread_of(place)
        if thread is None:
            raise NotSupported("Slack shows that a bot is at work only in threads")
        try:
            await self._api.call(
                "assistant.threads.setStatus",
                channel_id=place.conversation,
                thread_ts=thread,
                status=status,
            )
        except SaidNo as refusal:
            raise NotSupported(str(refusal)) from refusal
        except RetryLater as pause:
            raise _no_sign(pause) from pause

    @override
    async def mark(self, to: Address, message: MessageId, mark: Mark) -> None:
        try:
            await self._marks.put(message, mark)
        except RetryLater as pause:
            raise _no_sign(pause) from pause

    @override
    async def send_files(
        self, to: Address, files: Sequence[OutgoingFile], key: str
    ) -> Sequence[MessageId]:
        self._take_part(to.place)
        return await self._files.send(to.place, files)

    @override
    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        return await self._files.fetch(attachment, limit)

    @override
    async def find_sent(
        self, to: Address, sought: OutgoingMessage, since: float
    ) -> MessageId | None:
        return await self._posts.find(to.place, sought, since, may_stream=self.streams_in(to.place))


def _no_sign(pause: RetryLater) -> NotSupported:
    """Do without a sign: Slack's penalties are each method's own, and no answer waits for one."""
    return NotSupported(f"no sign is shown: {pause}")
