"""What every store promises, as tests over a fixture `store`; subclass each class once.

The fixture's store is open, stands on the `clock` fixture, and has the bounds `QUEUES`.
"""

import asyncio
from typing import Any

import pytest

from gateway.contracts.dead_letters import NoRevival
from gateway.contracts.inbox import KeepOutcome, Kept
from gateway.contracts.money import UsageTotal
from gateway.contracts.stores import OutboxKind, OutboxState, Store, Turn, TurnState
from gateway.errors import LaneLost, MessageGone
from gateway.ids import (
    AccountName,
    AgentId,
    EventKey,
    ExternalUser,
    Lane,
    MessageId,
    PersonId,
    PlatformName,
    SessionId,
)
from gateway.messages import Attachment, AttachmentKind, Message, OutgoingFile, channel_context
from gateway.session_key import build_group_session_key, build_session_key
from gateway.settings import QueueSettings
from gateway.transcript import (
    AssistantEntry,
    Entry,
    SummaryEntry,
    ToolCall,
    ToolResultEntry,
    Usage,
    UserEntry,
)
from tests.fakes.clock import FakeClock
from tests.messages import direct, group, keep_one, message

QUEUES = QueueSettings(per_session=3, per_person=5, in_all=8)
AGENT = AgentId("main")
ANN = PersonId("p_ann")
KEY = "main:telegram:42:dm"
LANE = Lane(KEY)
BOT = AccountName("bot")
TELEGRAM = PlatformName("telegram")


async def keep(
    store: Store, given: Message, *, key: str = KEY, person: PersonId = ANN, agent: AgentId = AGENT
) -> KeepOutcome:
    return await keep_one(
        store.inbox, given, lane=Lane(key), session_key=key, agent=agent, person=person
    )


async def head(store: Store, lane: str = KEY) -> Kept:
    found = await store.inbox.head(Lane(lane))
    assert found is not None
    return found


async def begin(store: Store, lane: str = KEY) -> Turn:
    return await store.turns.begin(await head(store, lane))


async def texts(store: Store, lane: str = KEY) -> list[str]:
    """Work the lane off and return what it said, in order."""
    said = []
    while (kept := await store.inbox.head(Lane(lane))) is not None:
        said.append(kept.message.text)
        await store.inbox.close(kept, "done")
    return said


class InboxContract:
    async def test_r2_duplicate_event_is_kept_once(self, store: Store) -> None:
        given = message("once")
        assert await keep(store, given) is KeepOutcome.KEPT
        assert await keep(store, given) is KeepOutcome.DUPLICATE
        assert await texts(store) == ["once"]
        assert await keep(store, given) is KeepOutcome.DUPLICATE

    async def test_r2_one_message_in_two_events_is_kept_once(self, store: Store) -> None:
        assert await keep(store, message(message_id=MessageId("m"))) is KeepOutcome.KEPT
        assert await keep(store, message(message_id=MessageId("m"))) is KeepOutcome.DUPLICATE
        assert await store.inbox.waiting() == 1

    async def test_r2_the_same_ids_on_two_accounts_are_two_messages(self, store: Store) -> None:
        ids = {"event_key": EventKey("e"), "message_id": MessageId("m")}
        for account in ("first", "second"):
            given = message(address=direct(account=account), **ids)
            assert await keep(store, given) is KeepOutcome.KEPT

    async def test_r2_a_burst_of_one_event_is_kept_once(self, store: Store) -> None:
        given = message()
        outcomes = await asyncio.gather(*(keep(store, given) for _ in range(20)))
        assert sorted(outcomes) == ["duplicate"] * 19 + ["kept"]

    async def test_r3_a_lane_is_worked_off_in_order_of_acceptance(self, store: Store) -> None:
        for text in ("one", "two", "three"):
            await keep(store, message(text))
        await keep(store, message("elsewhere"), key="main:group:x")
        assert await texts(store) == ["one", "two", "three"]

    async def test_a_kept_message_comes_back_whole(self, store: Store, clock: FakeClock) -> None:
        given = message("hello", group(thread="7"), attachments=(picture("a"),), album="x")
        await keep(store, given)
        found = await head(store)
        assert found.message == given
        assert (found.lane, found.session_key, found.agent, found.person) == (LANE, KEY, AGENT, ANN)
        assert found.kept_at == clock.now()

    async def test_text_that_no_database_keeps_is_kept_nearly(self, store: Store) -> None:
        await keep(store, message("half \ud83d of a pair, and \0"))
        assert (await head(store)).message.text.startswith("half ")

    async def test_an_edit_replaces_a_message_that_waits(self, store: Store) -> None:
        await keep(store, message("frist", message_id=MessageId("m")))
        edit = message("first", message_id=MessageId("m"), edited_at=5.0)
        assert await keep(store, edit) is KeepOutcome.REPLACED
        assert await keep(store, edit) is KeepOutcome.DUPLICATE
        assert await texts(store) == ["first"]

    async def test_an_edit_between_head_and_begin_is_what_the_turn_sees(self, store: Store) -> None:
        await keep(store, message("frist", message_id=MessageId("m")))
        stale = await head(store)
        await keep(store, message("first", message_id=MessageId("m"), edited_at=5.0))
        assert (await store.turns.begin(stale)).kept.message.text == "first"

    async def test_an_edit_of_a_begun_message_is_too_late(self, store: Store) -> None:
        await keep(store, message("first", message_id=MessageId("m")))
        turn = await begin(store)
        edit = message("second", message_id=MessageId("m"), edited_at=5.0)
        assert await keep(store, edit) is KeepOutcome.TOO_LATE
        assert await texts(store) == ["first"]
        later = message("third", message_id=MessageId("m"), edited_at=6.0)
        assert await keep(store, later) is KeepOutcome.TOO_LATE
        assert turn.kept.message.text == "first"

    async def test_an_edit_that_overtook_its_message_stands_for_it(self, store: Store) -> None:
        edit = message("edited", message_id=MessageId("m"), edited_at=5.0)
        assert await keep(store, edit) is KeepOutcome.KEPT
        assert await keep(store, message(message_id=MessageId("m"))) is KeepOutcome.DUPLICATE
        older = message("older", message_id=MessageId("m"), edited_at=4.0)
        assert await keep(store, older) is KeepOutcome.DUPLICATE
        assert await texts(store) == ["edited"]

    async def test_r10_a_full_lane_sheds_and_takes_again(self, store: Store) -> None:
        for _ in range(3):
            assert await keep(store, message()) is KeepOutcome.KEPT
        shed = message("shed")
        assert await keep(store, shed) is KeepOutcome.FULL
        assert await keep(store, shed) is KeepOutcome.DUPLICATE
        assert await keep(store, message(), key="main:group:x") is KeepOutcome.KEPT
        await store.inbox.close(await head(store), "done")
        assert await keep(store, message()) is KeepOutcome.KEPT
        assert "shed" not in await texts(store)

    async def test_r10_a_person_has_a_bound_over_all_lanes(self, store: Store) -> None:
        for number in range(5):
            assert await keep(store, message(), key=f"lane{number}") is KeepOutcome.KEPT
        assert await keep(store, message(), key="lane9") is KeepOutcome.FULL
        bob = PersonId("p_bob")
        assert await keep(store, message(), key="lane9", person=bob) is KeepOutcome.KEPT

    async def test_r10_the_inbox_has_a_bound(self, store: Store) -> None:
        people = [PersonId(f"p{number}") for number in range(9)]
        outcomes = [await keep(store, message(), key=who, person=who) for who in people]
        assert outcomes == [KeepOutcome.KEPT] * 8 + [KeepOutcome.FULL]

    async def test_a_refused_message_is_recorded_once_and_never_worked_on(
        self, store: Store
    ) -> None:
        given = message("secret words")
        assert await store.inbox.refuse(given, "not_paired") is True
        assert await store.inbox.refuse(given, "not_paired") is False
        assert await store.inbox.waiting() == 0
        assert await store.inbox.waiting_lanes() == []

    async def test_an_album_becomes_one_message(self, store: Store) -> None:
        album = [
            message("", attachments=(picture("a"),), album="x"),
            message("caption", attachments=(picture("b"), picture("c")), album="x"),
            message("not of it"),
        ]
        for given in album:
            await keep(store, given)
        whole = await store.inbox.merge_album(await head(store))
        assert whole.message.text == "caption"
        assert [file.name for file in whole.message.attachments] == ["a", "b", "c"]
        assert await head(store) == whole
        assert await texts(store) == ["caption", "not of it"]

    async def test_albums_of_two_senders_are_not_mixed(self, store: Store) -> None:
        for user in ("1", "2"):
            await keep(store, message(user, group(user), attachments=(picture(user),), album="x"))
        whole = await store.inbox.merge_album(await head(store))
        assert [file.name for file in whole.message.attachments] == ["1"]
        assert await texts(store) == ["1", "2"]

    async def test_a_picture_that_comes_after_its_album_began_waits_by_itself(
        self, store: Store
    ) -> None:
        await keep(store, message("first", attachments=(picture("a"),), album="x"))
        await begin(store)
        await keep(store, message("late", attachments=(picture("b"),), album="x"))
        whole = await store.inbox.merge_album(await head(store))
        assert [file.name for file in whole.message.attachments] == ["a"]
        assert await texts(store) == ["first", "late"]

    async def test_an_albums_quiet_begins_with_its_newest(
        self, store: Store, clock: FakeClock
    ) -> None:
        await keep(store, message(album="x"))
        await clock.advance(3)
        await keep(store, message(album="x"))
        newest = clock.now()
        await clock.advance(3)
        await keep(store, message(album="y"))
        assert await store.inbox.album_quiet_since(await head(store)) == newest

    async def test_lanes_with_work_are_told_oldest_first(self, store: Store) -> None:
        for key in ("b", "a", "b", "c"):
            await keep(store, message(), key=key)
        await store.inbox.close(await head(store, "a"), "shed")
        assert await store.inbox.waiting_lanes() == ["b", "c"]
        assert await store.inbox.waiting() == 3
        assert await store.inbox.waiting(Lane("b")) == 2
        assert await store.inbox.waiting(Lane("nobody")) == 0


