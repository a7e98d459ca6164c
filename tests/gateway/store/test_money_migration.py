"""What was spent before whom it was for was written down stays counted."""

from pathlib import Path

from gateway.contracts.money import UsageShare, UsageTotal
from gateway.ids import PersonId
from gateway.store.store import SqlStore
from gateway.transcript import Usage
from tests.fakes.clock import FakeClock
from tests.gateway.store.test_migrations import make

_SESSION = (
    "INSERT INTO sessions (id, agent, key, created_at, last_active, is_archived, last_seq, "
    "summary_seq, folded_upto) VALUES ('s', 'clerk', 'k', 0, 0, 0, 0, 0, 0)"
)
_USAGE = (
    "INSERT INTO usage (session, person, model, spent_at, input_tokens, output_tokens, "
    "cache_read_tokens, cache_write_tokens) VALUES (?, 'p', 'big', 5, 30, 12, 7, 1)"
)


async def test_usage_of_before_is_kept_and_told_by_agent(tmp_path: Path) -> None:
    path = tmp_path / "parley.db"
    connection = make(path, "0002")
    connection.execute(_SESSION)
    for session in ("s", "gone"):
        connection.execute(_USAGE, (session,))
    connection.close()
    store = SqlStore(f"sqlite:///{path}", clock=FakeClock())
    await store.open()
    assert await store.usage.totals(person=PersonId("p")) == [
        UsageTotal("big", 2, Usage(60, 24, 14, 2))
    ]
    shares = await store.usage.shares("agent", 0.0)
    assert sorted(shares, key=lambda one: one.name) == [
        UsageShare("", 1, Usage(30, 12, 7, 1)),
        UsageShare("clerk", 1, Usage(30, 12, 7, 1)),
    ]
    await store.close()
