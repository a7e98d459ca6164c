"""Floods: so many messages a minute are taken, and one word a minute is said of the others."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.contracts.people import Person
from gateway.ids import MessageId, PersonId
from gateway.inbound.rates import _REMEMBERED, Rates
from gateway.inbound.turned_away import TOO_FAST_WORDS, TOO_MANY_HERE_WORDS
from gateway.messages import Address, Message
from gateway.people.access import Admission
from gateway.people.roles import Role
from gateway.settings import PlaceSettings, RateLimits
from tests.fakes.clock import FakeClock
from tests.gateway.inbound.test_gate import Door
from tests.messages import direct, group, message


class Desk:
    """Counts, and says of each message whether it was taken."""

    def __init__(self, **limits: int | None) -> None:
        self.clock = FakeClock()
        self.rates = Rates(RateLimits.model_validate(limits), self.clock)

    def taken(
        self,
        times: int,
        role: Role = Role.GUEST,
        *,
        address: Address | None = None,
        is_control: bool = False,
        album: str | None = None,
    ) -> int:
        where = address or direct()
        admission = Admission(
            Person(PersonId(where.external_user), "", is_linked=False), role, PlaceSettings()
        )
        now = self.clock.now()
        given = [message(address=where, album=album, sent_at=now) for _ in range(times)]
        excess = [self.rates.excess(one, admission, is_control=is_control) for one in given]
        return sum(one is None for one in excess)


@pytest.mark.parametrize(
    ("role", "most"), [(Role.GUEST, 10), (Role.MEMBER, 60), (Role.ADMIN, 60), (Role.OWNER, 500)]
)
def test_t67_a_person_is_heard_so_often_a_minute_by_their_role(role: Role, most: int) -> None:
    assert Desk().taken(500, role) == most


def excess(desk: Desk, one: Message) -> object:
    admission = Admission(Person(PersonId("p"), "", is_linked=False), Role.GUEST, PlaceSettings())
    return desk.rates.excess(one, admission, is_control=False)


def test_r2_a_message_that_is_delivered_again_counts_once() -> None:
    desk = Desk(guest=2)
    once = message(sent_at=desk.clock.now())
    assert [excess(desk, once) for _ in range(5)] == [None] * 5
    assert desk.taken(1, address=direct()) == 1


@pytest.mark.fault("clock", "host")
async def test_a_clock_that_is_an_hour_slow_refuses_nobody_for_an_hour() -> None:
    desk = Desk(guest=2)
    for _ in range(10):
        assert excess(desk, message(sent_at=desk.clock.now() + 3_600.0)) is None
        await desk.clock.advance(40.0)
    assert excess(desk, message(sent_at=desk.clock.now() + 3_600.0)) is None
    assert excess(desk, message(sent_at=desk.clock.now() + 3_600.0)) == "person"


def test_r8_what_was_missed_and_comes_all_at_once_was_not_written_at_once() -> None:
    desk = Desk(guest=2)
    now = desk.clock.now()
    missed = [message(sent_at=now - 100.0 * number) for number in range(10, 1, -1)]
    assert [excess(desk, one) for one in missed] == [None] * len(missed)


async def test_t67_the_minute_moves_on() -> None:
    desk = Desk(guest=2)
    assert desk.taken(1) == 1
    await desk.clock.advance(30)
    assert desk.taken(2) == 1
    await desk.clock.advance(30)
    assert desk.taken(2) == 1
    await desk.clock.advance(60)
    assert desk.taken(3) == 2


async def test_t67_old_messages_that_are_made_questions_all_at_once_are_a_flood() -> None:
    desk = Desk(guest=2)
    place = group()
    written = [message(address=place, sent_at=desk.clock.now()) for _ in range(20)]
    await desk.clock.advance(120.0)
    edited = [replace(one, edited_at=desk.clock.now()) for one in written]
    assert [excess(desk, one) for one in edited] == [None, None, *["person"] * 18]


def test_t67_people_do_not_share_a_limit_but_a_place_has_one_of_all() -> None:
    desk = Desk(guest=3, place=5)
    assert desk.taken(9, address=direct("1")) == desk.taken(9, address=direct("2")) == 3
    assert desk.taken(3, address=group("3")) == 3
    assert desk.taken(3, address=group("4")) == 2
    assert desk.taken(3, address=group("4", conversation="-200")) == 1
    assert desk.taken(9, Role.OWNER, address=group("5")) == 9


def test_t67_a_flood_does_not_keep_controls_out_and_they_are_bounded_too() -> None:
    desk = Desk(guest=3)
    assert desk.taken(9) == 3
    assert desk.taken(9, is_control=True) == 3


def test_an_album_is_one_message() -> None:
    desk = Desk(guest=2)
    assert desk.taken(10, album="a") == 10
    assert desk.taken(10, album="b") == 10
    assert desk.taken(1, album="c") == 0
    assert desk.taken(1, album="a") == 1


def test_null_is_no_bound() -> None:
    assert Desk(guest=None).taken(1000) == 1000


def test_t67_the_memory_of_who_wrote_is_bounded() -> None:
    desk = Desk()
    for number in range(_REMEMBERED + 50):
        desk.taken(1, address=direct(str(number)))
    assert len(desk.rates._taken) == _REMEMBERED


async def test_t67_a_flood_is_told_of_once_a_minute_and_kept_nowhere(tmp_path: Path) -> None:
    door = Door(tmp_path, rates=RateLimits(guest=2))
    await door.store.open()
    gate = door.opened(direct_messages="open")
    receipts = [await gate.accept(message("a flood of words")) for _ in range(20)]
    await door.settle()
    assert [one.is_taken for one in receipts] == [True] * 2 + [False] * 18
    assert receipts[-1].words == TOO_FAST_WORDS
    assert door.said == [("42", TOO_FAST_WORDS)]
    assert await door.store.inbox.waiting() == 2
    await door.clock.advance(61)
    assert (await gate.accept(message("slowly"))).is_taken
    await door.store.close()


async def test_t67_a_place_hears_of_its_flood_once_whoever_writes(tmp_path: Path) -> None:
    door = Door(tmp_path, rates=RateLimits(place=1))
    await door.store.open()
    gate = door.opened(groups="open")
    for user in ("1", "2", "3"):
        await gate.accept(message("hello", group(user)))
    await door.settle()
    assert door.said == [("2", TOO_MANY_HERE_WORDS)]
    await door.store.close()


async def test_r2_a_shed_message_delivered_again_stays_shed_and_untold(tmp_path: Path) -> None:
    door = Door(tmp_path, rates=RateLimits(guest=1))
    await door.store.open()
    gate = door.opened(direct_messages="open")
    shed = message("again", message_id=MessageId("m"))
    await gate.accept(message("first"))
    for _ in range(2):
        await gate.accept(shed)
        await door.clock.advance(50)
    await door.settle()
    await door.clock.advance(100)
    assert len(door.said) == 1
    await door.store.close()


def test_a_message_is_counted_where_it_is_taken() -> None:
    desk = Desk(guest=10, place=1)
    given: list[Message] = [message(address=group("1"))]
    assert len(given) == desk.taken(5, address=group("1"))
    assert desk.taken(10, address=direct("1")) == 9