class WithdrawalContract:
    async def test_r3_a_message_that_is_taken_back_leaves_its_line(self, store: Store) -> None:
        given = message("a mistake")
        await keep(store, message("one"))
        await keep(store, given)
        await keep(store, message("two"))
        await store.inbox.withdraw(BOT, given.message_id)
        assert await store.inbox.waiting() == 2
        assert await texts(store) == ["one", "two"]

    async def test_r2_what_was_taken_back_and_is_delivered_again_stays_away(
        self, store: Store
    ) -> None:
        given = message("a mistake", message_id=MessageId("m"))
        await keep(store, given)
        await store.inbox.withdraw(BOT, given.message_id)
        assert await keep(store, given) is KeepOutcome.DUPLICATE
        again = message("a mistake", message_id=MessageId("m"))
        assert await keep(store, again) is KeepOutcome.DUPLICATE
        await store.inbox.withdraw(BOT, given.message_id)
        assert await store.inbox.waiting_lanes() == []

    async def test_r2_an_edit_that_comes_after_the_end_of_its_message_is_not_answered(
        self, store: Store
    ) -> None:
        await keep(store, message("a mistake", message_id=MessageId("m")))
        await store.inbox.withdraw(BOT, MessageId("m"))
        edit = message("a mistake, corrected", message_id=MessageId("m"), edited_at=5.0)
        assert await keep(store, edit) is KeepOutcome.TOO_LATE
        assert await texts(store) == []

    async def test_r2_an_edited_message_is_taken_back_with_its_edits(self, store: Store) -> None:
        await keep(store, message("frist", message_id=MessageId("m")))
        edit = message("first", message_id=MessageId("m"), edited_at=5.0)
        await keep(store, edit)
        await store.inbox.withdraw(BOT, MessageId("m"))
        assert await keep(store, edit) is KeepOutcome.DUPLICATE
        assert await texts(store) == []

    async def test_a_message_whose_turn_has_begun_is_answered_all_the_same(
        self, store: Store, clock: FakeClock
    ) -> None:
        given = message("too late")
        await keep(store, given)
        turn = await begin(store)
        await store.inbox.withdraw(BOT, given.message_id)
        assert (await head(store)).message == given
        await store.turns.postpone(turn, clock.now() + 30)
        await store.inbox.withdraw(BOT, given.message_id)
        assert (await begin(store)).id == turn.id

    async def test_a_message_of_the_same_id_on_another_account_stays(self, store: Store) -> None:
        for account in ("bot", "other"):
            address = direct(account=account)
            await keep(store, message(account, address, message_id=MessageId("m")))
        await store.inbox.withdraw(AccountName("other"), MessageId("m"))
        assert await texts(store) == ["bot"]

    async def test_what_has_not_come_or_is_done_can_be_taken_back(self, store: Store) -> None:
        given = message("done")
        await store.inbox.withdraw(BOT, given.message_id)
        assert await keep(store, given) is KeepOutcome.KEPT
        await store.turns.finish(await begin(store), TurnState.FAILED)
        await store.inbox.withdraw(BOT, given.message_id)
        assert await store.turns.revive(KEY) is not None

    async def test_a_turn_on_what_was_taken_back_does_not_begin(self, store: Store) -> None:
        given = message("a mistake")
        await keep(store, given)
        stale = await head(store)
        await store.inbox.withdraw(BOT, given.message_id)
        with pytest.raises(MessageGone):
            await store.turns.begin(stale)
        assert await store.turns.unfinished() == frozenset()

    async def test_a_part_of_an_album_can_be_taken_back(self, store: Store) -> None:
        album = [message(name, attachments=(picture(name),), album="x") for name in "abc"]
        for given in album:
            await keep(store, given)
        await store.inbox.withdraw(BOT, album[0].message_id)
        whole = await store.inbox.merge_album(await head(store))
        assert [file.name for file in whole.message.attachments] == ["b", "c"]

    async def test_r10_what_was_taken_back_makes_room(self, store: Store) -> None:
        kept = [message() for _ in range(3)]
        for given in kept:
            await keep(store, given)
        assert await keep(store, message()) is KeepOutcome.FULL
        await store.inbox.withdraw(BOT, kept[1].message_id)
        assert await keep(store, message()) is KeepOutcome.KEPT


