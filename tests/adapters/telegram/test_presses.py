"""Buttons: whoever presses one is answered, and what was chosen is shown to all."""

import asyncio
from typing import Any

import pytest

from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.settings import TelegramSettings
from gateway.ids import AccountName, MessageId
from gateway.messages import Choice, OutgoingMessage, Receipt
from tests.fakes.account import Account
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Answer, Effect, Hang, RateLimit, Reset
from tests.fakes.telegram import Chat, FakeTelegram, Message, Press, User
from tests.fakes.telegram.text import piece
from tests.fakes.telegram_address import at

CHOICES = (Choice("Yes", "y:1"), Choice("No, never", "n:1", is_danger=True))
STOP = (Choice("Stop", "/stop"),)
REFUSED = Receipt(is_taken=False, words="This was asked of somebody else.")


async def asked(
    adapter: TelegramAdapter, chat: Chat, text: str = "Sure?", **more: Any
) -> MessageId:
    """Ask in a chat."""
    message = OutgoingMessage("out_1", text, **{"choices": CHOICES, **more})
    return await adapter.send(at(chat), message)


async def until_answered(server: FakeTelegram, *presses: Press) -> None:
    await server.until(lambda _: all(press.is_answered for press in presses))


async def until_no_buttons(chat: Chat) -> Message:
    shown = await chat.until(lambda shown: not shown[-1].labels)
    return shown[-1]


