"""Sending, editing and reading back, as the real discord.py does it, and as it would not."""

import io
from collections.abc import AsyncIterator

import discord
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.discord import Channel, FakeDiscord, Guild, May, User
from tests.fakes.discord.session import Intent
from tests.fakes.discord_bot import Bot, Raw, bot_for, raw

PNG = b"\x89PNG picture"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(clock=clock) as running:
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


def text_channel(bot: Bot, channel: Channel) -> discord.TextChannel:
    found = bot.get_channel(channel.id)
    assert isinstance(found, discord.TextChannel)
    return found


def button(label: str = "Yes", custom_id: str = "y", **more: object) -> dict[str, object]:
    return {"type": 2, "style": 1, "label": label, "custom_id": custom_id, **more}


def row(*buttons: dict[str, object]) -> dict[str, object]:
    return {"type": 1, "components": list(buttons)}


async def test_a_message_is_sent_edited_and_deleted(bot: Bot, general: Channel) -> None:
    sent = await text_channel(bot, general).send("one")
    assert general.bot_texts() == ["one"]
    await sent.edit(content="two")
    (shown,) = general.shown()
    assert (shown.text, shown.earlier, shown.edits) == ("two", ["one"], 1)
    await sent.delete()
    assert general.shown() == []
    with pytest.raises(discord.NotFound) as gone:
        await sent.edit(content="three")
    assert gone.value.code == 10008


async def test_a_nonce_gives_back_the_first_message_for_some_minutes(
    bot: Bot, general: Channel, clock: FakeClock
) -> None:
    place = text_channel(bot, general)
    first = await place.send("one", nonce="key")
    again = await place.send("one", nonce="key")
    assert first.id == again.id
    assert len(general.shown()) == 1
    await clock.advance(301)
    second = await place.send("one", nonce="key")
    assert second.id != first.id
    await second.delete()
    with pytest.raises(discord.NotFound):
        await place.send("one", nonce="key")


async def test_files_are_kept_beside_new_ones(
    bot: Bot, general: Channel, server: FakeDiscord
) -> None:
    place = text_channel(bot, general)
    sent = await place.send(
        "look", file=discord.File(io.BytesIO(PNG), "a b.png", description="sun")
    )
    (picture,) = general.shown()[0].files
    assert (picture.name, picture.data, picture.is_image) == ("a_b.png", PNG, True)
    assert picture.description == "sun"
    assert await sent.attachments[0].read() == PNG
    both = await sent.edit(
        attachments=[sent.attachments[0], discord.File(io.BytesIO(b"n"), "n.md")]
    )
    assert [one.filename for one in both.attachments] == ["a_b.png", "n.md"]
    left = await both.edit(attachments=[both.attachments[1]])
    assert [one.data for one in general.shown()[0].files] == [b"n"]
    await left.edit(content="only words", attachments=[])
    assert general.shown()[0].files == []
    assert len(server.world.downloads) == 1


async def test_links_to_files_are_signed_and_expire(bot: Bot, ann: User, clock: FakeClock) -> None:
    ann.sends("notes.txt", b"words", words="read")
    (file,) = (await bot.hears("read")).attachments
    assert (file.size, file.content_type) == (5, "text/plain")
    assert await file.read() == b"words"
    await clock.advance(86_401)
    with pytest.raises(discord.NotFound):
        await file.read()


async def test_voice_stickers_and_forwards_arrive_as_what_they_are(
    bot: Bot, ann: User, general: Channel
) -> None:
    ann.sends_voice(b"OggS")
    ann.sends_sticker("Wave")
    original = ann.writes("dinner at eight", channel=general)
    ann.forwards(original)
    ann.sends_all([("a.txt", b"a"), ("b.txt", b"b")], words="two")
    two = await bot.hears("two")
    assert len(two.attachments) == 2
    voice, sticker, _, forwarded, _ = bot.heard
    assert voice.flags.voice
    assert voice.attachments[0].is_voice_message()
    assert [one.name for one in sticker.stickers] == ["Wave"]
    assert forwarded.message_snapshots[0].content == "dinner at eight"


