"""Signs on people's messages: one of the bot's own, where the chat has reactions."""

import pytest

from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.inbound import encode_message_id
from adapters.telegram.settings import TelegramSettings
from gateway.errors import NotSupported, RetryLater, SendRefused
from gateway.ids import AccountName, MessageId
from gateway.messages import Mark
from tests.fakes.account import Account
from tests.fakes.faults import Answer, RateLimit
from tests.fakes.telegram import Chat, FakeTelegram, Message, User
from tests.fakes.telegram_address import at


def name(chat: Chat, message: Message) -> MessageId:
    return encode_message_id(chat.id, message.message_id)


@pytest.mark.parametrize("wanted", [False, True])
def test_the_settings_say_whether_messages_are_marked(account: Account, wanted: bool) -> None:
    settings = TelegramSettings.model_validate({"token": "1:T", "reactions": wanted})
    assert TelegramAdapter(AccountName("helper"), settings, account.kit).marks is wanted


async def test_each_sign_takes_the_place_of_the_last(adapter: TelegramAdapter, ann: User) -> None:
    theirs = ann.writes("hi")
    shown = []
    for mark in (Mark.SEEN, Mark.DONE, Mark.DONE, Mark.FAILED):
        await adapter.mark(at(ann.chat), name(ann.chat, theirs), mark)
        shown.append(theirs.reactions)
    assert shown == [["👀"], ["👍"], ["👍"], ["👎"]]


async def test_the_signs_of_people_stay(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    team = server.supergroup("Team", [ann])
    theirs = ann.writes("hi", chat=team)
    server.user(43, "Bob").reacts(theirs, "🎉", chat=team)
    for mark in (Mark.SEEN, Mark.DONE):
        await adapter.mark(at(team), name(team, theirs), mark)
    assert theirs.reactions == ["🎉", "👍"]


async def test_a_sign_that_is_there_is_success(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    theirs = ann.writes("hi")
    refusal = {"ok": False, "error_code": 400, "description": "Bad Request: MESSAGE_NOT_MODIFIED"}
    server.faults.add(Answer(400, refusal), path="setMessageReaction", times=1)
    await adapter.mark(at(ann.chat), name(ann.chat, theirs), Mark.SEEN)


@pytest.mark.parametrize("allowed", [frozenset(), frozenset("🔥👍")], ids=["none", "some"])
async def test_a_chat_that_does_not_allow_it_is_asked_once(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User, allowed: frozenset[str]
) -> None:
    team = server.supergroup("Team", [ann])
    team.reactions = allowed
    theirs, direct = ann.writes("hi", chat=team), ann.writes("hi")
    for mark in (Mark.SEEN, Mark.DONE):
        with pytest.raises(NotSupported):
            await adapter.mark(at(team), name(team, theirs), mark)
    assert len(server.calls("setMessageReaction")) == 1
    await adapter.mark(at(ann.chat), name(ann.chat, direct), Mark.SEEN)
    assert (theirs.reactions, direct.reactions) == ([], ["👀"])


async def test_a_message_that_is_gone_costs_the_chat_nothing(
    adapter: TelegramAdapter, ann: User
) -> None:
    gone, there = ann.writes("gone"), ann.writes("there")
    ann.deletes(gone)
    with pytest.raises(SendRefused):
        await adapter.mark(at(ann.chat), name(ann.chat, gone), Mark.SEEN)
    await adapter.mark(at(ann.chat), name(ann.chat, there), Mark.SEEN)
    assert there.reactions == ["👀"]


async def test_trouble_is_no_refusal(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    theirs = ann.writes("hi")
    server.faults.add(RateLimit(0), path="setMessageReaction", times=1)
    with pytest.raises(RetryLater):
        await adapter.mark(at(ann.chat), name(ann.chat, theirs), Mark.SEEN)
    await adapter.mark(at(ann.chat), name(ann.chat, theirs), Mark.SEEN)
    assert theirs.reactions == ["👀"]


async def test_the_stop_of_a_draft_is_no_message_to_mark(
    adapter: TelegramAdapter, server: FakeTelegram, ann: User
) -> None:
    with pytest.raises(NotSupported):
        await adapter.mark(at(ann.chat), encode_message_id(42, 0, "stop7"), Mark.SEEN)
    assert not server.calls("setMessageReaction")
