"""What becomes of conversations, lines, usage and roles when accounts join and part."""

import pytest

from gateway.contracts.inbox import Arrival, KeepOutcome
from gateway.contracts.linking import Change, Trouble
from gateway.contracts.stores import TurnState
from gateway.errors import NotAllowed, Refused
from gateway.ids import AgentId, ExternalUser, Lane, MessageId, PersonId, PlatformName
from gateway.transcript import Usage, UserEntry
from tests.gateway.people.desk import AGENT, Desk
from tests.messages import keep_one

HERE, THERE, THIRD = "telegram:ann", "discord:ann", "slack:ann"
DAY = 86_400.0


@pytest.fixture(autouse=True)
async def people(desk: Desk) -> None:
    await desk.let_in(HERE, THERE, THIRD)


async def test_the_asking_sides_conversation_goes_on_for_both(desk: Desk) -> None:
    ours = await desk.tells(HERE, "here")
    theirs = await desk.tells(THERE, "there")
    change = await desk.link(HERE, THERE)
    assert await desk.knows(THERE) == await desk.knows(HERE) == ["here"]
    sessions = await desk.store.sessions.all(AGENT, person=change.stays, archived=True)
    assert {one.id: one.is_archived for one in sessions} == {ours.id: False, theirs.id: True}
    assert {one.key for one in sessions} == {await desk.key(HERE)}


async def test_the_other_sides_conversation_goes_on_if_that_is_chosen(desk: Desk) -> None:
    await desk.tells(HERE, "here")
    await desk.tells(THERE, "there")
    owner = await desk.person(THERE)
    change = await desk.link(HERE, THERE, goes_on_there=True)
    assert await desk.knows(HERE) == ["there"]
    assert change.stays == owner.id  # its files are where its history looks for them


@pytest.mark.parametrize("goes_on_there", [False, True])
async def test_the_only_conversation_goes_on(desk: Desk, *, goes_on_there: bool) -> None:
    await desk.tells(THERE if not goes_on_there else HERE, "the only one")
    await desk.link(HERE, THERE, goes_on_there=goes_on_there)
    assert await desk.knows(HERE) == await desk.knows(THERE) == ["the only one"]


async def test_the_choice_holds_where_one_side_is_linked_already(desk: Desk) -> None:
    await desk.tells(HERE, "here")
    await desk.tells(THIRD, "third")
    await desk.link(HERE, THERE)
    await desk.link(THIRD, HERE)
    assert await desk.knows(THERE) == ["third"]
    await desk.let_in("local:ann")
    await desk.tells("local:ann", "local")
    await desk.link(HERE, "local:ann", goes_on_there=True)
    assert await desk.knows(THIRD) == ["local"]


async def test_t11_roles_stay_with_their_accounts(desk: Desk) -> None:
    await desk.let_in("slack:guest", role="guest")
    await desk.link(HERE, "slack:guest")
    assert (await desk.person(HERE)).role == "member"
    assert (await desk.person("slack:guest")).role == "guest"
    await desk.let_in("slack:guest")
    assert (await desk.person("slack:guest")).role == "member"
    await desk.unlink("slack:guest")
    assert (await desk.person("slack:guest")).role == "member"
    await desk.unlink(HERE)
    assert (await desk.person(HERE)).role == "member"


async def test_the_model_and_usage_are_the_persons(desk: Desk) -> None:
    session = await desk.session(HERE)
    await desk.store.sessions.set_model(session.id, "small")
    for who in (HERE, THERE):
        at = await desk.session(who)
        await desk.store.transcript.append(at.id, [UserEntry("x")], usage=Usage(3, 2), model="m")
    change = await desk.link(HERE, THERE)
    assert (await desk.session(THERE)).model == "small"
    (total,) = await desk.store.usage.totals(person=change.stays)
    assert (total.calls, total.usage.input_tokens) == (2, 6)