async def test_replies_show_what_they_answer(bot: Bot, ann: User, general: Channel) -> None:
    first = ann.writes("question", channel=general)
    asked = await bot.hears("question")
    answer = await asked.reply("answer", mention_author=False)
    assert answer.type is discord.MessageType.reply
    shown = general.shown()[-1]
    assert shown.reply_to is first
    ann.writes("why?", channel=general, reply_to=shown)
    why = await bot.hears("why?")
    assert why.reference is not None
    assert isinstance(why.reference.resolved, discord.Message)
    assert why.reference.resolved.content == "answer"
    assert bot.user in why.mentions
    ann.deletes(first)
    with pytest.raises(discord.HTTPException) as unknown:
        await asked.reply("too late")
    assert unknown.value.code == 50035
    reference = asked.to_reference(fail_if_not_exists=False)
    assert (await text_channel(bot, general).send("all the same", reference=reference)).id


async def test_history_is_read_in_pages_and_in_both_directions(
    bot: Bot, ann: User, general: Channel
) -> None:
    written = [ann.writes(f"m{number}", channel=general) for number in range(120)]
    place = text_channel(bot, general)
    after = discord.Object(written[9].id)
    read = [one.content async for one in place.history(after=after, limit=None)]
    assert read == [f"m{number}" for number in range(10, 120)]
    newest = [one.content async for one in place.history(limit=2)]
    assert newest == ["m119", "m118"]
    around = [one.id async for one in place.history(around=discord.Object(written[50].id), limit=3)]
    assert set(around) == {one.id for one in written[49:52]}


async def test_typing_is_shown_for_ten_seconds_or_until_the_message(
    bot: Bot, general: Channel, clock: FakeClock
) -> None:
    place = text_channel(bot, general)
    await bot.http.send_typing(general.id)
    assert general.is_typing()
    await clock.advance(10)
    assert not general.is_typing()
    await bot.http.send_typing(general.id)
    await place.send("here")
    assert not general.is_typing()


async def test_reactions_are_put_and_taken(bot: Bot, ann: User, general: Channel) -> None:
    shown = ann.writes("look", channel=general)
    message = await bot.hears("look")
    await message.add_reaction("👀")
    ann.reacts(shown, "👀")
    assert shown.reactions == {"👀": [bot.application_id and bot.user and bot.user.id, 42]}
    assert bot.user is not None
    await message.remove_reaction("👀", bot.user)
    assert shown.reactions == {"👀": [42]}
    with pytest.raises(discord.HTTPException) as unknown:
        await message.add_reaction("eyes")
    assert unknown.value.code == 10014


async def test_who_is_called_is_written_down(
    bot: Bot, general: Channel, team: Guild, server: FakeDiscord
) -> None:
    place = text_channel(bot, general)
    crew = team.role("crew", is_mentionable=True)
    words = f"@everyone <@42> <@&{crew.id}> and `@here`"
    quiet = await place.send(words, allowed_mentions=discord.AllowedMentions.none())
    assert server.pings == []
    await quiet.edit(content=words + "!")
    assert [(one.kind, one.target, one.by_edit) for one in server.pings] == [
        ("user", 42, True),
        ("role", crew.id, True),
        ("everyone", None, True),
    ]
    server.pings.clear()
    await place.send("only `@everyone` in code")
    assert server.pings == []
    team.denies(general, May.MENTION_EVERYONE)
    await place.send("@everyone")
    assert server.pings == []
    await place.send("<@42>", allowed_mentions=discord.AllowedMentions(users=[discord.Object(7)]))
    assert server.pings == []


async def test_direct_conversations_are_begun_by_id(bot: Bot, ann: User) -> None:
    user = await bot.fetch_user(42)
    assert (await user.send("hello")).channel.id == ann.dm.id
    ann.blocks()
    with pytest.raises(discord.Forbidden) as blocked:
        await user.send("hello?")
    assert blocked.value.code == 50007
    ann.unblocks()
    await user.send("again")
    assert ann.dm.bot_texts() == ["hello", "again"]