class TurnsContract:
    async def test_r9_attempts_are_counted_and_the_turn_stays_the_same(
        self, store: Store, clock: FakeClock
    ) -> None:
        await keep(store, message())
        first = await begin(store)
        await clock.advance(60)
        second = await begin(store)
        assert (first.attempt, second.attempt) == (1, 2)
        assert first.id == second.id
        assert second.started_at == first.started_at
        assert second.fence > first.fence

    async def test_r13_an_older_owner_of_the_lane_can_write_nothing(self, store: Store) -> None:
        session = await store.sessions.resolve(AGENT, KEY, ANN)
        await keep(store, message())
        old, new = await begin(store), await begin(store)
        with pytest.raises(LaneLost):
            await store.transcript.append(session.id, [UserEntry("old")], turn=old)
        with pytest.raises(LaneLost):
            await store.outbox.begin(direct(), turn=old, position=0, kind=OutboxKind.TEXT)
        with pytest.raises(LaneLost):
            await store.turns.start_step(old, "c", "tool")
        with pytest.raises(LaneLost):
            await store.turns.postpone(old, 0.0)
        with pytest.raises(LaneLost):
            await store.turns.finish(old, TurnState.DONE)
        assert await store.transcript.everything(session.id) == []
        assert await store.outbox.of_turn(old.id) == []
        await store.turns.finish(new, TurnState.DONE)

    async def test_a_finished_turn_closes_its_message(self, store: Store) -> None:
        await keep(store, message("first"))
        await keep(store, message("second"))
        stale = await head(store)
        await store.turns.finish(await begin(store), TurnState.DONE)
        assert (await head(store)).message.text == "second"
        with pytest.raises(LaneLost):
            await store.turns.begin(stale)

    async def test_a_postponed_turn_costs_no_attempt(self, store: Store, clock: FakeClock) -> None:
        await keep(store, message())
        turn = await begin(store)
        await store.turns.postpone(turn, clock.now() + 30)
        waiting = await head(store)
        assert waiting.not_before == clock.now() + 30
        again = await store.turns.begin(waiting)
        assert (again.id, again.attempt) == (turn.id, 1)

    @pytest.mark.promise("R3")
    async def test_what_is_put_aside_makes_room_for_other_accounts_and_keeps_its_place(
        self, store: Store
    ) -> None:
        here, there = direct(), direct(account="other")
        for text, address in (("one", here), ("two", there), ("three", here)):
            await keep(store, message(text, address))
        turn = await begin(store)
        await store.turns.put_aside(turn)
        two = await head(store)
        assert (two.message.text, two.is_behind) == ("two", False)
        for _ in range(2):
            await store.turns.take_up_aside()
        one = await head(store)
        assert (one.message.text, one.is_behind) == ("one", False)
        assert (await store.turns.begin(one)).attempt == 1
        assert await texts(store) == ["one", "two", "three"]

    async def test_what_is_put_aside_again_stays_there(self, store: Store) -> None:
        await keep(store, message("one"))
        await store.turns.put_aside(await begin(store))
        (lane,) = await store.inbox.waiting_lanes()
        await store.turns.put_aside(await begin(store, lane))
        assert await store.inbox.waiting_lanes() == [lane]

    @pytest.mark.parametrize("state", [TurnState.FAILED, TurnState.STOPPED, TurnState.DEAD])
    async def test_a_turn_without_an_answer_can_be_revived(
        self, store: Store, state: TurnState
    ) -> None:
        await keep(store, message("asked"))
        turn = await begin(store)
        await store.turns.postpone(turn, 9e9)
        await store.turns.finish(turn := await begin(store), state)
        await keep(store, message("next"))
        revived = await store.turns.revive(KEY)
        assert revived is not None
        assert (revived.message.text, revived.not_before) == ("asked", 0.0)
        assert await head(store) == revived
        again = await begin(store)
        assert (again.id, again.attempt) == (turn.id, 2)
        assert await store.turns.revive(KEY) is None

    async def test_a_revived_turn_may_wait_as_long_as_a_new_one(
        self, store: Store, clock: FakeClock
    ) -> None:
        await keep(store, message("asked"))
        await store.turns.finish(await begin(store), TurnState.FAILED)
        await clock.advance(90_000.0)
        await store.turns.revive(KEY)
        assert (await begin(store)).started_at == clock.now()

    @pytest.mark.parametrize("state", [TurnState.DONE, TurnState.TIMED_OUT])
    async def test_an_answered_turn_is_not_revived(self, store: Store, state: TurnState) -> None:
        await keep(store, message())
        await store.turns.finish(await begin(store), state)
        assert await store.turns.revive(KEY) is None

    async def test_only_the_last_question_is_revived(self, store: Store) -> None:
        session = await store.sessions.resolve(AGENT, KEY, ANN)
        await keep(store, message("failed"))
        await store.turns.finish(await begin(store), TurnState.FAILED)
        await keep(store, message("answered"))
        turn = await begin(store)
        await store.transcript.append(session.id, [UserEntry("answered")], turn=turn)
        await store.turns.finish(turn, TurnState.DONE)
        assert await store.turns.revive(KEY) is None

    async def test_commands_since_do_not_hide_a_failed_question(self, store: Store) -> None:
        await keep(store, message("failed"))
        await store.turns.finish(await begin(store), TurnState.FAILED)
        await keep(store, message("/status"))
        await store.turns.finish(await begin(store), TurnState.DONE)
        await keep(store, message("/retry"))
        await begin(store)
        revived = await store.turns.revive(KEY)
        assert revived is not None
        assert revived.message.text == "failed"

    async def test_r5_started_steps_are_remembered(self, store: Store) -> None:
        await keep(store, message())
        turn = await begin(store)
        assert await store.turns.started_steps(turn.id) == frozenset()
        for call in ("a", "b", "a"):
            await store.turns.start_step(turn, call, "send_mail")
        assert await store.turns.started_steps(turn.id) == {"a", "b"}


