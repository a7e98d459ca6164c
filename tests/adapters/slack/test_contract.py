"""An app on Slack keeps every adapter's promises: an agent, a plain one, in a channel, by HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.slack.adapter import SlackAdapter
from tests.contracts.adapter_contract import AdapterContract, Stage, on_stage
from tests.fakes.fast_clock import FastClock
from tests.journeys.on_slack import Slack, SlackChannel, SlackHttp, SlackPlain


@pytest.fixture(params=[Slack, SlackPlain, SlackChannel, SlackHttp])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    place: Slack = request.param(FastClock(), tmp_path)
    # A process does not know that a stream has ended, nor which sign another has put.
    pardoned = ("streaming_state", "already_reacted")
    async with place, on_stage(place, SlackAdapter, pardoned) as it:
        yield it


class TestSlackAdapter(AdapterContract):
    pass
