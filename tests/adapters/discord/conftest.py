"""One bot, really connected to a Discord on loopback; time is the machine's, made faster."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.settings import DiscordSettings
from gateway.clock import Clock
from gateway.ids import AccountName, ExternalUser, PlatformName
from gateway.messages import Address, Place
from tests.fakes.account import Account
from tests.fakes.discord import Channel, FakeDiscord, Guild, User
from tests.fakes.fast_clock import FastClock

SPEED = 20.0
Receiving = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
def clock() -> Clock:
    return FastClock(SPEED)


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(clock=clock) as running:
        running.world.answer_seconds *= SPEED
        yield running
        assert not running.unknown_fields
        assert not running.calls_in_penalty
        assert [ping for ping in running.pings if ping.kind != "reply"] == []


@pytest.fixture
def account(clock: Clock, tmp_path: Path) -> Account:
    return Account(clock, tmp_path)


@pytest.fixture
def entry(server: FakeDiscord) -> dict[str, Any]:
    return {
        "token": server.token,
        "api_base": server.api_base,
        "gateway_url": server.gateway_url,
        "cdn_hosts": ["127.0.0.1"],
    }


@pytest.fixture
def more() -> dict[str, Any]:
    """Return settings of a test's own."""
    return {}


@pytest.fixture
async def adapter(
    entry: dict[str, Any], more: dict[str, Any], account: Account
) -> AsyncIterator[DiscordAdapter]:
    settings = DiscordSettings.model_validate({**entry, **more})
    made = DiscordAdapter(AccountName("helper"), settings, account.kit)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def receiving(adapter: DiscordAdapter, account: Account, server: FakeDiscord) -> Receiving:
    """Return a context in which the bot is connected."""

    @asynccontextmanager
    async def context() -> AsyncIterator[None]:
        before = server.gateway.welcomes
        async with account.receiving(adapter):
            await server.until(
                lambda server: server.gateway.welcomes > before and server.gateway.is_connected
            )
            yield

    return context


@pytest.fixture
def ann(server: FakeDiscord) -> User:
    return server.user(42, "Ann")


@pytest.fixture
def team(server: FakeDiscord, ann: User) -> Guild:
    return server.guild("Team", [ann])


@pytest.fixture
def general(team: Guild) -> Channel:
    return team.text("general")


def at(channel: Channel, user: int = 42) -> Address:
    """Address a channel, a thread or a direct conversation on the account `helper`."""
    if channel.is_direct:
        place = Place(str(channel.id), is_direct=True)
    elif channel.thread is not None and channel.parent is not None:
        space = str(channel.guild.id) if channel.guild else None
        place = Place(str(channel.parent.id), str(channel.id), space=space)
    else:
        place = Place(str(channel.id), space=str(channel.guild.id) if channel.guild else None)
    return Address(PlatformName("discord"), AccountName("helper"), ExternalUser(str(user)), place)
