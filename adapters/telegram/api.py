"""Calls to the Bot API in the gateway's terms: what a failure means, and what to wait for."""

import asyncio
import os
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from telegram.error import TelegramError

from adapters.telegram.settings import TelegramSettings
from adapters.telegram.transport import (
    Connections,
    MaybeSent,
    NotSent,
    PlainBot,
    ServerSaidNo,
    TooLarge,
)
from gateway.clock import Clock, believed
from gateway.errors import (
    AccountRejected,
    GatewayError,
    Refused,
    RetryLater,
    SendRefused,
    SendUncertain,
)

_ANSWER_SECONDS = 20.0
_SOON = 1.0
"""Before a call is tried again that never arrived, or that may be made twice."""
_UNTOLD_PENALTY = 5.0
"""For a penalty whose length the server does not say."""
_SLOWEST_BYTES_PER_SECOND = 100_000

_WORDS = {
    "bot was blocked by the user": "the user has blocked the bot",
    "user is deactivated": "the user's account no longer exists",
    "bot was kicked": "the bot is no longer in this chat",
    "bot is not a member": "the bot is no longer in this chat",
    "not enough rights": "the bot may not write here",
    "have no rights": "the bot may not write here",
    "chat_write_forbidden": "the bot may not write here",
    "chat not found": "the chat does not exist, or its user never wrote to the bot",
    "bot can't initiate conversation": "the user has to write to the bot first",
    "thread not found": "the topic no longer exists",
    "topic_deleted": "the topic no longer exists",
    "topic_closed": "the topic is closed",
    "message is too long": "the text is too long",
    "request entity too large": "the file is too large",
    "file is too big": "the file is too large",
}


_GONE = (
    "bot was blocked by the user",
    "user is deactivated",
    "bot was kicked",
    "bot is not a member",
    "chat not found",
    "bot can't initiate conversation",
    "thread not found",
    "topic_deleted",
)


class SaidNo(SendRefused):
    """Telegram refused one call for good; `description` is what it said."""

    def __init__(self, refusal: ServerSaidNo) -> None:
        self.code = refusal.code
        self.description = refusal.description.lower()
        self.moved_to = refusal.parameters.get("migrate_to_chat_id")
        words = (words for said, words in _WORDS.items() if said in self.description)
        told = next(words, f"Telegram refused: {refusal.description}")
        super().__init__(told, is_gone=self.says(*_GONE))

    def says(self, *fragments: str) -> bool:
        return any(fragment in self.description for fragment in fragments)


def unknown_bot(refusal: SaidNo) -> AccountRejected:
    """Tell what a refusal means where only a wrong token or a wrong server is refused."""
    return AccountRejected(
        f"no bot is known by this token ({refusal}); look at `token` and `api_base`"
    )


def unreadable() -> RetryLater:
    """Tell what an answer of another form than documented means where nothing is changed."""
    return RetryLater("Telegram's answer cannot be read", _UNTOLD_PENALTY)


def meaning(error: TelegramError, *, is_repeatable: bool) -> GatewayError:
    """Tell what the caller must do about a failed call."""
    match error:
        case ServerSaidNo(code=code):
            return _meaning_of_answer(error, code, is_repeatable=is_repeatable)
        case NotSent():
            return RetryLater(f"Telegram cannot be reached: {error}", _SOON)
        case _:
            reason = str(error) if isinstance(error, MaybeSent) else type(error).__name__
            words = f"Telegram did not answer: {reason}"
            return RetryLater(words, _SOON) if is_repeatable else SendUncertain(words)


def _meaning_of_answer(error: ServerSaidNo, code: int, *, is_repeatable: bool) -> GatewayError:
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return RetryLater("Telegram asks to wait", _penalty(error.parameters))
    if code == HTTPStatus.UNAUTHORIZED:
        return AccountRejected("Telegram refuses the bot's token; get a new one from @BotFather")
    if code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return SaidNo(error)
    words = f"Telegram is in trouble: {error.description}"
    return RetryLater(words, _SOON) if is_repeatable else SendUncertain(words)


def _penalty(parameters: Mapping[str, Any]) -> float:
    told = parameters.get("retry_after")
    if isinstance(told, int | float) and told >= 0:
        return believed(float(told))
    return _UNTOLD_PENALTY


class Api:
    """One bot's calls. None is made to a chat while Telegram's penalty for it lasts."""

    def __init__(self, settings: TelegramSettings, clock: Clock) -> None:
        self._clock = clock
        self._is_local = settings.local
        self._files = f"{settings.api_base}/file/bot{settings.token.get_secret_value()}"
        self._calling = Connections(_ANSWER_SECONDS)
        self._polling = Connections(settings.poll_timeout + _ANSWER_SECONDS)
        self._bot = PlainBot(
            settings.token.get_secret_value(),
            base_url=lambda token: f"{settings.api_base}/bot{token}",
            request=self._calling,
            get_updates_request=self._polling,
        )
        self._penalties: dict[str, float] = {}
        """Until when, by the adapter's clock, a chat must be left alone."""

    async def open(self) -> None:
        await self._calling.initialize()

    async def close(self) -> None:
        await self._calling.shutdown()

    async def open_polling(self) -> None:
        await self._polling.initialize()

    async def close_polling(self) -> None:
        await self._polling.shutdown()

    async def call(
        self,
        method: str,
        parameters: Mapping[str, Any],
        *,
        is_repeatable: bool = True,
        upload: int = 0,
    ) -> Any:
        """Make one call and return its result.

        Raises `RetryLater`, `SaidNo` and `AccountRejected`; for a call that must not be made
        twice also `SendUncertain`. `upload` is the number of bytes to send with it.
        """
        chat = str(parameters.get("chat_id", ""))
        self._check_penalty(chat)
        within = _ANSWER_SECONDS + upload / _SLOWEST_BYTES_PER_SECOND if upload else None
        try:
            return await self._bot.call(method, dict(parameters), within)
        except TelegramError as error:
            meant = meaning(error, is_repeatable=is_repeatable)
            if isinstance(error, ServerSaidNo) and error.code == HTTPStatus.TOO_MANY_REQUESTS:
                self._note_penalty(chat, _penalty(error.parameters))
            raise meant from error

    def _note_penalty(self, chat: str, seconds: float) -> None:
        now = self._clock.monotonic()
        lasting = {chat: until for chat, until in self._penalties.items() if until > now}
        self._penalties = {**lasting, chat: now + seconds}

    def _check_penalty(self, chat: str) -> None:
        left = self._penalties.get(chat, 0.0) - self._clock.monotonic()
        if chat in self._penalties and left > 0:
            raise RetryLater("Telegram asks to wait", left)

    async def download(self, path: str, limit: int) -> bytes:
        """Return a file's bytes, by the path that `getFile` gave."""
        if self._is_local:
            return await asyncio.to_thread(_read_local, Path(path), limit)
        within = _ANSWER_SECONDS + limit / _SLOWEST_BYTES_PER_SECOND
        try:
            return await self._calling.download(
                f"{self._files}/{quote(path)}", within=within, limit=limit
            )
        except TooLarge as error:
            raise Refused("it is larger than I may take") from error
        except TelegramError as error:
            raise meaning(error, is_repeatable=True) from error


def _read_local(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            # `read` takes memory for all it is asked for, and the limit is gigabytes.
            data = file.read(min(os.fstat(file.fileno()).st_size, limit) + 1)
    except OSError as error:
        raise Refused("Telegram no longer has it") from error
    if len(data) > limit:
        raise Refused("it is larger than I may take")
    return data
