"""What was written while nobody listened is found, in order, whatever happens meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from adapters.discord import catching_up
from adapters.discord.adapter import DiscordAdapter
from adapters.discord.bookmark import Stamp
from adapters.discord.inbound import Me, Reader
from adapters.discord.intake import Intake
from adapters.discord.ledger import Ledger
from adapters.discord.places import Places
from adapters.discord.settings import DiscordSettings
from gateway.ids import AccountName
from gateway.messages import Message
from tests.adapters.discord.conftest import Receiving
from tests.fakes.account import Account
from tests.fakes.discord import Channel, FakeDiscord, Guild, May, User
from tests.fakes.fast_clock import FastClock
from tests.fakes.faults import Answer, Hold, RateLimit

Life = Callable[[], AbstractAsyncContextManager[DiscordAdapter]]


@pytest.fixture
def life(
    entry: dict[str, Any], more: dict[str, Any], account: Account, server: FakeDiscord
) -> Life:
    """Return a context in which a new process has the account, in a session of its own."""

    @asynccontextmanager
    async def context() -> AsyncIterator[DiscordAdapter]:
        server.gateway.forgets()
        before = server.gateway.identifies
        settings = DiscordSettings.model_validate({**entry, **more})
        adapter = DiscordAdapter(AccountName("helper"), settings, account.kit)
        await adapter.open()
        try:
            async with account.receiving(adapter):
                await server.until(
                    lambda server: (
                        server.gateway.identifies > before and server.gateway.is_connected
                    )
                )
                yield adapter
        finally:
            await adapter.close()

    return context


async def heard(account: Account, *texts: str) -> None:
    await account.gate.until(lambda gate: sorted(gate.texts) == sorted(texts))


async def looks_back(server: FakeDiscord, known: int) -> None:
    """Wait for more than the `known` questions for what a channel has shown."""
    await server.until(lambda server: len(server.calls("history")) > known)


async def test_r8_lesson_6_what_was_missed_is_found_wherever_it_was_written(
    life: Life, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    talk = ann.opens_thread(general, "Talk")
    async with life():
        ann.writes("one")
        await heard(account, "one")
    ann.writes("two")
    ann.writes("three", channel=general)
    ann.writes("four", channel=talk)
    async with life():
        await heard(account, "one", "two", "three", "four")
    assert account.gate.attempts == 4 + 1  # one was so near the end that it is read again
    place = account.gate.messages[account.gate.texts.index("four")].address.place
    assert (place.conversation, place.thread) == (str(general.id), str(talk.id))
    assert server.gateway.identifies == 2


async def test_before_the_first_start_nothing_was_missed(
    life: Life, account: Account, general: Channel, ann: User
) -> None:
    ann.writes("long ago", channel=general)
    async with life():
        ann.writes("now", channel=general)
        await heard(account, "now")


async def test_what_was_missed_comes_before_what_comes_now(
    life: Life, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
    ann.writes("two", channel=general)
    gate = asyncio.Event()
    server.faults.add(Hold(gate), path="/messages", method="GET")
    known = len(server.calls("history"))
    async with life():
        await looks_back(server, known)
        ann.writes("three", channel=general)
        gate.set()
        await account.gate.until(lambda gate: gate.texts == ["one", "two", "three"])


async def test_pages_are_read_to_the_end(
    life: Life, account: Account, general: Channel, ann: User
) -> None:
    async with life():
        ann.writes("0", channel=general)
        await heard(account, "0")
    texts = [str(number) for number in range(1, 251)]
    for text in texts:
        ann.writes(text, channel=general)
    async with life():
        await account.gate.until(lambda gate: gate.texts == ["0", *texts])


@pytest.mark.parametrize("more", [{"catch_up": 0.001}])
async def test_r8_what_is_too_old_is_told_of_and_not_answered(
    life: Life, account: Account, general: Channel, ann: User
) -> None:
    async with life():
        ann.writes("one", channel=general)
        ann.writes("in private")
        await heard(account, "one", "in private")
    ann.writes("two", channel=general)
    ann.writes("three")
    ann.writes("four", channel=general)
    async with life():
        ann.writes("five", channel=general)
        await heard(account, "one", "in private", "five")
        await account.gate.until(lambda gate: len(gate.too_old) == 2)
    told = sorted(text for texts in account.gate.too_old for text in texts)
    assert [text for text in told if text not in {"one", "in private"}] == ["four", "three", "two"]


async def test_of_more_than_can_be_read_the_newest_is_read(
    life: Life, account: Account, general: Channel, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "_PAGES_AT_MOST", 2)
    async with life():
        ann.writes("0", channel=general)
        await heard(account, "0")
    texts = [str(number) for number in range(1, 251)]
    for text in texts:
        ann.writes(text, channel=general)
    async with life():
        await account.gate.until(lambda gate: gate.texts == ["0", *texts[50:]])


async def test_a_channel_that_may_not_be_read_stops_no_other(
    life: Life, account: Account, team: Guild, general: Channel, ann: User
) -> None:
    secret = team.text("secret")
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
    ann.writes("unseen", channel=secret)
    ann.writes("two", channel=general)
    team.denies(secret, May.READ_MESSAGE_HISTORY)
    async with life():
        ann.writes("three", channel=secret)
        await heard(account, "one", "two", "three")


async def test_trouble_with_the_history_is_waited_out(
    life: Life, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
    ann.writes("two", channel=general)
    server.faults.add(RateLimit(retry_after=2), path="/messages", method="GET", times=1)
    server.faults.add(Answer(502), path="/messages", method="GET", times=1)
    async with life():
        await heard(account, "one", "two")


async def test_r1_nothing_is_lost_if_it_ends_while_it_looks_back(
    life: Life, server: FakeDiscord, account: Account, team: Guild, general: Channel, ann: User
) -> None:
    other = team.text("other")
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
    ann.writes("missed", channel=general)
    never = server.faults.add(Hold(asyncio.Event()), path=f"{general.id}/messages")
    known = len(server.calls("history"))
    async with life():
        await looks_back(server, known)
        ann.writes("live", channel=other)
        await heard(account, "one", "live")
    never.times = 0
    async with life():
        await heard(account, "one", "live", "missed")


@pytest.mark.parametrize("missed", [["three"], ["three", "four"]])
async def test_r1_nothing_is_lost_if_another_session_begins_meanwhile(
    life: Life,
    server: FakeDiscord,
    account: Account,
    general: Channel,
    ann: User,
    missed: list[str],
) -> None:
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
        account.gate.open.clear()
        attempts = account.gate.attempts
        ann.writes("two", channel=general)
        await account.gate.until(lambda gate: gate.attempts > attempts)
        gate = asyncio.Event()
        server.faults.add(Hold(gate), path="/messages", method="GET")
        for text in missed:
            known = len(server.calls("history"))
            server.gateway.invalidates()
            ann.writes(text, channel=general)
            await looks_back(server, known)
        ann.writes("five", channel=general)
        gate.set()
        await server.until(lambda server: all(one.applied for one in server.calls("history")))
        account.gate.open.set()
        await account.gate.until(lambda gate: gate.texts == ["one", "two", *missed, "five"])


async def test_r1_what_is_found_while_another_is_being_kept_comes_where_it_belongs(
    account: Account,
) -> None:
    me = Me("1", "2", "parley")
    reader = Reader(AccountName("helper"), me, Places(), makes_threads=False)
    account.gate.open.clear()
    async with asyncio.TaskGroup() as tasks:
        intake = Intake(reader, account.gate, Ledger(account.kit), account.kit.clock, tasks)
        for number in ("7", "9"):
            intake.take("MESSAGE_CREATE", told(number), Stamp("s", int(number)))
        await account.gate.until(lambda gate: gate.attempts == 1)
        found = [reader.read("MESSAGE_CREATE", told(number), 0.0) for number in ("8", "9", "10")]
        intake.release("500", [one for one in found if isinstance(one, Message)], [])
        account.gate.open.set()
    assert account.gate.texts == ["7", "8", "9", "10"]
    assert account.gate.attempts == 4


def told(number: str) -> dict[str, Any]:
    author = {"id": "42", "username": "ann"}
    written = {"content": number, "timestamp": "2026-01-01T00:00:00+00:00"}
    return {"id": number, "channel_id": "500", "author": author, **written}


@pytest.mark.parametrize("clock", [FastClock(100.0)])
async def test_what_cannot_be_read_for_long_is_read_after_the_next_gap(
    life: Life, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with life():
        ann.writes("one", channel=general)
        await heard(account, "one")
    ann.writes("missed", channel=general)
    trouble = server.faults.add(Answer(503), path=f"{general.id}/messages")
    known = len(server.calls("history"))
    async with life():
        ann.writes("live", channel=general)
        await account.gate.until(lambda gate: gate.texts == ["one", "live"])
        assert len(server.calls("history")) - known == 8
    trouble.times = 0
    async with life():
        await heard(account, "one", "live", "missed")


async def test_n18_one_channel_that_cannot_be_kept_delays_no_other(
    receiving: Receiving, account: Account, team: Guild, general: Channel, ann: User
) -> None:
    other = team.text("other")
    async with receiving():
        account.gate.busy_for = [30.0]
        ann.writes("one", channel=general)
        await account.gate.until(lambda gate: gate.attempts == 1)
        ann.writes("two", channel=general)
        ann.writes("three", channel=other)
        await account.gate.until(lambda gate: gate.texts == ["three"])
        await account.gate.until(lambda gate: gate.texts == ["three", "one", "two"])


async def test_a_line_that_breaks_is_taken_up_where_it_broke(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User
) -> None:
    async with receiving():
        ann.writes("one")
        await heard(account, "one")
        known = len(server.calls("history"))
        server.gateway.breaks_off()
        ann.writes("two")
        await heard(account, "one", "two")
        assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)
        assert len(server.calls("history")) == known
        assert account.health.troubles == []
