"""The terminal keeps every adapter's promises, over a pipe."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.local.adapter import LocalAdapter
from tests.contracts.adapter_contract import AdapterContract, Stage, on_stage
from tests.fakes.fast_clock import FastClock
from tests.journeys.in_terminal import Terminal


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with Terminal(FastClock(), tmp_path) as platform, on_stage(platform, LocalAdapter) as it:
        yield it


class TestLocalAdapter(AdapterContract):
    pass
