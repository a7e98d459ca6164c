"""The Discord adapter: joins receiving, sending and files into one account of the gateway.

Quality: silver (docs/adapter-quality.md).
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

from typing_extensions import override

from adapters.discord.account import describe
from adapters.discord.choices import CHOICES_AT_MOST
from adapters.discord.files import Files
from adapters.discord.history import History
from adapters.discord.inbound import (
    PLATFORM,
    decode_message_id,
    interaction_id,
    message_id_of,
)
from adapters.discord.interactions import Interactions
from adapters.discord.ledger import snowflake
from adapters.discord.marks import Marks
from adapters.discord.outbound import (
    LIMITS,
    Body,
    edit_body,
    send_body,
    without_reference,
)
from adapters.discord.places import Places
from adapters.discord.receiving import Receiver
from adapters.discord.settings import DiscordSettings
from adapters.discord.threads import Threads
from adapters.discord.transport import Rest, SaidNo
from gateway.contracts.adapter import (
    Adapter,
    AdapterKit,
    AsksChoices,
    DeletesMessages,
    Deliver,
    EditsMessages,
    FetchesFiles,
    FindsSent,
    MarksMessages,
    RepeatsSafely,
    SendsFiles,
    ShowsTyping,
)
from gateway.errors import NotSupported, SendRefused
from gateway.ids import AccountName, MessageId
from gateway.messages import Address, Attachment, Mark, OutgoingFile, OutgoingMessage

_MESSAGES = "/channels/{channel}/messages"
_MESSAGE = "/channels/{channel}/messages/{message}"
_CLOCKS_DIFFER_BY = 30.0
_UNKNOWN_MESSAGE = 10008
_NOT_SEEN = 50001
"""A channel that the bot may not see; commands are used there all the same."""
_MAY_NOT_ANSWER_TO = 160002
"""For who may not read the channel's history; a message that answers none is taken."""


class DiscordAdapter(
    Adapter,
    EditsMessages,
    DeletesMessages,
    ShowsTyping,
    MarksMessages,
    SendsFiles,
    FetchesFiles,
    AsksChoices,
    RepeatsSafely,
    FindsSent,
):
    """One bot on Discord."""

    platform: ClassVar[str] = PLATFORM
    settings_type: ClassVar[type[DiscordSettings]] = DiscordSettings
    typing_every: ClassVar[float] = 8.0
    choices_at_most: ClassVar[int] = CHOICES_AT_MOST
    repeat_window: ClassVar[float] = 120.0
    limits = LIMITS
    silent_at_most = 180.0
    """Heartbeats are answered every 41 seconds, and the connection itself bears 60 of silence."""

    def __init__(self, name: AccountName, settings: DiscordSettings, kit: AdapterKit) -> None:
        super().__init__(name, settings, kit)
        self._settings = settings
        self._kit = kit
        self._previews = settings.link_previews
        self._rest = Rest(settings.api_base, settings.token.get_secret_value(), kit.clock)
        self._places = Places()
        self._threads = Threads(self._rest, self._places)
        self._interactions = Interactions(self._rest, kit.clock, previews=self._previews)
        self._files = Files(self._rest, settings.cdn_hosts, previews=self._previews)
        self._history = History(self._rest)
        self._marks = Marks(self._rest, kit.clock)
        self.marks = settings.reactions

    @override
    async def open(self) -> None:
        await self._rest.open()

    @override
    async def close(self) -> None:
        await self._rest.close()

    @override
    async def run(self, deliver: Deliver) -> None:
        await Receiver(
            self.name,
            self._settings,
            self._rest,
            self._places,
            self._threads,
            self._interactions,
            self._kit,
        ).run(deliver)

    @override
    async def check(self) -> str:
        return await describe(self._rest)

    @override
    async def send(self, to: Address, message: OutgoingMessage) -> MessageId:
        command = interaction_id(message.reply_to)
        if command is not None:
            answer = await self._interactions.fill(command, message)
            answer = answer or await self._given(to, command, message)
            if answer is not None:
                return answer
        channel = await self._threads.channel(to.place)
        body = send_body(channel, message, previews=self._previews)
        try:
            return await self._post(channel, body)
        except SaidNo as refusal:
            if refusal.code != _MAY_NOT_ANSWER_TO:
                raise
        return await self._post(channel, without_reference(body))

    async def _given(self, to: Address, command: str, message: OutgoingMessage) -> MessageId | None:
        """Return the answer that an earlier process has given to a command, made to say this.

        It is in the command's place, which no nonce guards and no other process can fill.
        """
        if self._interactions.has_met(command) or not command.isdecimal():
            return None
        channel = await self._threads.channel(to.place)
        try:
            given = await self._history.find(channel, message, int(command))
        except NotSupported:
            return None
        if given is not None:
            with suppress(SendRefused):
                await self.edit(to, given, message)
        return given

    async def _post(self, channel: str, body: Body) -> MessageId:
        sent = await self._rest.call("POST", _MESSAGES, body, is_repeatable=False, channel=channel)
        return message_id_of(channel, sent)

    @override
    async def edit(self, to: Address, sent: MessageId, message: OutgoingMessage) -> None:
        channel, number = decode_message_id(sent)
        body = edit_body(message, previews=self._previews)
        try:
            await self._rest.call("PATCH", _MESSAGE, body, channel=channel, message=number)
        except SaidNo as refusal:
            if refusal.code != _NOT_SEEN or not await self._interactions.change(sent, message):
                raise

    @override
    async def delete(self, to: Address, sent: MessageId) -> None:
        channel, number = decode_message_id(sent)
        try:
            await self._rest.call("DELETE", _MESSAGE, channel=channel, message=number)
        except SaidNo as refusal:
            if refusal.code != _UNKNOWN_MESSAGE:
                raise

    @override
    async def show_typing(self, to: Address) -> None:
        channel = await self._threads.channel(to.place)
        await self._rest.call("POST", "/channels/{channel}/typing", channel=channel)

    @override
    async def mark(self, to: Address, message: MessageId, mark: Mark) -> None:
        await self._marks.put(message, mark)

    @override
    async def send_files(
        self, to: Address, files: Sequence[OutgoingFile], key: str
    ) -> Sequence[MessageId]:
        return await self._files.send(await self._threads.channel(to.place), files, key)

    @override
    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        return await self._files.fetch(attachment, limit)

    @override
    async def find_sent(
        self, to: Address, sought: OutgoingMessage, since: float
    ) -> MessageId | None:
        channel = await self._threads.channel(to.place)
        return await self._history.find(channel, sought, snowflake(since - _CLOCKS_DIFFER_BY))
