"""The gateway, as the real discord.py meets it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.discord import FakeDiscord, May
from tests.fakes.discord.session import Intent, Session
from tests.fakes.discord_bot import bot_for
from tests.fakes.faults import Answer, Reset


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(clock=clock) as running:
        yield running


async def test_a_bot_connects_and_hears_what_is_written_to_it(server: FakeDiscord) -> None:
    ann = server.user(42, "Ann")
    async with bot_for(server) as bot:
        assert bot.user is not None
        assert (bot.user.id, bot.application_id) == (
            server.world.bot_id,
            server.world.application_id,
        )
        ann.writes("hi")
        message = await bot.hears("hi")
        assert (message.author.id, message.author.display_name) == (42, "Ann")
        assert isinstance(message.channel, discord.DMChannel)
        await message.channel.send("hello **Ann**")
        await bot.hears("hello **Ann**")
        assert server.gateway.is_connected
    assert [(one.who, one.text) for one in ann.dm.shown()] == [
        ("Ann", "hi"),
        ("bot", "hello Ann"),
    ]
    assert not server.unknown_fields


async def test_a_bot_knows_its_servers_their_channels_and_threads(server: FakeDiscord) -> None:
    ann = server.user(42, "Ann")
    team = server.guild("Team", [ann])
    general, secret = team.text("general"), team.text("secret")
    team.denies(secret, May.VIEW_CHANNEL)
    thread = ann.opens_thread(general, "News")
    async with bot_for(server) as bot:
        (guild,) = bot.guilds
        assert [one.name for one in guild.text_channels] == ["general"]
        assert [one.name for one in guild.threads] == ["News"]
        known = guild.get_channel(general.id)
        assert isinstance(known, discord.TextChannel)
        assert known.permissions_for(guild.me).send_messages
        ann.writes("not for you", channel=secret)
        ann.writes(f"{server.mention} hi", channel=thread)
        heard = await bot.hears(f"{server.mention} hi")
        assert [one.content for one in bot.heard] == [heard.content]
        assert bot.user in heard.mentions
        assert isinstance(heard.channel, discord.Thread)
        assert heard.channel.parent_id == general.id


async def test_a_bot_is_told_of_what_begins_while_it_is_there(server: FakeDiscord) -> None:
    ann = server.user(42, "Ann")
    async with bot_for(server) as bot:
        team = server.guild("Team", [ann])
        await bot.until("guild_join")
        general, forum = team.text("general"), team.forum("questions")
        await bot.until("guild_channel_create", 2)
        root = ann.writes("look", channel=general)
        thread = ann.opens_thread(general, "On it", on=root)
        assert thread.id == root.id
        post = ann.posts(forum, "Why?", f"{server.mention} why?")
        heard = await bot.hears(f"{server.mention} why?")
        assert heard.id == heard.channel.id == post.id
        await bot.until("thread_create", 2)
        ann.archives(thread)
        await bot.until("thread_update")
        ann.types(general)
        await bot.until("typing")
        ann.reacts(root, "👍")
        await bot.until("raw_reaction_add")
        ann.edits(root, "look here")
        await bot.until("raw_message_edit", 2)
        ann.deletes(root)
        await bot.until("raw_message_delete")


async def test_contents_are_empty_without_the_intent_but_where_the_bot_is_meant(
    server: FakeDiscord,
) -> None:
    ann = server.user(42, "Ann")
    general = server.guild("Team", [ann]).text("general")
    intents = discord.Intents(guilds=True, messages=True)
    async with bot_for(server, intents=intents) as bot:
        ann.writes("among us", channel=general)
        ann.sends("notes.txt", b"secret", channel=general)
        ann.writes(f"{server.mention} to you", channel=general)
        ann.writes("in private")
        await bot.hears("in private")
        assert [one.content for one in bot.heard] == [
            *("", "", f"{server.mention} to you", "in private")
        ]
        assert not bot.heard[1].attachments


async def test_members_are_listed_for_those_who_may_know_them(server: FakeDiscord) -> None:
    server.guild("Team", [server.user(42, "Ann"), server.user(43, "Bob")])
    intents = discord.Intents(guilds=True, members=True)
    async with bot_for(server, intents=intents) as bot:
        assert {one.display_name for one in bot.guilds[0].members} == {"parley", "Ann", "Bob"}


@pytest.mark.parametrize(
    ("intent", "is_refused"), [(Intent.MESSAGE_CONTENT, True), (Intent.MEMBERS, False)]
)
async def test_a_privileged_intent_must_be_switched_on(
    server: FakeDiscord, intent: Intent, is_refused: bool
) -> None:
    server.gateway.allowed &= ~intent
    if not is_refused:
        async with bot_for(server):
            return
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with bot_for(server):
            pass
    assert server.gateway.refused == [4014]


async def test_a_wrong_token_is_refused(server: FakeDiscord) -> None:
    with pytest.raises(discord.LoginFailure):
        async with bot_for(server, token="wrong"):
            pass


@pytest.mark.parametrize("code", [1000, 1001, 4000, 4008])
async def test_a_closed_connection_is_resumed_and_what_was_missed_is_told_in_order(
    server: FakeDiscord, code: int
) -> None:
    ann = server.user(42, "Ann")
    async with bot_for(server) as bot:
        server.gateway.closes(code)
        for number in range(3):
            ann.writes(f"message {number}")
        await bot.hears("message 2")
        await bot.until("resumed")
        assert [one.content for one in bot.heard] == [f"message {n}" for n in range(3)]
    assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)


async def test_a_request_to_reconnect_is_followed_by_a_resume(server: FakeDiscord) -> None:
    ann = server.user(42, "Ann")
    async with bot_for(server) as bot:
        server.gateway.asks_reconnect()
        await bot.until("resumed")
        ann.writes("after")
        await bot.hears("after")
    assert (server.gateway.identifies, server.gateway.resumes) == (1, 1)


async def test_a_broken_line_is_resumed(server: FakeDiscord) -> None:
    ann = server.user(42, "Ann")
    async with bot_for(server) as bot:
        server.gateway.breaks_off()
        ann.writes("missed")
        await bot.hears("missed")
    assert server.gateway.identifies == 1


async def test_what_was_told_into_a_silent_line_is_told_again(server: FakeDiscord) -> None:
    ann = server.user(42, "Ann")
    async with bot_for(server) as bot:
        server.gateway.goes_silent()
        ann.writes("into the void")
        assert server.gateway.is_connected
        server.gateway.closes(4000)
        await bot.hears("into the void")


async def test_sessions_that_are_gone_are_not_resumed(
    server: FakeDiscord, clock: FakeClock
) -> None:
    ann = server.user(42, "Ann")
    async with bot_for(server) as bot:
        server.gateway.forgets()
        ann.writes("lost")
        server.gateway.closes(4000)
        await bot.until("ready", 2)
        ann.writes("heard")
        await bot.hears("heard")
        assert [one.content for one in bot.heard] == ["heard"]
        (session,) = server.gateway.sessions.values()
        session.left_at = clock.now() - server.gateway.session_seconds - 1
        ann.writes("too late")
        assert not server.gateway.sessions
    assert server.gateway.resumes == 1


async def test_what_is_told_again_is_all_that_came_after_a_number_and_nothing_else(
    server: FakeDiscord,
) -> None:
    ann = server.user(42, "Ann")
    session = Session("mine", int(Intent.DIRECT_MESSAGES | Intent.MESSAGE_CONTENT))
    server.gateway.sessions["mine"] = session
    for number in range(5):
        ann.writes(f"message {number}")
    for after in (2, 2, 5):
        told = await goes_on(server, "mine", after)
        missed = [(after + n, f"message {after - 1 + n}") for n in range(1, 6 - after)]
        assert [(one["s"], one["d"]["content"]) for one in told[:-1]] == missed
        assert told[-1]["t"] == "RESUMED"


@pytest.mark.parametrize(
    ("session", "after", "refusal"),
    [
        ("unknown", 3, 9),
        ("mine", 4, 4007),
        ("mine", 0, 4007),
        ("mine", 1, 9),
        ("left", 1, 9),
    ],
    ids=["unknown", "of the future", "from nowhere", "of what is forgotten", "too late"],
)
async def test_a_session_that_cannot_be_gone_on_with_is_refused_and_gone(
    server: FakeDiscord, clock: FakeClock, session: str, after: int, refusal: int
) -> None:
    gateway = server.gateway
    gateway.sessions["mine"] = mine = Session("mine", 0)
    gateway.sessions["left"] = left = Session("left", 0)
    left.left_at = clock.now() - gateway.session_seconds - 1
    for one in (mine, left):
        for number in range(3):
            one.tell_raw("SOMETHING", {"n": number})
    mine.events.popleft()
    mine.events.popleft()
    assert await goes_on(server, session, after) == refusal
    assert session not in gateway.sessions
    assert gateway.welcomes == 0


async def goes_on(server: FakeDiscord, session: str, after: int) -> Any:
    """Ask to resume; return what is told, or how it is refused: by op or by close code."""
    told: list[Any] = []
    url = f"{server.gateway_url}?v=10&encoding=json"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        await socket.receive_json()
        resume = {"token": server.token, "session_id": session, "seq": after}
        await socket.send_json({"op": 6, "d": resume})
        while True:
            frame = await socket.receive()
            if frame.type is not aiohttp.WSMsgType.TEXT:
                return socket.close_code
            one = frame.json()
            if one["op"] == 9:
                return one["d"] or 9
            told.append(one)
            if one["t"] == "RESUMED":
                await socket.close(code=4000)
                return told


@pytest.mark.parametrize("resumable", [True, False])
async def test_a_session_can_be_called_invalid(server: FakeDiscord, resumable: bool) -> None:
    async with bot_for(server) as bot:
        server.gateway.invalidates(resumable=resumable)
        await bot.until("resumed" if resumable else "connect", 1 if resumable else 2)
    assert server.gateway.identifies == (1 if resumable else 2)
    assert server.gateway.resumes == (1 if resumable else 0)


async def test_codes_that_end_it_for_good_end_the_bot(server: FakeDiscord) -> None:
    async with bot_for(server) as bot:
        server.gateway.closes(4004)
        assert bot.running is not None
        with pytest.raises(discord.ConnectionClosed) as closed:
            await bot.running
    assert closed.value.code == 4004


async def test_events_can_be_repeated_or_made_up(server: FakeDiscord) -> None:
    ann = server.user(42, "Ann")
    async with bot_for(server) as bot:
        ann.writes("once")
        server.gateway.repeats(1)
        server.gateway.push("TELEPATHY", {"thought": "?"})
        ann.writes("after")
        await bot.hears("after")
        assert [one.content for one in bot.heard] == ["once", "once", "after"]
        assert bot.heard[0].id == bot.heard[1].id


async def test_own_messages_come_back_with_their_nonce(server: FakeDiscord) -> None:
    ann = server.user(42, "Ann")
    async with bot_for(server) as bot:
        ann.writes("hi")
        message = await bot.hears("hi")
        sent = await message.channel.send("mine", nonce="key-1")
        heard = await bot.hears("mine")
        assert (heard.id, heard.nonce, heard.author.id) == (
            sent.id,
            "key-1",
            server.world.bot_id,
        )
        assert (await message.channel.fetch_message(sent.id)).nonce is None


async def test_webhooks_and_other_bots_are_told_apart(server: FakeDiscord) -> None:
    other = server.user(77, "Robot", is_bot=True)
    team = server.guild("Team", [other])
    general = team.text("general")
    async with bot_for(server) as bot:
        team.hook_writes(general, "News", "from a hook")
        other.writes("from a bot", channel=general)
        robot = await bot.hears("from a bot")
        hook = await bot.hears("from a hook")
        assert robot.author.bot
        assert hook.webhook_id is not None


async def test_the_gateway_can_be_away(server: FakeDiscord) -> None:
    server.faults.add(Reset("before"), path="/gateway", times=2)  # aiohttp tries twice
    with pytest.raises(aiohttp.ClientError):
        async with frames(server):
            pass
    server.faults.add(Answer(503), path="/gateway", times=1)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with frames(server):
            pass


@asynccontextmanager
async def frames(
    server: FakeDiscord, query: str = "?v=10&encoding=json"
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.gateway_url}/{query}", autoclose=False) as socket,
    ):
        yield socket


def identify(server: FakeDiscord, **more: Any) -> dict[str, Any]:
    return {"op": 2, "d": {"token": server.token, "properties": {}, "intents": 1, **more}}


async def test_heartbeats_are_answered_until_they_are_not(server: FakeDiscord) -> None:
    async with frames(server) as socket:
        hello = await socket.receive_json()
        assert (hello["op"], hello["d"]) == (10, {"heartbeat_interval": 41_250})
        await socket.send_json({"op": 1, "d": None})
        assert (await socket.receive_json())["op"] == 11
        server.gateway.acks = False
        await socket.send_json({"op": 1, "d": None})
        await server.gateway.watch.until(
            lambda: server.gateway.heartbeats == 2, timeout=5, now=lambda: server.gateway
        )


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("what?", 4002),
        ("[]", 4002),
        ({"op": 99}, 4001),
        ({"op": 3, "d": {}}, 4003),
        ({"op": 2, "d": {"token": "x"}}, 4002),
        ({"op": 2, "d": {"token": "x", "properties": {}, "intents": 1}}, 4004),
        ({"intents": 1 << 40}, 4013),
        ({"op": 6, "d": {"token": "x", "session_id": "s", "seq": 1}}, 4004),
    ],
)
async def test_what_the_gateway_does_not_understand_ends_the_connection(
    server: FakeDiscord, frame: Any, code: int
) -> None:
    if isinstance(frame, dict) and "op" not in frame:
        frame = identify(server, **frame)
    async with frames(server) as socket:
        await socket.receive_json()
        await socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))
        closed = await socket.receive()
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, code)


async def test_one_session_at_a_time_and_numbers_that_exist(server: FakeDiscord) -> None:
    async with frames(server) as socket:
        await socket.receive_json()
        await socket.send_json(identify(server))
        ready = await socket.receive_json()
        assert (ready["t"], ready["s"]) == ("READY", 1)
        await socket.send_json(identify(server))
        assert (await socket.receive()).data == 4005
    resume = {"token": server.token, "session_id": ready["d"]["session_id"], "seq": 99}
    async with frames(server) as socket:
        await socket.receive_json()
        await socket.send_json({"op": 6, "d": resume})
        assert (await socket.receive()).data == 4007


async def test_old_versions_and_other_encodings_are_refused(server: FakeDiscord) -> None:
    for query, code in (("?v=8&encoding=json", 4012), ("?v=10&encoding=etf", 4002)):
        async with frames(server, query) as socket:
            assert (await socket.receive()).data == code


async def test_a_server_that_ends_lets_go_of_those_who_are_connected() -> None:
    async with FakeDiscord() as server, frames(server) as socket:
        await socket.receive_json()
        async with asyncio.timeout(2):
            await server.__aexit__()
            assert (await socket.receive()).data == 1001
