"""Several bots in one process, each with a Discord of its own: nothing of the SDK is shared."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.settings import DiscordSettings
from gateway.clock import Clock
from gateway.ids import AccountName
from gateway.messages import OutgoingMessage
from tests.adapters.discord.conftest import at
from tests.fakes.account import Account
from tests.fakes.discord import FakeDiscord

Bot = tuple[FakeDiscord, Account, DiscordAdapter]


@pytest.fixture
async def bots(clock: Clock, tmp_path: Path) -> AsyncIterator[list[Bot]]:
    """Return two bots that are connected, with tokens of their own."""
    async with AsyncExitStack() as stack:
        made = []
        for token in ("MTE.first.token", "MjI.second.token"):
            server = await stack.enter_async_context(FakeDiscord(clock=clock, token=token))
            entry = {
                "token": token,
                "api_base": server.api_base,
                "gateway_url": server.gateway_url,
            }
            account = Account(clock, tmp_path)
            settings = DiscordSettings.model_validate(entry)
            adapter = DiscordAdapter(AccountName(token[:3]), settings, account.kit)
            await adapter.open()
            stack.push_async_callback(adapter.close)
            await stack.enter_async_context(account.receiving(adapter))
            await server.until(lambda server: server.gateway.is_connected)
            made.append((server, account, adapter))
        yield made


async def test_each_bot_hears_and_answers_its_own(bots: list[Bot]) -> None:
    for number, (server, account, adapter) in enumerate(bots):
        ann = server.user(42, "Ann")
        ann.writes(f"hi {number}")
        await account.gate.until(lambda gate: bool(gate.texts))
        assert account.gate.texts == [f"hi {number}"]
        await adapter.send(at(ann.dm), OutgoingMessage("k", f"hello {number}"))
        assert ann.dm.bot_texts() == [f"hello {number}"]


async def test_each_bot_comes_back_to_its_own(bots: list[Bot]) -> None:
    for server, _, _ in bots:
        server.gateway.invalidates()
    for number, (server, account, _) in enumerate(bots):
        await server.until(lambda server: server.gateway.identifies == 2)
        server.user(42, "Ann").writes(f"hi {number}")
        await account.gate.until(lambda gate: bool(gate.texts))
        assert account.gate.texts == [f"hi {number}"]
        assert server.gateway.refused == []
