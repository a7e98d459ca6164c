"""A kit that is replaced stays whole until the last turn that works with it is over."""

from typing_extensions import override

from gateway.contracts.provider import Provider
from gateway.pools.kit import AgentKit
from gateway.sessions.compaction import Compactor
from gateway.settings import AgentSettings, CompactionSettings
from gateway.store.store import SqlStore
from tests.fakes.clock import FakeClock
from tests.fakes.money import FakePurse
from tests.fakes.provider import FakeProvider
from tests.fakes.runner import FakeRunners

SETTINGS = AgentSettings(provider="demo", model="big")


def make_kit(provider: Provider) -> AgentKit:
    clock = FakeClock()
    transcript = SqlStore("sqlite:////never/opened.db", clock=clock).transcript
    compactor = Compactor(transcript, provider, "big", CompactionSettings(), FakePurse(), clock)
    return AgentKit(SETTINGS, provider, FakeRunners(clock=clock), compactor)


async def test_an_unused_kit_closes_at_once() -> None:
    provider = FakeProvider()
    await make_kit(provider).retire()
    assert provider.is_closed


async def test_a_kit_in_use_closes_with_its_last_user() -> None:
    provider = FakeProvider()
    kit = make_kit(provider)
    async with kit.in_use():
        async with kit.in_use():
            await kit.retire()
        assert not provider.is_closed
    assert provider.is_closed


async def test_a_provider_that_cannot_close_troubles_nobody() -> None:
    class Broken(FakeProvider):
        @override
        async def close(self) -> None:
            raise OSError("half a connection")

    await make_kit(Broken()).retire()
