import asyncio
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.commands.builtin import builtin_commands
from gateway.errors import RetryLater, StoreBusy
from gateway.ids import AccountName, AgentId, EventKey, ExternalUser, Lane, MessageId, PlatformName
from gateway.inbound.gate import Gate
from gateway.inbound.rates import Rates
from gateway.inbound.routing import Routing
from gateway.inbound.turn_files import TurnFiles
from gateway.inbound.turned_away import BUSY_WORDS, TOO_FAST_WORDS, TurnedAway
from gateway.messages import (
    Address,
    Attachment,
    AttachmentKind,
    Burst,
    MessagesMissed,
    Place,
    PlaceMoved,
    Receipt,
)
from gateway.people.access import Access
from gateway.people.pairing import Pairing
from gateway.settings import AccessSettings, QueueSettings, RateLimits
from gateway.store import keep
from gateway.store.identities import SqlIdentities
from gateway.store.inbox import SqlInbox
from gateway.store.statements import Transaction
from gateway.store.store import SqlStore
from gateway.workspace import setup_group_workspace
from tests.fakes.clock import FakeClock
from tests.fakes.means import no_means
from tests.messages import direct, group, message

DAY = 86_400.0


class Door:
    """A gate with a real store behind it; remembers what was said and woken."""

    def __init__(
        self, folder: Path, queues: QueueSettings | None = None, rates: RateLimits | None = None
    ) -> None:
        self.folder = folder
        self.rates = rates or RateLimits(guest=None)
        self.clock = FakeClock()
        self.store = SqlStore(
            f"sqlite:///{folder / 'parley.db'}",
            clock=self.clock,
            queues=queues or QueueSettings(per_session=3),
        )
        self.pairing = Pairing(self.store, folder / "pairing.key", self.clock, lambda: None)
        self.said: list[tuple[str, str]] = []
        self.woken: list[Lane] = []
        self._tasks: list[Coroutine[Any, Any, object]] = []
        self.gate = self.opened()

    def opened(self, **access: Any) -> Gate:
        settings = AccessSettings.model_validate(access)
        return Gate(
            access=Access(
                settings, self.store.people, self.store.cursors, self.store.outbox, set()
            ),
            routing=Routing(AgentId("main"), {AccountName("other"): AgentId("second")}),
            commands=builtin_commands(
                self.store, self.clock, no_means(self.store, self.clock, self.folder)
            ),
            inbox=self.store.inbox,
            overheard=self.store.overheard,
            identities=self.store.identities,
            sessions=self.store.sessions,
            files=TurnFiles({}, [AgentId("main")], self.folder, self.clock),
            turned_away=TurnedAway(
                inbox=self.store.inbox,
                missed=self.store.missed,
                pairing=self.pairing,
                notices=self,
                spawn=self._tasks.append,
                stir=lambda: None,
                clock=self.clock,
            ),
            rates=Rates(self.rates, self.clock),
            wake=self.woken.append,
        )

    async def notice(
        self, address: Address, text: str, *, reply_to: MessageId | None = None
    ) -> None:
        self.said.append((address.external_user, text))

    async def waiting(self, lane: str) -> list[str]:
        """Take all that waits in a lane; return its texts in order."""
        texts = []
        while (kept := await self.store.inbox.head(Lane(lane))) is not None:
            texts.append(kept.message.text)
            await self.store.inbox.close(kept, "done")
        return texts

    async def settle(self) -> None:
        await asyncio.gather(*self._tasks)
        self._tasks.clear()


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    made = Door(tmp_path)
    await made.store.open()
    yield made
    await made.settle()
    await made.store.close()


async def test_r1_a_message_is_kept_before_the_gate_returns(door: Door) -> None:
    gate = door.opened(owners=["telegram:42"])
    await gate.accept(message("hello"))
    assert door.woken == [Lane("main:telegram:42:dm")]
    kept = await door.store.inbox.head(Lane("main:telegram:42:dm"))
    assert kept is not None
    assert kept.message.text == "hello"
    assert kept.agent == "main"


