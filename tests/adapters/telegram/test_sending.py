"""What people see of what is sent, and what is known after each failure."""

import asyncio
import traceback
from typing import Any

import pytest

from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.settings import TelegramSettings
from gateway.errors import (
    AccountRejected,
    GatewayError,
    NotSupported,
    RetryLater,
    SendRefused,
    SendUncertain,
)
from gateway.ids import AccountName, MessageId
from gateway.messages import Choice, OutgoingMessage
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Answer, Drop, Effect, EndlessLine, Hang, RateLimit, Reset, Truncate
from tests.fakes.telegram import FakeTelegram, User
from tests.fakes.telegram.text import piece
from tests.fakes.telegram_address import at


def saying(text: str, **more: Any) -> OutgoingMessage:
    return OutgoingMessage(key="out_1", text=text, **more)


async def test_markdown_is_shown_with_entities(adapter: TelegramAdapter, ann: User) -> None:
    sent = await adapter.send(at(ann.chat), saying("**Hi** 😀 `x`"))
    [message] = ann.chat.shown()
    assert message.text == "Hi 😀 x"
    assert [(one["type"], piece(message.text, one)) for one in message.entities] == [
        ("bold", "Hi"),
        ("code", "x"),
    ]
    assert sent == f"{ann.chat.id}:{message.message_id}"


