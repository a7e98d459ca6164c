"""The gateway, as the real discord.py meets it."""

from collections.abc import AsyncIterator

import discord
import pytest

from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_bot import bot_for


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as running:
        yield running


async def test_a_bot_connects_and_hears_what_is_written_to_it(server: FakeDiscord) -> None:
    ann = server.user(42, "Ann")
    async with bot_for(server) as bot:
        ann.writes("hi")
        message = await bot.hears("hi")
        assert message.author.id == 42
        assert isinstance(message.channel, discord.DMChannel)
        await message.channel.send("hello **Ann**")
    assert [(one.who, one.text) for one in ann.dm.shown()] == [("Ann", "hi"), ("bot", "hello Ann")]
