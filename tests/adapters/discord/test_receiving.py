"""What people do while the bot is connected: heard once, in order, and only where it concerns."""

import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.ledger import Ledger
from gateway.errors import RetryLater
from gateway.messages import OutgoingMessage
from tests.adapters.discord.conftest import Receiving, at
from tests.fakes.account import Account
from tests.fakes.discord import Channel, FakeDiscord, Guild, User
from tests.fakes.discord.payloads import channel_payload


async def heard(account: Account, *texts: str) -> None:
    await account.gate.until(lambda gate: gate.texts == list(texts))


async def test_messages_of_a_channel_are_heard_in_order(
    receiving: Receiving, account: Account, general: Channel, ann: User
) -> None:
    texts = [str(number) for number in range(100)]
    async with receiving():
        for text in texts:
            ann.writes(text, channel=general)
        await heard(account, *texts)
    assert account.gate.attempts == 100


@pytest.mark.threat("T3")
async def test_t3_our_own_words_are_not_heard_and_other_bots_are_told_as_such(
    adapter: DiscordAdapter,
    receiving: Receiving,
    server: FakeDiscord,
    account: Account,
    team: Guild,
    general: Channel,
    ann: User,
) -> None:
    other = server.user(77, "CI", is_bot=True)
    team.admits(other.id)
    async with receiving():
        await adapter.send(at(general), OutgoingMessage("out_1", "hello"))
        other.writes("build failed", channel=general)
        team.hook_writes(general, "Feed", "news")
        ann.writes("well", channel=general)
        await heard(account, "build failed", "news", "well")
    assert [one.is_from_bot for one in account.gate.messages] == [True, True, False]


async def test_events_that_are_told_twice_are_known_again(
    receiving: Receiving, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with receiving():
        ann.writes("one", channel=general)
        ann.edits(ann.writes("tow", channel=general), "two")
        await heard(account, "one", "tow", "two")
        server.gateway.repeats(3)
        ann.writes("three", channel=general)
        await heard(account, "one", "tow", "two", "three")
    assert account.gate.attempts == 7


async def test_edits_and_deletions_are_told(
    receiving: Receiving, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with receiving():
        first, second, third = (ann.writes(text, channel=general) for text in ("a", "b", "c"))
        ann.edits(first, "A")
        ann.deletes(first)
        bulk = {"ids": [str(second.id), str(third.id)], "channel_id": str(general.id)}
        server.gateway.push("MESSAGE_DELETE_BULK", bulk)
        await account.gate.until(lambda gate: len(gate.deleted) == 3)
    edited = account.gate.messages[-1]
    assert (edited.text, edited.message_id) == ("A", f"{general.id}:{first.id}")
    assert edited.edited_at is not None
    assert account.gate.deleted == [f"{general.id}:{one.id}" for one in (first, second, third)]


async def test_a_thread_that_is_told_of_late_is_known(
    receiving: Receiving, server: FakeDiscord, account: Account, general: Channel, ann: User
) -> None:
    async with receiving():
        thread = ann.opens_thread(general, "Talk")
        assert general.guild is not None
        known = {"guild_id": str(general.guild.id), "threads": [channel_payload(thread)]}
        server.gateway.push("THREAD_DELETE", {"id": str(thread.id)})
        server.gateway.push("THREAD_LIST_SYNC", known)
        ann.writes("hello", channel=thread)
        await heard(account, "hello")
    [message] = account.gate.messages
    assert message.address.place.thread == str(thread.id)
    assert message.address.place.conversation == str(general.id)


async def test_a_server_that_the_bot_comes_into_is_heard_and_one_it_leaves_forgotten(
    receiving: Receiving, server: FakeDiscord, account: Account, ann: User
) -> None:
    async with receiving():
        late = server.guild("Late", [ann])
        hall = late.text("hall")
        ann.writes(f"in <#{hall.id}>", channel=hall)
        await heard(account, "in #hall")
        server.gateway.push("GUILD_DELETE", {"id": str(late.id), "unavailable": True})
        ann.writes(f"in <#{hall.id}>", channel=hall)
        server.gateway.push("GUILD_DELETE", {"id": str(late.id)})
        ann.writes(f"in <#{hall.id}>", channel=hall)
        await heard(account, "in #hall", "in #hall", f"in <#{hall.id}>")


async def test_where_it_has_got_to_is_remembered_from_the_start(
    receiving: Receiving, account: Account
) -> None:
    async with receiving():
        pass
    assert int(json.loads(str(account.cursor.position))["seen"]) > 0


@pytest.mark.parametrize("position", ["", "no json", "[]", "{}"])
async def test_a_memory_that_cannot_be_read_is_begun_anew(account: Account, position: str) -> None:
    account.cursor.position = position
    ledger = Ledger(account.kit)
    await ledger.load()
    assert ledger.surely_seen > 0
    assert ledger.direct_channels == ()


async def test_n20_only_the_latest_direct_conversations_are_remembered(account: Account) -> None:
    ledger = Ledger(account.kit)
    await ledger.load()
    for number in range(10_000):
        ledger.meet(str(number))
    assert len(ledger.direct_channels) == 500
    assert ledger.direct_channels[0] == "9999"


async def test_what_could_not_be_saved_is_saved_later(account: Account) -> None:
    class Busy:
        is_busy = True
        saved: Any = None

        async def load(self) -> str | None:
            return None

        async def save(self, position: str) -> None:
            if self.is_busy:
                raise RetryLater("the disk is full", 1.0)
            self.saved = position

    cursor = Busy()
    ledger = Ledger(replace(account.kit, cursor=cursor))
    await ledger.load()
    await ledger.save()
    cursor.is_busy = False
    await ledger.save()
    assert cursor.saved is not None
