import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
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


class Speaking(Faltering):
    """Says of its health what the script says, at these seconds of its run, and hangs."""

    silent_at_most = 100.0

    def __init__(self, *scripts: dict[float, str]) -> None:
        super().__init__()
        self.scripts = list(scripts)
        self.runs = 0
        self.released = 0

    def lent(self, health: AccountHealth, clock: FakeClock) -> None:
        self.health, self.clock = health, clock

    @override
    async def run(self, deliver: Deliver) -> None:
        script = self.scripts[min(self.runs, len(self.scripts) - 1)]
        self.runs += 1
        said = 0.0
        try:
            for moment, word in script.items():
                await self.clock.sleep(moment - said)
                said = moment
                self.health.troubled(word) if word else self.health.alive()
            await asyncio.get_running_loop().create_future()
        finally:
            self.released += 1


@asynccontextmanager
async def kept_running(adapter: Speaking) -> AsyncIterator[tuple[AccountHealth, FakeClock]]:
    clock = FakeClock()
    health = AccountHealth(AccountName("bot"), clock)
    adapter.lent(health, clock)
    async with asyncio.TaskGroup() as tasks:
        keeping = keep_running(adapter, deliver, health, clock, is_open=True)
        running = tasks.create_task(keeping)
        yield health, clock
        running.cancel()


async def test_r14_an_adapter_that_falls_silent_is_begun_anew() -> None:
    adapter = Speaking({0: "", 90: ""}, {0: ""})
    async with kept_running(adapter) as (health, clock):
        await clock.advance(180)
        assert (adapter.runs, health.state) == (1, "running")
        await clock.advance(15.5)
        assert (adapter.released, health.state) == (1, "silent")
        assert health.reason == "nothing was heard of it for 105 s; it is begun anew"
        await clock.advance(1)
        assert (adapter.runs, health.state) == (2, "running")
    assert adapter.released == 2


async def test_an_adapter_that_never_says_a_word_is_begun_anew_too() -> None:
    adapter = Speaking({}, {0: ""})
    async with kept_running(adapter) as (health, clock):
        await clock.advance(110)
        assert (adapter.runs, health.state) == (2, "running")


async def test_l9_an_adapter_that_waits_for_the_end_of_its_trouble_is_left_alone() -> None:
    adapter = Speaking({0: "", 10: "the platform asks for 15 minutes", 910: ""})
    async with kept_running(adapter) as (health, clock):
        await clock.advance(909)
        assert (adapter.runs, health.state) == (1, "troubled")
        await clock.advance(50)
        assert (adapter.runs, health.state) == (1, "running")


async def test_an_adapter_in_trouble_for_ever_is_begun_anew() -> None:
    adapter = Speaking({0: "", 10: "it hangs"}, {0: ""})
    async with kept_running(adapter) as (health, clock):
        await clock.advance(1820)
        assert (adapter.runs, health.state) == (2, "running")


async def test_an_adapter_that_stays_silent_is_begun_ever_less_often() -> None:
    adapter = Speaking({})
    async with kept_running(adapter) as (_, clock):
        await clock.advance(3600)
    assert 20 <= adapter.runs <= 30


async def test_where_a_platform_may_be_silent_nothing_is_made_of_it() -> None:
    adapter = Speaking({0: ""})
    adapter.silent_at_most = None  # type: ignore[assignment] # as an adapter's default is
    async with kept_running(adapter) as (health, clock):
        await clock.advance(100_000)
        assert (adapter.runs, health.state) == (1, "running")


async def test_what_comes_after_the_whole_process_stood_still_is_waited_for() -> None:
    adapter = Speaking({0: "", 103: ""})
    async with kept_running(adapter) as (health, clock):
        await clock.advance(104)
        assert (adapter.runs, health.state) == (1, "running")


@pytest.mark.fault("clock", "host")
async def test_a_sign_of_life_is_as_old_as_it_is_whatever_the_clock_says() -> None:
    class SetBack(FakeClock):
        @override
        def now(self) -> float:
            return super().now() - 3600 * (self.monotonic() > 4)

    clock = SetBack()
    health = AccountHealth(AccountName("bot"), clock)
    health.alive()
    await clock.advance(5)
    assert health.describe()["seconds_since_alive"] == 5.0
