"""What people are told whose messages are refused."""

from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest

from gateway.ids import MessageId
from gateway.inbound.turned_away import (
    ALLOWLIST_WORDS,
    BUSY_WORDS,
    OFF_WORDS,
    TurnedAway,
)
from gateway.messages import Address, Message
from gateway.people.access import Reason, Refusal
from gateway.people.pairing import Pairing
from gateway.store.store import SqlStore
from tests.fakes.clock import FakeClock
from tests.messages import direct, message

DAY = 86_400.0


class Desk:
    """Where people are turned away; remembers what they were told."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.store = SqlStore(f"sqlite:///{folder / 'parley.db'}", clock=self.clock)
        self._spawned: list[Coroutine[Any, Any, object]] = []
        pairing = Pairing(self.store, folder / "pairing.key", self.clock, lambda: None)
        self.turned_away = TurnedAway(
            inbox=self.store.inbox,
            missed=self.store.missed,
            pairing=pairing,
            notices=self,
            spawn=self._spawned.append,
            stir=lambda: None,
            clock=self.clock,
        )
        self.told: list[tuple[str, str, MessageId | None]] = []

    async def notice(
        self, address: Address, text: str, *, reply_to: MessageId | None = None
    ) -> None:
        self.told.append((address.external_user, text, reply_to))

    async def refuse(self, reason: Reason, given: Message | None = None) -> list[str]:
        """Turn a message away and return what its sender is told."""
        before = len(self.told)
        await self.turned_away.refuse(given or message(), Refusal(reason))
        return await self.said(before)

    async def said(self, before: int = 0) -> list[str]:
        while self._spawned:
            await self._spawned.pop()
        return [text for _, text, _ in self.told[before:]]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    await made.store.open()
    yield made
    await made.store.close()


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.DIRECT_MESSAGES_OFF, OFF_WORDS),
        (Reason.NOT_ON_ALLOWLIST, ALLOWLIST_WORDS.format(identity="telegram:42")),
    ],
)
async def test_t1_a_person_is_told_once_a_day(desk: Desk, reason: Reason, words: str) -> None:
    assert await desk.refuse(reason) == [words]
    assert await desk.refuse(reason) == []
    assert await desk.refuse(reason, message(address=direct("43"))) != []
    await desk.clock.advance(DAY)
    assert await desk.refuse(reason) == [words]


async def test_t1_r1_a_stranger_is_to_be_told_once_a_day_whatever_happens(desk: Desk) -> None:
    given = message()
    for one in (given, given, message()):
        assert await desk.refuse(Reason.NOT_PAIRED, one) == []
    (told,) = await desk.store.announcements.waiting()
    assert (told.kind, told.address) == ("stranger", direct())
    assert len(await desk.store.pairings.live()) == 1


@pytest.mark.parametrize("reason", [Reason.IS_BOT, Reason.NOT_ADDRESSED, Reason.PLACE_NOT_ALLOWED])
async def test_t2_most_refusals_are_silent(desk: Desk, reason: Reason) -> None:
    assert await desk.refuse(reason) == []


async def test_r2_a_refusal_delivered_twice_is_told_once(desk: Desk) -> None:
    given = message()
    await desk.refuse(Reason.NOT_ON_ALLOWLIST, given)
    await desk.clock.advance(2 * DAY)
    assert await desk.refuse(Reason.NOT_ON_ALLOWLIST, given) == []


async def test_t67_who_is_shed_is_told_once_a_minute_at_their_message(desk: Desk) -> None:
    first = message()
    for given in (first, message(), message()):
        desk.turned_away.shed(given)
    assert await desk.said() == [BUSY_WORDS]
    assert desk.told[0][2] == first.message_id
    await desk.clock.advance(60)
    desk.turned_away.shed(message())
    assert await desk.said(1) == [BUSY_WORDS]


async def test_t67_the_memory_of_who_was_told_is_bounded(desk: Desk) -> None:
    for number in range(10_050):
        desk.turned_away.shed(message(address=direct(str(number))))
    await desk.said()
    assert len(desk.turned_away._told) == 10_000
    desk.turned_away.shed(message(address=direct("10049")))
    assert await desk.said(10_050) == []
