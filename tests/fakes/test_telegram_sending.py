"""The real python-telegram-bot against the fake: what is sent, edited, deleted, refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest, ChatMigrated, Forbidden

from tests.fakes.clock import FakeClock
from tests.fakes.telegram import FakeTelegram, User
from tests.fakes.telegram_bot import bot_for, raw

PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture
async def server() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(clock=FakeClock()) as running:
        yield running


@pytest.fixture
async def bot(server: FakeTelegram) -> AsyncIterator[Bot]:
    async with bot_for(server) as made:
        yield made


@pytest.fixture
def ann(server: FakeTelegram) -> User:
    someone = server.user(42, "Ann", username="ann")
    someone.writes("hi")
    return someone


def keyboard(data: str = "d", text: str = "Yes", **more: Any) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(text, callback_data=data, **more)]])


async def test_sends_and_shows(server: FakeTelegram, bot: Bot, ann: User) -> None:
    sent = await bot.send_message(
        42,
        "  hello 😀 world\n",
        entities=[MessageEntity("bold", 2, 8)],
        reply_markup=keyboard(),
        reply_parameters=ReplyParameters(1),
    )
    assert sent.text == "hello 😀 world"
    assert sent.chat.first_name == "Ann"
    assert sent.reply_to_message is not None
    first, second = ann.chat.shown()
    assert (first.who, second.who, second.text) == ("Ann", "bot", "hello 😀 world")
    assert second.entities == ({"type": "bold", "offset": 0, "length": 8},)
    assert second.labels == ["Yes"]
    assert second.reply_to is first
    assert server.calls("sendMessage")[0].applied
    assert not server.unknown_parameters


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Message text is empty"),
        (" \n", "Text must be non-empty"),
        ("x" * 4097, "Message is too long"),
        ("😀" * 2049, "Message is too long"),
    ],
)
async def test_refuses_texts(bot: Bot, ann: User, text: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        await bot.send_message(42, text)
    assert ann.chat.bot_texts() == []


@pytest.mark.parametrize("text", ["x" * 4096, "😀" * 2048, f"{'x' * 4096}  \n"])
async def test_takes_the_longest_texts(bot: Bot, ann: User, text: str) -> None:
    await bot.send_message(42, text)
    assert ann.chat.bot_texts() == [text.strip()]


@pytest.mark.parametrize(
    ("kind", "offset", "length", "words"),
    [
        ("bold", 0, 99, "ends after the end of the text"),
        ("bold", 1, 2, "begins in a middle of a UTF-16 symbol"),
        ("bold", 0, 1, "ends in a middle of a UTF-16 symbol"),
        ("bold", -1, 2, "incorrect offset"),
        ("loud", 0, 2, "Unsupported type"),
        ("text_link", 0, 2, "url"),
    ],
)
async def test_refuses_entities(
    server: FakeTelegram, ann: User, kind: str, offset: int, length: int, words: str
) -> None:
    entity = {"type": kind, "offset": offset, "length": length}
    envelope = await raw(server, "sendMessage", chat_id=ann.id, text="😀 hi", entities=[entity])
    assert envelope["description"].startswith("Bad Request: ")
    assert words in envelope["description"]


async def test_keeps_a_hundred_entities(bot: Bot, ann: User) -> None:
    entities = [MessageEntity("bold", at, 1) for at in range(0, 240, 2)]
    await bot.send_message(42, "a " * 120, entities=entities)
    assert len(ann.chat.shown()[-1].entities) == 100


async def test_html_and_markdown(bot: Bot, ann: User) -> None:
    await bot.send_message(
        42,
        '<b>a &lt; <i>b</i></b> <a href="http://x.y/?a=1&amp;b=2">l</a> '
        '<pre><code class="language-py">x</code></pre>',
        parse_mode="HTML",
    )
    await bot.send_message(
        42, "*a* _b_ ~c~ ||d|| `e` [f](http://x) 1\\.\n>q\n```py\nz=1\n```", parse_mode="MarkdownV2"
    )
    html, markdown = ann.chat.shown()[-2:]
    assert html.text == "a < b l x"
    kinds = [(entity["type"], entity["offset"], entity["length"]) for entity in html.entities]
    assert kinds[:3] == [("bold", 0, 5), ("italic", 4, 1), ("text_link", 6, 1)]
    assert html.entities[2]["url"] == "http://x.y/?a=1&b=2"
    assert markdown.text == "a b c d e f 1.\nq\nz=1"
    assert [entity["type"] for entity in markdown.entities] == [
        *("bold", "italic", "strikethrough", "spoiler", "code", "text_link"),
        *("blockquote", "pre"),
    ]


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("<b>a", "HTML", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>a</i>", "HTML", "Unmatched end tag"),
        ("a < b", "HTML", "Unclosed start tag|Unsupported start tag"),
        ("<h1>a</h1>", "HTML", 'Unsupported start tag "h1"'),
        ("</b>", "HTML", "Unexpected end tag"),
        ("a.", "MarkdownV2", "is reserved and must be escaped"),
        ("*a", "MarkdownV2", "Can't find end of bold entity"),
        ("`a", "MarkdownV2", "Can't find end of code entity"),
        ("a", "RTF", "unsupported parse_mode"),
    ],
)
async def test_refuses_markup(bot: Bot, ann: User, text: str, mode: str, words: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i){words}"):
        await bot.send_message(ann.id, text, parse_mode=mode)


async def test_refuses_where_it_may_not_write(server: FakeTelegram, bot: Bot, ann: User) -> None:
    server.user(43, "Bob")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(1, "x")
    with pytest.raises(Forbidden, match="can't initiate conversation"):
        await bot.send_message(43, "x")
    ann.blocks()
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(42, "x")
    ann.unblocks()
    await bot.send_message(42, "x")
    assert [call.refused is None for call in server.log if call.chat_id == 42] == [False, True]


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        (keyboard("d" * 65), "Button_data_invalid"),
        (keyboard("ü" * 33), "Button_data_invalid"),
        (keyboard(text=""), "text is empty"),
        (InlineKeyboardMarkup([[InlineKeyboardButton("t")]]), "text buttons are unallowed"),
        (InlineKeyboardMarkup([[InlineKeyboardButton("t", url="x")]]), "is invalid"),
        (keyboard(api_kwargs={"style": "loud"}), "style"),
        (
            InlineKeyboardMarkup([[InlineKeyboardButton("t", callback_data="d")] * 9]),
            "Reply markup is too long",
        ),
    ],
)
async def test_refuses_buttons(
    bot: Bot, ann: User, markup: InlineKeyboardMarkup, words: str
) -> None:
    with pytest.raises(BadRequest, match=words):
        await bot.send_message(ann.id, "x", reply_markup=markup)


async def test_replies_need_their_message(bot: Bot, ann: User) -> None:
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(42, "x", reply_parameters=ReplyParameters(99))
    lax = ReplyParameters(99, allow_sending_without_reply=True)
    assert (await bot.send_message(42, "x", reply_parameters=lax)).reply_to_message is None
    quoting = ReplyParameters(ann.chat.shown()[0].message_id, quote="i")
    sent = await bot.send_message(42, "x", reply_parameters=quoting)
    assert sent.quote is not None
    assert sent.quote.position == 1


async def test_edits_in_place(server: FakeTelegram, bot: Bot, ann: User) -> None:
    sent = await bot.send_message(42, "one", reply_markup=keyboard())
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text("one ", 42, sent.message_id, reply_markup=keyboard())
    await bot.edit_message_text("two", 42, sent.message_id)
    shown = ann.chat.shown()[-1]
    assert (shown.text, shown.edits, shown.earlier, shown.labels) == ("two", 1, ["one"], [])
    await bot.edit_message_reply_markup(42, sent.message_id, reply_markup=keyboard(text="No"))
    assert shown.labels == ["No"]
    assert [call.applied for call in server.calls("editMessageText")] == [False, True]


async def test_refuses_edits(bot: Bot, ann: User) -> None:
    sent = await bot.send_message(42, "one")
    photo = await bot.send_photo(42, PNG)
    theirs = ann.chat.shown()[0].message_id
    for message_id, text, words in (
        (99, "x", "Message to edit not found"),
        (theirs, "x", "Message can't be edited"),
        (photo.message_id, "x", "There is no text in the message to edit"),
        (sent.message_id, "", "Message text is empty"),
        (sent.message_id, "x" * 4097, "Message_too_long"),
    ):
        with pytest.raises(BadRequest, match=words):
            await bot.edit_message_text(text, 42, message_id)
    with pytest.raises(BadRequest, match="There is no caption in the message to edit"):
        await bot.edit_message_caption(42, sent.message_id, caption="x")


async def test_deletes(server: FakeTelegram, bot: Bot, ann: User) -> None:
    sent = await bot.send_message(42, "one")
    await bot.delete_message(42, sent.message_id)
    assert ann.chat.bot_texts() == []
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(42, sent.message_id)
    team = server.group("Team", [ann])
    theirs = ann.writes("x", chat=team)
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await bot.delete_message(team.id, theirs.message_id)


async def test_sends_files(server: FakeTelegram, bot: Bot, ann: User) -> None:
    photo = await bot.send_photo(42, PNG, caption="look", filename="a.png")
    await bot.send_document(42, b"%PDF", filename="a.pdf")
    await bot.send_voice(42, b"OggS")
    await bot.send_audio(42, b"ID3", filename="a.mp3")
    await bot.send_video(42, b"mp4", filename="a.mp4")
    await bot.send_animation(42, b"gif", filename="a.gif")
    shown = [message.media for message in ann.chat.shown()[1:]]
    assert [media.kind for media in shown if media] == [
        *("photo", "document", "voice", "audio", "video", "animation")
    ]
    assert shown[0] is not None
    assert shown[0].data == PNG
    again = await bot.send_photo(42, photo.photo[-1].file_id)
    assert again.photo[-1].file_unique_id == photo.photo[-1].file_unique_id
    await bot.edit_message_caption(42, photo.message_id, caption="better")
    await bot.edit_message_media(InputMediaPhoto(b"\xff\xd8\xff"), 42, again.message_id)
    assert ann.chat.shown()[1].text == "better"
    assert not server.unknown_parameters


async def test_refuses_files(server: FakeTelegram, bot: Bot, ann: User) -> None:
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_photo(42, b"no picture")
    with pytest.raises(BadRequest, match="too big for a photo"):
        await bot.send_photo(42, PNG + bytes(10 << 20))
    with pytest.raises(BadRequest, match="File must be non-empty"):
        await bot.send_document(42, b"", filename="a")
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_document(42, b"x", filename="a", caption="c" * 1025)
    with pytest.raises(BadRequest, match="Wrong remote file identifier"):
        await bot.send_document(42, "no-such-file")
    assert "there is no photo" in (await raw(server, "sendPhoto", chat_id=42))["description"]
    assert ann.chat.bot_texts() == []


async def test_albums(bot: Bot, ann: User) -> None:
    sent = await bot.send_media_group(
        42, [InputMediaPhoto(PNG, caption="two"), InputMediaPhoto(PNG)]
    )
    assert len({message.media_group_id for message in sent}) == 1
    assert [message.text for message in ann.chat.shown()[1:]] == ["two", ""]
    audio, document = InputMediaAudio(b"ID3"), InputMediaDocument(b"%PDF")
    with pytest.raises(BadRequest, match="can't be mixed"):
        await bot.send_media_group(42, [audio, document])
    for count in (1, 11):
        with pytest.raises(BadRequest, match="2-10"):
            await bot.send_media_group(42, [InputMediaPhoto(PNG)] * count)


async def test_topics_must_exist(server: FakeTelegram, bot: Bot, ann: User) -> None:
    team = server.supergroup("Team", [ann], is_forum=True)
    news = team.topic("News")
    sent = await bot.send_message(team.id, "x", message_thread_id=news)
    assert (sent.message_thread_id, sent.is_topic_message) == (news, True)
    assert [message.text for message in team.shown(news)] == ["x"]
    for thread in (1, 999):
        with pytest.raises(BadRequest, match="Message thread not found"):
            await bot.send_message(team.id, "x", message_thread_id=thread)
    await bot.send_chat_action(team.id, "typing", message_thread_id=1)
    team.closes_topic(news)
    with pytest.raises(BadRequest, match="Topic_closed"):
        await bot.send_message(team.id, "x", message_thread_id=news)
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(42, "x", message_thread_id=5)
    work = ann.opens_topic("Work")
    await bot.send_message(42, "x", message_thread_id=work)
    assert ann.chat.bot_texts(work) == ["x"]


async def test_a_migrated_group_names_its_new_id(server: FakeTelegram, bot: Bot, ann: User) -> None:
    team = server.group("Team", [ann])
    new = team.migrates(ann)
    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(team.id, "x")
    assert moved.value.new_chat_id == new.id
    updates = await bot.get_updates()
    service = [update.message for update in updates[-2:]]
    assert service[0] is not None
    assert service[0].migrate_to_chat_id == new.id
    assert service[1] is not None
    assert service[1].migrate_from_chat_id == team.id
    new.removes_bot(ann)
    with pytest.raises(Forbidden, match="kicked from the supergroup chat"):
        await bot.send_message(new.id, "x")


async def test_unknown_parameters_are_counted(server: FakeTelegram, bot: Bot, ann: User) -> None:
    await bot.send_message(ann.id, "x", api_kwargs={"colour": "red"})
    assert server.unknown_parameters == {("sendMessage", "colour"): 1}