async def test_the_bot_looks_itself_and_its_places_up(
    bot: Bot, general: Channel, team: Guild, server: FakeDiscord
) -> None:
    server.gateway.allowed = Intent(0)
    about = await bot.application_info()
    assert about.id == server.world.application_id
    assert not about.flags.gateway_message_content_limited
    guild = await bot.fetch_guild(team.id)
    assert [one.name for one in await guild.fetch_channels()] == ["general"]
    assert (await guild.fetch_member(42)).display_name == "Ann"
    found = await bot.fetch_channel(general.id)
    assert isinstance(found, discord.TextChannel)
    assert [one.id async for one in bot.fetch_guilds()] == [team.id]
    shards, url, start = await bot.http.get_bot_gateway()
    assert (shards, url, start["remaining"]) == (1, server.gateway_url, 999)


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"content": "x" * 2001}, 400, 50035, "content"),
        ({"content": ""}, 400, 50006, ""),
        ({"content": " \n "}, 400, 50006, ""),
        ({}, 400, 50006, ""),
        ({"content": 7}, 400, 50035, "content"),
        ({"content": "x", "nonce": "n" * 26}, 400, 50035, "nonce"),
        ({"embeds": [{"title": "t" * 257}]}, 400, 50035, "embeds"),
        ({"embeds": [{"description": "d" * 4000}] * 2}, 400, 50035, "embeds"),
        ({"embeds": [{"fields": [{"name": "n"}]}]}, 400, 50035, "embeds"),
        ({"embeds": [{}] * 11}, 400, 50035, "embeds"),
        ({"content": "x", "components": [row(button())] * 6}, 400, 50035, "components"),
        ({"content": "x", "components": [button()]}, 400, 50035, "components"),
        ({"content": "x", "components": [row(*[button()] * 6)]}, 400, 50035, "components"),
        ({"content": "x", "components": [row(button("l" * 81))]}, 400, 50035, "components"),
        ({"content": "x", "components": [row(button(custom_id=""))]}, 400, 50035, "components"),
        ({"content": "x", "components": [row(button(), button())]}, 400, 50035, "components"),
        ({"content": "x", "components": [row(button(style=9))]}, 400, 50035, "components"),
        ({"content": "x", "components": [row(button(style=5))]}, 400, 50035, "components"),
        ({"content": "x", "components": [{"type": 10, "content": "v2"}]}, 400, 50035, "components"),
        ({"content": "x", "flags": 1 << 15}, 400, 50035, "content"),
        ({"content": "x", "allowed_mentions": {"parse": ["all"]}}, 400, 50035, "allowed_mentions"),
        (
            {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
            *(400, 50035, "allowed_mentions"),
        ),
        ({"content": "x", "attachments": [{"id": 0}]}, 400, 50035, "attachments"),
        ({"content": "x", "message_reference": {"message_id": "1"}}, 400, 50035, "message_ref"),
    ],
)
async def test_bodies_that_discord_refuses(
    client: Raw, general: Channel, body: dict[str, object], status: int, code: int, field: str
) -> None:
    got, refusal = await client.call("POST", f"/channels/{general.id}/messages", body)
    assert (got, refusal["code"]) == (status, code)
    assert not field or any(name.startswith(field) for name in refusal["errors"])
    assert general.shown() == []


async def test_lengths_are_those_of_characters(client: Raw, general: Channel) -> None:
    path = f"/channels/{general.id}/messages"
    status, sent = await client.call("POST", path, {"content": "😀" * 2000})
    assert status == 200
    refused = await client.call("PATCH", f"{path}/{sent['id']}", {"content": "😀" * 2001})
    assert refused[1]["errors"]["content"]["_errors"] == [
        {"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}
    ]


async def test_layouts_show_their_texts_and_buttons(client: Raw, general: Channel) -> None:
    inner = [{"type": 10, "content": "**Hello**"}, row(button("Go"))]
    body = {"flags": 1 << 15, "components": [{"type": 17, "components": inner}]}
    path = f"/channels/{general.id}/messages"
    status, sent = await client.call("POST", path, body)
    assert status == 200
    (shown,) = general.shown()
    assert (shown.text, shown.labels) == ("Hello", ["Go"])
    change = {"content": "plain again", "components": []}
    assert await client.code("PATCH", f"{path}/{sent['id']}", change) == (400, 50035)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (May.VIEW_CHANNEL, 50001),
        (May.SEND_MESSAGES, 50013),
        (May.EMBED_LINKS, 50013),
        (May.READ_MESSAGE_HISTORY, 160002),
    ],
)
async def test_permissions_are_those_of_the_channel(
    client: Raw, general: Channel, team: Guild, ann: User, what: May, code: int
) -> None:
    first = ann.writes("hi", channel=general)
    team.denies(general, what)
    body = {
        "content": "x",
        "embeds": [{"title": "t"}],
        "message_reference": {"message_id": str(first.id)},
    }
    assert await client.code("POST", f"/channels/{general.id}/messages", body) == (403, code)
    if what is May.READ_MESSAGE_HISTORY:
        assert (await client.call("GET", f"/channels/{general.id}/messages")) == (200, [])


