"""A bot on Telegram keeps every adapter's promises: alone with a person, and in a group."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.telegram.adapter import TelegramAdapter
from tests.contracts.adapter_contract import AdapterContract, Stage, on_stage
from tests.fakes.fast_clock import FastClock
from tests.journeys.on_telegram import Telegram, TelegramGroup


@pytest.fixture(params=[Telegram, TelegramGroup])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    place: Telegram = request.param(FastClock(), tmp_path)
    async with place, on_stage(place, TelegramAdapter, pardoned=("not modified",)) as it:
        yield it


class TestTelegramAdapter(AdapterContract):
    pass