async def test_an_answer_points_at_its_question(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    team = server.supergroup("Team", [ann])
    question = ann.writes("@parley_bot hi", chat=team)
    asked = MessageId(f"{team.id}:{question.message_id}")
    await adapter.send(at(team), saying("hello", reply_to=asked))
    assert team.shown()[-1].reply_to is question
    ann.deletes(question, chat=team)
    await adapter.send(at(team), saying("still hello", reply_to=asked))
    assert team.bot_texts() == ["hello", "still hello"]


async def test_n1_every_call_names_the_topic(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    forum = server.supergroup("Forum", [ann], is_forum=True)
    one, two = forum.topic("One"), forum.topic("Two")
    sent = [await adapter.send(at(forum, topic), saying("...")) for topic in (one, two)]
    for topic, message in zip((one, two), sent, strict=True):
        await adapter.show_typing(at(forum, topic))
        await adapter.edit(at(forum, topic), message, saying(f"in {topic}"))
    await adapter.send(at(forum), saying("in General"))
    assert forum.bot_texts(one) == [f"in {one}"]
    assert forum.bot_texts(two) == [f"in {two}"]
    assert [typing.thread for typing in forum.typing] == [one, two]
    assert forum.shown()[-1].thread is None


async def test_choices_are_buttons_until_an_edit_names_none(
    adapter: TelegramAdapter, ann: User
) -> None:
    choices = tuple(Choice(f"Label {n}", f"value {n}", is_danger=n == 3) for n in range(4))
    sent = await adapter.send(at(ann.chat), saying("Which?", choices=choices))
    [message] = ann.chat.shown()
    assert [len(row) for row in message.buttons or []] == [3, 1]
    assert message.labels == ["Label 0", "Label 1", "Label 2", "Label 3"]
    await adapter.edit(at(ann.chat), sent, saying("Done."))
    assert message.buttons is None
    assert message.text == "Done."


async def test_t21_links_are_not_fetched_unless_the_settings_say_so(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User, account: Account
) -> None:
    previewing = TelegramAdapter(
        AccountName("other"),
        TelegramSettings.model_validate({
            "token": server.token,
            "api_base": server.url,
            "link_previews": True,
        }),
        account.kit,
    )
    await previewing.open()
    await adapter.send(at(ann.chat), saying("https://example.org"))
    await previewing.send(at(ann.chat), saying("https://example.org", is_growing=True))
    await previewing.send(at(ann.chat), saying("https://example.org"))
    await previewing.close()
    shown = [call.parameters.get("link_preview_options") for call in server.calls("sendMessage")]
    assert [bool(one) for one in shown] == [True, True, False]


async def test_l3_saying_the_same_again_is_success(adapter: TelegramAdapter, ann: User) -> None:
    sent = await adapter.send(at(ann.chat), saying("same"))
    await adapter.edit(at(ann.chat), sent, saying("same"))
    assert ann.chat.bot_texts() == ["same"]


async def test_a_message_that_is_gone_cannot_be_edited_but_can_be_deleted_again(
    adapter: TelegramAdapter, ann: User
) -> None:
    sent = await adapter.send(at(ann.chat), saying("short-lived"))
    await adapter.delete(at(ann.chat), sent)
    assert ann.chat.shown() == []
    with pytest.raises(SendRefused):
        await adapter.edit(at(ann.chat), sent, saying("again"))
    await adapter.delete(at(ann.chat), sent)


@pytest.mark.parametrize("markdown", [">", "```\n```", "", "\u200b"])
async def test_n7_what_shows_nothing_is_sent_as_an_ellipsis(
    adapter: TelegramAdapter, ann: User, markdown: str
) -> None:
    await adapter.send(at(ann.chat), saying(markdown))
    assert ann.chat.bot_texts() == ["…"]


async def test_t58_refused_entities_leave_the_words(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    words = "Bad Request: can't parse entities: Unexpected end at byte offset 3"
    fault = server.faults.add(
        Answer(400, message=words), path="sendMessage", when=lambda facts: "entities" in facts
    )
    await adapter.send(at(ann.chat), saying("**bold** & <b>"))
    assert fault.used == 1
    [message] = ann.chat.shown()
    assert message.text == "bold & <b>"


async def test_n9_the_plain_words_stay_in_their_topic(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    forum = server.supergroup("Forum", [ann], is_forum=True)
    topic = forum.topic("One")
    server.faults.add(Answer(400, message="Bad Request: can't parse entities"), nth=1)
    await adapter.send(at(forum, topic), saying("**bold**"))
    assert forum.bot_texts(topic) == ["bold"]


async def test_l2_a_text_over_the_limit_is_refused_in_plain_words(
    adapter: TelegramAdapter, ann: User
) -> None:
    with pytest.raises(SendRefused, match="too long"):
        await adapter.send(at(ann.chat), saying("x" * 4097))
    await adapter.send(at(ann.chat), saying("😀" * 2048))
    assert adapter.limits.text == adapter.limits.measure("😀" * 2048) == 4096


@pytest.mark.parametrize(
    ("effect", "of_send", "of_edit", "applied"),
    [
        (RateLimit(7), RetryLater, RetryLater, 0),
        (RateLimit(), RetryLater, RetryLater, 0),
        (Answer(500), SendUncertain, RetryLater, 0),
        (Answer(502, "<html>Bad Gateway"), SendUncertain, RetryLater, 0),
        (Answer(400), SendRefused, SendRefused, 0),
        (Answer(403), SendRefused, SendRefused, 0),
        (Answer(401), AccountRejected, AccountRejected, 0),
        (Reset("before"), SendUncertain, RetryLater, 0),
        (Reset("middle"), SendUncertain, RetryLater, 1),
        (Drop(), SendUncertain, RetryLater, 1),
        (Truncate(), SendUncertain, RetryLater, 1),
        (Answer(200, "null"), SendUncertain, RetryLater, 0),
        (Answer(200, '{"ok":true}'), SendUncertain, RetryLater, 0),
        (Answer(200, b"\xff\xfe{"), SendUncertain, RetryLater, 0),
        (Answer(200, "[" * 100_000), SendUncertain, RetryLater, 0),
        (EndlessLine(40_000_000), SendUncertain, RetryLater, 1),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_n3_every_failure_says_whether_it_can_have_arrived(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    ann: User,
    effect: Effect,
    of_send: type[GatewayError],
    of_edit: type[GatewayError],
    applied: int,
) -> None:
    sent = await adapter.send(at(ann.chat), saying("before"))
    server.faults.add(effect, path="sendMessage", times=1)
    with pytest.raises(of_send) as raised:
        await adapter.send(at(ann.chat), saying("secret words"))
    assert raised.type is of_send or issubclass(raised.type, SendRefused)
    assert len(ann.chat.bot_texts()) == 1 + applied
    server.faults.add(effect, path="editMessageText", times=1)
    with pytest.raises(of_edit):
        await adapter.edit(at(ann.chat), sent, saying("after"))
    told = "".join(traceback.format_exception(raised.value))
    assert server.token not in told
    assert "secret words" not in str(raised.value)


async def test_n3_an_answer_that_never_comes_is_uncertain(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.telegram.api._ANSWER_SECONDS", 0.1)
    hasty = TelegramAdapter(AccountName("hasty"), adapter._settings, adapter._kit)
    await hasty.open()
    server.faults.add(Hang(applies=True), path="sendMessage")
    with pytest.raises(SendUncertain):
        await hasty.send(at(ann.chat), saying("hello"))
    await hasty.close()


async def test_a_server_that_cannot_be_reached_has_certainly_got_nothing(
    account: Account, clock: FakeClock, ann: User
) -> None:
    async with FakeTelegram(clock=clock) as gone:
        address = gone.url
    nowhere = TelegramSettings.model_validate({"token": "1:a", "api_base": address})
    adapter = TelegramAdapter(AccountName("helper"), nowhere, account.kit)
    await adapter.open()
    with pytest.raises(RetryLater):
        await adapter.send(at(ann.chat), saying("hello"))
    await adapter.close()


async def test_nothing_is_sent_through_a_closed_account(
    adapter: TelegramAdapter, ann: User
) -> None:
    await adapter.close()
    with pytest.raises(RetryLater):
        await adapter.send(at(ann.chat), saying("hello"))


async def test_n8_a_penalty_is_kept_to_the_second_and_binds_one_chat(
    adapter: TelegramAdapter, server: FakeTelegram, clock: FakeClock, ann: User
) -> None:
    bob = server.user(43, "Bob")
    sent = await adapter.send(at(ann.chat), saying("first"))
    await adapter.send(at(bob.chat), saying("first"))
    server.faults.add(RateLimit(30), path="sendMessage", times=1)
    with pytest.raises(RetryLater) as told:
        await adapter.send(at(ann.chat), saying("second"))
    assert told.value.after == 30
    await clock.advance(29)
    for call in (
        adapter.send(at(ann.chat), saying("second")),
        adapter.edit(at(ann.chat), sent, saying("more")),
        adapter.show_typing(at(ann.chat)),
        adapter.show_draft(at(ann.chat), 1, "thinking"),
    ):
        with pytest.raises(RetryLater) as told:
            await call
        assert told.value.after == pytest.approx(1)
    await adapter.send(at(bob.chat), saying("second"))
    assert server.calls_in_penalty == 0
    await clock.advance(1)
    await adapter.send(at(ann.chat), saying("second"))
    assert ann.chat.bot_texts() == ["first", "second"]
    assert server.calls_in_penalty == 0


async def test_n20_penalties_that_are_over_are_forgotten(
    adapter: TelegramAdapter, server: FakeTelegram, clock: FakeClock
) -> None:
    server.faults.add(RateLimit(1), path="sendMessage")
    for number in range(50):
        with pytest.raises(RetryLater):
            await adapter.send(at(server.user(1000 + number).chat), saying("hello"))
        await clock.advance(2)
    assert len(adapter._api._penalties) == 1


@pytest.mark.parametrize("told", [10**9, 0.5, 0, "soon"])
async def test_odd_penalties_are_still_penalties(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User, told: Any
) -> None:
    server.faults.add(RateLimit(told), path="sendMessage", times=1)
    with pytest.raises(RetryLater) as raised:
        await adapter.send(at(ann.chat), saying("hello"))
    assert raised.value.after == {"soon": 5.0, 10**9: 300.0}.get(told, told)


async def test_those_who_left_are_named_in_plain_words(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    team = server.supergroup("Team", [ann])
    team.removes_bot(ann)
    with pytest.raises(SendRefused, match="no longer in this chat") as gone:
        await adapter.send(at(team), saying("hello"))
    assert gone.value.is_gone
    ann.writes("hi")
    ann.blocks()
    with pytest.raises(SendRefused, match="the user has blocked the bot") as gone:
        await adapter.send(at(ann.chat), saying("hello"))
    assert gone.value.is_gone


async def test_a_group_that_moved_is_followed_once_and_remembered(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    old = server.group("Team", [ann])
    new = old.migrates(ann)
    first = await adapter.send(at(old), saying("one"))
    await adapter.send(at(old), saying("two"))
    assert new.bot_texts() == ["one", "two"]
    assert first.startswith(f"{new.id}:")
    assert len(server.calls("sendMessage", old)) == 1


async def test_drafts_are_shown_with_a_stop_button(adapter: TelegramAdapter, ann: User) -> None:
    ann.writes("hi")
    await adapter.show_draft(at(ann.chat), 7, "")
    await adapter.show_draft(at(ann.chat), 7, "**Once** upon")
    draft = ann.chat.draft()
    assert draft is not None
    assert draft.text == "Once upon"
    assert draft.can_stop
    await adapter.show_draft(at(ann.chat), 7, "x" * 5000)
    assert draft.text == "x" * 4095 + "…"


async def test_drafts_are_not_for_groups(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    team = server.supergroup("Team", [ann])
    with pytest.raises(NotSupported):
        await adapter.show_draft(at(team), 7, "hello")
    assert server.calls("sendMessageDraft") == []


async def test_a_server_without_drafts_is_asked_once(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    server.world.has_drafts = False
    ann.writes("hi")
    for _ in range(3):
        with pytest.raises(NotSupported):
            await adapter.show_draft(at(ann.chat), 7, "hello")
    assert len(server.calls("sendMessageDraft")) == 1


async def test_one_refused_draft_does_not_end_drafts(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    ann.writes("hi")
    server.faults.add(Answer(400, message="Bad Request: TEXTDRAFT_PEER_INVALID"), nth=1)
    with pytest.raises(NotSupported):
        await adapter.show_draft(at(ann.chat), 7, "hello")
    await adapter.show_draft(at(ann.chat), 7, "hello")
    assert ann.chat.draft() is not None


async def test_check_says_who_we_are(adapter: TelegramAdapter, server: FakeTelegram) -> None:
    assert await adapter.check() == ("@parley_bot (123456), privacy mode off, may join groups")
    server.faults.add(Answer(401), path="getMe", nth=1)
    with pytest.raises(AccountRejected, match="BotFather"):
        await adapter.check()
    server.faults.add(Answer(404), path="getMe")
    with pytest.raises(AccountRejected, match="api_base"):
        await adapter.check()


async def test_many_chats_are_served_at_once(
    adapter: TelegramAdapter, server: FakeTelegram
) -> None:
    people = [server.user(1000 + number, f"P{number}") for number in range(200)]
    chats = [at(person.chat) for person in people]
    async with asyncio.TaskGroup() as group:
        for person, chat in zip(people, chats, strict=True):
            group.create_task(adapter.send(chat, saying(f"for {person.name}")))
    for person in people:
        assert person.chat.bot_texts() == [f"for {person.name}"]