async def test_t12_who_is_unlinked_knows_nothing_and_keeps_nothing(desk: Desk) -> None:
    await desk.tells(HERE, "a secret")
    await desk.tells(THERE, "my own")
    await desk.link(HERE, THERE)
    change = await desk.unlink(THERE)
    assert isinstance(change, Change)
    assert not (await desk.person(THERE)).is_linked
    assert (await desk.person(THERE)).id == change.leaves
    assert await desk.knows(THERE) == []
    assert await desk.store.sessions.all(AGENT, person=change.leaves, archived=True) == []
    assert await desk.knows(HERE) == ["a secret"]
    assert (await desk.session(HERE)).key == f"main:{HERE}:dm"
    assert await desk.unlink(THERE) is Trouble.NOT_LINKED


async def test_t12_whoever_leaves_first_the_others_stay_together(desk: Desk) -> None:
    await desk.tells(HERE, "of three")
    await desk.link(HERE, THERE)
    await desk.link(HERE, THIRD)
    await desk.unlink(HERE)
    assert await desk.knows(HERE) == []
    assert await desk.knows(THERE) == await desk.knows(THIRD) == ["of three"]
    await desk.unlink(THIRD)
    assert await desk.knows(THERE) == ["of three"]
    assert await desk.knows(THIRD) == []


async def test_an_undo_gives_back_what_was_not_touched(desk: Desk) -> None:
    await desk.tells(HERE, "here")
    await desk.tells(THERE, "there")
    old = await desk.person(THERE)
    await desk.link(HERE, THERE)
    await desk.tells(THERE, "together")
    assert isinstance(await desk.undo(THERE), Change)
    assert (await desk.person(THERE)).id == old.id
    assert await desk.knows(THERE) == ["there"]
    assert await desk.knows(HERE) == ["here", "together"]
    assert await desk.undo(HERE) is Trouble.NOT_LINKED


async def test_an_undo_gives_back_both_conversations(desk: Desk) -> None:
    await desk.tells(HERE, "here")
    await desk.tells(THERE, "there")
    await desk.link(HERE, THERE, goes_on_there=True)
    assert isinstance(await desk.undo(HERE), Change)
    assert await desk.knows(HERE) == ["here"]
    assert await desk.knows(THERE) == ["there"]


async def test_an_undo_gives_nobody_what_others_have_said_since(desk: Desk) -> None:
    await desk.tells(THIRD, "third")
    await desk.link(HERE, THERE)
    await desk.clock.advance(1)
    await desk.link(THIRD, HERE)  # the single account joins the two, and its talk goes on
    await desk.tells(HERE, "said by the two")
    assert isinstance(await desk.undo(HERE), Change)
    assert await desk.knows(THIRD) == []
    assert await desk.knows(THERE) == ["third", "said by the two"]


async def test_an_undo_means_the_newest_link_that_stands(desk: Desk) -> None:
    await desk.link(HERE, THERE)
    await desk.clock.advance(1)
    await desk.link(HERE, THIRD)
    await desk.unlink(THIRD)
    assert isinstance(await desk.undo(HERE), Change)
    assert not (await desk.person(THERE)).is_linked


async def test_an_undo_comes_within_a_day(desk: Desk) -> None:
    await desk.link(HERE, THERE)
    await desk.clock.advance(DAY + 1)
    assert await desk.undo(HERE) is Trouble.TOO_LATE
    assert (await desk.person(HERE)).is_linked


async def test_who_is_sent_off_leaves_the_others_alone(desk: Desk) -> None:
    await desk.tells(HERE, "here")
    await desk.link(HERE, THERE)
    await desk.store.people.dismiss(*_named(THERE))
    assert await desk.store.people.find(*_named(THERE)) is None
    assert await desk.knows(HERE) == ["here"]
    await desk.let_in(THERE)
    assert await desk.knows(THERE) == []


