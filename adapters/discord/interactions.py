"""Slash commands and pressed buttons: each wants an answer within three seconds.

Facts: https://discord.com/developers/docs/interactions/receiving-and-responding
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from adapters.discord.choices import is_of_growing, label_of
from adapters.discord.inbound import encode_message_id
from adapters.discord.intake import Intake
from adapters.discord.outbound import aside_body, edit_body, settled_body
from adapters.discord.transport import Rest, SaidNo
from gateway.clock import Clock
from gateway.errors import GatewayError, RetryLater, SendRefused
from gateway.ids import MessageId
from gateway.messages import Message, Origin, OutgoingMessage, Receipt

log = structlog.get_logger()

Json = Mapping[str, Any]
Key = TypeVar("Key")
Value = TypeVar("Value")

_REPLY, _DEFERRED_REPLY, _DEFERRED_UPDATE, _UPDATE = 4, 5, 6, 7
_ANSWERED_WITHIN = 1.5
_TOKEN_LASTS = 15 * 60.0
_GIVEN_UP_AFTER = 14 * 60.0
_TIDIED_EVERY = 20.0
_NOT_TAKEN = "I cannot do that."
_REMEMBERED = 1000
_IS_ANSWERED = 40060
"""Discord has had an answer already."""


@dataclass(slots=True)
class _Open:
    """A command that shows "thinking" until its answer comes."""

    application: str
    token: str
    opened_at: float
    is_shown: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once Discord has been told that an answer will come, or could not be."""
    may_be_answered: bool = False
    """Whether its answer may be there already, given by a process that has ended."""