async def test_r2_a_message_delivered_five_times_is_kept_once(door: Door) -> None:
    gate, asked = door.opened(owners=["telegram:42"]), message("hello")
    await asyncio.gather(*(gate.accept(asked) for _ in range(5)))
    assert await door.store.inbox.waiting() == 1


async def test_the_same_event_on_two_accounts_is_two_messages(door: Door) -> None:
    gate = door.opened(owners=["telegram:42"])
    for account in ("bot", "other"):
        same = {"event_key": EventKey("1"), "message_id": MessageId("1")}
        await gate.accept(message("hello", direct(account=account), **same))
    assert door.woken == [Lane("main:telegram:42:dm"), Lane("second:telegram:42:dm")]


async def test_t1_a_stranger_gets_one_code_a_day_and_no_turn(door: Door) -> None:
    for _ in range(3):
        await door.gate.accept(message("let me in"))
        await door.settle()
    assert [one.kind for one in await door.store.announcements.waiting()] == ["stranger"]
    assert door.said == []
    assert door.woken == []
    assert await door.store.inbox.waiting() == 0
    await door.clock.advance(DAY + 1)
    await door.gate.accept(message("let me in"))
    assert len(await door.store.announcements.waiting()) == 2


async def test_t1_the_log_names_a_stranger_by_what_lets_them_in(door: Door) -> None:
    place = Place("D7", is_direct=True)
    stranger = Address(PlatformName("slack"), AccountName("bot"), ExternalUser("T1:U1"), place)
    with capture_logs() as logs:
        await door.gate.accept(message("hello", stranger))
    (line,) = logs
    assert (line["event"], line["reason"]) == ("message.refused", "not_paired")
    assert (line["sender"], line["place"]) == ("slack:T1:U1", "slack:D7")


async def test_t2_the_log_names_a_place_that_was_refused_and_says_nothing_there(
    door: Door,
) -> None:
    with capture_logs() as logs:
        await door.gate.accept(message("/whoami", group(conversation="-5")))
        await door.settle()
    (line,) = logs
    assert (line["event"], line["reason"]) == ("message.refused", "place_not_allowed")
    assert line["place"] == "telegram:-5"
    assert "sender" not in line
    assert door.said == []


async def test_t1_a_strangers_words_are_not_kept(door: Door, tmp_path: Path) -> None:
    await door.gate.accept(message("a very private sentence"))
    await door.settle()
    await door.store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("parley.db*"))
    assert b"a very private sentence" not in kept
    await door.store.open()


async def test_the_code_of_a_stranger_opens_the_door(door: Door) -> None:
    await door.gate.accept(message("hello"))
    code = await door.pairing.new_code(PlatformName("telegram"), ExternalUser("42"))
    assert code is not None
    assert await door.pairing.approve(code) is not None
    await door.gate.accept(message("hello again"))
    assert door.woken == [Lane("main:telegram:42:dm")]


async def test_nobody_is_told_anything_in_a_group_that_is_not_allowed(door: Door) -> None:
    await door.gate.accept(message("hi bot", group()))
    await door.gate.accept(message("beep", is_from_bot=True))
    await door.settle()
    assert door.said == []
    assert door.woken == []


async def test_a_control_waits_in_a_lane_of_its_own(door: Door) -> None:
    gate = door.opened(owners=["telegram:42"])
    await gate.accept(message("/stop"))
    await gate.accept(message("/stopwatch?"))
    assert door.woken == [Lane("main:telegram:42:dm!stop!control"), Lane("main:telegram:42:dm")]


async def test_r10_a_full_line_sheds_with_one_word_a_minute(door: Door) -> None:
    gate = door.opened(owners=["telegram:42"])
    for number in range(6):
        await gate.accept(message(f"number {number}"))
    await door.settle()
    assert await door.store.inbox.waiting() == 3
    assert door.said == [("42", BUSY_WORDS)]
    await gate.accept(message("/stop"))
    assert door.woken[-1] == Lane("main:telegram:42:dm!stop!control")


