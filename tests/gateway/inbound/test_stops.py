"""`/stop`, whatever the turn is busy with."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import ProviderUnavailable, RetryLater
from gateway.ids import AgentId, EventKey, ExternalUser, Lane, PlatformName
from gateway.inbound.dispatch import DONE_WORDS, OUTAGE_WORDS
from gateway.messages import Attachment, AttachmentKind, Place, PlaceMoved
from tests.fakes.gateway import Make, gateways
from tests.fakes.provider import FakeProvider, Gate, says
from tests.messages import direct, keep_one, message

PHOTO = Attachment(AttachmentKind.IMAGE, "photo", "a.png", "image/png", 5)
STOPPED = "_Stopped._"
NOTHING = "Nothing is being written right now."


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with gateways(tmp_path, monkeypatch) as made:
        yield made


async def test_a_running_turn_is_stopped_and_keeps_what_it_said(make: Make) -> None:
    gate = Gate()
    served = make(
        model=FakeProvider([*says("Once upon")[:1], gate], otherwise=lambda _: says("Well!"))
    )
    async with served.running():
        await served.writes("a story")
        await served.until(gate.reached.is_set)
        await served.writes("/stop")
        await served.reads("Stopped.")
        assert served.texts() == [f"Once upon\n\n{STOPPED}"]
        await served.idle()
        assert ("stopped", 1) in served.turns()
        await served.asks("/retry")


async def test_r1_a_stop_survives_a_kill_before_its_turn_has_ended(make: Make) -> None:
    gate = Gate()
    served = make(
        model=FakeProvider(
            [*says("Once upon")[:1], gate], otherwise=lambda _: [gate, *says("Well!")]
        )
    )
    await served.start()
    await served.writes("a story")
    await served.reads("Once upon")
    served.bot.latency = 5.0
    await served.writes("/stop")
    await served.until(lambda: bool(served.bot.made("edit")))
    await served.passes(1.0)
    await served.kill()
    served.bot.latency = 0.0
    async with served.running():
        await served.reads("Stopped.")
        await served.idle()
        assert ("stopped", 2) in served.turns()
        assert not any("Well!" in text for text in served.texts())


@pytest.mark.promise("R4")
async def test_r4_a_stop_done_again_after_a_kill_stops_nothing_that_was_asked_after_it(
    make: Make,
) -> None:
    gate = Gate()
    served = make(model=FakeProvider([gate], otherwise=lambda _: says("Well!")))
    await served.start()
    served.bot.latency = 5.0
    await served.writes("/stop")
    await served.until(lambda: bool(served.bot.made("send")))
    await served.writes("hello")
    await served.until(gate.reached.is_set)
    await served.kill()
    served.bot.latency = 0.0
    async with served.running():
        await served.reads("Well!")
        await served.reads(NOTHING)
        await served.idle()
        assert [state for state, _ in served.turns()] == ["done", "done"]


@pytest.mark.promise("R6")
async def test_r6_a_command_that_has_less_to_say_after_a_kill_leaves_no_first_words(
    make: Make,
) -> None:
    gate = Gate()
    served = make(model=FakeProvider(says("Well!"), otherwise=lambda _: [gate, *says("Well!")]))
    await served.start()
    await served.asks("hi", "Well!")
    person = await served.store.people.find(PlatformName("fake"), ExternalUser("ann"))
    assert person is not None
    lane, agent = Lane("main:fake:ann:dm"), AgentId("main")
    question = message("a story", direct("ann", platform="fake", account=served.bot.name))
    await keep_one(
        served.store.inbox, question, lane=lane, session_key=lane, agent=agent, person=person.id
    )  # and nobody wakes its lane: the process is about to die
    served.bot.latency = 5.0
    await served.writes("/stop")
    await served.until(lambda: NOTHING[:10] in "".join(served.texts()))
    await served.kill()
    served.bot.latency = 0.0
    async with served.running():
        await served.reads("Stopped.")
        await served.until(lambda: DONE_WORDS in served.texts())
        assert not any("Nothing is" in text for text in served.texts())


async def test_a_stop_is_not_over_before_its_turn_but_does_not_wait_for_long(make: Make) -> None:
    gate = Gate()
    served = make(
        model=FakeProvider([*says("Once upon")[:1], gate], otherwise=lambda _: says("Well!"))
    )
    async with served.running():
        await served.writes("a story")
        await served.reads("Once upon")
        served.bot.latency = 90.0
        before = served.clock.monotonic()
        await served.writes("/stop")
        await served.until(lambda: ("done", 1) in served.turns())
        assert 5.0 < served.clock.monotonic() - before < 30.0
        assert [state for state, _ in served.turns()] == ["running", "done"]


async def test_a_stop_is_for_the_turn_at_work_and_not_for_the_next(make: Make) -> None:
    gate = Gate()
    served = make(model=FakeProvider([gate], otherwise=lambda _: says("Well!")))
    async with served.running():
        await served.writes("one")
        await served.until(gate.reached.is_set)
        await served.writes("two")
        await served.writes("/stop")
        await served.until(lambda: served.texts() == [STOPPED, "Well!"])


async def test_with_nothing_to_stop_it_says_so(make: Make) -> None:
    served = make(model=FakeProvider(otherwise=lambda _: says("Well!")))
    async with served.running():
        await served.asks("/stop", NOTHING)
        await served.asks("hello")
        await served.asks("/stop", NOTHING)
        await served.asks("hello again")


async def test_a_put_off_turn_is_stopped(make: Make) -> None:
    served = make(model=FakeProvider(otherwise=lambda _: [ProviderUnavailable("down")]))
    async with served.running():
        await served.writes("hello")
        await served.reads(OUTAGE_WORDS)
        await served.passes(1.0)
        asked = len(served.model.requests)
        await served.writes("/stop")
        await served.until(lambda: served.texts() == [STOPPED])
        assert len(served.model.requests) == asked


async def test_a_gathering_album_is_stopped(make: Make) -> None:
    served = make(model=FakeProvider())
    async with served.running():
        await served.writes("look", album="x", attachments=(PHOTO,))
        await served.writes("/stop")
        await served.until(lambda: served.texts() == [STOPPED])


async def test_a_message_and_its_stop_may_come_together(make: Make) -> None:
    served = make(model=FakeProvider())
    async with served.running():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(served.writes("look", album="x", attachments=(PHOTO,)))
            tasks.create_task(served.writes("/stop"))
        await served.until(lambda: served.texts() == [STOPPED])


async def test_a_turn_is_stopped_while_the_notice_of_an_outage_is_sent(make: Make) -> None:
    served = make(model=FakeProvider(otherwise=lambda _: [ProviderUnavailable("down")]))
    async with served.running():
        served.bot.latency = 3.0
        await served.writes("hello")
        await served.until(lambda: bool(served.bot.made("send")))
        await served.writes("/stop")
        served.bot.latency = 0.0
        await served.until(lambda: served.texts() == [STOPPED], within=5.0)
        await served.idle()
        assert await served.store.inbox.waiting() == 0


async def test_a_turn_that_waits_for_its_files_is_stopped(make: Make) -> None:
    served = make(model=FakeProvider())
    async with served.running():
        served.bot.fetching.extend([RetryLater("out of reach", 60.0)] * 3)
        await served.writes("look", attachments=(PHOTO,))
        await served.until(lambda: bool(served.bot.fetched))
        await served.passes(1.0)
        await served.writes("/stop")
        await served.until(lambda: served.texts() == [STOPPED], within=30.0)
        assert len(served.bot.fetched) == 1


async def test_a_command_at_work_is_stopped(make: Make) -> None:
    gate = Gate()
    model = FakeProvider(
        otherwise=lambda asked: [gate] if "memory of a chat" in asked.system else says("word " * 40)
    )
    served = make(model=model)
    async with served.running():
        for number in range(14):
            await served.asks(f"{number} " + "word " * 40, "word")
        await served.writes("/compact")
        await served.until(gate.reached.is_set)
        await served.writes("/stop")
        await served.reads(STOPPED)
        assert model.streaming == 0


async def test_anybody_in_a_group_may_stop_what_is_written_there(make: Make) -> None:
    gate = Gate()
    served = make(model=FakeProvider([gate]))
    async with served.running():
        await served.writes("a story", "ann", place=Place("-1"))
        await served.until(gate.reached.is_set)
        await served.writes("/stop", "bob", place=Place("-1"))
        await served.reads(STOPPED, "-1")


@pytest.mark.promise("R16")
async def test_a_stop_waits_for_no_answer_of_another_command(make: Make) -> None:
    gate = Gate()
    served = make(model=FakeProvider([*says("Once upon")[:1], gate]))
    async with served.running():
        await served.writes("a story")
        await served.reads("Once upon")
        served.bot.script["send"].append(RetryLater("flood", 300.0))
        await served.writes("/status")
        await served.passes(1.0)
        await served.writes("/stop")
        kept = "select 1 from entries where kind = 'assistant'"
        await served.until(lambda: bool(served.rows(kept)), within=5.0)


async def test_what_was_stopped_where_a_group_was_before_is_asked_again_by_retry(
    make: Make,
) -> None:
    gate, old, new = Gate(), Place("-1"), Place("-2")
    served = make(model=FakeProvider([gate], otherwise=lambda _: says("Well!")))
    async with served.running():
        await served.writes("one", place=old)
        await served.until(gate.reached.is_set)
        moved = PlaceMoved(EventKey("moved"), served.bot.name, PlatformName("fake"), old, new)
        moving = asyncio.create_task(served.bot.deliver(moved))
        await served.until(moving.done)
        await served.writes("/stop", place=new)
        await served.reads("Stopped.", "-1")
        await served.idle()
        await served.writes("/retry", place=new)
        await served.reads("Well!", "-1")
