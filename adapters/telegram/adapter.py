"""The Telegram adapter: joins receiving, sending and files into one account of the gateway.

Quality: silver (docs/adapter-quality.md).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

import structlog
from typing_extensions import override

from adapters.telegram.api import Api, SaidNo, unknown_bot, unreadable
from adapters.telegram.choices import CHOICES_AT_MOST
from adapters.telegram.files import Files
from adapters.telegram.inbound import PLATFORM, decode_message_id, message_id_of
from adapters.telegram.marks import Marks
from adapters.telegram.outbound import (
    Parameters,
    draft_parameters,
    edit_parameters,
    limits,
    send_parameters,
    where,
    without_entities,
)
from adapters.telegram.receiving import Receiver
from adapters.telegram.settings import TelegramSettings
from gateway.contracts.adapter import (
    Adapter,
    AdapterKit,
    AsksChoices,
    DeletesMessages,
    Deliver,
    EditsMessages,
    FetchesFiles,
    MarksMessages,
    SendsFiles,
    ShowsDrafts,
    ShowsTyping,
)
from gateway.errors import NotSupported, reading
from gateway.ids import AccountName, MessageId
from gateway.messages import Address, Attachment, Mark, OutgoingFile, OutgoingMessage, Place

log = structlog.get_logger()

Result = TypeVar("Result")


class TelegramAdapter(
    Adapter,
    EditsMessages,
    DeletesMessages,
    ShowsTyping,
    ShowsDrafts,
    MarksMessages,
    SendsFiles,
    FetchesFiles,
    AsksChoices,
):
    """One bot on Telegram, by polling or by webhook."""

    platform: ClassVar[str] = PLATFORM
    settings_type: ClassVar[type[TelegramSettings]] = TelegramSettings
    typing_every: ClassVar[float] = 4.0
    choices_at_most: ClassVar[int] = CHOICES_AT_MOST
    silent_at_most = 180.0
    """A question without updates is answered within 50 seconds, one about the webhook each 60."""

    def __init__(self, name: AccountName, settings: TelegramSettings, kit: AdapterKit) -> None:
        super().__init__(name, settings, kit)
        self.limits = limits(is_local=settings.local)
        self.marks = settings.reactions
        self._settings = settings
        self._kit = kit
        self._api = Api(settings, kit.clock)
        self._files = Files(self._api, self.limits, is_local=settings.local)
        self._marks = Marks(self._api)
        self._moved: dict[str, str] = {}
        """New ids of groups that became supergroups, as sending there has shown."""
        self._has_drafts = True

    @override
    async def open(self) -> None:
        await self._api.open()

    @override
    async def close(self) -> None:
        await self._api.close()

    @override
    async def run(self, deliver: Deliver) -> None:
        await Receiver(self.name, self._settings, self._api, self._kit).run(deliver)

    @override
    async def check(self) -> str:
        try:
            me = await self._api.call("getMe", {})
        except SaidNo as refusal:
            raise unknown_bot(refusal) from refusal
        with reading(unreadable()):
            privacy = "off" if me.get("can_read_all_group_messages") else "on"
            groups = "may" if me.get("can_join_groups") else "may not"
            return f"@{me['username']} ({me['id']}), privacy mode {privacy}, {groups} join groups"

    @override
    async def send(self, to: Address, message: OutgoingMessage) -> MessageId:
        async def send(place: Place) -> MessageId:
            parameters = send_parameters(place, message, previews=self._settings.link_previews)
            sent = await self._call_with_text("sendMessage", parameters, is_repeatable=False)
            return message_id_of(sent)

        return await self._in_place(to.place, send)

    @override
    async def edit(self, to: Address, sent: MessageId, message: OutgoingMessage) -> None:
        parameters = edit_parameters(sent, message, previews=self._settings.link_previews)
        try:
            await self._call_with_text("editMessageText", parameters)
        except SaidNo as refusal:
            if not refusal.says("message is not modified"):
                raise

    @override
    async def delete(self, to: Address, sent: MessageId) -> None:
        chat, number = decode_message_id(sent)
        try:
            await self._api.call("deleteMessage", {"chat_id": chat, "message_id": number})
        except SaidNo as refusal:
            if not refusal.says("message to delete not found"):
                raise

    @override
    async def show_typing(self, to: Address) -> None:
        await self._api.call("sendChatAction", {**where(to.place), "action": "typing"})

    @override
    async def show_draft(self, to: Address, draft: int, text: str) -> None:
        if not (to.place.is_direct and self._has_drafts):
            raise NotSupported("drafts are shown in direct messages only, by newer servers")
        try:
            await self._call_with_text("sendMessageDraft", draft_parameters(to.place, draft, text))
        except SaidNo as refusal:
            if refusal.code == HTTPStatus.FORBIDDEN:
                raise
            self._has_drafts = not (
                refusal.code == HTTPStatus.NOT_FOUND or refusal.says("method not found")
            )
            raise NotSupported(str(refusal)) from refusal

    @override
    async def mark(self, to: Address, message: MessageId, mark: Mark) -> None:
        await self._marks.put(message, mark)

    @override
    async def send_files(
        self, to: Address, files: Sequence[OutgoingFile], key: str
    ) -> Sequence[MessageId]:
        return await self._in_place(to.place, lambda place: self._files.send(place, files))

    @override
    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        return await self._files.fetch(attachment, limit)

    async def _call_with_text(
        self, method: str, parameters: Parameters, *, is_repeatable: bool = True
    ) -> Any:
        """Make a call; should its entities be refused, the words go without them."""
        try:
            return await self._api.call(method, parameters, is_repeatable=is_repeatable)
        except SaidNo as refusal:
            if "entities" not in parameters or not refusal.says("entit"):
                raise
            log.warning("entities.refused", account=self.name, method=method)
        plain = without_entities(parameters)
        return await self._api.call(method, plain, is_repeatable=is_repeatable)

    async def _in_place(self, place: Place, send: Callable[[Place], Awaitable[Result]]) -> Result:
        """Send, and once more where the group has moved to if it has."""
        try:
            return await send(self._today(place))
        except SaidNo as refusal:
            if refusal.moved_to is None:
                raise
            self._moved[place.conversation] = str(refusal.moved_to)
        return await send(self._today(place))

    def _today(self, place: Place) -> Place:
        conversation = self._moved.get(place.conversation)
        return place if conversation is None else replace(place, conversation=conversation)
