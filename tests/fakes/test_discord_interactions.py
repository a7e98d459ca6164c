"""Slash commands and buttons: in time, once, and for a quarter of an hour."""

from collections.abc import AsyncIterator

import discord
import pytest
from discord import app_commands

from tests.fakes.clock import FakeClock
from tests.fakes.discord import Channel, FakeDiscord, Guild, User
from tests.fakes.discord_bot import Bot, Raw, bot_for, raw


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
        tree = app_commands.CommandTree(connected)

        @tree.command(description="Asks")
        @app_commands.describe(question="What to ask")
        async def ask(interaction: discord.Interaction, question: str) -> None:
            """The tests answer it."""

        @tree.command(description="Begins anew")
        async def new(interaction: discord.Interaction) -> None:
            """The tests answer it."""

        await tree.sync()
        yield connected


@pytest.fixture
async def client(server: FakeDiscord) -> AsyncIterator[Raw]:
    async with raw(server) as made:
        yield made


async def test_a_command_tells_who_used_it_where_and_with_what(
    bot: Bot, ann: User, general: Channel
) -> None:
    ann.uses("ask", question="why?", channel=general)
    asked = await bot.is_asked()
    assert asked.user.id == 42
    assert (asked.channel_id, asked.guild_id) == (general.id, general.guild and general.guild.id)
    assert asked.filesize_limit == 10 * 1024 * 1024
    assert asked.namespace.question == "why?"
    assert asked.permissions.send_messages
    assert asked.app_permissions.send_messages
    ann.uses("new")
    direct = await bot.is_asked(2)
    assert isinstance(direct.channel, discord.DMChannel)
    with pytest.raises(AssertionError, match="no command"):
        ann.uses("old")
    with pytest.raises(AssertionError, match="needs"):
        ann.uses("ask")


async def test_a_deferred_answer_thinks_until_it_is_there(
    bot: Bot, ann: User, general: Channel
) -> None:
    used = ann.uses("new", channel=general)
    asked = await bot.is_asked()
    await asked.response.defer(thinking=True)
    assert used.is_thinking
    assert [one.is_thinking for one in general.shown()] == [True]
    await asked.edit_original_response(content="a *new* start")
    assert not used.is_thinking
    assert used.answers == ["a new start"]
    (shown,) = general.shown()
    assert shown.edits == 0
    more = await asked.followup.send("and more", wait=True)
    await more.edit(content="and even more")
    assert general.bot_texts() == ["a new start", "and even more"]
    await asked.delete_original_response()
    assert general.bot_texts() == ["and even more"]
    await bot.until("raw_message_delete")


async def test_the_first_followup_takes_the_place_of_the_thinking(
    bot: Bot, ann: User, general: Channel
) -> None:
    ann.uses("new", channel=general)
    asked = await bot.is_asked()
    await asked.response.defer(thinking=True)
    await asked.followup.send("done")
    assert [(one.text, one.is_thinking) for one in general.shown()] == [("done", False)]
    message = await bot.hears("")
    sent = await bot.http.edit_message(
        general.id, message.id, params=discord.http.handle_message_parameters("by id")
    )
    assert sent["content"] == "by id"


async def test_an_ephemeral_answer_is_for_one_person_alone(
    bot: Bot, ann: User, general: Channel, server: FakeDiscord
) -> None:
    bob = server.user(43, "Bob")
    used = ann.uses("new", channel=general)
    asked = await bot.is_asked()
    await asked.response.send_message("only for you", ephemeral=True)
    assert used.answers == ["only for you"]
    assert general.bot_texts(ann.id) == ["only for you"]
    assert general.bot_texts(bob.id) == general.bot_texts() == []
    original = await asked.original_response()
    with pytest.raises(discord.NotFound):
        await bot.http.get_message(general.id, original.id)
    ann.uses("new", channel=general)
    later = await bot.is_asked(2)
    await later.response.defer(thinking=True, ephemeral=True)
    await later.edit_original_response(content="later, for you")
    assert general.bot_texts(ann.id) == ["only for you", "later, for you"]
    assert not bot.heard


async def test_an_interaction_is_answered_once_and_in_time(
    bot: Bot, ann: User, general: Channel, client: Raw, clock: FakeClock
) -> None:
    used = ann.uses("new", channel=general)
    callback = f"/interactions/{used.id}/{used.token}/callback"
    assert await client.code("POST", callback, {"type": 6}) == (400, 50035)
    wrong = {"type": 4, "data": {"content": "x" * 2001}}
    assert await client.code("POST", callback, wrong) == (400, 50035)
    body = {"type": 4, "data": {"content": "here"}}
    assert (await client.call("POST", callback, body))[0] == 204
    assert await client.code("POST", callback, body) == (400, 40060)
    late = ann.uses("new", channel=general)
    await clock.advance(3.1)
    callback = f"/interactions/{late.id}/{late.token}/callback"
    assert await client.code("POST", callback, body) == (404, 10062)
    assert await client.code("POST", "/interactions/1/t/callback", body) == (404, 10062)
    assert late.answers == []
    assert bot.application_id is not None
    hook = f"/webhooks/{bot.application_id}/{late.token}"
    assert await client.code("POST", hook, body["data"]) == (404, 10015)