async def test_r10_a_full_person_may_still_stop(tmp_path: Path) -> None:
    door = Door(tmp_path, QueueSettings(per_person=1))
    await door.store.open()
    gate = door.opened(owners=["telegram:42"])
    await gate.accept(message("one"))
    await gate.accept(message("two"))
    await gate.accept(message("/stop"))
    assert door.woken == [Lane("main:telegram:42:dm"), Lane("main:telegram:42:dm!stop!control")]
    await door.settle()
    await door.store.close()


async def test_a_files_caption_is_no_command(door: Door) -> None:
    gate = door.opened(owners=["telegram:42"])
    photo = Attachment(AttachmentKind.IMAGE, "1", "cat.jpg", "image/jpeg")
    await gate.accept(message("/stop", attachments=(photo,)))
    assert door.woken == [Lane("main:telegram:42:dm")]


async def test_r8_what_is_too_old_to_be_answered_is_told_of_once(door: Door) -> None:
    gate = door.opened(owners=["telegram:42"])
    strange, early, late = message(address=direct("77")), message("one"), message("two")
    for _ in range(2):
        await gate.accept(MessagesMissed((early, late, strange)))
    (told,) = await door.store.announcements.waiting()
    assert (told.kind, told.address) == ("missed", late.address)
    await gate.accept(early)
    assert await door.store.inbox.waiting() == 0


async def test_nobody_is_told_of_what_they_could_not_have_asked(door: Door) -> None:
    await door.opened().accept(MessagesMissed((message(address=direct("77")),)))
    assert await door.store.announcements.waiting() == []


async def test_an_edit_replaces_what_still_waits(door: Door) -> None:
    gate = door.opened(owners=["telegram:42"])
    first = message("helo")
    await gate.accept(first)
    await gate.accept(message("hello", message_id=first.message_id, edited_at=5.0))
    kept = await door.store.inbox.head(Lane("main:telegram:42:dm"))
    assert kept is not None
    assert kept.message.text == "hello"
    assert await door.store.inbox.waiting() == 1


@pytest.mark.promise("R3")
async def test_r1_r3_a_burst_is_kept_in_order_with_repeats_and_edits_in_it(door: Door) -> None:
    gate = door.opened(owners=["telegram:42"])
    first, second = message("one"), message("two")
    edit = message("two!", message_id=second.message_id, edited_at=5.0)
    await gate.accept(first)
    assert await gate.accept(Burst((first, second, first, edit, message("three")))) == Receipt()
    assert await door.waiting("main:telegram:42:dm") == ["one", "two!", "three"]


async def test_of_a_burst_in_a_group_only_what_may_be_kept_is(door: Door) -> None:
    gate = door.opened(groups={"telegram:-100": {"answer": "mention", "context": 5}})
    asked, said = group(), group("43")
    await gate.accept(
        Burst((
            message("@bot one", asked),
            message("to a friend", said, is_addressed=False),
            message("I am a bot", group("44"), is_from_bot=True),
            message("@bot two", said),
            message("/stop", asked),
        ))
    )
    assert await door.waiting("main:group:telegram/-100") == ["@bot one", "@bot two"]
    assert await door.waiting("main:group:telegram/-100!stop!control") == ["/stop"]
    heard = await door.store.overheard.take("telegram/-100", 5)
    assert [one.text for one in heard] == ["to a friend"]


async def test_r10_what_of_a_burst_is_too_much_is_told_once(door: Door) -> None:
    gate = door.opened(owners=["telegram:42"])
    await gate.accept(Burst(tuple(message(str(number)) for number in range(100))))
    await door.settle()
    assert await door.waiting("main:telegram:42:dm") == ["0", "1", "2"]
    assert door.said == [("42", BUSY_WORDS)]