async def test_t12_who_is_sent_off_and_let_in_anew_begins_anew(desk: Desk) -> None:
    before = await desk.tells(HERE, "here")
    await desk.store.people.dismiss(*_named(HERE))
    await desk.let_in(HERE)
    session = await desk.session(HERE)
    assert session.id != before.id
    assert session.person == (await desk.person(HERE)).id
    assert await desk.knows(HERE) == []


# Lines.


async def test_what_waits_goes_on_in_one_line_in_order(desk: Desk) -> None:
    for who, text in ((HERE, "1"), (THERE, "2"), (HERE, "3"), (THERE, "4")):
        assert await desk.writes(who, text) is KeepOutcome.KEPT
    change = await desk.link(HERE, THERE)
    lane = Lane(await desk.key(HERE))
    assert await desk.store.inbox.waiting_lanes() == [lane]
    said = []
    while (kept := await desk.store.inbox.head(lane)) is not None:
        assert kept.person == change.stays
        said.append(kept.message.text)
        await desk.store.inbox.close(kept, "done")
    assert said == ["1", "2", "3", "4"]


async def test_a_running_turn_ends_where_it_began_and_the_next_wait_for_it(desk: Desk) -> None:
    await desk.writes(THERE, "running")
    old = Lane(await desk.key(THERE))
    head = await desk.store.inbox.head(old)
    assert head is not None
    turn = await desk.store.turns.begin(head)
    began_in = await desk.store.turns.session(turn)
    await desk.store.transcript.append(began_in.id, [UserEntry("running")], turn=turn)
    await desk.writes(THERE, "next")
    change = await desk.link(HERE, THERE)
    new = Lane(await desk.key(HERE))
    waits = await desk.store.inbox.head(new)
    assert waits is not None
    assert (waits.message.text, waits.is_behind) == ("next", True)
    assert set(await desk.store.inbox.lanes_of(new)) == {old, new}
    # A crash, and the same turn once more.
    again = await desk.store.inbox.head(old)
    assert again is not None
    assert (again.session_key, again.person, again.is_behind) == (new, change.stays, False)
    turn = await desk.store.turns.begin(again)
    assert (await desk.store.turns.session(turn)).id == began_in.id
    usage = Usage(1, 1)
    await desk.store.transcript.append(
        began_in.id, [UserEntry("x")], turn=turn, usage=usage, model="m"
    )
    assert len(await desk.store.usage.totals(person=change.stays)) == 1
    await desk.store.turns.finish(turn, TurnState.DONE)
    waits = await desk.store.inbox.head(new)
    assert waits is not None
    assert not waits.is_behind
    begun = await desk.store.turns.begin(waits)
    assert (await desk.store.turns.session(begun)).key == new


async def test_t12_what_waits_of_who_leaves_goes_with_them(desk: Desk) -> None:
    await desk.link(HERE, THERE)
    await desk.tells(HERE, "a secret")
    await desk.writes(THERE, "running")
    shared = Lane(await desk.key(HERE))
    head = await desk.store.inbox.head(shared)
    assert head is not None
    turn = await desk.store.turns.begin(head)
    session = await desk.store.turns.session(turn)
    await desk.store.transcript.append(session.id, [UserEntry("running")], turn=turn)
    await desk.writes(HERE, "ours")
    await desk.writes(THERE, "theirs")
    await desk.unlink(THERE)
    for who, text in ((HERE, "ours"), (THERE, "theirs")):
        kept = await desk.store.inbox.head(Lane(await desk.key(who)))
        assert kept is not None
        assert kept.message.text == text
        assert kept.person == (await desk.person(who)).id
    # Were the process to die now, their turn would begin anew, without what is not theirs.
    again = await desk.store.inbox.head(shared)
    assert again is not None
    resumed = await desk.store.turns.begin(again)
    assert resumed.is_resumed
    found = await desk.store.turns.session(resumed)
    assert found.key == f"main:{THERE}:dm"
    assert await desk.store.transcript.history(found.id) == []


