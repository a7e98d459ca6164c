"""Codes and confirmations: what it takes to be one person with another account."""

import asyncio

import pytest

from gateway.contracts.linking import Change, Link, LinkId, Trouble
from gateway.people.codes import Codes
from tests.gateway.people.desk import Desk

HERE, THERE, THIRD = "telegram:ann", "discord:ann", "slack:mallory"
MINUTES, HOUR = 60.0, 3600.0


@pytest.fixture(autouse=True)
async def people(desk: Desk) -> None:
    await desk.let_in(HERE, THERE, THIRD)


async def test_t8_two_who_say_yes_to_each_other_are_one_person(desk: Desk) -> None:
    change = await desk.link(HERE, THERE)
    here, there = await desk.person(HERE), await desk.person(THERE)
    assert here.id == there.id == change.stays
    assert here.is_linked
    accounts = await desk.linking.accounts(here)
    assert [str(one) for one in accounts] == [THERE, HERE]
    assert {one.since for one in accounts} == {desk.clock.now()}
    assert desk.changes == [change]
    assert desk.trail() == ["link.code_made", "link.code_used", "link.agreed", "link.made"]
    assert desk.news() == [(HERE, "confirm"), (THERE, "linked"), (HERE, "linked")]


async def test_t8_without_the_yes_of_both_nothing_is_linked(desk: Desk) -> None:
    link = await desk.shown(HERE, THERE)
    assert await desk.yes(HERE, link) is Trouble.SETTLED  # theirs comes first
    assert isinstance(await desk.yes(THERE, link), Link)
    assert isinstance(await desk.yes(THERE, link), Link)  # said twice, it is not the other's
    assert not (await desk.person(HERE)).is_linked
    await desk.clock.advance(10 * MINUTES)
    assert await desk.yes(HERE, link) is Trouble.SETTLED
    assert not (await desk.person(THERE)).is_linked
    assert desk.changes == []


@pytest.mark.parametrize("sayer", [HERE, THERE])
async def test_t8_the_no_of_either_ends_it(desk: Desk, sayer: str) -> None:
    link = await desk.shown(HERE, THERE)
    await desk.yes(THERE, link)
    assert isinstance(await desk.linking.say_no(link.id, desk.says(sayer)), Link)
    for who in (HERE, THERE):
        assert await desk.yes(who, link) is Trouble.SETTLED
    assert not (await desk.person(HERE)).is_linked
    assert desk.news()[-1] == (HERE if sayer == THERE else THERE, "refused")


async def test_t17_nobody_else_answers_for_them(desk: Desk) -> None:
    link = await desk.shown(HERE, THERE)
    assert await desk.yes(THIRD, link) is Trouble.SETTLED
    assert await desk.linking.say_no(link.id, desk.says(THIRD)) is Trouble.SETTLED
    assert isinstance(await desk.yes(THERE, link), Link)
    assert await desk.yes(THIRD, link) is Trouble.SETTLED
    unknown = await desk.linking.say_no(LinkId("l_unknown"), desk.says(HERE))
    assert unknown is Trouble.SETTLED
    assert isinstance(await desk.yes(HERE, link), Change)
    assert not (await desk.person(THIRD)).is_linked


async def test_t8_a_code_that_was_used_is_worth_nothing_to_a_third(desk: Desk) -> None:
    code = await desk.code(HERE)
    assert isinstance(await desk.use(THERE, code), Link)
    assert await desk.use(THIRD, code) is Trouble.WRONG_CODE


async def test_r2_a_code_that_is_used_twice_by_the_same_account_asks_the_same(desk: Desk) -> None:
    code = await desk.code(HERE)
    asked = await desk.use(THERE, code)
    assert isinstance(asked, Link)
    assert await desk.use(THERE, code) == asked
    await desk.yes(THERE, asked)
    assert await desk.use(THERE, code) is Trouble.WRONG_CODE


async def test_t5_of_fifty_who_use_one_code_at_once_one_wins(desk: Desk) -> None:
    crowd = [f"slack:{number}" for number in range(50)]
    await desk.let_in(*crowd)
    code = await desk.code(HERE)
    used = await asyncio.gather(*(desk.use(who, code) for who in crowd))
    won = [one for one in used if isinstance(one, Link)]
    assert len(won) == 1
    assert {one for one in used if not isinstance(one, Link)} <= {
        Trouble.WRONG_CODE,
        Trouble.LOCKED,
    }


async def test_t5_fifty_yeses_at_once_make_one_link(desk: Desk) -> None:
    link = await desk.shown(HERE, THERE)
    await desk.yes(THERE, link)
    said = await asyncio.gather(*(desk.yes(HERE, link) for _ in range(50)))
    assert all(isinstance(one, Change) for one in said)
    assert desk.trail().count("link.made") == 1
    assert desk.news().count((HERE, "linked")) == 1


async def test_t4_five_wrong_codes_lock_an_account_for_ten_minutes(desk: Desk) -> None:
    code = await desk.code(HERE)
    for _ in range(5):
        assert await desk.use(THERE, "AAAAAAAA") is Trouble.WRONG_CODE
    assert await desk.use(THERE, code) is Trouble.LOCKED
    await desk.clock.advance(10 * MINUTES)
    assert isinstance(await desk.use(THERE, await desk.code(HERE)), Link)


async def test_t4_a_crowd_that_guesses_locks_the_whole_bot_for_an_hour(desk: Desk) -> None:
    crowd = [f"slack:{number}" for number in range(6)]
    await desk.let_in(*crowd)
    guesses = [who for who in crowd for _ in range(4)]
    tried = [await desk.use(who, f"{number:08}") for number, who in enumerate(guesses)]
    assert tried.count(Trouble.WRONG_CODE) == 20
    assert tried[20:] == [Trouble.LOCKED] * 4
    assert await desk.use(THIRD, await desk.code(HERE)) is Trouble.LOCKED
    assert isinstance(await desk.use(THERE, await desk.code(HERE)), Link)  # another bot
    await desk.clock.advance(HOUR)
    assert isinstance(await desk.use(THIRD, await desk.code(HERE)), Link)


