"""Presses of buttons: each is answered in time, and settles the message that it was made on.

Facts: https://core.telegram.org/bots/api#callbackquery
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

import structlog

from adapters.telegram.api import Api, SaidNo
from adapters.telegram.choices import (
    Parameters,
    chosen_line,
    is_readable,
    label_to_settle,
    settled_keyboard,
    settled_text,
    without_keyboard,
)
from adapters.telegram.markdown import render
from adapters.telegram.outbound import NO_PREVIEW, without_entities
from gateway.clock import Clock
from gateway.errors import GatewayError, RetryLater
from gateway.messages import Inbound, Message, Receipt

log = structlog.get_logger()

Json = Mapping[str, Any]

_ANSWERED_WITHIN = 4.0
"""Telegram does not say how long it takes answers; the button shows that it waits meanwhile."""
_ANSWER_MATTERS = 4.0
_SETTLING_MATTERS = 90.0
"""Seconds for which a call that did not get through is made again."""
_WORDS_LIMIT = 200
_REMEMBERED = 256


class Presses:
    """What one account's presses cause besides messages."""

    def __init__(
        self, api: Api, clock: Clock, errands: asyncio.TaskGroup, *, previews: bool
    ) -> None:
        self._api = api
        self._clock = clock
        self._errands = errands
        self._previews = {} if previews else NO_PREVIEW
        self._waiting: dict[str, asyncio.Future[Receipt]] = {}
        self._answered: deque[str] = deque(maxlen=_REMEMBERED)

    def expect(self, press: Json) -> None:
        """Have it answered in time, however long it takes to be kept."""
        name = press["id"]
        if name not in self._waiting and name not in self._answered:
            receipt = self._waiting[name] = asyncio.get_running_loop().create_future()
            self._run(self._answer(name, receipt))

    def conclude(self, press: Json, inbound: Inbound | None, receipt: Receipt) -> None:
        """Tell the presser what became of it, and show it to all if it was taken."""
        waiting = self._waiting.get(press["id"])
        if waiting is not None and not waiting.done():
            waiting.set_result(receipt)
        if receipt.is_taken and isinstance(inbound, Message):
            who = None if inbound.address.place.is_direct else inbound.sender_name
            self._run(self._settle(press, who))

    def _run(self, errand: Coroutine[Any, Any, None]) -> None:
        self._errands.create_task(_whatever_happens(errand))

    async def _answer(self, name: str, waiting: "asyncio.Future[Receipt]") -> None:
        receipt = Receipt()
        with suppress(TimeoutError):
            async with self._clock.timeout(_ANSWERED_WITHIN):
                receipt = await waiting
        del self._waiting[name]
        self._answered.append(name)
        parameters = {"callback_query_id": name, **_words(receipt)}
        await self._insist("answerCallbackQuery", parameters, _ANSWER_MATTERS)

    async def _settle(self, press: Json, who: str | None) -> None:
        message = press["message"]
        if not is_readable(message):
            # Far too old to be growing; what its buttons say is not known any more.
            await self._change("editMessageReplyMarkup", without_keyboard(message))
            return
        label = label_to_settle(press)
        if label is None:
            return
        line = chosen_line(label, who)
        text = settled_text(message, line)
        if text is not None and await self._change("editMessageText", {**text, **self._previews}):
            return
        await self._change("editMessageReplyMarkup", settled_keyboard(message, line))

    async def _change(self, method: str, parameters: Parameters) -> bool:
        try:
            await self._insist(method, parameters, _SETTLING_MATTERS)
        except SaidNo as refusal:
            if refusal.says("message is not modified"):
                return True
            if refusal.says("entit") and "entities" in parameters:
                return await self._change(method, without_entities(parameters))
            log.info("errand.refused", method=method, reason=str(refusal))
            return False
        return True

    async def _insist(self, method: str, parameters: Parameters, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        while True:
            try:
                await self._api.call(method, parameters)
            except RetryLater as pause:
                if self._clock.monotonic() + pause.after > until:
                    raise
                await self._clock.sleep(pause.after)
            else:
                return


def _words(receipt: Receipt) -> Parameters:
    """Say why not, so that it stays until it is read; what was taken needs no words."""
    if receipt.is_taken or not receipt.words:
        return {}
    return {"text": render(receipt.words).shortened(_WORDS_LIMIT).text, "show_alert": True}


async def _whatever_happens(errand: Coroutine[Any, Any, None]) -> None:
    """Keep from everything else what goes wrong with one press."""
    try:
        await errand
    except GatewayError as trouble:
        log.info("errand.given_up", reason=str(trouble))
    except Exception:
        log.exception("errand.broken")
