"""Threads and forum posts, as the real discord.py opens and finds them."""

from collections.abc import AsyncIterator

import discord
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.discord import Channel, FakeDiscord, Guild, May, User
from tests.fakes.discord_bot import Bot, Raw, bot_for, raw


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(clock=FakeClock()) as running:
        yield running
        assert not running.unknown_fields


@pytest.fixture
def ann(server: FakeDiscord) -> User:
    return server.user(42, "Ann")


@pytest.fixture
def team(server: FakeDiscord, ann: User) -> Guild:
    return server.guild("Team", [ann])


@pytest.fixture
def general(team: Guild) -> Channel:
    return team.text("general")


@pytest.fixture
async def bot(server: FakeDiscord, general: Channel) -> AsyncIterator[Bot]:
    async with bot_for(server) as connected:
        assert connected.get_channel(general.id) is not None
        yield connected


@pytest.fixture
async def client(server: FakeDiscord) -> AsyncIterator[Raw]:
    async with raw(server) as made:
        yield made


async def test_a_thread_on_a_message_has_its_id_and_is_opened_once(
    bot: Bot, ann: User, general: Channel, server: FakeDiscord
) -> None:
    root = ann.writes("a question", channel=general)
    asked = await bot.hears("a question")
    thread = await asked.create_thread(name="On it")
    assert thread.id == root.id
    with pytest.raises(discord.HTTPException) as twice:
        await asked.create_thread(name="Again")
    assert twice.value.code == 160004
    await thread.send("here")
    place = server.channels[thread.id]
    assert place.bot_texts() == ["here"]
    assert place.parent is general
    first, second = [one async for one in thread.history(oldest_first=True)]
    assert (first.type, second.content) == (discord.MessageType.thread_starter_message, "here")
    fetched = await asked.channel.fetch_message(root.id)
    assert fetched.thread is not None


async def test_a_thread_of_its_own_is_told_in_the_channel(
    bot: Bot, general: Channel, server: FakeDiscord
) -> None:
    place = bot.get_channel(general.id)
    assert isinstance(place, discord.TextChannel)
    thread = await place.create_thread(name="News", type=discord.ChannelType.public_thread)
    assert server.channels[thread.id].name == "News"
    line = await bot.hears("News")
    assert line.type is discord.MessageType.thread_created
    assert general.shown() == []


async def test_a_forum_takes_posts(bot: Bot, team: Guild, server: FakeDiscord) -> None:
    forum = team.forum()
    await bot.until("guild_channel_create")
    place = bot.get_channel(forum.id)
    assert isinstance(place, discord.ForumChannel)
    thread, message = await place.create_thread(name="Why?", content="Because.")
    assert thread.id == message.id
    assert server.channels[thread.id].bot_texts() == ["Because."]
    with pytest.raises(discord.HTTPException):
        await place.create_thread(name="Empty")
    assert len(team.threads) == 1


async def test_active_and_archived_threads_are_listed(
    bot: Bot, ann: User, team: Guild, general: Channel
) -> None:
    one, two = (ann.opens_thread(general, name) for name in ("one", "two"))
    ann.archives(one)
    guild = bot.get_guild(team.id)
    assert guild is not None
    assert [thread.id for thread in await guild.active_threads()] == [two.id]
    place = bot.get_channel(general.id)
    assert isinstance(place, discord.TextChannel)
    assert [thread.id async for thread in place.archived_threads()] == [one.id]


async def test_writing_wakes_an_archived_thread_but_not_a_locked_one(
    ann: User, team: Guild, general: Channel, client: Raw
) -> None:
    thread = ann.opens_thread(general, "Talk")
    path = f"/channels/{thread.id}/messages"
    _, first = await client.call("POST", path, {"content": "one"})
    ann.archives(thread)
    edit = await client.code("PATCH", f"{path}/{first['id']}", {"content": "two"})
    assert edit == (400, 50083)
    assert await client.code("POST", f"/channels/{thread.id}/typing") == (400, 50083)
    assert (await client.call("POST", path, {"content": "two"}))[0] == 200
    assert thread.thread is not None
    assert not thread.thread.archived
    ann.archives(thread, locks=True)
    assert await client.code("POST", path, {"content": "three"}) == (400, 50083)
    thread.thread.archived = False
    assert await client.code("PATCH", f"{path}/{first['id']}", {"content": "3"}) == (400, 50083)
    team.permits(general, May.MANAGE_THREADS)
    assert (await client.call("POST", path, {"content": "three"}))[0] == 200


async def test_a_thread_is_renamed_and_archived_by_its_owner(
    bot: Bot, ann: User, general: Channel, client: Raw
) -> None:
    place = bot.get_channel(general.id)
    assert isinstance(place, discord.TextChannel)
    thread = await place.create_thread(name="News", type=discord.ChannelType.public_thread)
    changed = await thread.edit(name="Old news", archived=True)
    assert (changed.name, changed.archived) == ("Old news", True)
    other = ann.opens_thread(general, "Ann's")
    body = {"name": "Mine"}
    assert await client.code("PATCH", f"/channels/{other.id}", body) == (403, 50013)
    assert await client.code("PATCH", f"/channels/{general.id}", body) == (403, 50013)


async def test_threads_that_discord_refuses(
    ann: User, team: Guild, general: Channel, client: Raw
) -> None:
    root = ann.writes("root", channel=general)
    path = f"/channels/{general.id}/messages/{root.id}/threads"
    assert await client.code("POST", path, {"name": ""}) == (400, 50035)
    assert await client.code("POST", path, {"name": "x" * 101}) == (400, 50035)
    odd = {"name": "x", "auto_archive_duration": 7}
    assert await client.code("POST", path, odd) == (400, 50035)
    direct = ann.writes("root")
    path_there = f"/channels/{ann.dm.id}/messages/{direct.id}/threads"
    assert await client.code("POST", path_there, {"name": "x"}) == (400, 50024)
    team.denies(general, May.CREATE_PUBLIC_THREADS)
    assert await client.code("POST", path, {"name": "x"}) == (403, 50013)
    team.denies(general, May.SEND_MESSAGES_IN_THREADS)
    thread = ann.opens_thread(general, "Talk")
    body = {"content": "x"}
    assert await client.code("POST", f"/channels/{thread.id}/messages", body) == (403, 50013)