class DeadLettersContract:
    async def fail(self, store: Store, *texts: str, state: TurnState = TurnState.FAILED) -> None:
        for text in texts:
            await keep(store, message(text))
            await store.turns.finish(await begin(store), state, "the model declined")

    @pytest.mark.promise("R9")
    async def test_what_failed_or_died_is_listed_with_its_reason(self, store: Store) -> None:
        await self.fail(store, "one")
        await self.fail(store, "two", state=TurnState.DEAD)
        await self.fail(store, "three", state=TurnState.STOPPED)
        await self.fail(store, "four", state=TurnState.DONE)
        one, two = await store.dead_letters.newest(10)
        assert (one.state, two.state) == ("failed", "dead")
        assert one.number < two.number
        assert (one.session_key, one.sender, one.account) == (KEY, ANN, BOT)
        assert (one.reason, one.attempts) == ("the model declined", 1)
        assert one.ended_at is not None
        assert await store.dead_letters.newest(1) == [two]
        assert "two" not in repr(two)

    @pytest.mark.promise("R3")
    async def test_all_that_failed_in_a_row_are_revived_in_their_order(self, store: Store) -> None:
        await self.fail(store, "one", "two")
        for letter in reversed(await store.dead_letters.newest(10)):
            assert await store.dead_letters.revive(letter.number) == LANE
        assert await store.dead_letters.newest(10) == []
        assert (await head(store)).message.text == "one"
        turn = await begin(store)
        assert turn.attempt == 2
        await store.turns.finish(turn, TurnState.DONE)
        assert (await head(store)).message.text == "two"

    @pytest.mark.promise("R3")
    async def test_none_is_revived_behind_a_later_answer(self, store: Store) -> None:
        session = await store.sessions.resolve(AGENT, KEY, ANN)
        await self.fail(store, "one")
        (dead,) = await store.dead_letters.newest(1)
        await keep(store, message("two"))
        turn = await begin(store)
        assert await store.dead_letters.revive(dead.number) is NoRevival.OVERTAKEN
        await store.transcript.append(session.id, [UserEntry("two")], turn=turn)
        await store.turns.finish(turn, TurnState.DONE)
        assert await store.dead_letters.revive(dead.number) is NoRevival.OVERTAKEN
        assert await store.dead_letters.newest(1) == [dead]

    @pytest.mark.promise("R3")
    async def test_one_goes_ahead_of_a_later_one_that_was_about_to_begin(
        self, store: Store
    ) -> None:
        await self.fail(store, "one")
        await keep(store, message("two"))
        about_to_begin = await head(store)
        (dead,) = await store.dead_letters.newest(1)
        await store.dead_letters.revive(dead.number)
        with pytest.raises(MessageGone):
            await store.turns.begin(about_to_begin)
        assert (await begin(store)).kept.number == dead.number

    async def test_what_is_dropped_is_closed_for_good(self, store: Store) -> None:
        await self.fail(store, "one")
        (dead,) = await store.dead_letters.newest(1)
        assert await store.dead_letters.drop(dead.number)
        assert not await store.dead_letters.drop(dead.number)
        assert await store.dead_letters.newest(1) == []
        assert await store.dead_letters.revive(dead.number) is NoRevival.NOT_DEAD
        assert await store.turns.revive(KEY) is None

    async def test_numbers_of_other_messages_are_none_of_theirs(self, store: Store) -> None:
        await keep(store, message())
        waiting = await head(store)
        for number in (waiting.number, 4711):
            assert await store.dead_letters.revive(number) is NoRevival.NOT_DEAD
            assert not await store.dead_letters.drop(number)
        assert await head(store) == waiting


class SessionsContract:
    async def test_fifty_who_ask_at_once_get_one_session(self, store: Store) -> None:
        found = await asyncio.gather(*(store.sessions.resolve(AGENT, KEY, ANN) for _ in range(50)))
        assert len({session.id for session in found}) == 1
        assert await store.sessions.all() == [found[0]]

    async def test_a_session_is_named_for_its_key(self, store: Store, clock: FakeClock) -> None:
        session = await store.sessions.resolve(AGENT, KEY, ANN)
        assert session.id.startswith(f"{KEY}-")
        assert len(session.id) == len(KEY) + 9
        assert (session.agent, session.key, session.person) == (AGENT, KEY, ANN)
        assert session.created_at == session.last_active == clock.now()
        assert (session.title, session.model, session.prompt) == (None, None, None)
        assert await store.sessions.get(session.id) == session
        assert await store.sessions.get(SessionId("nobody")) is None

    async def test_active_makes_nothing(self, store: Store) -> None:
        assert await store.sessions.active(KEY) is None
        session = await store.sessions.resolve(AGENT, KEY, ANN)
        assert await store.sessions.active(KEY) == session

    async def test_a_repeated_rotation_rotates_once(self, store: Store) -> None:
        old = await store.sessions.resolve(AGENT, KEY, ANN)
        new = await asyncio.gather(
            *(store.sessions.rotate(AGENT, KEY, ANN, old.id) for _ in range(10))
        )
        assert {session.id for session in new} == {new[0].id}
        assert new[0].id != old.id
        assert len(await store.sessions.all(AGENT, archived=True)) == 2

    async def test_rotate_where_nothing_was_expected(self, store: Store) -> None:
        first = await store.sessions.rotate(AGENT, KEY, ANN, None)
        assert await store.sessions.rotate(AGENT, KEY, ANN, None) == first

    async def test_create_archives_the_active_session(self, store: Store) -> None:
        old = await store.sessions.resolve(AGENT, KEY, ANN)
        new = await store.sessions.create(AGENT, KEY, ANN)
        assert await store.sessions.active(KEY) == new
        archived = await store.sessions.get(old.id)
        assert archived is not None
        assert archived.is_archived

    async def test_an_archived_session_is_followed_by_a_new_one(self, store: Store) -> None:
        old = await store.sessions.resolve(AGENT, KEY, ANN)
        await store.sessions.archive(old.id)
        assert await store.sessions.active(KEY) is None
        assert (await store.sessions.resolve(AGENT, KEY, ANN)).id != old.id

    async def test_sessions_are_listed_by_activity(self, store: Store, clock: FakeClock) -> None:
        made = []
        for agent, key in (("main", "a"), ("main", "b"), ("other", "c")):
            made.append(await store.sessions.resolve(AgentId(agent), key, None))
            await clock.advance(1)
        await store.transcript.append(made[0].id, [UserEntry("hi")])
        await store.sessions.archive(made[1].id)
        keys = [session.key for session in await store.sessions.all()]
        assert keys == ["a", "c"]
        assert [each.key for each in await store.sessions.all(AGENT)] == ["a"]
        assert [each.key for each in await store.sessions.all(AGENT, archived=True)] == ["a", "b"]
        assert len(await store.sessions.all(archived=True)) == 3

    async def test_model_prompt_and_title_stay_with_the_session(self, store: Store) -> None:
        session = await store.sessions.resolve(AGENT, KEY, ANN)
        await store.sessions.set_model(session.id, "small")
        await store.sessions.freeze_prompt(session.id, "You are kind.", "Greetings")
        found = await store.sessions.resolve(AGENT, KEY, ANN)
        assert (found.model, found.prompt, found.title) == ("small", "You are kind.", "Greetings")
        await store.sessions.set_model(session.id, None)
        await store.sessions.freeze_prompt(session.id, "You are brief.", None)
        found = await store.sessions.resolve(AGENT, KEY, ANN)
        assert (found.model, found.prompt, found.title) == (None, "You are brief.", "Greetings")


