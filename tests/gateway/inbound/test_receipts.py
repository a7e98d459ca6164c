"""What an adapter is told of each delivery: taken, or why not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import RetryLater, StoreBusy
from gateway.ids import AccountName, EventKey, Lane, MessageId, PlatformName
from gateway.inbound.turned_away import ASIDE_WORDS, BUSY_WORDS
from gateway.messages import Address, Message, MessageDeleted, Place, PlaceMoved, Receipt
from gateway.people.access import Reason
from tests.gateway.inbound.test_gate import Door
from tests.messages import direct, group, message

BOT = AccountName("bot")
LANE = Lane("main:telegram:42:dm")
ANN = {"owners": ["telegram:42"]}


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    made = Door(tmp_path)
    await made.store.open()
    yield made
    await made.settle()
    await made.store.close()


@pytest.mark.parametrize(
    ("reason", "address", "access", "more"),
    [
        (Reason.IS_BOT, direct(), {"direct_messages": "open"}, {"is_from_bot": True}),
        (Reason.NOT_ADDRESSED, group(), {"groups": "open"}, {"is_addressed": False}),
        (Reason.PLACE_NOT_ALLOWED, group(), {}, {}),
        (Reason.DIRECT_MESSAGES_OFF, direct(), {"direct_messages": "off"}, {}),
        (Reason.NOT_ON_ALLOWLIST, direct(), {"direct_messages": "allowlist"}, {}),
        (Reason.NOT_PAIRED, direct(), {}, {}),
    ],
)
async def test_t1_a_refusal_says_why_to_the_sender_alone(
    door: Door,
    reason: Reason,
    address: Address,
    access: dict[str, Any],
    more: dict[str, Any],
) -> None:
    gate, given = door.opened(**access), message("hello", address, **more)
    expected = Receipt(is_taken=False, words=ASIDE_WORDS.get(reason, ""))
    assert await gate.accept(given) == expected
    assert await gate.accept(given) == expected
    assert await door.store.inbox.waiting() == 0


def test_t1_every_refusal_has_words_but_those_that_nobody_waits_for() -> None:
    silent = set(Reason) - set(ASIDE_WORDS)
    assert silent == {Reason.IS_BOT, Reason.NOT_ADDRESSED}
    assert all(words.endswith(".") and "\n" not in words for words in ASIDE_WORDS.values())


def kept(text: str = "hello") -> Message:
    return message(text)


async def test_what_is_kept_is_taken_also_when_it_comes_again(door: Door) -> None:
    gate, given = door.opened(**ANN), kept()
    assert await gate.accept(given) == Receipt()
    assert await gate.accept(given) == Receipt()
    edit = message("more", message_id=given.message_id, edited_at=5.0)
    assert await gate.accept(edit) == Receipt()
    assert await door.store.inbox.waiting() == 1


async def test_r10_what_finds_no_room_is_not_taken_and_says_so_each_time(door: Door) -> None:
    gate = door.opened(**ANN)
    for number in range(3):
        assert await gate.accept(kept(str(number))) == Receipt()
    for _ in range(2):
        assert await gate.accept(kept()) == Receipt(is_taken=False, words=BUSY_WORDS)
    assert await gate.accept(kept("/stop")) == Receipt()


async def test_a_place_that_moved_and_a_deletion_are_taken(door: Door) -> None:
    moved = PlaceMoved(EventKey("m"), BOT, PlatformName("telegram"), Place("-100"), Place("-2"))
    assert await door.gate.accept(moved) == Receipt()
    deleted = MessageDeleted(EventKey("d"), BOT, MessageId("never heard of"))
    assert await door.gate.accept(deleted) == Receipt()


# Messages that are taken back


async def test_r3_a_message_that_is_taken_back_is_not_answered(door: Door) -> None:
    gate, given = door.opened(**ANN), kept("a mistake")
    await gate.accept(given)
    await gate.accept(kept("a question"))
    await gate.accept(MessageDeleted(EventKey("d"), BOT, given.message_id))
    head = await door.store.inbox.head(LANE)
    assert head is not None
    assert head.message.text == "a question"


async def test_r2_what_was_taken_back_is_not_answered_when_it_comes_again(door: Door) -> None:
    gate, given = door.opened(**ANN), kept("a mistake")
    await gate.accept(given)
    for _ in range(2):
        await gate.accept(MessageDeleted(EventKey("d"), BOT, given.message_id))
        assert await gate.accept(given) == Receipt()
    assert await door.store.inbox.waiting() == 0
    assert set(door.woken) == {LANE}  # in which nothing is found


async def test_a_message_may_be_gone_before_it_comes(door: Door) -> None:
    gate, given = door.opened(**ANN), kept()
    await gate.accept(MessageDeleted(EventKey("d"), BOT, given.message_id))
    assert await gate.accept(given) == Receipt()
    assert await door.store.inbox.waiting() == 1


async def test_nobody_takes_back_a_message_of_another_account(door: Door) -> None:
    gate, given = door.opened(**ANN), kept()
    await gate.accept(given)
    await gate.accept(MessageDeleted(EventKey("d"), AccountName("other"), given.message_id))
    assert await door.store.inbox.waiting() == 1


async def test_r1_a_delivery_that_cannot_be_written_down_is_not_acknowledged(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object, **__: object) -> None:
        raise StoreBusy("the disk is full", 2.0)

    monkeypatch.setattr(door.store.inbox, "withdraw", busy)
    monkeypatch.setattr(door.store.pairings, "request", busy)
    with pytest.raises(RetryLater):
        await door.gate.accept(MessageDeleted(EventKey("d"), BOT, MessageId("m")))
    with pytest.raises(RetryLater):
        await door.gate.accept(message("hello"))
