"""The floor: the bot that one writes in ten minutes on the two SDKs as they come.

It keeps nothing, repeats nothing and forgets everything; it is here to be measured against.
Environment: TELEGRAM_API_BASE, TELEGRAM_BOT_TOKEN, OPENAI_BASE_URL, OPENAI_API_KEY, MODEL.
"""

import os
from typing import Any

from openai import AsyncOpenAI
from telegram import Update
from telegram.ext import Application, MessageHandler, filters

_POOL = 1_200
"""Connections: enough for every chat of the widest measurement at once."""

client = AsyncOpenAI(max_retries=0, timeout=60.0)


async def answer(update: Update, _: Any) -> None:
    message = update.effective_message
    if message is None or message.text is None:
        return
    stream = await client.chat.completions.create(
        model=os.environ["MODEL"],
        messages=[
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": message.text},
        ],
        stream=True,
    )
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    await message.reply_text("".join(pieces))


def main() -> None:
    base = os.environ["TELEGRAM_API_BASE"]
    application = (
        Application
        .builder()
        .token(os.environ["TELEGRAM_BOT_TOKEN"])
        .base_url(f"{base}/bot")
        .concurrent_updates(_POOL)
        .connection_pool_size(_POOL)
        .pool_timeout(60.0)
        .build()
    )
    application.add_handler(MessageHandler(filters.TEXT, answer))
    application.run_polling(allowed_updates=["message"])


if __name__ == "__main__":
    main()