def place(conversation: str, *, thread: str | None = None) -> str:
    return channel_context(TELEGRAM, group(conversation=conversation, thread=thread).place)


class MovedPlaceContract:
    async def test_sessions_and_waiting_messages_move_together(self, store: Store) -> None:
        old = build_group_session_key(AGENT, place("-1")).encode()
        new = build_group_session_key(AGENT, place("-2")).encode()
        alone = build_session_key(AGENT, "telegram", "42", place("-1"))
        session = await store.sessions.resolve(AGENT, old, None)
        await store.sessions.resolve(AGENT, alone.encode(), ANN)
        await keep(store, message("waits", group(conversation="-1")), key=old)
        assert await store.sessions.move_place(TELEGRAM, place("-1"), place("-2")) == 2
        moved = await store.sessions.active(new)
        assert moved is not None
        assert moved.id == session.id
        assert await store.sessions.active(old) is None
        assert await store.inbox.waiting_lanes() == [new]
        assert (await head(store, new)).session_key == new

    async def test_other_places_stay(self, store: Store) -> None:
        keys = [
            build_group_session_key(AGENT, place("-11")).encode(),
            build_group_session_key(AGENT, place("-1", thread="7")).encode(),
            build_session_key(AGENT, "telegram", "42", "dm").encode(),
        ]
        for key in keys:
            await store.sessions.resolve(AGENT, key, None)
        assert await store.sessions.move_place(TELEGRAM, place("-1"), place("-2")) == 0
        assert await store.sessions.move_place(TELEGRAM, "dm", place("-2")) == 0
        assert await store.sessions.move_place(TELEGRAM, place("-11"), place("-11")) == 0
        assert {each.key for each in await store.sessions.all()} == set(keys)

    @pytest.mark.parametrize("last_used", ["old", "new"])
    async def test_where_both_are_active_the_last_used_goes_on(
        self, store: Store, clock: FakeClock, last_used: str
    ) -> None:
        keys = {
            name: build_group_session_key(AGENT, place(name)).encode() for name in ("old", "new")
        }
        sessions = {name: await store.sessions.resolve(AGENT, keys[name], None) for name in keys}
        await clock.advance(1)
        await store.transcript.append(sessions[last_used].id, [UserEntry("hi")])
        await store.sessions.move_place(TELEGRAM, place("old"), place("new"))
        active = await store.sessions.active(keys["new"])
        assert active is not None
        assert active.id == sessions[last_used].id
        assert len(await store.sessions.all()) == 1

    async def test_a_running_turn_ends_in_the_lane_that_it_holds(self, store: Store) -> None:
        old = build_group_session_key(AGENT, place("-1")).encode()
        new = build_group_session_key(AGENT, place("-2")).encode()
        await keep(store, message("runs"), key=old)
        await keep(store, message("waits"), key=old)
        turn = await begin(store, old)
        await store.sessions.move_place(TELEGRAM, place("-1"), place("-2"))
        assert (await head(store, new)).message.text == "waits"
        assert (await head(store, old)).session_key == new
        await store.turns.finish(turn, TurnState.DONE)
        assert await store.inbox.waiting_lanes() == [new]


ENTRIES: tuple[Entry, ...] = (
    UserEntry("What is 2+2?", speaker="Ann"),
    AssistantEntry("", (ToolCall("c1", "sum", {"of": [2, 2]}),)),
    ToolResultEntry("c1", "sum", "4"),
    AssistantEntry("Four."),
)


async def a_session(store: Store, *entries: Entry, key: str = KEY) -> SessionId:
    session = await store.sessions.resolve(AGENT, key, ANN)
    if entries:
        await store.transcript.append(session.id, entries)
    return session.id


class TranscriptContract:
    async def test_entries_come_back_in_order(self, store: Store, clock: FakeClock) -> None:
        session = await a_session(store, *ENTRIES[:2])
        await store.transcript.append(session, ENTRIES[2:])
        history = await store.transcript.history(session)
        assert tuple(stored.entry for stored in history) == ENTRIES
        assert [stored.seq for stored in history] == [1, 2, 3, 4]
        assert {stored.created_at for stored in history} == {clock.now()}
        assert await store.transcript.everything(session) == history

    async def test_sessions_do_not_mix(self, store: Store) -> None:
        first = await a_session(store, UserEntry("first"), key="a")
        second = await a_session(store, UserEntry("second"), key="b")
        for session, said in ((first, "first"), (second, "second")):
            (only,) = await store.transcript.history(session)
            assert (only.seq, only.entry) == (1, UserEntry(said))

    async def test_an_entry_knows_its_turn_and_touches_its_session(
        self, store: Store, clock: FakeClock
    ) -> None:
        session = await a_session(store)
        await keep(store, message())
        turn = await begin(store)
        await clock.advance(5)
        await store.transcript.append(session, [UserEntry("hi")], turn=turn)
        (stored,) = await store.transcript.history(session)
        assert stored.turn == turn.id
        found = await store.sessions.get(session)
        assert found is not None
        assert found.last_active == clock.now()

    async def test_a_fold_stands_for_what_it_covers(self, store: Store) -> None:
        session = await a_session(store, *ENTRIES)
        assert await store.transcript.fold(session, "They added.", upto=2, expected_last=0)
        await store.transcript.append(session, [UserEntry("And?")])
        history = await store.transcript.history(session)
        assert [stored.entry for stored in history] == [
            SummaryEntry("They added."),
            *ENTRIES[2:],
            UserEntry("And?"),
        ]
        everything = [stored.entry for stored in await store.transcript.everything(session)]
        assert everything == [*ENTRIES, SummaryEntry("They added."), UserEntry("And?")]

    async def test_only_the_newest_summary_is_history(self, store: Store) -> None:
        session = await a_session(store, *ENTRIES)
        await store.transcript.fold(session, "one", upto=2, expected_last=0)
        (newest, *_) = await store.transcript.history(session)
        assert await store.transcript.fold(session, "two", upto=3, expected_last=newest.seq)
        history = await store.transcript.history(session)
        assert [stored.entry for stored in history] == [SummaryEntry("two"), ENTRIES[3]]

    async def test_whoever_folds_second_changes_nothing(self, store: Store) -> None:
        session = await a_session(store, *ENTRIES)
        outcomes = await asyncio.gather(
            *(
                store.transcript.fold(session, words, upto=2, expected_last=0)
                for words in ("one", "two")
            )
        )
        assert sorted(outcomes) == [False, True]
        assert len(await store.transcript.everything(session)) == 5
        assert not await store.transcript.fold(session, "too far", upto=99, expected_last=5)

    async def test_search_finds_folded_words_in_any_case(self, store: Store) -> None:
        session = await a_session(store, UserEntry("Die Straße nach Köln"), UserEntry("100% SURE"))
        await a_session(store, UserEntry("another's straße"), key="b")
        await store.transcript.fold(session, "A trip.", upto=2, expected_last=0)
        for words in ("STRASSE", "köln", "die straße"):
            (found,) = await store.transcript.search(session, words)
            assert found.entry == UserEntry("Die Straße nach Köln")
        (found,) = await store.transcript.search(session, "0% s")
        assert found.seq == 2

    async def test_search_takes_no_word_for_a_pattern(self, store: Store) -> None:
        session = await a_session(store, UserEntry("plain"), UserEntry("under_score \\ 5%"))
        for words in ("_", "%", "\\", "r_s"):
            (found,) = await store.transcript.search(session, words)
            assert found.seq == 2
        assert await store.transcript.search(session, "  ") == []

    async def test_search_gives_the_newest_first(self, store: Store) -> None:
        session = await a_session(store, *(UserEntry(f"word {number}") for number in range(30)))
        found = await store.transcript.search(session, "word", limit=3)
        assert [stored.seq for stored in found] == [30, 29, 28]

    async def test_usage_is_summed_by_model(self, store: Store, clock: FakeClock) -> None:
        session = await a_session(store)
        before = clock.now()
        for model in ("big", "small", "big"):
            await clock.advance(10)
            spent = Usage(100, 10, 50, 5)
            await store.transcript.append(session, (), usage=spent, model=model)
        double = Usage(200, 20, 100, 10)
        assert await store.usage.totals() == [
            UsageTotal("big", 2, double),
            UsageTotal("small", 1, Usage(100, 10, 50, 5)),
        ]
        assert len(await store.usage.totals(person=ANN, session=session)) == 2
        assert len(await store.usage.totals(since=before + 30)) == 1
        assert await store.usage.totals(person=PersonId("nobody")) == []
        assert await store.usage.totals(session=SessionId("nobody")) == []

    async def test_in_a_group_the_speaker_spends(self, store: Store) -> None:
        session = await store.sessions.resolve(AGENT, KEY, None)
        await keep(store, message(address=group()))
        turn = await begin(store)
        await store.transcript.append(session.id, (), turn=turn, usage=Usage(1), model="big")
        assert await store.usage.totals(person=ANN) == [UsageTotal("big", 1, Usage(1))]


