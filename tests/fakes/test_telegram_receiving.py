"""Updates: long polls, webhooks, and everything people can do."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from telegram import Bot, Update
from telegram.error import BadRequest, Conflict, TelegramError, TimedOut

from tests.fakes.clock import FakeClock
from tests.fakes.faults import Answer, Drop, Hang, Reset, Truncate
from tests.fakes.telegram import FakeTelegram, User
from tests.fakes.telegram_bot import bot_for

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(clock=clock) as running:
        yield running


@pytest.fixture
async def bot(server: FakeTelegram) -> AsyncIterator[Bot]:
    async with bot_for(server) as made:
        yield made


@pytest.fixture
def ann(server: FakeTelegram) -> User:
    return server.user(42, "Ann", username="ann", language_code="de")


def ids(updates: tuple[Update, ...]) -> list[int]:
    return [update.update_id for update in updates]


def texts(updates: tuple[Update, ...]) -> list[str | None]:
    return [update.message.text for update in updates if update.message]


async def test_updates_stay_until_confirmed(server: FakeTelegram, bot: Bot, ann: User) -> None:
    for text in ("one", "two", "three"):
        ann.writes(text)
    first = await bot.get_updates(limit=2)
    assert texts(first) == ["one", "two"]
    assert ids(await bot.get_updates()) == [*ids(first), ids(first)[-1] + 1]
    assert texts(await bot.get_updates(offset=ids(first)[-1] + 1)) == ["three"]
    assert server.updates.confirmed == 2
    assert len(server.updates.pending) == 1


async def test_a_negative_offset_forgets_the_rest(bot: Bot, ann: User) -> None:
    for text in ("one", "two", "three"):
        ann.writes(text)
    assert texts(await bot.get_updates(offset=-1)) == ["three"]
    assert texts(await bot.get_updates()) == ["three"]


async def test_a_poll_wakes_with_the_first_update(
    server: FakeTelegram, bot: Bot, ann: User
) -> None:
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(bot.get_updates(timeout=30))
        await server.until(lambda it: it.updates.is_polled)
        ann.writes("hi")
    assert texts(poll.result()) == ["hi"]


async def test_a_poll_ends_with_its_time(server: FakeTelegram, bot: Bot, clock: FakeClock) -> None:
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(bot.get_updates(timeout=30))
        await clock.until_sleeping()
        await clock.advance(29)
        assert server.updates.is_polled
        await clock.advance(1)
    assert poll.result() == ()


async def test_a_second_poller_ends_the_first(server: FakeTelegram, bot: Bot, ann: User) -> None:
    async with bot_for(server) as other, asyncio.TaskGroup() as group:
        first = group.create_task(conflict_of(bot))
        await server.until(lambda it: it.updates.is_polled)
        second = group.create_task(other.get_updates(timeout=30))
        assert "terminated by other getUpdates request" in await first
        ann.writes("hi")
        assert texts(await second) == ["hi"]
    assert server.updates.conflicts == 1


async def conflict_of(bot: Bot) -> str:
    with pytest.raises(Conflict) as ended:
        await bot.get_updates(timeout=30)
    return str(ended.value)


async def test_a_poller_that_left_is_no_conflict(server: FakeTelegram, ann: User) -> None:
    async with bot_for(server) as gone:
        poll = asyncio.ensure_future(gone.get_updates(timeout=30))
        await server.until(lambda it: it.updates.is_polled)
        poll.cancel()
    async with bot_for(server) as bot:
        ann.writes("hi")
        assert texts(await bot.get_updates()) == ["hi"]
    assert server.updates.conflicts == 0


async def test_old_updates_are_lost_after_a_day(bot: Bot, ann: User, clock: FakeClock) -> None:
    ann.writes("old")
    await clock.advance(80_000)
    ann.writes("new")
    await clock.advance(7_000)
    assert texts(await bot.get_updates()) == ["new"]


async def test_allowed_updates_stick(bot: Bot, ann: User) -> None:
    message = ann.writes("one")
    ann.reacts(message, "👍")
    assert len(await bot.get_updates(allowed_updates=["message_reaction"])) == 1
    ann.writes("two")
    ann.reacts(message, "👎")
    kinds = [update.message_reaction is not None for update in await bot.get_updates()]
    assert kinds == [False, True]
    await bot.get_updates(allowed_updates=[])
    ann.writes("three")
    assert len(await bot.get_updates(offset=-1)) == 1


async def test_redelivery(server: FakeTelegram, bot: Bot, ann: User) -> None:
    ann.writes("one")
    first = ids(await bot.get_updates())
    assert await bot.get_updates(offset=first[0] + 1) == ()
    server.updates.redeliver()
    assert ids(await bot.get_updates(offset=first[0] + 1)) == first
    assert [update_id for _, update_id in server.updates.handed_out] == first * 2
    assert await bot.get_updates(offset=first[0] + 1) == ()


async def test_what_people_write(server: FakeTelegram, bot: Bot, ann: User) -> None:
    first = ann.writes("😀 /help@parley_bot hi @bob http://x.y #tag")
    ann.writes("yes", reply_to=first, quote="hi")
    ann.writes("fw", forward_origin={"type": "hidden_user", "sender_user_name": "X", "date": 1})
    ann.edits(first, "changed")
    one, two, three, four = await bot.get_updates()
    assert one.message is not None
    marked = list(one.message.parse_entities().values())
    assert marked == ["/help@parley_bot", "@bob", "http://x.y", "#tag"]
    assert one.message.from_user is not None
    assert one.message.from_user.language_code == "de"
    assert two.message is not None
    assert two.message.quote is not None
    assert two.message.quote.text == "hi"
    assert two.message.reply_to_message is not None
    assert two.message.reply_to_message.message_id == one.message.message_id
    assert three.message is not None
    assert three.message.forward_origin is not None
    assert four.edited_message is not None
    assert four.edited_message.edit_date is not None
    assert server.updates.pending[-1]["edited_message"]["text"] == "changed"


async def test_what_people_send(bot: Bot, ann: User) -> None:
    ann.sends_photo(caption="look")
    ann.sends_voice()
    ann.sends("video", name="v.mp4")
    ann.sends("sticker")
    album = ann.sends_album([b"\x89PNG 1", b"\x89PNG 2"], caption="both")
    ann.shares("location", {"latitude": 1.0, "longitude": 2.0})
    ann.shares("contact", {"phone_number": "+1", "first_name": "B"})
    messages = [update.message for update in await bot.get_updates()]
    assert all(messages)
    photo, voice, video, sticker, first, second, location, contact = [m for m in messages if m]
    assert (photo.caption, len(photo.photo)) == ("look", 2)
    assert voice.voice is not None
    assert voice.voice.mime_type == "audio/ogg"
    assert video.video is not None
    assert sticker.sticker is not None
    assert first.media_group_id == second.media_group_id == album[0].album
    assert (first.caption, second.caption) == ("both", None)
    assert location.location is not None
    assert contact.contact is not None


async def test_groups_topics_and_privacy(server: FakeTelegram, bot: Bot, ann: User) -> None:
    team = server.supergroup("Team", [ann], is_forum=True)
    news = team.topic("News")
    team.adds_bot(ann)
    ann.writes("in topic", chat=team, thread=news)
    plain = server.supergroup("Plain", [ann])
    root = ann.writes("root", chat=plain)
    ann.writes("reply", chat=plain, reply_to=root)
    joined, topic, _, reply = await bot.get_updates()
    assert joined.my_chat_member is not None
    assert joined.my_chat_member.new_chat_member.status == "member"
    assert topic.message is not None
    assert (topic.message.message_thread_id, topic.message.is_topic_message) == (news, True)
    assert reply.message is not None
    assert reply.message.message_thread_id == root.message_id
    assert not reply.message.is_topic_message
    server.world.reads_all_groups = False
    ann.writes("chatter", chat=plain)
    ann.writes("/new@other_bot", chat=plain)
    ann.writes("@parley_bot hi", chat=plain)
    assert [u.message.text for u in (await bot.get_updates())[4:] if u.message] == [
        "@parley_bot hi"
    ]
    assert [message.text for message in plain.shown()][-1] == "@parley_bot hi"


async def test_strange_updates(server: FakeTelegram) -> None:
    server.push({"telepathy": {"from": "Ann"}})
    server.push({"message": {"message_id": "x", "date": None, "chat": 7}}, update_id=5)
    server.push({"message": {"text": "\ud800"}})
    async with aiohttp.ClientSession() as session:
        url = f"{server.url}/bot{server.token}/getupdates?offset=1"
        async with session.get(url) as answer:
            updates = (await answer.json())["result"]
    assert [update["update_id"] for update in updates][1] == 5
    assert updates[0]["telepathy"] == {"from": "Ann"}


async def test_json_bodies_and_bad_parameters(server: FakeTelegram, ann: User) -> None:
    ann.writes("hi")
    async with aiohttp.ClientSession(f"{server.url}/bot{server.token}/") as session:
        body: dict[str, Any] = {"chat_id": 42, "text": "x", "entities": []}
        async with session.post("sendMessage", json=body) as answer:
            assert (await answer.json())["ok"] is True
        async with session.post("sendMessage", data={"chat_id": "42", "text": "x"}) as answer:
            assert answer.status == 200
        body = {"chat_id": 42, "text": "lone \ud800"}
        async with session.post("sendMessage", json=body) as answer:
            assert "must be encoded in UTF-8" in (await answer.json())["description"]
        async with session.post("sendMessage", data=b"[", headers=JSON) as answer:
            assert "can't parse request JSON object" in (await answer.json())["description"]
        for data, words in (
            ({"text": "x"}, "chat_id is empty"),
            ({"chat_id": "nobody", "text": "x"}, "chat not found"),
            ({"chat_id": "42", "text": "x", "entities": "{"}, "can't parse entities"),
            ({"chat_id": "42", "text": "x", "reply_markup": "7"}, "object expected"),
        ):
            async with session.post("sendMessage", data=data) as answer:
                assert words in (await answer.json())["description"]


async def test_faults_on_the_wire(server: FakeTelegram, bot: Bot, ann: User) -> None:
    ann.writes("hi")
    server.faults.add(Drop(), path="sendMessage", nth=1)
    server.faults.add(Reset("before"), path="sendMessage", nth=1)
    server.faults.add(Truncate(), path="sendMessage", nth=1)
    server.faults.add(Answer(502), path="sendMessage", nth=1)
    for _ in range(4):
        with pytest.raises(TelegramError):
            await bot.send_message(42, "x")
    assert [call.applied for call in server.calls("sendMessage")] == [True, False, True, False]
    assert ann.chat.bot_texts() == ["x", "x"]


async def test_applied_though_the_client_gave_up(server: FakeTelegram, bot: Bot, ann: User) -> None:
    ann.writes("hi")
    server.faults.add(Hang(applies=True), path="sendMessage")
    with pytest.raises(TimedOut):
        await bot.send_message(42, "x", read_timeout=0.05)
    assert ann.chat.bot_texts() == ["x"]


class Receiver:
    """Takes webhook posts; answers 500 to the first `refuses`."""

    def __init__(self) -> None:
        self.refuses = 0
        self.got: list[tuple[str, str]] = []

    async def take(self, request: web.BaseRequest) -> web.Response:
        update = await request.json()
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        self.got.append((update["message"]["text"], secret))
        if self.refuses:
            self.refuses -= 1
            return web.Response(status=500)
        return web.Response()


async def test_webhooks_are_posted_until_taken(
    server: FakeTelegram, bot: Bot, ann: User, clock: FakeClock
) -> None:
    receiver = Receiver()
    receiver.refuses = 1
    runner = web.ServerRunner(web.Server(receiver.take))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        await bot.set_webhook(url, secret_token="s3cret")
        with pytest.raises(Conflict, match="webhook is active"):
            await bot.get_updates()
        ann.writes("one")
        ann.writes("two")
        await clock.until_sleeping()
        info = await bot.get_webhook_info()
        assert (info.pending_update_count, info.last_error_message) == (
            2,
            "Wrong response from the webhook: 500",
        )
        await clock.advance(1)
        await server.until(lambda it: not it.updates.pending)
    finally:
        await bot.delete_webhook()
        await runner.cleanup()
    assert receiver.got == [("one", "s3cret"), ("one", "s3cret"), ("two", "s3cret")]
    assert await bot.get_updates() == ()


async def test_setting_a_webhook_ends_the_poll(server: FakeTelegram, bot: Bot) -> None:
    async with asyncio.TaskGroup() as group:
        ended = group.create_task(conflict_of(bot))
        await server.until(lambda it: it.updates.is_polled)
        await bot.set_webhook("https://example.org/hook")
    assert "terminated by setWebhook" in ended.result()
    for url, secret in (("http://example.org", None), ("https://example.org", "a b")):
        with pytest.raises(BadRequest):
            await bot.set_webhook(url, secret_token=secret)


async def test_until_says_what_is_shown_instead(ann: User) -> None:
    ann.writes("hi")
    with pytest.raises(AssertionError, match=r"now: \[\('Ann', 'hi'\)\]"):
        await ann.chat.until(lambda shown: len(shown) > 1, timeout=0.01)
