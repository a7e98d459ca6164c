"""Rate limits and faults, as the real discord.py meets them, and as it cannot."""

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.discord import Channel, FakeDiscord, User
from tests.fakes.discord_bot import Raw, bot_for, raw
from tests.fakes.fast_clock import FastClock
from tests.fakes.faults import Answer, Drop, RateLimit


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(clock=clock) as running:
        yield running


@pytest.fixture
def ann(server: FakeDiscord) -> User:
    return server.user(42, "Ann")


@pytest.fixture
def general(server: FakeDiscord, ann: User) -> Channel:
    return server.guild("Team", [ann]).text("general")


@pytest.fixture
async def client(server: FakeDiscord) -> AsyncIterator[Raw]:
    async with raw(server) as made:
        yield made


async def test_five_sends_in_five_seconds_and_then_a_penalty(
    server: FakeDiscord, general: Channel, client: Raw, clock: FakeClock
) -> None:
    server.rates.enabled = True
    path = f"/channels/{general.id}/messages"
    for number in range(5):
        headers, _ = await client.headers("POST", path, {"content": str(number)})
        assert headers["X-RateLimit-Limit"] == "5"
        assert headers["X-RateLimit-Remaining"] == str(4 - number)
        assert float(headers["X-RateLimit-Reset-After"]) <= 5
    await clock.advance(2)
    headers, body = await client.headers("POST", path, {"content": "six"})
    assert body == {
        "message": "You are being rate limited.",
        "retry_after": pytest.approx(3),
        "global": False,
    }
    assert (headers["Via"], headers["Retry-After"]) == ("1.1 google", "3")
    assert headers["X-RateLimit-Scope"] == "user"
    assert server.calls_in_penalty == 0
    assert (await client.call("POST", path, {"content": "six"}))[0] == 429
    assert server.calls_in_penalty == 1
    assert server.log[-1].in_penalty
    await clock.advance(3)
    assert (await client.call("POST", path, {"content": "six"}))[0] == 200
    assert server.calls_in_penalty == 1
    assert len(general.bot_texts()) == 6


async def test_edits_and_other_channels_have_limits_of_their_own(
    server: FakeDiscord, ann: User, general: Channel, client: Raw
) -> None:
    server.rates.enabled = True
    path = f"/channels/{general.id}/messages"
    _, sent = await client.call("POST", path, {"content": "x"})
    edit = {"content": "y"}
    for _ in range(5):
        assert (await client.call("PATCH", f"{path}/{sent['id']}", edit))[0] == 200
        await client.call("POST", path, {"content": "x"})
    assert (await client.call("PATCH", f"{path}/{sent['id']}", edit))[0] == 429
    there = f"/channels/{ann.dm.id}/messages"
    assert (await client.call("POST", there, {"content": "x"}))[0] == 200


async def test_all_calls_together_have_a_limit(
    server: FakeDiscord, general: Channel, client: Raw
) -> None:
    server.rates.enabled = True
    server.rates.overall = 3
    for _ in range(3):
        assert (await client.call("GET", f"/channels/{general.id}"))[0] == 200
    headers, body = await client.headers("GET", "/users/@me")
    assert body["global"] is True
    assert (headers["X-RateLimit-Scope"], headers["X-RateLimit-Global"]) == ("global", "true")


async def test_the_library_keeps_to_what_the_headers_say() -> None:
    """The server's clock runs faster, and tells the client of the client's seconds."""
    async with FakeDiscord(clock=FastClock(20)) as server:
        server.rates.enabled = True
        server.rates.speed = 20
        ann = server.user(42, "Ann")
        async with bot_for(server) as bot:
            user = await bot.fetch_user(42)
            for number in range(12):
                await user.send(str(number))
        assert ann.dm.bot_texts() == [str(number) for number in range(12)]
        assert server.calls_in_penalty == 0
        assert not any(one.refused for one in server.log)


async def test_a_limit_by_fault_is_waited_for_or_counted(
    server: FakeDiscord, client: Raw, ann: User
) -> None:
    server.faults.add(RateLimit(0.2), path="/messages", times=1)
    async with bot_for(server) as bot:
        user = await bot.fetch_user(42)
        sending = asyncio.ensure_future(user.send("one"))
        await server.until(lambda it: len(it.calls("send")) == 1)
        await client.call("POST", f"/channels/{ann.dm.id}/messages", {"content": "two"})
        assert server.calls_in_penalty == 1
        await server.clock.sleep(0)
        await sending
    assert sorted(ann.dm.bot_texts()) == ["one", "two"]


async def test_faults_look_like_discords_own(
    server: FakeDiscord, general: Channel, client: Raw, ann: User
) -> None:
    path = f"/channels/{general.id}/messages"
    server.faults.add(Answer(502), path=path, nth=1)
    assert await client.call("POST", path, {"content": "x"}) == (
        502,
        {"message": "502: Bad Gateway", "code": 0},
    )
    server.faults.clear()
    server.faults.add(Answer(302, b"", {"Location": "http://127.0.0.1:1/"}), path="/attachments/")
    file = ann.sends("a.txt", b"a", channel=general).files[0]
    url = server.world.files.payload(file, server.clock.now())["url"]
    assert await client.status(url) == 302
    server.faults.clear()
    assert await client.status(url) == 200
    assert await client.status(url.replace("hm=", "hm=0")) == 404


async def test_a_send_whose_answer_was_lost_is_found_by_its_nonce(
    server: FakeDiscord, ann: User
) -> None:
    async with bot_for(server) as bot:
        user = await bot.fetch_user(42)
        server.faults.add(Drop(), path="/messages", times=1)
        with pytest.raises(Exception, match="reset") as lost:
            await user.send("once", nonce="key")
        assert not isinstance(lost.value, discord.HTTPException)
        again = await user.send("once", nonce="key")
        (shown,) = ann.dm.shown()
        assert again.id == shown.id