async def test_a_token_is_good_for_a_quarter_of_an_hour(
    bot: Bot, ann: User, general: Channel, clock: FakeClock
) -> None:
    ann.uses("new", channel=general)
    asked = await bot.is_asked()
    await asked.response.defer(thinking=True)
    await clock.advance(901)
    with pytest.raises(discord.HTTPException) as late:
        await asked.edit_original_response(content="too late")
    assert (late.value.status, late.value.code) == (401, 50027)


async def test_a_button_changes_its_message(bot: Bot, ann: User, general: Channel) -> None:
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Yes", custom_id="choice:yes"))
    place = bot.get_channel(general.id)
    assert isinstance(place, discord.TextChannel)
    await place.send("Well?", view=view)
    assert general.shown()[0].labels == ["Yes"]
    ann.presses("Yes", channel=general)
    pressed = await bot.is_asked()
    assert pressed.data is not None
    assert pressed.data.get("custom_id") == "choice:yes"
    assert pressed.message is not None
    await pressed.response.edit_message(content="Well? Yes.", view=None)
    (shown,) = general.shown()
    assert (shown.text, shown.labels) == ("Well? Yes.", [])
    with pytest.raises(AssertionError, match="no button"):
        ann.presses("Yes", channel=general)


async def test_a_press_is_deferred_or_answered_to_its_presser(
    bot: Bot, ann: User, general: Channel
) -> None:
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Yes", custom_id="y"))
    place = bot.get_channel(general.id)
    assert isinstance(place, discord.TextChannel)
    await place.send("Well?", view=view)
    first = ann.presses("Yes", channel=general)
    pressed = await bot.is_asked()
    await pressed.response.defer()
    await pressed.edit_original_response(content="Well, yes.")
    await pressed.followup.send("not for others", ephemeral=True)
    assert general.bot_texts() == ["Well, yes."]
    assert first.answers == ["not for others"]
    second = ann.presses("Yes", channel=general)
    again = await bot.is_asked(2)
    await again.response.send_message("not yours", ephemeral=True)
    assert second.answers == ["not yours"]
    assert general.shown()[0].labels == ["Yes"]


async def test_a_menu_gives_what_was_picked(bot: Bot, ann: User) -> None:
    options = [discord.SelectOption(label=one.title(), value=one) for one in ("tea", "milk")]
    view = discord.ui.View(timeout=None)
    menu: discord.ui.Select[discord.ui.View] = discord.ui.Select(custom_id="drink", options=options)
    view.add_item(menu)
    user = await bot.fetch_user(42)
    await user.send("Which?", view=view)
    ann.picks("tea", on=ann.dm.shown()[0])
    picked = await bot.is_asked()
    assert picked.data is not None
    assert picked.data.get("values") == ["tea"]
    with pytest.raises(AssertionError, match="offers"):
        ann.picks("beer", on=ann.dm.shown()[0])


async def test_commands_are_offered_where_they_were_registered(
    server: FakeDiscord, client: Raw, ann: User, team: Guild, general: Channel
) -> None:
    root = f"/applications/{server.world.application_id}"
    own = {"name": "own", "description": "Here only", "type": 1}
    path = f"{root}/guilds/{team.id}/commands"
    _, registered = await client.call("PUT", path, [own])
    assert (await client.call("GET", path)) == (200, registered)
    ann.uses("own", channel=general)
    with pytest.raises(AssertionError, match="no command"):
        ann.uses("own")
    _, again = await client.call("PUT", path, [own])
    assert again[0]["id"] == registered[0]["id"]
    private = {"name": "here", "description": "In private", "contexts": [1]}
    await client.call("PUT", f"{root}/commands", [private])
    ann.uses("here")
    with pytest.raises(AssertionError, match="no command"):
        ann.uses("here", channel=general)


@pytest.mark.parametrize(
    "commands",
    [
        [{"name": "Upper", "description": "x"}],
        [{"name": "two words", "description": "x"}],
        [{"name": "x" * 33, "description": "x"}],
        [{"name": "bare"}],
        [{"name": "long", "description": "x" * 101}],
        [{"name": "same", "description": "x"}] * 2,
        [{"name": f"n{number}", "description": "x"} for number in range(101)],
        [{"name": "x", "description": "x", "options": [{"name": "o", "type": 3}]}],
    ],
)
async def test_commands_that_discord_refuses(
    server: FakeDiscord, client: Raw, commands: list[dict[str, object]]
) -> None:
    path = f"/applications/{server.world.application_id}/commands"
    assert await client.code("PUT", path, commands) == (400, 50035)
    assert await client.code("PUT", "/applications/1/commands", []) == (403, 50001)