class OutboxContract:
    async def test_r6_a_row_is_there_before_its_message(
        self, store: Store, clock: FakeClock
    ) -> None:
        await keep(store, message())
        turn = await begin(store)
        row = await store.outbox.begin(
            group(), turn=turn, position=0, kind=OutboxKind.TEXT, text="Hel…"
        )
        assert (row.state, row.turn, row.message_id) == (OutboxState.SENDING, turn.id, None)
        assert row.created_at == clock.now()
        assert await store.outbox.of_turn(turn.id) == [row]

    async def test_r7_a_growing_message_can_be_gone_on_with(self, store: Store) -> None:
        await keep(store, message())
        turn = await begin(store)
        row = await store.outbox.begin(direct(), turn=turn, position=0, kind=OutboxKind.TEXT)
        await store.outbox.sent(row.id, MessageId("m9"), "Hel…")
        await store.outbox.checkpoint(row.id, "Hello wo…")
        (found,) = await store.outbox.of_turn(turn.id)
        assert (found.state, found.message_id, found.text) == (
            OutboxState.SENT, "m9", "Hello wo…",
        )  # fmt: skip
        await store.outbox.settle(row.id, OutboxState.FINAL)
        (found,) = await store.outbox.of_turn(turn.id)
        assert found.state is OutboxState.FINAL

    async def test_parts_come_back_in_reading_order(self, store: Store) -> None:
        await keep(store, message())
        turn = await begin(store)
        for position in (1, 0, 2):
            await store.outbox.begin(direct(), turn=turn, position=position, kind=OutboxKind.TEXT)
        assert [row.position for row in await store.outbox.of_turn(turn.id)] == [0, 1, 2]

    async def test_t17_whom_a_message_was_for_is_known(self, store: Store) -> None:
        await keep(store, message())
        for user, turn in (("42", await begin(store)), ("43", None)):
            row = await store.outbox.begin(
                group(user), turn=turn, position=0, kind=OutboxKind.TEXT, text="Which?"
            )
            await store.outbox.sent(row.id, MessageId(f"for {user}"), "Which?")
            await store.outbox.settle(row.id, OutboxState.FINAL)
        assert await store.outbox.asked_by(BOT, MessageId("for 42")) == "42"
        assert await store.outbox.asked_by(BOT, MessageId("for 43")) == "43"
        assert await store.outbox.asked_by(BOT, MessageId("unknown")) is None

    async def test_t17_messages_of_one_id_on_two_accounts_are_told_apart(
        self, store: Store
    ) -> None:
        for user, account in (("42", "bot"), ("43", "other")):
            address = direct(user, account=account)
            row = await store.outbox.begin(
                address, turn=None, position=0, kind=OutboxKind.TEXT, text="Which?"
            )
            await store.outbox.sent(row.id, MessageId("m"), "Which?")
        assert await store.outbox.asked_by(BOT, MessageId("m")) == "42"
        assert await store.outbox.asked_by(AccountName("other"), MessageId("m")) == "43"
        assert await store.outbox.asked_by(AccountName("third"), MessageId("m")) is None

    async def test_files_are_kept_with_their_row(self, store: Store, tmp_path: Any) -> None:
        files = (OutgoingFile(tmp_path / "a.png", "a.png", "image/png", "cap", is_image=True),)
        row = await store.outbox.begin(
            direct(), turn=None, position=0, kind=OutboxKind.FILES, files=files
        )
        assert (await store.outbox.unsettled_notices())[0].files == files == row.files

    async def test_only_open_notices_are_unsettled(self, store: Store) -> None:
        await keep(store, message())
        turn = await begin(store)
        await store.outbox.begin(direct(), turn=turn, position=0, kind=OutboxKind.TEXT)
        rows = [
            await store.outbox.begin(direct(), turn=None, position=n, kind=OutboxKind.TEXT)
            for n in range(4)
        ]
        await store.outbox.sent(rows[0].id, MessageId("m"), "")
        await store.outbox.settle(rows[1].id, OutboxState.FINAL)
        await store.outbox.settle(rows[2].id, OutboxState.FAILED, "blocked by the user")
        assert [row.id for row in await store.outbox.unsettled_notices()] == [
            rows[0].id, rows[3].id,
        ]  # fmt: skip

    async def test_what_is_settled_later_is_settled_before_what_comes_after(
        self, store: Store
    ) -> None:
        row = await store.outbox.begin(direct(), turn=None, position=0, kind=OutboxKind.TEXT)
        await store.outbox.settle_later(row.id, OutboxState.FINAL)
        await store.cursors.save("any", "write")
        assert await store.outbox.unsettled_notices() == []