async def test_t67_a_person_makes_three_codes_an_hour(desk: Desk) -> None:
    for _ in range(3):
        await desk.code(HERE)
    made = await desk.linking.new_code(desk.says(HERE), await desk.person(HERE))
    assert made is Trouble.TOO_MANY_CODES
    await desk.clock.advance(HOUR)
    await desk.code(HERE)


async def test_a_new_code_makes_the_last_one_void(desk: Desk) -> None:
    first = await desk.code(HERE)
    await desk.code(HERE)
    assert await desk.use(THERE, first) is Trouble.WRONG_CODE


async def test_t4_a_code_is_dead_after_ten_minutes(desk: Desk) -> None:
    code = await desk.code(HERE)
    await desk.clock.advance(10 * MINUTES)
    assert await desk.use(THERE, code) is Trouble.WRONG_CODE


async def test_t6_the_database_has_no_code(desk: Desk) -> None:
    code = await desk.code(HERE)
    await desk.store.close()
    kept = b"".join(path.read_bytes() for path in desk.folder.glob("parley.db*"))
    assert code.encode() not in kept
    assert (desk.folder / "pairing.key").stat().st_mode & 0o077 == 0
    await desk.store.open()


def test_t7_what_is_looked_up_does_not_tell_how_near_a_guess_is(desk: Desk) -> None:
    """Codes are found by a keyed hash: two that differ in one letter have nothing in common."""
    codes = Codes(desk.folder / "pairing.key")
    code = codes.new()
    near = code[:-1] + ("A" if code[-1] != "A" else "B")
    found, other = codes.hashed(code, "link "), codes.hashed(near, "link ")
    assert sum(one == two for one, two in zip(found, other, strict=True)) < 20
    assert codes.hashed(code, "") != found  # nor is a link's code one of pairing
    assert codes.hashed(f" {code.lower()} ", "link ") == found


async def test_t9_a_code_that_was_shown_in_a_group_is_burnt(desk: Desk) -> None:
    code = await desk.code(HERE)
    await desk.linking.burn(desk.says(THIRD), code)
    assert await desk.use(THERE, code) is Trouble.WRONG_CODE
    assert desk.news() == [(HERE, "burnt")]
    assert desk.trail()[:2] == ["link.code_made", "link.code_burnt"]


async def test_t4_guesses_in_a_group_count(desk: Desk) -> None:
    for _ in range(5):
        await desk.linking.burn(desk.says(THIRD), "AAAAAAAA")
    assert await desk.use(THIRD, await desk.code(HERE)) is Trouble.LOCKED


async def test_an_account_cannot_be_linked_with_itself_or_twice(desk: Desk) -> None:
    code = await desk.code(HERE)
    assert await desk.use(HERE, code) is Trouble.OWN_CODE
    assert isinstance(await desk.use(THERE, code), Link)  # it was no harm to the code
    await desk.link(HERE, THERE)
    assert await desk.use(THERE, await desk.code(HERE)) is Trouble.SAME_PERSON


async def test_two_who_are_both_linked_with_others_are_not_joined(desk: Desk) -> None:
    await desk.let_in("telegram:bob", "slack:bob")
    await desk.link(HERE, THERE)
    await desk.link("telegram:bob", "slack:bob")
    code = await desk.code("slack:bob")
    assert await desk.use(HERE, code) is Trouble.BOTH_LINKED


async def test_a_third_account_joins_either_way(desk: Desk) -> None:
    await desk.let_in("slack:ann", "local:ann")
    first = await desk.link(HERE, THERE)
    assert (await desk.link("slack:ann", THERE)).stays == first.stays
    assert (await desk.link(HERE, "local:ann")).stays == first.stays
    names = {str(one) for one in await desk.linking.accounts(await desk.person(HERE))}
    assert names == {HERE, THERE, "slack:ann", "local:ann"}


async def test_who_was_linked_meanwhile_is_not_joined_by_an_old_question(desk: Desk) -> None:
    await desk.let_in("telegram:bob", "slack:bob")
    link = await desk.shown(HERE, THERE)
    await desk.yes(THERE, link)
    await desk.link(HERE, "telegram:bob")
    await desk.link(THERE, "slack:bob")
    assert await desk.yes(HERE, link) is Trouble.BOTH_LINKED


async def test_t10_a_name_links_nobody(desk: Desk) -> None:
    link = await desk.shown(HERE, THERE)
    impostor = desk.says(THIRD, sender_name="Ann")
    assert await desk.linking.say_yes(link.id, impostor, goes_on_there=False) is Trouble.SETTLED
    assert link.asker.name == "Ann"
    assert str(link.asker) == HERE


async def test_t71_a_row_of_the_trail_that_was_changed_or_taken_out_is_found(desk: Desk) -> None:
    await desk.link(HERE, THERE)
    await desk.unlink(THERE)
    assert await desk.store.audit.first_broken() is None
    assert desk.trail()[-1] == "unlink.made"
    (before,) = desk.rows("select facts from audit where number = 3")
    desk.rows("update audit set facts = ? where number = 3", '{"with": "slack:mallory"}')
    assert await desk.store.audit.first_broken() == 3
    desk.rows("update audit set facts = ? where number = 3", before[0])
    assert await desk.store.audit.first_broken() is None
    desk.rows("delete from audit where number = 2")
    assert await desk.store.audit.first_broken() == 2
