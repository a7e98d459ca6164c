"""One app, really connected to a Slack on loopback; time is moved by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.slack.adapter import SlackAdapter
from adapters.slack.settings import SlackSettings
from gateway.ids import AccountName
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.slack import FakeSlack, User


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[FakeSlack]:
    async with FakeSlack(clock=clock) as running:
        yield running
        assert not running.unknown_arguments
        assert not running.pings
        assert not running.calls_in_penalty


@pytest.fixture
def account(clock: FakeClock, tmp_path: Path) -> Account:
    return Account(clock, tmp_path)


@pytest.fixture
def settings(server: FakeSlack) -> SlackSettings:
    return SlackSettings.model_validate({
        "bot_token": server.world.bot_token,
        "app_token": server.world.app_token,
        "signing_secret": server.world.signing_secret,
        "api_base": f"{server.url}/api/",
    })


@pytest.fixture
async def adapter(settings: SlackSettings, account: Account) -> AsyncIterator[SlackAdapter]:
    made = SlackAdapter(AccountName("helper"), settings, account.kit)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def ann(server: FakeSlack) -> User:
    return server.user("U0ANN", "Ann")
