import asyncio

from typing_extensions import override

from gateway.contracts.adapter import Adapter, Deliver
from gateway.errors import AccountRejected, RetryLater
from gateway.ids import AccountName, MessageId
from gateway.inbound.health import AccountHealth
from gateway.inbound.supervision import keep_running
from gateway.messages import Address, Inbound, Limits, OutgoingMessage, Receipt
from gateway.settings import AdapterSettings
from tests.fakes.clock import FakeClock


class Faltering(Adapter):
    """Ends each run as the script says."""

    platform = "faltering"
    settings_type = AdapterSettings
    limits = Limits(text=100)

    def __init__(self, *ends: BaseException | None) -> None:
        self.name = AccountName("bot")
        self.ends = list(ends)

    @override
    async def run(self, deliver: Deliver) -> None:
        end = self.ends.pop(0)
        if end is not None:
            raise end

    @override
    async def send(self, to: Address, message: OutgoingMessage) -> MessageId:
        raise NotImplementedError


async def deliver(_: Inbound) -> Receipt:
    return Receipt()


async def run_for(adapter: Adapter, seconds: float) -> tuple[bool | None, AccountHealth]:
    clock = FakeClock()
    health = AccountHealth(AccountName("bot"), clock)
    running = asyncio.create_task(keep_running(adapter, deliver, health, clock, is_open=True))
    await clock.advance(seconds)
    if running.done():
        return running.result(), health
    running.cancel()
    return None, health


async def test_an_adapter_whose_input_ends_is_done() -> None:
    ended, health = await run_for(Faltering(None), 0)
    assert ended is True
    assert health.state == "stopped"


async def test_a_rejected_account_is_not_tried_again() -> None:
    adapter = Faltering(AccountRejected("the token is wrong"), None)
    ended, health = await run_for(adapter, 1_000)
    assert ended is False
    assert (health.state, health.reason) == ("stopped", "the token is wrong")
    assert len(adapter.ends) == 1


async def test_an_adapter_waits_as_long_as_it_asks() -> None:
    adapter = Faltering(RetryLater("gone", 30.0), None)
    ended, health = await run_for(adapter, 29)
    assert ended is None
    assert (health.state, health.reason) == ("troubled", "gone")
    ended, _ = await run_for(Faltering(RetryLater("gone", 30.0), None), 31)
    assert ended is True


async def test_a_bug_is_outlived_with_growing_pauses() -> None:
    adapter = Faltering(*[RuntimeError("a bug")] * 20, None)
    ended, _ = await run_for(adapter, 60)
    assert ended is None
    assert 12 <= len(adapter.ends) <= 17


async def test_an_adapter_that_cancels_itself_is_started_again() -> None:
    adapter = Faltering(asyncio.CancelledError(), None)
    ended, _ = await run_for(adapter, 2)
    assert ended is True
    assert adapter.ends == []