class Interactions:
    """Answers them; the tokens live in memory, as they are good for minutes only."""

    def __init__(self, rest: Rest, clock: Clock, *, previews: bool) -> None:
        self._rest = rest
        self._clock = clock
        self._previews = previews
        self._open: dict[str, _Open] = {}
        self._met: OrderedDict[str, None] = OrderedDict()
        self._given: OrderedDict[MessageId, _Open] = OrderedDict()

    def has_met(self, interaction: str) -> bool:
        """Say whether it has come to this process, so that no other has answered it."""
        return interaction in self._met

    async def take(self, payload: Json, message: Message, intake: Intake) -> None:
        """Have it kept, and answer it: at once if keeping takes long."""
        _remember(self._met, payload["id"], None)
        if message.origin is Origin.INVOKED:
            self._open[payload["id"]] = _Open(
                payload["application_id"], payload["token"], self._clock.monotonic()
            )
        keeping = asyncio.ensure_future(intake.kept(message))
        try:
            receipt = await self._receipt(keeping)
            if message.origin is Origin.INVOKED:
                await self._answer_command(payload, receipt, keeping)
            else:
                await self._answer_press(payload, message, receipt, keeping)
        except GatewayError as error:
            log.info("interaction.not_answered", reason=str(error))
            self._has_shown(payload)
            await keeping  # what was asked is done, whether or not it could be answered in time
        finally:
            self._has_shown(payload)
            keeping.cancel()

    async def take_late(self, payload: Json, message: Message, intake: Intake) -> None:
        """Take one that was made while nobody listened, unless its person was told of failure.

        Discord tells them so after three seconds without a word; what was answered before the
        connection was lost is known again by its key.
        """
        is_command = message.origin is Origin.INVOKED
        try:
            is_answered = await self._was_answered(payload, is_command=is_command)
        except GatewayError as error:
            log.info("interaction.too_late", reason=str(error))
            return
        if is_command and payload["id"] not in self._open:
            opened = self._open[payload["id"]] = _Open(
                payload["application_id"],
                payload["token"],
                self._clock.monotonic(),
                may_be_answered=is_answered,
            )
            opened.is_shown.set()
        receipt = await intake.kept(message)
        try:
            if not is_command:
                await self._show_choice(payload, message, receipt, tells_refusal=not is_answered)
            elif not receipt.is_taken:
                words = OutgoingMessage("", receipt.words or _NOT_TAKEN)
                await self.fill(payload["id"], words)
        except GatewayError as error:
            log.info("interaction.not_answered", reason=str(error))

    async def _was_answered(self, payload: Json, *, is_command: bool) -> bool:
        """Say that an answer will come; return whether that had been said, raise if it is late."""
        while True:
            try:
                await self._respond(payload, _DEFERRED_REPLY if is_command else _DEFERRED_UPDATE)
            except RetryLater as trouble:  # in the end it has arrived, or is late
                await self._clock.sleep(trouble.after)
            except SaidNo as refusal:
                if refusal.code != _IS_ANSWERED:
                    raise
                return True
            else:
                return False

    def _has_shown(self, payload: Json) -> None:
        opened = self._open.get(payload["id"])
        if opened is not None:
            opened.is_shown.set()

    async def _receipt(self, keeping: "asyncio.Future[Receipt]") -> Receipt | None:
        with suppress(TimeoutError):
            async with self._clock.timeout(_ANSWERED_WITHIN):
                return await asyncio.shield(keeping)
        return None

    async def _answer_command(
        self, payload: Json, receipt: Receipt | None, keeping: "asyncio.Future[Receipt]"
    ) -> None:
        if receipt is not None and not receipt.is_taken:
            del self._open[payload["id"]]
            await self._respond(payload, _REPLY, aside_body(receipt.words or _NOT_TAKEN))
            return
        await self._respond(payload, _DEFERRED_REPLY)
        self._open[payload["id"]].is_shown.set()
        if receipt is None and not (receipt := await keeping).is_taken:
            words = OutgoingMessage("", receipt.words or _NOT_TAKEN)
            await self.fill(payload["id"], words)

    async def _answer_press(
        self,
        payload: Json,
        message: Message,
        receipt: Receipt | None,
        keeping: "asyncio.Future[Receipt]",
    ) -> None:
        if receipt is None:
            await self._respond(payload, _DEFERRED_UPDATE)
            await self._show_choice(payload, message, await keeping)
        elif not receipt.is_taken:
            await self._respond(payload, _REPLY, aside_body(receipt.words or _NOT_TAKEN))
        elif settled := _settled(payload, message):
            await self._respond(payload, _UPDATE, settled)
        else:
            await self._respond(payload, _DEFERRED_UPDATE)

    async def _show_choice(
        self, payload: Json, message: Message, receipt: Receipt, *, tells_refusal: bool = True
    ) -> None:
        """Settle a press after Discord was told that this will take longer."""
        if receipt.is_taken and (settled := _settled(payload, message)):
            await self._change_original(payload["application_id"], payload["token"], settled)
        elif not receipt.is_taken and tells_refusal:
            await self._follow_up(payload, aside_body(receipt.words or _NOT_TAKEN))

    async def fill(self, interaction: str, message: OutgoingMessage) -> MessageId | None:
        """Give a command its answer; None where it no longer waits for one."""
        opened = self._open.get(interaction)
        if opened is None:
            return None
        await opened.is_shown.wait()
        told = await self._say(opened, message)
        self._open.pop(interaction, None)
        if told is None:
            return None
        sent = encode_message_id(told["channel_id"], told["id"])
        _remember(self._given, sent, opened)
        return sent

    async def change(self, sent: MessageId, message: OutgoingMessage) -> bool:
        """Make an answer say this by its command's token; False where that cannot be."""
        opened = self._given.get(sent)
        return opened is not None and await self._say(opened, message) is not None

    async def _say(self, opened: _Open, message: OutgoingMessage) -> Any:
        """Have a command's place say this; None where Discord no longer has it so."""
        if self._clock.monotonic() - opened.opened_at >= _TOKEN_LASTS:
            return None
        body = edit_body(message, previews=self._previews)
        try:
            return await self._change_original(opened.application, opened.token, body)
        except SendRefused as error:
            log.info("interaction.not_answered", reason=str(error))
            return None

    async def tidy(self) -> None:
        """Take away what would show "thinking" for ever, as no answer came."""
        while True:
            await self._clock.sleep(_TIDIED_EVERY)
            old = self._clock.monotonic() - _GIVEN_UP_AFTER
            for number in [one for one, opened in self._open.items() if opened.opened_at <= old]:
                opened = self._open.pop(number)
                if opened.may_be_answered:
                    continue
                with suppress(GatewayError):
                    await self._rest.call(
                        "DELETE",
                        "/webhooks/{application}/{webhook}/messages/@original",
                        application=opened.application,
                        webhook=opened.token,
                    )

    async def _respond(self, payload: Json, kind: int, data: Json | None = None) -> None:
        await self._rest.call(
            "POST",
            "/interactions/{interaction}/{webhook}/callback",
            {"type": kind} if data is None else {"type": kind, "data": data},
            interaction=payload["id"],
            webhook=payload["token"],
        )

    async def _change_original(self, application: str, token: str, body: Json) -> Any:
        return await self._rest.call(
            "PATCH",
            "/webhooks/{application}/{webhook}/messages/@original",
            body,
            application=application,
            webhook=token,
        )

    async def _follow_up(self, payload: Json, body: Json) -> None:
        await self._rest.call(
            "POST",
            "/webhooks/{application}/{webhook}",
            body,
            application=payload["application_id"],
            webhook=payload["token"],
        )


def _remember(of: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    of[key] = value
    if len(of) > _REMEMBERED:
        of.popitem(last=False)


def _settled(payload: Json, message: Message) -> dict[str, Any] | None:
    """Return how the pressed message shows what was chosen; None while it is being written."""
    custom_id, pressed = payload["data"]["custom_id"], payload["message"]
    if is_of_growing(custom_id):
        return None
    label = label_of(pressed.get("components") or (), custom_id) or message.text
    who = None if message.address.place.is_direct else message.sender_name
    return settled_body(pressed.get("content") or "", label, who)
