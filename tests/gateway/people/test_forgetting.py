"""What is to be erased: asked for once, told to every account, and void when these change."""

import pytest

from gateway.contracts.privacy import Erasure
from gateway.ids import PersonId
from gateway.store.store import SqlStore
from tests.gateway.people.desk import Desk
from tests.messages import group, message

HERE, THERE, OTHER = "telegram:ann", "discord:ann", "slack:bob"
DAY = 86_400.0


@pytest.fixture(autouse=True)
async def people(desk: Desk) -> None:
    await desk.let_in(HERE, THERE, OTHER)


@pytest.fixture
def store(desk: Desk) -> SqlStore:
    return desk.store


async def erase(store: SqlStore, erasure: Erasure) -> tuple[PersonId, ...]:
    leftovers = await store.privacy.erase_talk(erasure)
    await store.privacy.erase_rest(erasure)
    return leftovers.persons


async def test_it_is_asked_for_once_and_a_later_day_puts_nothing_off(
    desk: Desk, store: SqlStore
) -> None:
    asked = await store.privacy.ask(HERE, HERE, DAY)
    await desk.clock.advance(60)
    assert await store.privacy.ask(HERE, HERE, DAY) == asked
    sooner = await store.privacy.ask(HERE, "owner", 0.0)
    assert sooner.due_at < asked.due_at
    assert await store.privacy.waiting() == [sooner]


async def test_every_other_account_is_told_and_any_can_take_it_back(
    desk: Desk, store: SqlStore
) -> None:
    await desk.link(HERE, THERE)
    before = len(desk.news())
    asked = await store.privacy.ask(HERE, HERE, DAY)
    assert set(asked.accounts) == {HERE, THERE}
    assert desk.news()[before:] == [(THERE, "forgetting")]
    person = (await desk.person(THERE)).id
    assert await store.privacy.take_back(person, THERE)
    assert desk.news()[before + 1 :] == [(HERE, "kept")]
    assert not await store.privacy.take_back(person, THERE)
    assert await store.privacy.waiting() == []


async def test_it_falls_when_the_accounts_are_others_by_then(desk: Desk, store: SqlStore) -> None:
    await desk.tells(THERE, "a secret of mine")
    asked = await store.privacy.ask(HERE, HERE, DAY)
    await desk.link(HERE, THERE)
    before = len(desk.news())
    assert not await store.privacy.is_still_asked(asked)
    assert desk.news()[before:] == [(HERE, "not_forgotten")]
    assert await store.privacy.waiting() == []
    assert not await store.privacy.is_still_asked(asked)
    assert desk.trail()[-1] == "erasure.fell"


async def test_all_accounts_of_a_person_go_with_all_that_they_ever_had(
    desk: Desk, store: SqlStore
) -> None:
    persons = {(await desk.person(who)).id for who in (HERE, THERE)}
    await desk.tells(HERE, "said here")
    await desk.tells(THERE, "said there")
    await desk.tells(OTHER, "said by another")
    await desk.link(HERE, THERE)
    asked = await store.privacy.ask(THERE, THERE, 0.0)
    assert await store.privacy.is_still_asked(asked)
    assert set(await erase(store, asked)) == persons
    for who in (HERE, THERE):
        platform, _, user = who.partition(":")
        assert await store.people.find(platform, user) is None  # type: ignore[arg-type]
    assert await desk.knows(OTHER) == ["said by another"]
    assert [row[0] for row in desk.rows("select role from people")] == ["member"]
    assert desk.rows("select * from link_codes") == []
    assert desk.rows("select person from sessions") == [((await desk.person(OTHER)).id,)]
    assert await store.audit.first_broken() is None
    await desk.let_in(HERE)
    assert await desk.knows(HERE) == []


async def test_who_is_not_known_can_be_erased_too(desk: Desk, store: SqlStore) -> None:
    heard = message("overheard words", group("99"), sender_name="Eve")
    await store.overheard.note(heard, 5)
    await store.pairings.request(
        desk.says("telegram:99"), "not_paired", lifetime=60.0, notice_every=60.0
    )
    asked = await store.privacy.ask("telegram:99", "owner", 0.0)
    assert asked.accounts == ("telegram:99",)
    assert await store.privacy.is_still_asked(asked)
    await erase(store, asked)
    for table in ("overheard", "pairings", "erasures"):
        assert desk.rows(f"select * from {table}") == []
    assert desk.rows("select sender from inbox") == [("erased",)]


async def test_what_was_cut_off_by_a_crash_is_done_again(desk: Desk, store: SqlStore) -> None:
    await desk.tells(HERE, "said here")
    asked = await store.privacy.ask(HERE, HERE, 0.0)
    await store.privacy.erase_talk(asked)
    await store.close()
    again = SqlStore(f"sqlite:///{desk.folder / 'parley.db'}", clock=desk.clock)
    await again.open()
    try:
        (left,) = await again.privacy.waiting()
        assert left == asked
        assert await again.privacy.is_still_asked(left)
        await erase(again, left)
        assert await again.privacy.waiting() == []
    finally:
        await again.close()
    await store.open()