async def test_a_taken_press_is_answered_without_words_and_settles_its_message(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    await asked(adapter, ann.chat, "Run `ls`, **really**? 😀")
    async with account.receiving(adapter):
        press = ann.presses("Yes")
        message = await until_no_buttons(ann.chat)
        await until_answered(server, press)
    assert (press.answer, press.is_alert) == ("", False)
    assert message.text == "Run ls, really? 😀\n\n✓ Yes"
    assert [(one["type"], piece(message.text, one)) for one in message.entities] == [
        ("code", "ls"),
        ("bold", "really"),
        ("italic", "✓ Yes"),
    ]
    assert account.gate.texts == ["y:1"]


async def test_a_group_is_shown_who_has_chosen(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    team = server.supergroup("Team", [ann])
    await asked(adapter, team)
    async with account.receiving(adapter):
        ann.presses("No, never", chat=team)
        message = await until_no_buttons(team)
    assert message.text == "Sure?\n\n✓ No, never · Ann"


async def test_a_settled_message_shows_no_preview(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    await asked(adapter, ann.chat, "Look at https://example.org ?")
    async with account.receiving(adapter):
        ann.presses("Yes")
        await until_no_buttons(ann.chat)
    [edit] = server.calls("editMessageText")
    assert "is_disabled" in edit.parameters["link_preview_options"]


async def test_a_refused_press_tells_the_presser_alone_why(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    team = server.supergroup("Team", [ann])
    bob = server.user(43, "Bob")
    await asked(adapter, team)
    account.gate.receipt = REFUSED
    async with account.receiving(adapter):
        press = bob.presses("Yes", chat=team)
        await until_answered(server, press)
        account.gate.receipt = Receipt()
        assert (press.answer, press.is_alert) == (REFUSED.words, True)
        assert team.shown()[-1].labels == ["Yes", "No, never"]
        assert team.bot_texts() == ["Sure?"]
        ann.presses("Yes", chat=team)
        await until_no_buttons(team)
    assert len(server.calls("editMessageText")) == 1


@pytest.mark.parametrize(
    ("words", "shown"),
    [("", ""), ("x" * 201, "x" * 199 + "…"), ("😀" * 101, "😀" * 99 + "…"), ("**No** `x`", "No x")],
    ids=["none", "long", "wide", "Markdown"],
)
async def test_words_aside_are_plain_and_fit(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    ann: User,
    words: str,
    shown: str,
) -> None:
    await asked(adapter, ann.chat)
    account.gate.receipt = Receipt(is_taken=False, words=words)
    async with account.receiving(adapter):
        press = ann.presses("Yes")
        await until_answered(server, press)
    assert (press.answer, press.is_alert) == (shown, bool(shown))


async def test_a_message_that_grows_is_left_to_its_writer(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    team = server.supergroup("Team", [ann])
    sent = await asked(adapter, team, "Once", choices=STOP, is_growing=True)
    async with account.receiving(adapter):
        press = ann.presses("Stop", chat=team)
        await until_answered(server, press)
        grown = OutgoingMessage("out_1", "Once upon", choices=STOP, is_growing=True)
        await adapter.edit(at(team), sent, grown)
    assert account.gate.texts == ["/stop"]
    assert team.shown()[-1].text == "Once upon"
    assert team.shown()[-1].labels == ["Stop"]


async def test_what_was_asked_before_a_restart_is_settled_after_it(
    adapter: TelegramAdapter,
    settings: TelegramSettings,
    server: FakeTelegram,
    account: Account,
    ann: User,
) -> None:
    await asked(adapter, ann.chat)
    press = ann.presses("Yes")
    later = TelegramAdapter(AccountName("helper"), settings, account.kit)
    await later.open()
    async with account.receiving(later):
        message = await until_no_buttons(ann.chat)
        await until_answered(server, press)
    await later.close()
    assert message.text == "Sure?\n\n✓ Yes"


async def test_one_press_given_twice_changes_and_answers_once(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    await asked(adapter, ann.chat)
    async with account.receiving(adapter):
        press = ann.presses("Yes")
        message = await until_no_buttons(ann.chat)
        await until_answered(server, press)
        server.updates.redeliver()
        await server.until(lambda server: len(server.calls("editMessageText")) == 2)
        ann.writes("done")
        await account.gate.until(lambda gate: gate.texts[-1] == "done")
    assert message.edits == 1
    assert server.calls("editMessageText")[1].refused is not None
    assert not server.calls("editMessageReplyMarkup")
    assert len(server.calls("answerCallbackQuery")) == 1


async def test_l28_a_text_that_fills_its_message_keeps_its_words_and_loses_its_buttons(
    adapter: TelegramAdapter, account: Account, ann: User
) -> None:
    text = "x" * 4093
    await asked(adapter, ann.chat, text)
    async with account.receiving(adapter):
        ann.presses("No, never")
        [message] = await ann.chat.until(lambda shown: shown[-1].labels == ["✓ No, never"])
    assert message.text == text
    assert message.button("✓ No, never") == {
        "text": "✓ No, never",
        "copy_text": {"text": "✓ No, never"},
    }


async def test_an_old_message_loses_its_buttons_though_it_cannot_be_read(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    await asked(adapter, ann.chat)
    ann.chat.shown()[0].is_old = True
    async with account.receiving(adapter):
        press = ann.presses("Yes")
        message = await until_no_buttons(ann.chat)
        await until_answered(server, press)
    assert account.gate.texts == ["y:1"]
    assert message.text == "Sure?"


async def test_a_press_on_a_message_that_is_gone_is_kept_and_answered(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    await asked(adapter, ann.chat)
    [message] = ann.chat.shown()
    message.is_deleted = True
    async with account.receiving(adapter):
        press = ann.presses("Yes", on=message)
        await until_answered(server, press)
        await server.until(lambda server: bool(server.calls("editMessageReplyMarkup")))
        ann.writes("next")
        await account.gate.until(lambda gate: gate.texts == ["y:1", "next"])
    assert ann.chat.bot_texts() == []


@pytest.mark.parametrize("effect", [RateLimit(30), Answer(502), Reset("before")], ids=str)
async def test_settling_waits_out_trouble(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    clock: FakeClock,
    ann: User,
    effect: Effect,
) -> None:
    await asked(adapter, ann.chat)
    fault = server.faults.add(effect, path="editMessageText", times=1)
    async with account.receiving(adapter):
        press = ann.presses("Yes")
        await until_answered(server, press)
        while ann.chat.shown()[-1].labels:
            await clock.advance(1)
            await asyncio.sleep(0)
    assert fault.used == 1
    assert ann.chat.bot_texts() == ["Sure?\n\n✓ Yes"]


async def test_refused_entities_cost_the_looks_and_not_the_line(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    await asked(adapter, ann.chat, "**Sure?**")
    refusal = Answer(400, {"ok": False, "error_code": 400, "description": "bad entity"})
    server.faults.add(refusal, path="editMessageText", times=1)
    async with account.receiving(adapter):
        ann.presses("Yes")
        message = await until_no_buttons(ann.chat)
    assert (message.text, message.entities) == ("Sure?\n\n✓ Yes", ())


async def test_a_refused_edit_still_takes_the_buttons_away(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    await asked(adapter, ann.chat)
    server.faults.add(Answer(400), path="editMessageText", times=1)
    async with account.receiving(adapter):
        ann.presses("Yes")
        [message] = await ann.chat.until(lambda shown: shown[-1].labels == ["✓ Yes"])
    assert message.text == "Sure?"


@pytest.mark.parametrize("effect", [Answer(400), Answer(403), Answer(401)], ids=str)
async def test_what_cannot_be_settled_or_answered_stops_nothing(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User, effect: Effect
) -> None:
    await asked(adapter, ann.chat)
    for method in ("editMessageText", "editMessageReplyMarkup", "answerCallbackQuery"):
        server.faults.add(effect, path=method)
    async with account.receiving(adapter):
        ann.presses("Yes")
        await server.until(lambda server: len(server.calls("answerCallbackQuery")) == 1)
        await server.until(lambda server: bool(server.calls("editMessageText")))
        ann.writes("next")
        await account.gate.until(lambda gate: gate.texts == ["y:1", "next"])
    assert ann.chat.shown()[0].labels == ["Yes", "No, never"]


async def test_a_press_is_answered_while_it_is_still_being_kept(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, clock: FakeClock, ann: User
) -> None:
    await asked(adapter, ann.chat)
    account.gate.open.clear()
    async with account.receiving(adapter):
        press = ann.presses("Yes")
        await account.gate.until(lambda gate: gate.attempts == 1)
        await clock.settle()
        assert not press.is_answered
        await clock.advance(5)
        await until_answered(server, press)
        assert (press.answer, press.is_alert) == ("", False)
        assert ann.chat.shown()[-1].labels == ["Yes", "No, never"]
        account.gate.open.set()
        await until_no_buttons(ann.chat)
    assert len(server.calls("answerCallbackQuery")) == 1


async def test_a_press_that_cannot_be_kept_yet_is_answered_once(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, clock: FakeClock, ann: User
) -> None:
    await asked(adapter, ann.chat)
    account.gate.busy_for = [20, 20]
    async with account.receiving(adapter):
        press = ann.presses("Yes")
        await account.gate.until(lambda gate: gate.attempts == 1)
        await clock.settle()
        await clock.advance(5)
        await until_answered(server, press)
        assert account.gate.texts == []
        while not account.gate.texts:
            await clock.advance(1)
            await asyncio.sleep(0)
        await until_no_buttons(ann.chat)
    assert account.gate.texts == ["y:1"]
    assert len(server.calls("answerCallbackQuery")) == 1


async def test_an_answer_that_hangs_keeps_nobody_waiting(
    adapter: TelegramAdapter, server: FakeTelegram, account: Account, ann: User
) -> None:
    await asked(adapter, ann.chat)
    server.faults.add(Hang(), path="answerCallbackQuery")
    async with account.receiving(adapter):
        ann.presses("Yes")
        await until_no_buttons(ann.chat)
        ann.writes("next")
        await account.gate.until(lambda gate: gate.texts == ["y:1", "next"])


@pytest.mark.parametrize(
    "more",
    [
        {"message": {"message_id": 1, "date": 5, "text": "x", "reply_markup": 7}},
        {"message": {"message_id": 1, "text": "no date"}},
        {"message": {"message_id": 1, "date": 5, "reply_markup": {"inline_keyboard": [[{}]]}}},
        {"id": ["odd"]},
    ],
    ids=str,
)
async def test_a_malformed_press_blocks_nothing(
    adapter: TelegramAdapter,
    server: FakeTelegram,
    account: Account,
    ann: User,
    more: dict[str, Any],
) -> None:
    chat = {"id": 42, "type": "private"}
    pressed = {"chat": chat, "message_id": 1, "date": 5, **more.pop("message", {})}
    query = {"id": "odd", "from": {"id": 42, "first_name": "Ann"}, "data": "y", "message": pressed}
    ann.writes("before")
    server.updates.allow([])
    server.push({"callback_query": {**query, **more}})
    async with account.receiving(adapter):
        ann.writes("after")
        await account.gate.until(lambda gate: bool(gate.texts) and gate.texts[-1] == "after")
    assert account.gate.texts[0] == "before"
