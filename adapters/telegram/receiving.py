"""Receiving for one account: who we are, which updates come, and the errands they cause."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from adapters.telegram.addressing import Me
from adapters.telegram.api import Api, SaidNo, unknown_bot, unreadable
from adapters.telegram.inbound import UPDATES, Reader
from adapters.telegram.outbound import command_menus
from adapters.telegram.patience import Patience
from adapters.telegram.polling import Poller, Update
from adapters.telegram.presses import Presses
from adapters.telegram.settings import TelegramSettings, WebhookSettings
from gateway.chat_text import clean
from gateway.contracts.adapter import AdapterKit, Deliver
from gateway.errors import GatewayError, reading
from gateway.ids import AccountName
from gateway.messages import Burst, Inbound, Message, Receipt

log = structlog.get_logger()

_ALBUMS_REMEMBERED = 64
_WEBHOOK_ASKED_EVERY = 60.0
_LONGEST_REASON = 200


class Receiver:
    """Receives until cancelled; its connections end with it."""

    def __init__(
        self, account: AccountName, settings: TelegramSettings, api: Api, kit: AdapterKit
    ) -> None:
        self._account = account
        self._settings = settings
        self._api = api
        self._kit = kit
        self._patience = Patience(api, kit)

    async def run(self, deliver: Deliver) -> None:
        await self._api.open_polling()
        try:
            async with asyncio.TaskGroup() as errands:
                await self._receive(deliver, errands)
        except ExceptionGroup as group:
            raise _first(group) from group
        finally:
            await self._api.close_polling()

    async def _receive(self, deliver: Deliver, errands: asyncio.TaskGroup) -> None:
        reader = Reader(self._account, await self._who_we_are())
        previews = self._settings.link_previews
        presses = Presses(self._api, self._kit.clock, errands, previews=previews)
        intake = Intake(reader, deliver, presses, self._kit)
        if self._settings.mode == "webhook" and self._settings.webhook is not None:
            errands.create_task(self._publish_commands())
            await self._listen(self._settings.webhook, intake)
        else:
            poller = Poller(self._api, self._kit, self._settings.poll_timeout)
            await poller.prepare()
            errands.create_task(self._publish_commands())
            await poller.run(intake.take)

    async def _who_we_are(self) -> Me:
        try:
            me = await self._patience.call("getMe", {})
        except SaidNo as refusal:
            raise unknown_bot(refusal) from refusal
        with reading(unreadable()):
            return Me(int(me["id"]), str(me["username"]))

    async def _publish_commands(self) -> None:
        for menu in command_menus(self._kit.commands):
            try:
                await self._api.call("setMyCommands", menu)
            except GatewayError as error:
                log.warning("commands.not_published", account=self._account, reason=str(error))

    async def _listen(self, settings: WebhookSettings, intake: "Intake") -> None:
        from adapters.telegram.webhook import WebhookServer  # noqa: PLC0415 - a bot that polls starts faster without a web server

        server = WebhookServer(self._account, settings, self._kit.clock)

        async def take(updates: Sequence[Update]) -> None:
            self._kit.health.alive()
            await intake.take(updates)

        async with server.serving(take):
            await self._register(settings, server.secret)
            while True:
                await self._kit.clock.sleep(_WEBHOOK_ASKED_EVERY)
                await self._look_after_webhook(settings, server.secret)

    async def _register(self, settings: WebhookSettings, secret: str) -> None:
        webhook = {"url": settings.url, "secret_token": secret, "allowed_updates": UPDATES}
        await self._patience.call("setWebhook", webhook)
        self._kit.health.alive()

    async def _look_after_webhook(self, settings: WebhookSettings, secret: str) -> None:
        """Ask how delivering goes: whoever is only told hears nothing when it does not.

        https://core.telegram.org/bots/api#getwebhookinfo
        """
        told = await self._patience.call("getWebhookInfo", {})
        if not isinstance(told, dict):
            raise unreadable()
        if told.get("url") != settings.url:
            self._kit.health.troubled("another program took the webhook; it is set anew")
            await self._register(settings, secret)
        elif self._kit.clock.now() - (told.get("last_error_date") or 0) < _WEBHOOK_ASKED_EVERY:
            reason = clean(str(told.get("last_error_message")))[:_LONGEST_REASON]
            self._kit.health.troubled(f"Telegram cannot deliver to {settings.url}: {reason}")
        else:
            self._kit.health.alive()


class Intake:
    """Has updates kept: returns from `take` once they are, or say nothing to us."""

    def __init__(self, reader: Reader, deliver: Deliver, presses: Presses, kit: AdapterKit) -> None:
        self._reader = reader
        self._deliver = deliver
        self._presses = presses
        self._clock = kit.clock
        self._addressed_albums: deque[str] = deque(maxlen=_ALBUMS_REMEMBERED)

    async def take(self, updates: Sequence[Update]) -> None:
        """Deliver a press or anything else alone, or messages of one chat together."""
        press = _press(updates[0])
        if press is not None:
            await self._take_press(press, self._read(updates[0]))
            return
        read = [inbound for update in updates if (inbound := self._read(update)) is not None]
        for inbound in _together(read):
            await self._deliver(inbound)

    def _read(self, update: Update) -> Inbound | None:
        """Read an update; one that is not formed as it should be must not block the rest."""
        try:
            inbound = self._reader.read(update, self._clock.now())
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the next may be right
            number, kind = update.get("update_id"), type(error).__name__
            log.warning("update.skipped", update=number, error=kind)
            return None
        return inbound if inbound is None else self._with_album(inbound)

    async def _take_press(self, press: Mapping[str, Any], inbound: Inbound | None) -> None:
        self._presses.expect(press)
        receipt = Receipt() if inbound is None else await self._deliver(inbound)
        self._presses.conclude(press, inbound, receipt)

    def _with_album(self, inbound: Inbound) -> Inbound:
        """Count a whole album as meant for us once one of its messages is."""
        if not isinstance(inbound, Message) or inbound.album is None:
            return inbound
        if inbound.is_addressed:
            self._addressed_albums.append(inbound.album)
            return inbound
        return replace(inbound, is_addressed=inbound.album in self._addressed_albums)


def _press(update: Update) -> Mapping[str, Any] | None:
    """Return the press that waits for an answer, if the update is one."""
    press = update.get("callback_query")
    return press if isinstance(press, dict) and isinstance(press.get("id"), str) else None


def _together(read: Sequence[Inbound]) -> Sequence[Inbound]:
    messages = [inbound for inbound in read if isinstance(inbound, Message)]
    return [Burst(tuple(messages))] if 1 < len(messages) == len(read) else read


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that ended everything else."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