async def test_files_are_limited_in_number_and_size(
    bot: Bot, general: Channel, team: Guild, server: FakeDiscord
) -> None:
    place = text_channel(bot, general)
    server.world.file_bytes = 100
    with pytest.raises(discord.HTTPException) as too_large:
        await place.send(file=discord.File(io.BytesIO(b"x" * 101), "x.bin"))
    assert (too_large.value.status, too_large.value.code) == (413, 40005)
    with pytest.raises(discord.HTTPException) as too_many:
        await place.send(files=[discord.File(io.BytesIO(b"x"), f"{n}.bin") for n in range(11)])
    assert too_many.value.code == 50035
    team.denies(general, May.ATTACH_FILES)
    with pytest.raises(discord.Forbidden):
        await place.send(file=discord.File(io.BytesIO(b"x"), "x.bin"))


async def test_only_own_messages_are_edited(client: Raw, ann: User, general: Channel) -> None:
    path = f"/channels/{general.id}/messages"
    message = ann.writes("mine", channel=general)
    assert await client.code("PATCH", f"{path}/{message.id}", {"content": "x"}) == (403, 50005)
    assert await client.code("DELETE", f"{path}/{message.id}") == (403, 50013)
    direct = ann.writes("mine")
    path = f"/channels/{ann.dm.id}/messages"
    assert await client.code("DELETE", f"{path}/{direct.id}") == (403, 50003)


async def test_what_is_not_there_has_its_own_code(client: Raw, general: Channel) -> None:
    assert await client.code("POST", "/channels/1/messages", {"content": "x"}) == (404, 10003)
    assert await client.code("GET", f"/channels/{general.id}/messages/1") == (404, 10008)
    assert await client.code("GET", "/users/1") == (404, 10013)
    assert await client.code("GET", "/guilds/1") == (404, 10004)
    assert await client.code("GET", "/nothing") == (404, 0)
    assert await client.code("DELETE", "/users/@me") == (405, 0)
    path = f"/channels/{general.id}/messages"
    assert await client.code("GET", f"{path}?limit=101") == (400, 50035)
    raw_json = {"data": "{", "headers": {"Content-Type": "application/json"}}
    assert await client.code("POST", path, **raw_json) == (400, 50109)
    wrong = {"headers": {"Authorization": "Bot wrong"}}
    assert await client.code("GET", "/users/@me", **wrong) == (401, 0)


async def test_forums_take_posts_and_no_messages(client: Raw, team: Guild) -> None:
    forum = team.forum()
    path = f"/channels/{forum.id}/messages"
    assert await client.code("POST", path, {"content": "x"}) == (400, 50008)
    assert await client.code("GET", path) == (400, 50008)


async def test_unknown_fields_are_counted(
    client: Raw, general: Channel, server: FakeDiscord
) -> None:
    path = f"/channels/{general.id}/messages"
    assert (await client.call("POST", f"{path}?fast=1", {"content": "x", "colour": 1}))[0] == 200
    assert server.unknown_fields == {("send", "fast"): 1, ("send", "colour"): 1}
    server.unknown_fields.clear()
    assert [(one.name, one.applied) for one in server.calls("send", general)] == [("send", True)]
