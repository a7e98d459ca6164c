"""A gateway's life: it starts, serves whom it can, and ends with nothing half done."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typing_extensions import override

from gateway.app import run_gateway
from gateway.contracts.inbox import Kept
from gateway.contracts.stores import Turn
from gateway.errors import AccountRejected, ProviderUnavailable, RetryLater, StoreBusy, StoreFailed
from gateway.inbound.dispatch import OUTAGE_WORDS
from gateway.settings import GatewaySettings
from gateway.transcript import UserEntry
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import FakeGateway, Make, gateways
from tests.fakes.provider import FakeProvider, Gate, says


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with gateways(tmp_path, monkeypatch) as made:
        yield made


async def run_to_its_end(served: FakeGateway) -> None:
    """Run it as the command does, moving time on until it ends."""
    running = asyncio.create_task(
        run_gateway(served.settings, until=asyncio.Event(), clock=served.clock)
    )
    for _ in range(2_000):
        if running.done():
            break
        await served.clock.advance(0.1)
        await asyncio.to_thread(lambda: None)
    running.cancel()
    await running


# Starting.


async def test_r1_what_was_kept_is_answered_after_the_next_start(make: Make) -> None:
    served = make(model=FakeProvider([gate := Gate()], otherwise=lambda _: says("Well!")))
    await served.start()
    await served.writes("one", "ann")
    await served.until(gate.reached.is_set)
    await served.writes("two", "ann")
    await served.kill()
    async with served.running():
        await served.until(lambda: served.texts("ann") == ["Well!", "Well!"])


@pytest.mark.parametrize("error", [RuntimeError("a bug"), RetryLater("out of reach", 5.0)])
async def test_an_account_that_cannot_be_opened_keeps_no_other_from_serving(
    make: Make, error: Exception
) -> None:
    served = make("good", "bad")
    bad = served.accounts["bad"]
    bad.opening.extend([error, error])
    async with served.running():
        await served.asks("hello")
        await served.until(lambda: bad.is_open)
        await served.writes("hello", account="bad")
        await served.until(lambda: bad.texts("ann") == ["Well!"])


async def test_an_account_that_is_rejected_at_its_opening_leaves_the_others_at_work(
    make: Make,
) -> None:
    served = make("good", "bad")
    served.accounts["bad"].opening.extend([AccountRejected("no such bot")] * 2)
    async with served.running():
        await served.asks("hello")
        health = served.accounts["bad"].health
        assert health is not None
        assert (health.state, health.reason) == ("stopped", "no such bot")


class Warming(FakeProvider):
    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(otherwise=lambda _: says("Well!"))
        self.warmings = 0
        self._error = error

    @override
    async def warm_up(self) -> None:
        self.warmings += 1
        if self._error is not None:
            raise self._error


async def test_the_models_are_warmed_up_once_an_account_is_connected(make: Make) -> None:
    served = make("one", "two", model=(model := Warming()))
    async with served.running():
        await served.passes(10.0)
        assert model.warmings == 0
        for account in served.accounts.values():
            assert account.health is not None
            account.health.alive()
        await served.until(lambda: model.warmings == 1)
        await served.passes(10.0)
        assert model.warmings == 1


async def test_a_warm_up_that_fails_ends_nothing(make: Make) -> None:
    served = make(model=(model := Warming(RuntimeError("a bug"))))
    async with served.running():
        assert served.bot.health is not None
        served.bot.health.alive()
        await served.until(lambda: model.warmings == 1)
        await served.asks("hello")


# Ending.


async def test_r12_told_to_stop_it_leaves_nothing_behind(make: Make) -> None:
    served = make("one", "two")
    await served.start()
    assert (served.settings.data_dir / "parley.sock").exists()
    await served.asks("hello")
    await served.stop()
    assert not any(account.is_open for account in served.accounts.values())
    assert served.model.is_closed
    assert not (served.settings.data_dir / "parley.sock").exists()


async def test_r12_a_turn_at_work_is_let_come_to_its_end(make: Make) -> None:
    served = make(model=FakeProvider([gate := Gate(), *says("Well!")]))
    await served.start()
    await served.writes("hello")
    await served.until(gate.reached.is_set)
    served.until_told.set()
    await served.passes(5.0)
    gate.open()
    await served.ended()
    assert served.texts() == ["Well!"]


async def test_r12_a_turn_that_takes_longer_is_interrupted_and_kept(make: Make) -> None:
    served = make(model=FakeProvider([gate := Gate()], otherwise=lambda _: says("Well!")))
    await served.start()
    await served.writes("hello")
    await served.until(gate.reached.is_set)
    before = served.clock.monotonic()
    await served.stop()
    assert 30 <= served.clock.monotonic() - before < 40
    assert served.turns() == [("postponed", 0)]
    async with served.running():
        await served.reads("Well!")


async def test_an_account_that_cannot_be_closed_keeps_no_other_open(make: Make) -> None:
    served = make("bad", "good")
    served.accounts["bad"].closing.append(RuntimeError("a bug"))
    await served.start()
    await served.stop()
    assert not served.accounts["good"].is_open


async def test_when_all_input_has_ended_the_last_answer_is_awaited(make: Make) -> None:
    served = make("one", "two", model=FakeProvider([gate := Gate(), *says("Well!")]))
    await served.start()
    await served.writes("hello")
    for account in served.accounts.values():
        account.end_input()
    await served.until(gate.reached.is_set)
    await served.passes(60.0)
    assert served.is_serving
    gate.open()
    await served.ended()
    assert served.texts() == ["Well!"]


async def test_r12_after_the_end_of_input_a_signal_is_still_heard(make: Make) -> None:
    served = make(model=FakeProvider(otherwise=lambda _: [ProviderUnavailable("down")]))
    await served.start()
    await served.writes("hello")
    served.bot.end_input()
    await served.reads(OUTAGE_WORDS)
    await served.passes(10.0)
    await served.stop()
    assert served.turns() == [("postponed", 0)]


async def test_r12_after_the_end_of_input_a_model_that_is_down_is_not_waited_for(
    make: Make,
) -> None:
    is_back = asyncio.Event()
    down = [ProviderUnavailable("down")]
    model = FakeProvider(otherwise=lambda _: says("Well!") if is_back.is_set() else down)
    served = make(model=model, drain_timeout=30.0)
    await served.start()
    await served.writes("hello")
    served.bot.end_input()
    await served.reads(OUTAGE_WORDS)
    await served.passes(10.0)
    assert served.is_serving
    await served.ended()
    assert served.turns() == [("postponed", 0)]
    is_back.set()
    async with served.running():
        await served.reads("Well!")


# Ending in trouble.


async def test_when_every_account_is_rejected_it_ends_with_the_reasons(make: Make) -> None:
    served = make("one", "two")
    served.accounts["one"].break_off(AccountRejected("the token is revoked"))
    served.accounts["two"].opening.extend([AccountRejected("no such bot")] * 2)
    with pytest.raises(AccountRejected, match=r"one: the token is revoked; two: no such bot"):
        await run_to_its_end(served)
    assert not served.accounts["one"].is_open


async def test_one_rejected_account_does_not_end_the_others(make: Make) -> None:
    served = make("good", "bad")
    served.accounts["bad"].break_off(AccountRejected("the token is revoked"))
    async with served.running():
        await served.passes(60.0)
        await served.asks("hello")


async def test_a_store_that_fails_ends_the_run(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    served = make()

    async def begin(_: Kept) -> Turn:
        raise StoreFailed("the database is damaged")

    await served.start()
    monkeypatch.setattr(served.store.turns, "begin", begin)
    await served.writes("hello")
    with pytest.raises(ExceptionGroup) as failure:
        await served.ended()
    assert failure.group_contains(StoreFailed, match="damaged")
    assert not (served.settings.data_dir / "parley.sock").exists()


async def test_what_ends_a_run_comes_out_of_it_bare(make: Make, tmp_path: Path) -> None:
    served = make()
    await served.start()
    with pytest.raises(StoreFailed):
        await run_to_its_end(served)
    await served.stop()
    (tmp_path / "file").touch()
    settings = GatewaySettings(data_dir=tmp_path / "file" / "data")
    with pytest.raises(StoreFailed, match="cannot make the data directory"):
        await run_gateway(settings, until=asyncio.Event(), clock=FakeClock())


# Keeping house.


async def test_what_is_a_month_old_and_done_is_forgotten(make: Make) -> None:
    served = make()
    await served.start()
    await served.asks("hello")
    await served.stop()
    await served.clock.advance(30 * 86_400)
    async with served.running():
        await served.asks("again")
        await served.until(lambda: len(served.turns()) == 1, step=10.0)
        assert served.model.requests[-1].entries[0] == UserEntry("hello")


async def test_a_store_that_is_busy_is_tidied_another_day(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = make()
    times: list[float] = []

    async def prune(_: float) -> int:
        times.append(served.clock.monotonic())
        raise StoreBusy("the disk is full", 1.0)

    await served.start()
    monkeypatch.setattr(served.store, "prune", prune)
    await served.until(lambda: len(times) == 2, step=3_600.0, within=3 * 86_400)
    await served.asks("hello")
    await served.stop()
