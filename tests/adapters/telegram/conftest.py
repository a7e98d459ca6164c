"""One bot, really connected to a Telegram on loopback; time is moved by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.settings import TelegramSettings
from gateway.ids import AccountName
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.telegram import FakeTelegram, User


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(clock=clock) as running:
        yield running
        assert not running.unknown_parameters


@pytest.fixture
def account(clock: FakeClock, tmp_path: Path) -> Account:
    return Account(clock, tmp_path)


@pytest.fixture
def settings(server: FakeTelegram) -> TelegramSettings:
    return TelegramSettings.model_validate({"token": server.token, "api_base": server.url})


@pytest.fixture
async def adapter(settings: TelegramSettings, account: Account) -> AsyncIterator[TelegramAdapter]:
    made = TelegramAdapter(AccountName("helper"), settings, account.kit)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def ann(server: FakeTelegram) -> User:
    return server.user(42, "Ann")
