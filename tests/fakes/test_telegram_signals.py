"""Drafts, typing, reactions, buttons, commands and files against the fake."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats
from telegram import InlineKeyboardButton as Button
from telegram import InlineKeyboardMarkup as Markup
from telegram.constants import ReactionEmoji
from telegram.error import BadRequest, EndPointNotFound, InvalidToken, RetryAfter

from tests.fakes.clock import FakeClock
from tests.fakes.faults import RateLimit
from tests.fakes.telegram import FakeTelegram, User
from tests.fakes.telegram_bot import bot_for, raw


@pytest.fixture(autouse=True)
def spans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the library give times as it will from its next version on, without warnings."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


def seconds(limited: RetryAfter) -> float:
    after = limited.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else after


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
    someone = server.user(42, "Ann")
    someone.writes("hi")
    return someone


async def test_a_draft_grows_and_gives_way_to_the_message(bot: Bot, ann: User) -> None:
    await bot.send_message_draft(42, 7, "")
    await bot.send_message_draft(42, 7, "Hel")
    await bot.send_message_draft(42, 7, "Hello")
    draft = ann.chat.draft()
    assert draft is not None
    assert [text for _, text in draft.texts] == ["", "Hel", "Hello"]
    assert ann.chat.bot_texts() == []
    await bot.send_message(42, "Hello.")
    assert ann.chat.draft() is None
    assert ann.chat.bot_texts() == ["Hello."]


async def test_a_draft_lives_thirty_seconds(bot: Bot, ann: User, clock: FakeClock) -> None:
    await bot.send_message_draft(42, 7, "Hel")
    await clock.advance(29)
    await bot.send_message_draft(42, 7, "Hell")
    await clock.advance(29)
    assert ann.chat.draft() is not None
    await clock.advance(1)
    assert ann.chat.draft() is None


async def test_another_draft_takes_the_place(bot: Bot, ann: User) -> None:
    await bot.send_message_draft(42, 7, "one")
    await bot.send_message_draft(42, 8, "two")
    assert [draft.is_over for draft in ann.chat.drafts] == [True, False]


async def test_refuses_drafts(server: FakeTelegram, bot: Bot, ann: User) -> None:
    team = server.group("Team", [ann])
    with pytest.raises(BadRequest, match="Textdraft_peer_invalid"):
        await bot.send_message_draft(team.id, 7, "x")
    with pytest.raises(BadRequest, match="non-zero"):
        await bot.send_message_draft(42, 0, "x")
    with pytest.raises(BadRequest, match="too long"):
        await bot.send_message_draft(42, 7, "x" * 4097)
    server.world.has_drafts = False
    refused = await raw(server, "sendMessageDraft", chat_id=42, draft_id=7, text="x")
    assert (refused["error_code"], refused["description"]) == (404, "Not Found: method not found")


@pytest.mark.parametrize("keeps", [False, True])
async def test_the_stop_button(bot: Bot, ann: User, keeps: bool) -> None:
    flags = {"can_stop": True, "keep_on_stop": keeps}
    await bot.send_message_draft(42, 7, "Hel", api_kwargs=flags)
    ann.presses_stop()
    await bot.send_message_draft(42, 7, "Hello", api_kwargs=flags)
    shown = ann.chat.draft()
    assert (shown.text if shown else None) == ("Hel" if keeps else None)
    update = (await bot.get_updates())[-1]
    assert update.api_kwargs["stopped_message_generation"]["draft_id"] == 7


async def test_typing_fades(bot: Bot, ann: User, clock: FakeClock) -> None:
    await bot.send_chat_action(42, "typing")
    assert ann.chat.is_typing()
    await clock.advance(5)
    assert not ann.chat.is_typing()
    await bot.send_chat_action(42, "typing")
    await bot.send_message(42, "x")
    assert not ann.chat.is_typing()
    assert [typing.action for typing in ann.chat.typing] == ["typing", "typing"]
    with pytest.raises(BadRequest, match="Wrong parameter action"):
        await bot.send_chat_action(42, "dancing")


async def test_a_pressed_button_is_answered(server: FakeTelegram, bot: Bot, ann: User) -> None:
    markup = Markup([[Button("Yes", callback_data="y"), Button("No", callback_data="n")]])
    await bot.send_message(42, "sure?", reply_markup=markup)
    press = ann.presses("No")
    query = (await bot.get_updates())[-1].callback_query
    assert query is not None
    assert (query.data, query.from_user.id) == ("n", 42)
    await bot.answer_callback_query(query.id, "fine", show_alert=True)
    assert (press.is_answered, press.answer, press.is_alert) == (True, "fine", True)
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query("nobody")
    with pytest.raises(AssertionError, match="no button"):
        ann.presses("Maybe")
    assert server.calls("answerCallbackQuery")[0].applied


async def test_an_answer_comes_in_time_or_not_at_all(bot: Bot, ann: User, clock: FakeClock) -> None:
    await bot.send_message(42, "sure?", reply_markup=Markup([[Button("Yes", callback_data="y")]]))
    in_time, late = ann.presses("Yes"), ann.presses("Yes")
    await clock.advance(15)
    await bot.answer_callback_query(in_time.press_id)
    await clock.advance(1)
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(late.press_id)
    assert (in_time.is_answered, late.is_answered) == (True, False)


@pytest.mark.parametrize("change", ["is_old", "is_deleted"])
async def test_a_press_brings_along_what_can_still_be_read(
    server: FakeTelegram, bot: Bot, ann: User, change: str
) -> None:
    await bot.send_message(42, "sure?", reply_markup=Markup([[Button("Yes", callback_data="y")]]))
    message = ann.chat.shown()[-1]
    ann.presses("Yes")
    setattr(message, change, True)
    ann.presses("Yes", on=message)
    updates = (await raw(server, "getUpdates"))["result"]
    read, unread = [one["callback_query"]["message"] for one in updates[-2:]]
    assert (read["text"], "reply_markup" in read) == ("sure?", True)
    assert unread.keys() == {"chat", "message_id", "date"}
    assert (unread["message_id"], unread["date"]) == (message.message_id, 0)


async def test_the_bot_has_one_reaction_beside_those_of_people(bot: Bot, ann: User) -> None:
    theirs = ann.chat.shown()[0]
    ann.reacts(theirs, "🎉")
    for emoji in ("👀", "👀", ReactionEmoji.HEART_ON_FIRE):
        await bot.set_message_reaction(42, theirs.message_id, emoji)
    assert theirs.reactions == ["🎉", "❤\u200d🔥"]
    await bot.set_message_reaction(42, theirs.message_id, [])
    assert theirs.reactions == ["🎉"]


async def test_refuses_reactions(bot: Bot, ann: User) -> None:
    theirs = ann.chat.shown()[0]
    with pytest.raises(BadRequest, match="Reaction_invalid"):
        await bot.set_message_reaction(42, theirs.message_id, "🛠")
    with pytest.raises(BadRequest, match="Reactions_too_many"):
        await bot.set_message_reaction(42, theirs.message_id, ["👀", "👍"])
    with pytest.raises(BadRequest, match="Message to react not found"):
        await bot.set_message_reaction(42, 99, "👀")
    ann.chat.reactions = frozenset("👍🛠")
    for emoji in ("👀", "🛠"):
        with pytest.raises(BadRequest, match="Reaction_invalid"):
            await bot.set_message_reaction(42, theirs.message_id, emoji)
    await bot.set_message_reaction(42, theirs.message_id, "👍")
    assert theirs.reactions == ["👍"]


@pytest.mark.parametrize(
    ("reaction", "words"),
    [
        ("👀", "can't parse reaction JSON object"),
        ({"type": "emoji"}, "expected an Array"),
        (["👀"], "expected an Object"),
        ([{"emoji": "👀"}], 'Can\'t find field "type"'),
        ([{"type": "emoji"}], 'Can\'t find field "emoji"'),
    ],
    ids=str,
)
async def test_refuses_what_is_no_reaction(
    server: FakeTelegram, ann: User, reaction: Any, words: str
) -> None:
    number = ann.chat.shown()[0].message_id
    refused = await raw(
        server, "setMessageReaction", chat_id=42, message_id=number, reaction=reaction
    )
    assert words in refused["description"]


async def test_command_menus(server: FakeTelegram, bot: Bot) -> None:
    scope = BotCommandScopeAllPrivateChats()
    await bot.set_my_commands([BotCommand("new", "New chat")], scope=scope)
    assert [command.command for command in await bot.get_my_commands(scope=scope)] == ["new"]
    assert await bot.get_my_commands() == ()
    await bot.delete_my_commands(scope=scope)
    assert server.world.commands == {}
    for name, summary in (("New", "x"), ("new", ""), ("n" * 33, "x"), ("new", "x" * 257)):
        with pytest.raises(BadRequest, match="Bot_command"):
            await bot.set_my_commands([BotCommand(name, summary)])


async def test_files_are_fetched(server: FakeTelegram, bot: Bot, ann: User) -> None:
    ann.sends_document("notes.txt", b"words")
    ann.sends_document("film.iso", size=21 << 20)
    small, big = [update.message for update in (await bot.get_updates())[-2:]]
    assert small is not None
    assert small.document is not None
    assert small.document.file_name == "notes.txt"
    link = await bot.get_file(small.document.file_id)
    assert bytes(await link.download_as_bytearray()) == b"words"
    assert [path for _, path in server.world.downloads] == ["documents/file_1.txt"]
    assert big is not None
    assert big.document is not None
    with pytest.raises(BadRequest, match="File is too big"):
        await bot.get_file(big.document.file_id)
    with pytest.raises(BadRequest, match="nvalid file_id"):
        await bot.get_file("nothing")


async def test_links_die(bot: Bot, ann: User, clock: FakeClock) -> None:
    ann.sends_photo()
    message = (await bot.get_updates())[-1].message
    assert message is not None
    link = await bot.get_file(message.photo[-1].file_id)
    await clock.advance(3_601)
    with pytest.raises(InvalidToken):
        await link.download_as_bytearray()


async def test_tokens_and_addresses(server: FakeTelegram, bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.username) == (123456, "parley_bot")
    assert me.can_read_all_group_messages
    with pytest.raises(EndPointNotFound):
        await bot.do_api_request("sendTelepathy")
    with pytest.raises(InvalidToken):
        async with bot_for(server, "1:WRONG"):
            pass
    await bot.log_out()
    with pytest.raises(BadRequest, match="Logged out"):
        await bot.get_me()


async def test_chats_and_members(server: FakeTelegram, bot: Bot, ann: User) -> None:
    team = server.group("Team", [ann])
    assert (await bot.get_chat(team.id)).title == "Team"
    assert (await bot.get_chat_member(team.id, 42)).status == "member"
    server.user(43, "Bob")
    assert (await bot.get_chat_member(team.id, 43)).status == "left"
    with pytest.raises(BadRequest, match="User not found"):
        await bot.get_chat_member(team.id, 44)


async def test_private_chats_have_a_rate(
    server: FakeTelegram, bot: Bot, ann: User, clock: FakeClock
) -> None:
    server.rates.enabled = True
    server.rates.private_burst = 2
    for text in ("one", "two"):
        await bot.send_message(42, text)
    with pytest.raises(RetryAfter) as limited:
        await bot.send_message(42, "three")
    assert seconds(limited.value) == 1
    assert server.calls_in_penalty == 0
    with pytest.raises(RetryAfter):
        await bot.send_chat_action(42, "typing")
    assert server.calls_in_penalty == 1
    await clock.advance(1)
    await bot.send_message(42, "four")
    assert ann.chat.bot_texts() == ["one", "two", "four"]


async def test_penalties_can_double(
    server: FakeTelegram, bot: Bot, ann: User, clock: FakeClock
) -> None:
    server.rates.doubles = True
    server.rates.open(ann.id, 10, clock.now())
    waits = []
    for _ in range(2):
        with pytest.raises(RetryAfter) as limited:
            await bot.send_message(42, "x")
        waits.append(seconds(limited.value))
    assert waits == [20, 40]


async def test_groups_have_twenty_a_minute(
    server: FakeTelegram, bot: Bot, ann: User, clock: FakeClock
) -> None:
    server.rates.enabled = True
    team = server.group("Team", [ann])
    for number in range(20):
        await bot.send_message(team.id, str(number))
    with pytest.raises(RetryAfter):
        await bot.send_message(team.id, "too much")
    await clock.advance(60)
    await bot.send_message(team.id, "again")
    assert len(team.bot_texts()) == 21


async def test_calls_after_an_injected_429_are_counted(
    server: FakeTelegram, bot: Bot, ann: User, clock: FakeClock
) -> None:
    server.faults.add(RateLimit(30), path="sendMessage", times=1)
    with pytest.raises(RetryAfter) as limited:
        await bot.send_message(ann.id, "x")
    assert seconds(limited.value) == 30
    await clock.advance(29)
    await bot.send_message(42, "too early")
    assert server.calls_in_penalty == 1
    await clock.advance(1)
    await bot.send_message(42, "in time")
    assert server.calls_in_penalty == 1
    assert [call.in_penalty for call in server.calls("sendMessage")] == [False, True, False]
