"""The real python-telegram-bot, pointed at the fake."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from telegram import Bot
from telegram.request import HTTPXRequest

from tests.fakes.telegram import FakeTelegram


@asynccontextmanager
async def bot_for(server: FakeTelegram, token: str | None = None) -> AsyncIterator[Bot]:
    """Give a started bot; its waits are short, so that a fake that hangs fails a test."""
    bot = Bot(
        token or server.token,
        base_url=f"{server.url}/bot",
        base_file_url=f"{server.url}/file/bot",
        request=HTTPXRequest(read_timeout=3),
        get_updates_request=HTTPXRequest(read_timeout=3),
    )
    async with bot:
        yield bot


async def raw(server: FakeTelegram, method: str, **body: Any) -> dict[str, Any]:
    """Make a call that the library would not let through; return the envelope."""
    url = f"{server.url}/bot{server.token}/{method}"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        envelope: dict[str, Any] = await answer.json()
        assert answer.status == envelope.get("error_code", 200)
        return envelope
