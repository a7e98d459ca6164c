from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.store.store import SqlStore
from tests.contracts import money_contract, overview_contract
from tests.contracts import store_contract as contract
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store(tmp_path: Path, clock: FakeClock) -> AsyncIterator[SqlStore]:
    made = SqlStore(f"sqlite:///{tmp_path / 'parley.db'}", clock=clock, queues=contract.QUEUES)
    await made.open()
    yield made
    await made.close()


class TestInbox(contract.InboxContract):
    pass


class TestWithdrawal(contract.WithdrawalContract):
    pass


class TestTurns(contract.TurnsContract):
    pass


class TestDeadLetters(contract.DeadLettersContract):
    pass


class TestSessions(contract.SessionsContract):
    pass


class TestMovedPlace(contract.MovedPlaceContract):
    pass


class TestTranscript(contract.TranscriptContract):
    pass


class TestOutbox(contract.OutboxContract):
    pass


class TestAnnounced(contract.AnnouncedContract):
    pass


class TestHolds(money_contract.HoldsContract):
    pass


class TestUsage(money_contract.UsageContract):
    pass


class TestCursors(contract.CursorsContract):
    pass


class TestPrune(contract.PruneContract):
    pass


class TestPeople(contract.PeopleContract):
    pass


class TestOverview(overview_contract.OverviewContract):
    pass