class AnnouncedContract:
    """Of the outbox and the announcements together."""

    async def test_r6_messages_of_an_announcement_are_known_until_it_is_told(
        self, store: Store
    ) -> None:
        await store.announcements.add(direct(), "burnt", {})
        (waiting,) = await store.announcements.waiting()
        rows = [
            await store.outbox.begin(
                direct(), turn=None, position=0, kind=OutboxKind.TEXT, announcement=number
            )
            for number in (None, waiting.number)
        ]
        assert await store.outbox.of_announcement(waiting.number) == rows[1:]
        assert [row.id for row in await store.outbox.unsettled_notices()] == [rows[0].id]
        await store.announcements.told(waiting.number)
        assert await store.outbox.of_announcement(waiting.number) == []
        assert len(await store.outbox.unsettled_notices()) == 2


class CursorsContract:
    async def test_a_cursor_remembers_its_last_position(self, store: Store) -> None:
        assert await store.cursors.load("account bot") is None
        await store.cursors.save("account bot", "1")
        await store.cursors.save("account bot", "2")
        await store.cursors.save("account other", "9")
        assert await store.cursors.load("account bot") == "2"


def picture(name: str) -> Attachment:
    return Attachment(AttachmentKind.IMAGE, f"ref {name}", name, "image/png", 10)


HOUR, DAY = 3600.0, 86_400.0


class PeopleContract:
    async def test_a_stranger_is_nobody_until_admitted(self, store: Store) -> None:
        user = ExternalUser("42")
        assert await store.people.find(TELEGRAM, user) is None
        ann = await store.people.admit(TELEGRAM, user, name="Ann", role="member")
        assert (ann.role, ann.is_linked) == ("member", False)
        assert await store.people.find(TELEGRAM, user) == ann
        assert await store.people.find(PlatformName("local"), user) is None

    async def test_admitting_again_changes_nobody_but_never_lowers_a_role(
        self, store: Store
    ) -> None:
        user = ExternalUser("42")
        guest = await store.people.admit(TELEGRAM, user, name="Ann", role="guest")
        member = await store.people.admit(TELEGRAM, user, name="Ann", role="member")
        assert (member.id, member.role) == (guest.id, "member")
        assert await store.people.admit(TELEGRAM, user, name="Ann", role="guest") == member
        assert await store.people.find(TELEGRAM, user) == member

    async def test_t12_a_role_is_given_and_taken_and_noted_in_one_step(
        self, store: Store, clock: FakeClock
    ) -> None:
        user = ExternalUser("42")
        assert await store.people.give_role(TELEGRAM, user, "admin", by="ann") is None
        await store.people.admit(TELEGRAM, user, name="Ann", role="member")
        assert await store.people.find(TELEGRAM, user) is not None
        assert await store.people.give_role(TELEGRAM, user, "admin", by="ann") == "member"
        raised = await store.people.find(TELEGRAM, user)
        assert raised is not None
        assert raised.role == "admin"
        assert await store.people.admit(TELEGRAM, user, name="Ann", role="member") == raised
        assert await store.people.give_role(TELEGRAM, user, "guest", by="ann") == "admin"
        assert await store.people.give_role(TELEGRAM, user, "guest", by="ann") == "guest"
        lowered = await store.people.find(TELEGRAM, user)
        assert lowered is not None
        assert lowered.role == "guest"
        noted = await store.audit.newest(9)
        facts = [(row["actor"], row["facts"]["before"], row["facts"]["role"]) for row in noted]
        assert facts == [("ann", "admin", "guest"), ("ann", "member", "admin")]
        assert {row["happened_at"] for row in noted} == {clock.now()}

    async def test_t71_a_row_is_known_by_its_seal(self, store: Store) -> None:
        assert await store.audit.seal() is None
        for number in (1, 2):
            await store.audit.note("pairing.admitted", "ann", {"account": f"telegram:{number}"})
        first, last = await store.audit.seal(1), await store.audit.seal()
        assert first is not None
        assert last is not None
        assert (first.number, last.number, len(last.seal)) == (1, 2, 64)
        assert first.seal != last.seal
        assert await store.audit.seal(2) == last
        assert await store.audit.seal(3) is None

    async def test_many_who_admit_at_once_make_one_person(self, store: Store) -> None:
        user = ExternalUser("42")
        made = await asyncio.gather(
            *(store.people.admit(TELEGRAM, user, name="Ann", role="guest") for _ in range(20))
        )
        assert len({person.id for person in made}) == 1

    async def test_a_dismissed_person_is_a_stranger_again(self, store: Store) -> None:
        user = ExternalUser("42")
        await store.people.admit(TELEGRAM, user, name="Ann", role="member")
        assert await store.people.dismiss(TELEGRAM, user) is True
        assert await store.people.dismiss(TELEGRAM, user) is False
        assert await store.people.find(TELEGRAM, user) is None
        assert await store.people.all() == []

    async def test_all_people_are_listed_with_their_accounts(self, store: Store) -> None:
        ann = await store.people.admit(TELEGRAM, ExternalUser("42"), name="Ann", role="member")
        (listed,) = await store.people.all()
        assert listed["person"] == ann.id
        assert (listed["platform"], listed["external_user"]) == ("telegram", "42")
        assert (listed["name"], listed["role"]) == ("Ann", "member")

    async def test_t1_a_stranger_has_one_request_and_one_notice_a_day(
        self, store: Store, clock: FakeClock
    ) -> None:
        assert await ask(store, "one") is True
        assert await ask(store, "two") is False
        (request,) = await store.pairings.live()
        assert (request.external_user, request.name) == ("42", "Ann")
        assert request.expires_at == clock.now() + HOUR
        await clock.advance(HOUR)
        assert await store.pairings.live() == []
        assert await ask(store, "three") is False
        await clock.advance(DAY)
        assert await ask(store, "four") is True
        assert await store.pairings.redeem("one", by="owner") is None
        assert await store.pairings.redeem("four", by="owner") is not None

    async def test_t5_fifty_who_redeem_at_once_have_one_winner(self, store: Store) -> None:
        await ask(store, "hash")
        taken = await asyncio.gather(
            *(store.pairings.redeem("hash", by="owner") for _ in range(50))
        )
        (won,) = [request for request in taken if request is not None]
        assert won.address == direct()
        assert await store.pairings.live() == []

    async def test_t4_an_expired_code_is_worth_nothing(
        self, store: Store, clock: FakeClock
    ) -> None:
        await ask(store, "hash")
        await clock.advance(HOUR)
        assert await store.pairings.redeem("hash", by="owner") is None

    async def test_t67_strangers_cannot_fill_the_store(
        self, store: Store, clock: FakeClock
    ) -> None:
        for number in range(1000):
            assert await ask(store, f"h{number}", user=str(number))
        assert await ask(store, "late", user="late") is False
        assert await store.pairings.redeem("h500", by="owner") is not None
        assert await ask(store, "late", user="late") is True
        await clock.advance(HOUR)
        assert await ask(store, "later", user="later") is True
        assert len(await store.pairings.live()) == 1