async def test_r10_what_of_a_burst_comes_too_fast_is_told_once(tmp_path: Path) -> None:
    door = Door(tmp_path, rates=RateLimits(guest=2))
    await door.store.open()
    gate = door.opened(direct_messages="open")
    now = door.clock.now()
    await gate.accept(Burst(tuple(message(str(n), sent_at=now) for n in range(50))))
    await door.settle()
    assert await door.waiting("main:telegram:42:dm") == ["0", "1"]
    assert door.said == [("42", TOO_FAST_WORDS)]
    await door.store.close()


async def test_t1_a_stranger_who_writes_a_burst_gets_one_code(door: Door) -> None:
    await door.gate.accept(Burst(tuple(message(f"let me in {n}") for n in range(20))))
    await door.settle()
    assert [one.kind for one in await door.store.announcements.waiting()] == ["stranger"]


@pytest.mark.promise("R3")
async def test_r1_r3_of_a_burst_that_cannot_be_kept_nothing_is(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, record = door.opened(owners=["telegram:42"]), keep.record
    burst = Burst((message("one"), message("two"), message("three")))

    def run_out_of_room(transaction: Transaction, row: dict[str, Any], state: str) -> bool:
        if row["event_key"] == burst.messages[1].event_key:
            raise StoreBusy("the disk is full", 1.0)
        return record(transaction, row, state)

    with monkeypatch.context() as full:
        full.setattr(keep, "record", run_out_of_room)
        with pytest.raises(RetryLater):
            await gate.accept(burst)
    assert await door.store.inbox.waiting() == 0
    await gate.accept(burst)
    assert await door.waiting("main:telegram:42:dm") == ["one", "two", "three"]


async def test_a_conversation_that_moved_keeps_its_history(door: Door) -> None:
    old, new = "main:group:telegram/-100", "main:group:telegram/-200"
    session = await door.store.sessions.resolve(AgentId("main"), old, None)
    files = setup_group_workspace(AgentId("main"), door.folder, old)
    (files / "data" / "plan.txt").write_text("the plan")
    moved = PlaceMoved(
        EventKey("m1"), AccountName("bot"), PlatformName("telegram"), Place("-100"), Place("-200")
    )
    await door.gate.accept(moved)
    found = await door.store.sessions.active(new)
    assert found is not None
    assert found.id == session.id
    assert await door.store.sessions.active(old) is None
    files = setup_group_workspace(AgentId("main"), door.folder, new)
    assert (files / "data" / "plan.txt").read_text() == "the plan"


async def test_admission_is_by_person_not_by_name(door: Door) -> None:
    await door.store.people.admit(
        PlatformName("telegram"), ExternalUser("42"), name="Ann", role="member"
    )
    await door.gate.accept(message("hello", direct("43"), sender_name="Ann"))
    await door.settle()
    assert door.woken == []


@pytest.mark.promise("R1")
@pytest.mark.parametrize("error", [RetryLater("the disk is full", 1.0), asyncio.CancelledError()])
async def test_r1_what_was_cut_off_once_it_was_kept_is_woken_when_it_is_told_again(
    door: Door, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    gate, asked = door.opened(owners=["telegram:42"]), message("hello")
    keep = SqlInbox.keep

    async def keep_and_be_cut_off(*given: Any, **more: Any) -> None:
        await keep(*given, **more)
        raise error

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(SqlInbox, "keep", keep_and_be_cut_off)
        with pytest.raises(type(error)):
            await gate.accept(asked)
    assert door.woken == []
    await gate.accept(asked)
    assert door.woken == [Lane("main:telegram:42:dm")]


@pytest.mark.promise("R1")
async def test_r1_what_is_kept_is_woken_before_anything_can_cut_it_off(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = door.opened(owners=["telegram:42"])

    async def be_cut_off(*_: object) -> None:
        raise RetryLater("the disk is full", 1.0)

    monkeypatch.setattr(SqlIdentities, "meet", be_cut_off)
    with pytest.raises(RetryLater):
        await gate.accept(message("hello"))
    assert door.woken == [Lane("main:telegram:42:dm")]
