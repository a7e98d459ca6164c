"""The contract, over the real SDK and real sockets, wherever a bot may be met."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.discord.adapter import DiscordAdapter
from tests.contracts.adapter_contract import AdapterContract, Stage, on_stage
from tests.fakes.fast_clock import FastClock
from tests.journeys.on_discord import Discord, DiscordServer, DiscordThread


@pytest.fixture(params=[Discord, DiscordServer, DiscordThread])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    async with (
        request.param(FastClock(), tmp_path) as platform,
        # A process that has just started does not know whether the thread has been opened.
        on_stage(platform, DiscordAdapter, pardoned=("open_thread: 10008",)) as it,
    ):
        yield it


class TestDiscordAdapter(AdapterContract):
    pass
