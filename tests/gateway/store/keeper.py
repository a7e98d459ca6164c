"""A process that keeps messages as fast as it can and says each one once it is kept."""

import asyncio
import itertools
import sys

import structlog

from gateway.clock import SystemClock
from gateway.contracts.inbox import KeepOutcome
from gateway.ids import AgentId, EventKey, Lane, MessageId
from gateway.settings import QueueSettings
from gateway.store.store import SqlStore
from tests.messages import keep_one, message

_AT_ONCE = 20
NO_BOUNDS = QueueSettings(per_session=10**6, per_person=10**6, in_all=10**6)


async def keep_for_ever(url: str, name: str) -> None:
    store = SqlStore(url, clock=SystemClock(), queues=NO_BOUNDS)
    await store.open()
    _say("open")
    numbers = itertools.count()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(_AT_ONCE):
            tasks.create_task(_keep(store, name, numbers))


async def _keep(store: SqlStore, name: str, numbers: "itertools.count[int]") -> None:
    for number in numbers:
        key = f"{name}-{number}"
        given = message(key, event_key=EventKey(key), message_id=MessageId(key))
        lane = Lane(f"lane {number % 7}")
        outcome = await keep_one(
            store.inbox, given, lane=lane, session_key=lane, agent=AgentId("main"), person=None
        )
        assert outcome is KeepOutcome.KEPT
        _say(key)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(keep_for_ever(sys.argv[1], sys.argv[2]))
