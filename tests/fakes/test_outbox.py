"""The outbox in memory keeps what the store's outbox promises."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.contracts.stores import Store
from gateway.store.store import SqlStore
from tests.contracts import store_contract as contract
from tests.fakes.clock import FakeClock
from tests.fakes.outbox import MemoryOutbox


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    made = SqlStore(f"sqlite:///{tmp_path / 'parley.db'}", clock=clock, queues=contract.QUEUES)
    made.outbox = MemoryOutbox(clock)
    await made.open()
    yield made
    await made.close()


class TestMemoryOutbox(contract.OutboxContract):
    pass