@pytest.mark.promise("R5")
async def test_r5_who_has_left_does_not_have_a_tool_used_again(desk: Desk) -> None:
    await desk.link(HERE, THERE)
    await desk.writes(THERE, "pay")
    shared = Lane(await desk.key(HERE))
    head = await desk.store.inbox.head(shared)
    assert head is not None
    turn = await desk.store.turns.begin(head)
    session = await desk.store.turns.session(turn)
    await desk.store.transcript.append(session.id, [UserEntry("pay")], turn=turn)
    await desk.store.turns.start_step(turn, "call", "pay")
    await desk.unlink(THERE)
    again = await desk.store.inbox.head(shared)
    assert again is not None
    resumed = await desk.store.turns.begin(again)
    with pytest.raises(NotAllowed, match="were parted"):
        await desk.store.turns.session(resumed)


async def test_t12_a_message_that_comes_in_while_its_writer_changes_is_looked_at_again(
    desk: Desk,
) -> None:
    before = await desk.person(THERE)
    key = await desk.key(THERE)
    await desk.link(HERE, THERE)

    async def keep(person: PersonId, *, is_linked: bool) -> KeepOutcome:
        return await keep_one(
            desk.store.inbox,
            desk.says(THERE, message_id=MessageId("m")),
            lane=Lane(key),
            session_key=key,
            agent=AGENT,
            person=person,
            is_linked=is_linked,
        )

    assert await keep(before.id, is_linked=False) is KeepOutcome.STALE
    linked = await desk.person(THERE)
    assert await keep(linked.id, is_linked=False) is KeepOutcome.STALE
    assert await keep(linked.id, is_linked=True) is KeepOutcome.KEPT
    await desk.unlink(THERE)
    assert await keep(linked.id, is_linked=True) is KeepOutcome.STALE
    await desk.store.people.dismiss(*_named(THERE))
    assert await keep(linked.id, is_linked=False) is KeepOutcome.STALE


async def test_t12_of_messages_that_come_together_none_is_kept_for_who_has_changed(
    desk: Desk,
) -> None:
    before = {who: await desk.person(who) for who in (HERE, THERE)}
    await desk.unlink(HERE)
    await desk.store.people.dismiss(*_named(THERE))
    lane = Lane("group")
    together = [
        Arrival(desk.says(who), lane, session_key=lane, agent=AGENT, person=one.id, is_linked=False)
        for who, one in before.items()
    ]
    assert await desk.store.inbox.keep(together) == [KeepOutcome.STALE] * 2
    assert await desk.store.inbox.waiting() == 0
    assert await desk.store.inbox.keep(together[:1]) == [KeepOutcome.KEPT]


# Sessions.


async def test_t13_nobody_takes_up_what_is_anothers(desk: Desk) -> None:
    ours, theirs = await desk.tells(HERE, "here"), await desk.tells(THERE, "there")
    key, person = await desk.key(HERE), (await desk.person(HERE)).id
    await desk.store.sessions.archive(theirs.id)
    with pytest.raises(Refused):
        await desk.store.sessions.rotate(AGENT, key, person, ours.id, theirs.id)
    with pytest.raises(Refused):
        await desk.store.sessions.rotate(AgentId("second"), key, person, None, ours.id)
    assert await desk.knows(HERE) == ["here"]
    await desk.link(HERE, THERE)
    key, person = await desk.key(HERE), (await desk.person(HERE)).id
    taken = await desk.store.sessions.rotate(AGENT, key, person, ours.id, theirs.id)
    assert taken.id == theirs.id
    assert await desk.knows(HERE) == ["there"]
    await desk.unlink(HERE)
    with pytest.raises(Refused):
        await desk.store.sessions.rotate(
            AGENT, await desk.key(HERE), (await desk.person(HERE)).id, None, ours.id
        )


def _named(who: str) -> tuple[PlatformName, ExternalUser]:
    platform, _, user = who.partition(":")
    return PlatformName(platform), ExternalUser(user)