async def ask(store: Store, code_hash: str, *, user: str = "42") -> bool:
    """Have a stranger ask; say whether they are told, and then by what code."""
    before = len(await store.announcements.waiting())
    await store.pairings.request(
        message(address=direct(user)), "not_paired", lifetime=HOUR, notice_every=DAY
    )
    is_told = len(await store.announcements.waiting()) > before
    if is_told:
        await store.pairings.give_code(TELEGRAM, ExternalUser(user), code_hash)
    return is_told


class PruneContract:
    """With a clock that has moved on by `LATER`, everything before it is old."""

    LATER = 1_000.0

    async def answered(self, store: Store, text: str = "hello") -> Turn:
        """Have a message answered, by a turn that leaves a row of every kind."""
        await keep(store, message(text))
        turn = await begin(store)
        session = await store.sessions.resolve(AGENT, KEY, ANN)
        await store.transcript.append(session.id, [UserEntry(text)], turn=turn)
        await store.turns.start_step(turn, "c", "tool")
        row = await store.outbox.begin(direct(), turn=turn, position=0, kind=OutboxKind.TEXT)
        await store.outbox.settle(row.id, OutboxState.FINAL)
        await store.turns.finish(turn, TurnState.DONE)
        return turn

    async def test_what_is_done_and_old_goes_and_what_was_said_stays(
        self, store: Store, clock: FakeClock
    ) -> None:
        turn = await self.answered(store)
        assert await store.inbox.refuse(message(), "not_paired")
        await clock.advance(self.LATER)
        assert await store.prune(clock.now()) == 2
        assert await store.outbox.of_turn(turn.id) == []
        assert await store.turns.started_steps(turn.id) == frozenset()
        session = await store.sessions.active(KEY)
        assert session is not None
        assert [one.entry for one in await store.transcript.everything(session.id)] == [
            UserEntry("hello")
        ]
        assert await store.prune(clock.now()) == 0

    async def test_what_is_new_stays(self, store: Store, clock: FakeClock) -> None:
        await self.answered(store, "old")
        await clock.advance(self.LATER)
        given = message("new")
        await keep(store, given)
        turn = await begin(store)
        row = await store.outbox.begin(direct(), turn=turn, position=0, kind=OutboxKind.TEXT)
        await store.turns.finish(turn, TurnState.FAILED)
        assert await store.prune(clock.now()) == 1
        assert await keep(store, given) is KeepOutcome.DUPLICATE
        assert [found.id for found in await store.outbox.of_turn(turn.id)] == [row.id]
        assert await store.turns.revive(KEY) is not None

    async def test_r1_what_waits_is_never_too_old(self, store: Store, clock: FakeClock) -> None:
        await keep(store, message("first"))
        turn = await begin(store)
        await store.turns.start_step(turn, "c", "tool")
        await store.outbox.begin(direct(), turn=turn, position=0, kind=OutboxKind.TEXT)
        await keep(store, message("second"))
        await clock.advance(self.LATER)
        assert await store.prune(clock.now()) == 0
        assert await store.turns.unfinished() == {turn.id}
        assert await store.turns.started_steps(turn.id) == {"c"}
        assert len(await store.outbox.of_turn(turn.id)) == 1
        assert await texts(store) == ["first", "second"]

    async def test_r2_an_edit_of_what_was_forgotten_is_not_answered(
        self, store: Store, clock: FakeClock
    ) -> None:
        asked = message("first", sent_at=clock.now(), message_id=MessageId("m"))
        await keep(store, asked)
        await texts(store)
        await clock.advance(30 * 86_400)
        await store.prune(clock.now())
        edits: dict[str, Any] = {
            "sent_at": asked.sent_at,
            "message_id": MessageId("m"),
            "edited_at": clock.now(),
        }
        assert await keep(store, message("edited", **edits)) is KeepOutcome.TOO_LATE
        recent: dict[str, Any] = {"sent_at": clock.now() - 60, "edited_at": clock.now()}
        assert await keep(store, message("never seen", **recent)) is KeepOutcome.KEPT
        assert await texts(store) == ["never seen"]

    async def test_notices_go_once_they_are_settled(self, store: Store, clock: FakeClock) -> None:
        rows = [
            await store.outbox.begin(direct(), turn=None, position=0, kind=OutboxKind.TEXT)
            for _ in range(3)
        ]
        await store.outbox.settle(rows[0].id, OutboxState.FINAL)
        await store.outbox.settle(rows[1].id, OutboxState.ABANDONED)
        await clock.advance(self.LATER)
        new = await store.outbox.begin(direct(), turn=None, position=0, kind=OutboxKind.TEXT)
        await store.outbox.settle(new.id, OutboxState.FINAL)
        assert await store.prune(clock.now()) == 2
        assert [row.id for row in await store.outbox.unsettled_notices()] == [rows[2].id]
        assert await store.prune(clock.now() + 1) == 1

    async def test_pairing_requests_go_once_they_have_expired(
        self, store: Store, clock: FakeClock
    ) -> None:
        async def ask(user: str) -> bool:
            before = len(await store.announcements.waiting())
            await store.pairings.request(
                message(address=direct(user)), "not_paired", lifetime=60, notice_every=86_400
            )
            return len(await store.announcements.waiting()) > before

        assert await ask("42")
        await clock.advance(self.LATER)
        assert await ask("43")
        assert not await ask("42")
        await store.prune(clock.now())
        assert [one.external_user for one in await store.pairings.live()] == ["43"]
        assert await ask("42")
        assert not await ask("43")

    async def test_thousands_go_in_steps_that_let_others_write(
        self, store: Store, clock: FakeClock
    ) -> None:
        await keep(store, message("waits"))
        for _ in range(30):
            await asyncio.gather(*(store.inbox.refuse(message(), "not_paired") for _ in range(50)))
        await clock.advance(self.LATER)
        pruning = asyncio.create_task(store.prune(clock.now()))
        await asyncio.sleep(0)
        await store.cursors.save("meanwhile", "1")
        assert not pruning.done()
        assert await pruning == 1_500
        assert await texts(store) == ["waits"]

    async def test_only_turns_that_have_begun_are_unfinished(self, store: Store) -> None:
        await keep(store, message())
        assert await store.turns.unfinished() == frozenset()
        turn = await begin(store)
        assert await store.turns.unfinished() == {turn.id}
        await store.turns.postpone(turn, 0.0)
        assert await store.turns.unfinished() == {turn.id}
        await store.turns.finish(await begin(store), TurnState.STOPPED)
        assert await store.turns.unfinished() == frozenset()
        await store.turns.revive(KEY)
        assert await store.turns.unfinished() == {turn.id}
