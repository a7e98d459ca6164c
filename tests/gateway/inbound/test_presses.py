"""Whose a press is: a button works for whom it was shown to, in every process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.contracts.people import NO_LONGER_WORDS
from gateway.contracts.stores import OutboxKind, OutboxState
from gateway.ids import AccountName, ExternalUser, Lane, MessageId, PlatformName
from gateway.inbound.gate import Gate as AccessGate
from gateway.inbound.turned_away import ASIDE_WORDS
from gateway.messages import Address, Message, Origin, Place, Receipt
from gateway.people.access import Reason
from tests.fakes.gateway import Make, gateways
from tests.fakes.provider import FakeProvider, Gate, says
from tests.gateway.inbound.test_gate import Door
from tests.messages import direct, group, message

ASKED = MessageId("which?")
LANE = Lane("main:group:telegram/-100")
NOT_YOURS = Receipt(is_taken=False, words=ASIDE_WORDS[Reason.NOT_ASKED])
GROUP = Place("-1")


def press(address: Address | None = None, on: MessageId | None = ASKED) -> Message:
    return message("yes", address or group(), origin=Origin.PRESSED, pressed_on=on)


async def ask(door: Door, whom: Address, message_id: MessageId = ASKED) -> None:
    """Show somebody a message with buttons, as the outbox knows it."""
    row = await door.store.outbox.begin(
        whom, turn=None, position=0, kind=OutboxKind.TEXT, text="Which?"
    )
    await door.store.outbox.sent(row.id, message_id, "Which?")
    await door.store.outbox.settle(row.id, OutboxState.FINAL)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    made = Door(tmp_path)
    await made.store.open()
    yield made
    await made.settle()
    await made.store.close()


def opened(door: Door) -> AccessGate:
    return door.opened(groups="open", direct_messages="open")


async def test_t17_anothers_press_in_a_group_is_refused_with_words_and_in_silence(
    door: Door,
) -> None:
    await ask(door, group("42"))
    given = press(group("43"))
    with capture_logs() as logs:
        assert await opened(door).accept(given) == NOT_YOURS
    await door.settle()
    assert (door.said, door.woken) == ([], [])
    assert await door.store.inbox.waiting() == 0
    assert [line["reason"] for line in logs if line["event"] == "message.refused"] == ["not_asked"]
    assert await opened(door).accept(given) == NOT_YOURS


async def test_t17_the_press_of_whom_was_asked_is_taken(door: Door) -> None:
    await ask(door, group("42"))
    await opened(door).accept(press(group("43")))
    assert await opened(door).accept(press(group("42"))) == Receipt()
    kept = await door.store.inbox.head(LANE)
    assert kept is not None
    assert kept.message.address.external_user == "42"


async def test_t17_an_owner_presses_nobody_elses_button(door: Door) -> None:
    await ask(door, group("42"))
    gate = door.opened(groups="open", owners=["telegram:1"])
    assert await gate.accept(press(group("1"))) == NOT_YOURS


async def test_t17_whose_a_button_is_outlives_the_process(tmp_path: Path) -> None:
    before = Door(tmp_path)
    await before.store.open()
    await ask(before, group("42"))
    await before.store.close()
    after = Door(tmp_path)
    await after.store.open()
    try:
        assert await opened(after).accept(press(group("43"))) == NOT_YOURS
        assert await opened(after).accept(press(group("42"))) == Receipt()
        assert await after.store.inbox.waiting() == 1
    finally:
        await after.settle()
        await after.store.close()


@pytest.mark.parametrize("on", [MessageId("pruned long ago"), None])
async def test_t17_a_press_on_what_nobody_remembers_is_judged_by_access_alone(
    door: Door, on: MessageId | None
) -> None:
    await ask(door, group("42"))
    assert await opened(door).accept(press(group("43"), on)) == Receipt()
    refused = await door.gate.accept(press(direct("43"), on))
    assert refused == Receipt(is_taken=False, words=ASIDE_WORDS[Reason.NOT_PAIRED])


async def test_t17_who_was_asked_and_may_no_longer_speak_is_refused(door: Door) -> None:
    await ask(door, group("42"))
    receipt = await door.gate.accept(press(group("42")))
    assert receipt == Receipt(is_taken=False, words=ASIDE_WORDS[Reason.PLACE_NOT_ALLOWED])


async def test_t17_the_same_id_on_another_account_gives_no_right(door: Door) -> None:
    await ask(door, direct("42", account="other"))
    await ask(door, direct("43"))
    gate = opened(door)
    assert await gate.accept(press(direct("42"))) == NOT_YOURS
    assert await gate.accept(press(direct("43"))) == Receipt()


async def test_t17_a_typed_word_is_no_press(door: Door) -> None:
    await ask(door, group("42"))
    typed = message("yes", group("43"))
    assert await opened(door).accept(typed) == Receipt()


# Over a whole gateway


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with gateways(tmp_path, monkeypatch) as made:
        yield made


async def test_t17_only_the_asker_stops_an_answer_by_its_button(make: Make) -> None:
    gate = Gate()
    served = make(model=FakeProvider([*says("Once upon")[:1], gate]))
    async with served.running():
        await served.writes("a story", "ann", place=GROUP)
        await served.until(gate.reached.is_set)
        await served.reads("Once upon", "-1")
        ((sent, shown),) = served.bot.messages.items()
        assert [choice.label for choice in shown.choices] == ["Stop"]
        pressed = {"place": GROUP, "origin": Origin.PRESSED, "pressed_on": sent}
        await served.writes("/stop", "bob", **pressed)
        await served.passes(2.0)
        assert served.texts("-1") == ["Once upon"]
        await served.writes("/stop", "ann", **pressed)
        await served.reads("Stopped.", "-1")
        assert len(served.texts("-1")) == 1


async def test_t17_whose_a_button_is_is_asked_again_when_the_turn_starts(make: Make) -> None:
    """The press came before the message that carries the button was written down."""
    gate = Gate()
    served = make(model=FakeProvider([gate, *says("One.")], otherwise=lambda _: says("Two.")))
    async with served.running():
        await served.writes("one", "ann", place=GROUP)
        await served.until(gate.reached.is_set)
        pressed = {"place": GROUP, "origin": Origin.PRESSED, "pressed_on": ASKED}
        await served.writes("yes", "bob", **pressed)
        whom = Address(PlatformName("fake"), AccountName("bot"), ExternalUser("ann"), GROUP)
        row = await served.store.outbox.begin(whom, turn=None, position=0, kind=OutboxKind.TEXT)
        await served.store.outbox.sent(row.id, ASKED, "Which?")
        await served.store.outbox.settle(row.id, OutboxState.FINAL)
        gate.open()
        await served.reads(NO_LONGER_WORDS, "-1")
        await served.idle()
        assert len(served.model.requests) == 1
        assert served.turns() == [("done", 1), ("failed", 1)]
