"""Replies on the real store, on the real clock: rows, crashes and reopened files."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.contracts.stores import Turn
from gateway.errors import LaneLost, RetryLater
from gateway.events import FileReady, TextDelta
from gateway.ids import AccountName, AgentId, Lane, PersonId
from gateway.messages import Limits, OutgoingFile
from gateway.replies.replies import Replies
from gateway.store.store import SqlStore
from tests.fakes.adapter import EditingAdapter, KeyedAdapter, PlainAdapter
from tests.messages import direct, keep_one, message

LIMITS = Limits(text=300, edit_every=0.02)
LANE = Lane("lane")


class Process:
    """One life of the gateway's sending side, on a file that outlives it."""

    def __init__(self, store: SqlStore, platform: PlainAdapter) -> None:
        self.store = store
        self.platform = platform
        self.replies = Replies(store.outbox, {platform.name: platform}, SystemClock())

    async def turn(self, text: str = "hi") -> Turn:
        address = direct(account=self.platform.name)
        await keep_one(
            self.store.inbox, message(text, address), lane=LANE, session_key="key",
            agent=AgentId("main"), person=PersonId("p"),
        )  # fmt: skip
        return await self.again()

    async def again(self) -> Turn:
        kept = await self.store.inbox.head(LANE)
        assert kept is not None
        return await self.store.turns.begin(kept)

    async def states(self, turn: Turn) -> list[str]:
        await self.store.cursors.save("any", "a write that comes after all others")
        return [row.state.value for row in await self.store.outbox.of_turn(turn.id)]


@asynccontextmanager
async def process(folder: Path, platform: PlainAdapter) -> AsyncIterator[Process]:
    store = SqlStore(f"sqlite:///{folder / 'parley.db'}", clock=SystemClock())
    await store.open()
    try:
        yield Process(store, platform)
    finally:
        await store.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("kind", [PlainAdapter, EditingAdapter, KeyedAdapter])
async def test_a_quick_answer_is_final_on_disk(tmp_path: Path, kind: type[PlainAdapter]) -> None:
    platform = kind(SystemClock(), LIMITS)
    async with process(tmp_path, platform) as life:
        turn = await life.turn()
        async with life.replies.open(turn) as reply:
            reply.show(TextDelta(text="The whole answer."))
            await reply.finish()
        assert await life.states(turn) == ["final"]
    assert [one.text for one in platform.messages.values()] == ["The whole answer."]


@pytest.mark.parametrize("kind", [EditingAdapter, KeyedAdapter])
async def test_r7_a_growing_answer_goes_on_after_the_store_was_closed(
    tmp_path: Path, kind: type[EditingAdapter]
) -> None:
    platform = kind(SystemClock(), LIMITS)
    async with process(tmp_path, platform) as life, life.replies.open(await life.turn()) as reply:
        reply.show(TextDelta(text="Some words of text. " * 20))
        await until(lambda: sum(len(one.text) for one in platform.messages.values()) > 390)
    async with process(tmp_path, platform) as life:
        turn = await life.again()
        async with life.replies.open(turn) as reply:
            reply.show(TextDelta(text="Some words of text. " * 20))
            reply.show(TextDelta(text="The end."))
            await reply.finish()
        assert set(await life.states(turn)) == {"final"}
    shown = " ".join(one.text for one in platform.messages.values())
    assert shown == "Some words of text. " * 20 + "The end."


async def test_lesson_3_a_kill_after_the_send_leaves_one_stub_at_most(tmp_path: Path) -> None:
    platform = EditingAdapter(SystemClock(), LIMITS, latency=0.05)
    async with process(tmp_path, platform) as life:
        turn = await life.turn()

        async def answer() -> None:
            async with life.replies.open(turn) as reply:
                reply.show(TextDelta(text="The whole answer."))
                await reply.finish()

        answering = asyncio.ensure_future(answer())
        await until(lambda: bool(platform.messages) or bool(platform.made("send")))
        answering.cancel()
        await asyncio.wait([answering])
        assert await life.states(turn) == ["sending"]
    async with process(tmp_path, platform) as life:
        async with life.replies.open(await life.again()) as reply:
            reply.show(TextDelta(text="The whole answer."))
            await reply.finish()
        assert sorted(await life.states(turn)) == ["abandoned", "final"]
    assert [one.text for one in platform.messages.values()] == ["The whole answer."]


async def test_files_are_remembered(tmp_path: Path) -> None:
    platform = EditingAdapter(SystemClock(), LIMITS)
    path = tmp_path / "report.txt"
    path.write_text("x")
    file = FileReady(file=OutgoingFile(path, "report.txt", "text/plain"), call_id="1")
    async with process(tmp_path, platform) as life, life.replies.open(await life.turn()) as reply:
        reply.show(file)
        await until(lambda: bool(platform.files))
    async with process(tmp_path, platform) as life, life.replies.open(await life.again()) as reply:
        reply.show(file)
        reply.show(TextDelta(text="Here."))
        await reply.finish()
    assert platform.files == [("report.txt",)]


async def test_r13_an_owner_that_lost_its_lane_begins_no_message(tmp_path: Path) -> None:
    platform = EditingAdapter(SystemClock(), LIMITS)
    async with process(tmp_path, platform) as life:
        turn = await life.turn()
        await life.again()
        async with life.replies.open(turn) as reply:
            reply.show(TextDelta(text="Words."))
            with pytest.raises(LaneLost):
                await reply.finish()
    assert platform.messages == {}


async def test_notices_that_wait_at_the_end_are_said_after_the_start(tmp_path: Path) -> None:
    platform = EditingAdapter(SystemClock(), LIMITS, name="fake")
    platform.script["send"].append(RetryLater("flood", 300))
    async with process(tmp_path, platform) as life:
        saying = asyncio.ensure_future(
            life.replies.notice(direct(account=AccountName("fake")), "Some **words**.")
        )
        await until(lambda: bool(platform.calls))
        await life.replies.close()
        await saying
    async with process(tmp_path, platform) as life:
        await life.replies.recover()
        await life.store.cursors.save("any", "a write that comes after all others")
        assert await life.store.outbox.unsettled_notices() == []
    assert [one.text for one in platform.messages.values()] == ["Some **words**."]
