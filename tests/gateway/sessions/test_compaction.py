"""Folding: the older turns become a summary, the originals stay, and nothing is mixed up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.contracts.provider import EndPart, ModelRequest
from gateway.errors import ProviderFailed
from gateway.ids import AgentId, SessionId
from gateway.sessions.compaction import Compaction, Compactor
from gateway.settings import CompactionSettings
from gateway.store.store import SqlStore
from gateway.transcript import (
    AssistantEntry,
    Entry,
    SummaryEntry,
    ToolCall,
    ToolResultEntry,
    Usage,
    UserEntry,
    entry_text,
)
from tests.fakes.clock import FakeClock
from tests.fakes.money import PAYER, purse_over
from tests.fakes.provider import FakeProvider, Gate, Step, says

AGENT = AgentId("main")


class Desk:
    """A compactor over a real store, and a model that writes what it is told to."""

    def __init__(self, store: SqlStore, clock: FakeClock) -> None:
        self.store = store
        self.clock = clock
        self.provider = FakeProvider()

    def compactor(self, *, max_tokens: int | None = None, keep_tail: int = 2) -> Compactor:
        settings = CompactionSettings(max_tokens=max_tokens, keep_tail=keep_tail)
        purse = purse_over(self.store, self.clock)
        return Compactor(self.store.transcript, self.provider, "fast", settings, purse, self.clock)

    async def session(self, *entries: Entry, key: str = "main:local:u:dm") -> SessionId:
        session = (await self.store.sessions.resolve(AGENT, key, None)).id
        await self.store.transcript.append(session, entries)
        return session

    async def compact(self, session: SessionId, **settings: int) -> Compaction:
        history = await self.store.transcript.history(session)
        return await self.compactor(**settings).compact(session, history, PAYER)

    async def seen(self, session: SessionId) -> list[Entry]:
        return [stored.entry for stored in await self.store.transcript.history(session)]

    async def all(self, session: SessionId) -> list[Entry]:
        return [stored.entry for stored in await self.store.transcript.everything(session)]


@asynccontextmanager
async def open_desk(folder: Path) -> AsyncIterator[Desk]:
    clock = FakeClock()
    store = SqlStore(f"sqlite:///{folder / 'parley.db'}", clock=clock)
    await store.open()
    try:
        yield Desk(store, clock)
    finally:
        await store.close()


def exchange(number: int, words: str = "") -> tuple[Entry, Entry]:
    return UserEntry(f"question {number} {words}"), AssistantEntry(f"answer {number} {words}")


LONG = "word " * 4000
"""About 5,000 tokens: two of them fill more than one chunk."""


async def test_older_turns_become_a_summary(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        desk.provider.script = [says("They ", "spoke.")]
        session = await desk.session(*exchange(1), *exchange(2), *exchange(3))
        done = await desk.compact(session)
        assert done.entries_folded == 4
        assert done.tokens_after < done.tokens_before
        assert await desk.seen(session) == [SummaryEntry("They spoke."), *exchange(3)]
        request = desk.provider.requests[0]
        assert request.model == "fast"
        assert "answer 2" in entry_text(request.entries[0])
        assert "question 3" not in entry_text(request.entries[0])


async def test_the_originals_stay_and_are_found(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        desk.provider.script = [says("They spoke.")]
        session = await desk.session(*exchange(1), *exchange(2), *exchange(3))
        await desk.compact(session)
        originals = [*exchange(1), *exchange(2), *exchange(3)]
        assert [one for one in await desk.all(session) if one in originals] == originals
        found = await desk.store.transcript.search(session, "answer 1")
        assert [one.entry for one in found] == [exchange(1)[1]]


async def test_tool_calls_keep_their_results(tmp_path: Path) -> None:
    turn = (
        UserEntry("time?"),
        AssistantEntry("", (ToolCall("c1", "now", {}),)),
        ToolResultEntry("c1", "now", "12:00"),
        AssistantEntry("Noon."),
    )
    async with open_desk(tmp_path) as desk:
        desk.provider.script = [says("They spoke.")]
        session = await desk.session(*exchange(1), *turn)
        await desk.compact(session, keep_tail=3)
        assert await desk.seen(session) == [SummaryEntry("They spoke."), *turn]


async def test_a_summary_goes_into_the_next_one(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        desk.provider.script = [says("Her name is Ann."), says("Ann likes tea.")]
        session = await desk.session(*exchange(1), *exchange(2))
        await desk.compact(session)
        await desk.store.transcript.append(session, exchange(3))
        await desk.compact(session)
        assert "Her name is Ann." in entry_text(desk.provider.requests[1].entries[0])
        assert await desk.seen(session) == [SummaryEntry("Ann likes tea."), *exchange(3)]


async def test_nothing_to_fold_asks_no_model(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        session = await desk.session(*exchange(1))
        assert (await desk.compact(session)).entries_folded == 0
        assert desk.provider.requests == []


async def test_a_long_history_is_summarised_in_chunks_and_then_as_one(tmp_path: Path) -> None:
    def summarise(request: ModelRequest) -> Step:
        record = entry_text(request.entries[0])
        return says("whole" if "part" in record else "part")

    async with open_desk(tmp_path) as desk:
        desk.provider = FakeProvider(otherwise=summarise)
        session = await desk.session(*exchange(1, LONG), *exchange(2, LONG), *exchange(3))
        await desk.compact(session)
        assert await desk.seen(session) == [SummaryEntry("whole"), *exchange(3)]
        assert len(desk.provider.requests) == 5
        sizes = [len(entry_text(request.entries[0])) for request in desk.provider.requests]
        assert max(sizes) < 8_000 * 4 + 100


async def test_a_failed_model_gives_way_to_a_cut_at_sentence_ends(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        desk.provider = FakeProvider([ProviderFailed("down")])
        session = await desk.session(
            UserEntry("I am Ann. " + LONG), AssistantEntry("Hello Ann. " + LONG), *exchange(2)
        )
        done = await desk.compact(session)
        assert done.entries_folded == 2
        summary = (await desk.seen(session))[0]
        assert isinstance(summary, SummaryEntry)
        assert summary.text.startswith("User: I am Ann. …\nAssistant: Hello Ann.")
        assert len(desk.provider.requests) <= 4


async def test_a_model_that_says_nothing_gives_way_too(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        desk.provider.script = [says(" ")]
        session = await desk.session(*exchange(1), *exchange(2))
        await desk.compact(session)
        summary = (await desk.seen(session))[0]
        assert entry_text(summary) == "User: question 1 \nAssistant: answer 1 "


async def test_a_model_that_says_nothing_of_one_chunk_gives_way_for_all(tmp_path: Path) -> None:
    def summarise(request: ModelRequest) -> Step:
        return says("" if "question 1" in entry_text(request.entries[0]) else "part")

    async with open_desk(tmp_path) as desk:
        desk.provider = FakeProvider(otherwise=summarise)
        session = await desk.session(*exchange(1, LONG), *exchange(2, LONG), *exchange(3))
        await desk.compact(session)
        assert entry_text((await desk.seen(session))[0]).startswith("User: question 1 word")


async def test_r14_a_silent_model_gives_way_after_two_minutes(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk, asyncio.TaskGroup() as tasks:
        gate = Gate()
        desk.provider.script = [[gate]]
        session = await desk.session(*exchange(1), *exchange(2))
        folding = tasks.create_task(desk.compact(session))
        await gate.reached.wait()
        await desk.clock.advance(121)
        assert (await folding).entries_folded == 2
        assert desk.provider.streaming == 0


async def test_the_store_takes_writes_while_the_model_writes(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk, asyncio.TaskGroup() as tasks:
        gate = Gate()
        desk.provider.script = [[gate, *says("They spoke.")]]
        session = await desk.session(*exchange(1), *exchange(2))
        folding = tasks.create_task(desk.compact(session))
        await gate.reached.wait()
        await desk.store.transcript.append(session, exchange(3))
        gate.open()
        await folding
        assert await desk.seen(session) == [
            SummaryEntry("They spoke."),
            *exchange(2),
            *exchange(3),
        ]


async def test_who_folds_second_changes_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk, asyncio.TaskGroup() as tasks:
        gate = Gate()
        desk.provider.script = [[gate, *says("slow")], says("fast")]
        session = await desk.session(*exchange(1), *exchange(2))
        slow = tasks.create_task(desk.compact(session))
        await gate.reached.wait()
        assert (await desk.compact(session)).entries_folded == 2
        gate.open()
        assert (await slow).entries_folded == 0
        assert await desk.seen(session) == [SummaryEntry("fast"), *exchange(2)]


async def test_two_sessions_folded_at_once_never_mix(tmp_path: Path) -> None:
    """LESSONS 32: a canary of one session must not show up in the other."""

    def echo(request: ModelRequest) -> Step:
        record = entry_text(request.entries[0])
        return says(*(name for name in ("CANARY-A", "CANARY-B") if name in record))

    async with open_desk(tmp_path) as desk:
        desk.provider = FakeProvider(otherwise=echo)
        first = await desk.session(*exchange(1, "CANARY-A" + LONG), *exchange(2), key="a:l:1:dm")
        second = await desk.session(*exchange(1, "CANARY-B" + LONG), *exchange(2), key="a:l:2:dm")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(desk.compact(first))
            tasks.create_task(desk.compact(second))
        assert (await desk.seen(first))[0] == SummaryEntry("CANARY-A")
        assert (await desk.seen(second))[0] == SummaryEntry("CANARY-B")
        assert {request.session for request in desk.provider.requests} == {first, second}


async def test_what_a_summary_cost_is_accounted(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        desk.provider.script = [says("They spoke.", usage=Usage(900, 40))]
        session = await desk.session(*exchange(1), *exchange(2))
        await desk.compact(session)
        totals = await desk.store.usage.totals(session=session)
        assert [(total.model, total.usage) for total in totals] == [("fast", Usage(900, 40))]


async def test_a_refusal_to_summarise_is_no_summary(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        desk.provider.script = [[EndPart("refused", Usage(5, 0))]]
        session = await desk.session(*exchange(1), *exchange(2))
        await desk.compact(session)
        assert "question 1" in entry_text((await desk.seen(session))[0])


async def test_folding_is_due_above_the_limit_and_never_without_one(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        session = await desk.session(*exchange(1, LONG), *exchange(2))
        history = await desk.store.transcript.history(session)
        assert desk.compactor(max_tokens=5_000).is_due(history)
        assert not desk.compactor(max_tokens=50_000).is_due(history)
        assert not desk.compactor(max_tokens=None).is_due(history)
