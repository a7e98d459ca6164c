"""From a kept message to the last word of its answer, over real parts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.contracts.people import NO_LONGER_WORDS
from gateway.errors import (
    AccountRejected,
    ProviderFailed,
    ProviderUnavailable,
    RetryLater,
    SendRefused,
)
from gateway.ids import EventKey, ExternalUser, PlatformName
from gateway.inbound.dispatch import (
    FAULT_WORDS,
    GIVEN_UP_WORDS,
    NO_AGENT_WORDS,
    OUTAGE_WORDS,
    TIMEOUT_WORDS,
)
from gateway.messages import Attachment, AttachmentKind, Place, PlaceMoved
from gateway.settings import AgentSettings
from gateway.transcript import UserEntry
from tests.fakes.gateway import FakeGateway, Make, gateways
from tests.fakes.provider import FakeProvider, Gate, Step, says

DAY = 86_400.0
GROUP = Place("-1")
PHOTO = Attachment(AttachmentKind.IMAGE, "photo", "a.png", "image/png", 5)


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with gateways(tmp_path, monkeypatch) as made:
        yield made


class Moody(FakeProvider):
    """Answers, unless it is told to fail."""

    def __init__(self) -> None:
        super().__init__(otherwise=lambda _: self._step())
        self.mood: Exception | None = None

    def _step(self) -> Step:
        return says("Well!") if self.mood is None else [self.mood]


# Attempts.


async def test_r9_a_message_that_kills_the_process_is_given_up_after_three_attempts(
    make: Make,
) -> None:
    gates = [Gate() for _ in range(3)]
    served = make(model=FakeProvider(*([gate] for gate in gates), otherwise=lambda _: says("yes")))
    await served.start()
    await served.writes("poison")
    await served.writes("after it")
    for gate in gates:
        await served.until(gate.reached.is_set)
        await served.kill()
        await served.start()
    await served.reads("yes")
    await served.stop()
    assert served.texts() == [GIVEN_UP_WORDS.format(times=3), "yes"]
    assert served.turns() == [("dead", 4), ("done", 1)]


async def test_r9_what_was_given_up_is_asked_again_by_retry(make: Make) -> None:
    gates = [Gate() for _ in range(3)]
    served = make(model=FakeProvider(*([gate] for gate in gates), otherwise=lambda _: says("yes")))
    await served.start()
    await served.writes("poison")
    for gate in gates:
        await served.until(gate.reached.is_set)
        await served.kill()
        await served.start()
    await served.reads("gave up")
    await served.asks("/retry", "yes")
    await served.stop()


async def test_r12_a_shutdown_costs_no_attempt(make: Make) -> None:
    gates = [Gate() for _ in range(5)]
    served = make(model=FakeProvider(*([gate] for gate in gates), otherwise=lambda _: says("yes")))
    await served.start()
    await served.writes("a long question")
    for gate in gates:
        await served.until(gate.reached.is_set)
        await served.restart()
    await served.reads("yes")
    await served.stop()
    assert served.texts() == ["yes"]
    assert served.turns() == [("done", 1)]


async def test_r12_a_shutdown_during_the_words_of_a_failure_costs_no_attempt(make: Make) -> None:
    model = Moody()
    model.mood = ProviderFailed("The key is bad.")
    served = make(model=model)
    served.bot.trouble = RetryLater("flood", 1_000.0)
    await served.start()
    await served.writes("hello")
    for tries in range(1, 5):
        await served.until(lambda tries=tries: len(model.requests) == tries)  # type: ignore[misc]
        await served.restart()
    served.bot.trouble = None
    await served.reads("The key is bad.", step=10.0, within=2_000.0)
    await served.stop()


# Outages of the model.


async def test_an_outage_is_told_once_and_the_message_answered_when_it_is_over(
    make: Make,
) -> None:
    model = Moody()
    served = make(model=model)
    async with served.running():
        model.mood = ProviderUnavailable("down")
        await served.writes("hello")
        await served.reads(OUTAGE_WORDS)
        await served.until(lambda: len(model.requests) > 20, step=5.0, within=3_000.0)
        assert len(served.texts()) == 1
        model.mood = None
        await served.reads("Well!")
        assert served.texts() == ["Well!"]
        await served.idle()
        assert served.turns() == [("done", 1)]


async def test_one_answer_lets_everybody_go_who_waits_for_the_model(make: Make) -> None:
    model = Moody()
    served = make(model=model)
    async with served.running():
        model.mood = ProviderUnavailable("down", after=250.0)
        for user in ("ann", "bob"):
            await served.writes("hello", user)
            await served.reads(OUTAGE_WORDS, user)
        model.mood = None
        await served.writes("hello", "eve")
        await served.reads("Well!", "eve", within=10.0)
        await served.reads("Well!", "ann", within=10.0)
        await served.reads("Well!", "bob", within=10.0)


async def test_what_waits_behind_a_put_off_message_keeps_its_place(make: Make) -> None:
    model = Moody()
    served = make(model=model)
    async with served.running():
        model.mood = ProviderUnavailable("down")
        await served.writes("one")
        await served.reads(OUTAGE_WORDS)
        await served.writes("two")
        model.mood = None
        await served.until(lambda: served.texts() == ["Well!", "Well!"])
        said = [request.entries[-1] for request in model.requests[-2:]]
        assert said == [UserEntry("one"), UserEntry("two")]


async def test_after_a_day_the_outage_is_told_as_a_failure(make: Make) -> None:
    model = Moody()
    served = make(model=model)
    async with served.running():
        model.mood = ProviderUnavailable("The model is overloaded.")
        await served.writes("hello")
        await served.reads(OUTAGE_WORDS)
        await served.stop()
        await served.clock.advance(DAY)
        await served.start()
        await served.reads("The model is overloaded.")
        await served.idle()
        assert served.turns() == [("failed", 1)]
        # A retry is a new question, and is kept waiting as one.
        await served.writes("/retry")
        await served.reads(OUTAGE_WORDS)
        model.mood = None
        await served.reads("Well!")


async def test_r4_files_are_received_once_over_an_outage(make: Make) -> None:
    model = Moody()
    served = make(model=model)
    async with served.running():
        model.mood = ProviderUnavailable("down")
        await served.writes("look", attachments=(PHOTO,))
        await served.until(lambda: len(model.requests) > 12, step=5.0, within=3_000.0)
        model.mood = None
        await served.reads("Well!")
        assert served.bot.fetched == ["photo"]


# The account that answers.


async def test_a_message_for_an_account_that_is_gone_does_not_block_its_lane(
    make: Make,
) -> None:
    gate = Gate()
    before = make("old", "new", model=FakeProvider([gate]))
    await before.start()
    await before.writes("to old", account="old")
    await before.until(gate.reached.is_set)
    await before.kill()
    after = make("new")
    async with after.running():
        await after.asks("to new")
        assert after.turns() == [("dead", 2), ("done", 1)]


async def test_an_answer_that_a_rejected_account_cannot_send_is_sent_after_a_restart(
    make: Make,
) -> None:
    served = make()
    await served.start()
    served.bot.trouble = AccountRejected("the token is revoked")
    await served.writes("hello")
    await served.until(lambda: len(served.model.requests) == 1)
    await served.idle()
    assert served.turns() == [("postponed", 0)]
    await served.restart()
    await served.idle()
    await served.stop()
    served.bot.trouble = None
    await served.start()
    await served.reads("Well!")
    await served.stop()
    assert len(served.model.requests) == 1
    assert served.turns() == [("done", 1)]


async def test_what_a_rejected_account_cannot_send_holds_up_no_other_account(make: Make) -> None:
    served = make("old", "new")
    old, new = served.accounts.values()
    async with served.running():
        old.trouble = AccountRejected("the token is revoked")
        await served.writes("to old", account="old")
        await served.until(lambda: len(served.model.requests) == 1)
        await served.idle()
        await served.writes("to new", account="new")
        await served.until(lambda: new.texts("ann") == ["Well!"])
        await served.restart()
        await served.idle()
        await served.writes("and again", account="new")
        await served.until(lambda: new.texts("ann") == ["Well!", "Well!"])
        await served.stop()
        old.trouble = None
        await served.start()
        await served.until(lambda: old.texts("ann") == ["Well!"])
        await served.idle()
        assert served.turns() == [("done", 1)] * 3
        assert len(served.model.requests) == 3


@pytest.mark.promise("R9")
async def test_an_answer_that_was_refused_is_a_dead_letter_and_sent_by_retry(make: Make) -> None:
    served = make(model=FakeProvider(says("Well said.")))
    async with served.running():
        served.bot.unwanted = "Well"
        await served.asks("hello", "Part 1 could not be sent: such words are not taken")
        assert "/retry sends the whole answer again." in served.texts()[0]
        (letter,) = await served.store.dead_letters.newest(1)
        assert (letter.state, letter.reason) == (
            "failed",
            "the answer could not be sent: such words are not taken",
        )
        served.bot.unwanted = ""
        await served.asks("/retry", "Well said.")
        assert served.turns() == [("done", 2), ("done", 1)]
        assert await served.store.dead_letters.newest(1) == []
        assert len(served.model.requests) == 1


@pytest.mark.promise("R9")
async def test_an_answer_of_which_a_part_was_refused_is_sent_as_a_whole_by_retry(
    make: Make,
) -> None:
    words = f"{'Some words of text. ' * 90}And the last."
    served = make(model=FakeProvider(says(words)))
    async with served.running():
        served.bot.unwanted = "last"
        await served.asks("hello", "Part 2 could not be sent")
        assert served.turns() == [("failed", 1)]
        shown = len(served.texts())
        served.bot.unwanted = ""
        await served.asks("/retry", "And the last.")
        assert " ".join(served.texts()[shown:]).split() == words.split()
        assert len(served.model.requests) == 1


async def test_who_takes_nothing_any_more_is_not_tried_for_ever_and_leaves_no_dead_letter(
    make: Make,
) -> None:
    served = make()
    async with served.running():
        served.bot.trouble = SendRefused("blocked by the user", is_gone=True)
        await served.writes("hello")
        await served.until(lambda: len(served.model.requests) == 1)
        await served.idle()
        assert await served.store.inbox.waiting() == 0
        assert await served.store.dead_letters.newest(1) == []
        served.bot.trouble = None
        await served.asks("/retry", "Well!")
        assert len(served.model.requests) == 1


async def test_a_command_whose_answer_was_refused_has_done_its_work(make: Make) -> None:
    served = make()
    async with served.running():
        served.bot.unwanted = "fake:ann"
        await served.asks("/whoami", "could not be sent")
        assert served.turns() == [("done", 1)]
        assert "/retry" not in "".join(served.texts())
        await served.asks("/retry", "There is nothing to try again.")


async def test_the_words_of_a_failure_that_were_refused_leave_its_reason(make: Make) -> None:
    model = Moody()
    model.mood = ProviderFailed("The key is bad.")
    served = make(model=model)
    async with served.running():
        served.bot.trouble = SendRefused("no place for it")
        await served.writes("hello")
        await served.until(lambda: len(model.requests) == 1)
        await served.idle()
        (letter,) = await served.store.dead_letters.newest(1)
        assert letter.reason == "The key is bad."


# Errors as words.


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ProviderFailed("The key is bad."), "The key is bad."),
        (RuntimeError("a bug"), FAULT_WORDS.partition("(")[0]),
    ],
)
async def test_a_failure_is_told_in_words_and_asked_again_by_retry(
    make: Make, error: Exception, words: str
) -> None:
    model = Moody()
    served = make(model=model)
    async with served.running():
        model.mood = error
        await served.asks("hello", words)
        assert "a bug" not in served.texts()[0]
        model.mood = None
        await served.asks("/retry", "Well!")
        assert len(served.texts()) == 2


async def test_r14_a_turn_without_end_is_ended(make: Make) -> None:
    served = make(model=FakeProvider([*says("So far")[:1], Gate()]))
    async with served.running():
        await served.writes("hello")
        await served.reads(TIMEOUT_WORDS, step=5.0, within=2_000.0)
        assert served.texts()[0].startswith("So far")


async def test_t12_a_right_that_ends_before_the_turn_gives_no_turn(make: Make) -> None:
    gate = Gate()
    access = {"direct_messages": "pairing"}
    served = make(model=FakeProvider([gate, *says("one")]), access=access)
    async with served.running():
        ann = PlatformName("fake"), ExternalUser("ann")
        await served.store.people.admit(*ann, name="Ann", role="member")
        await served.writes("one")
        await served.until(gate.reached.is_set)
        await served.writes("two")
        await served.store.people.dismiss(*ann)
        gate.open()
        await served.reads(NO_LONGER_WORDS)
        assert len(served.model.requests) == 1


async def test_an_agent_that_is_gone_answers_with_words(make: Make) -> None:
    before = make(model=FakeProvider([gate := Gate()]))
    await before.start()
    await before.writes("hello")
    await before.until(gate.reached.is_set)
    await before.kill()
    after = make(agents={"other": AgentSettings(provider="fake", model="big")})
    async with after.running():
        await after.reads(NO_AGENT_WORDS)
        assert after.model.requests == []


# Commands.


async def test_a_commands_refusal_is_an_answer_and_nothing_to_try_again(make: Make) -> None:
    served = make()
    async with served.running():
        await served.asks("/model nonsense", 'I cannot use "nonsense"', "owner")
        await served.asks("/retry", "There is nothing to try again.", "owner")
        assert served.turns() == [("done", 1), ("done", 1)]


async def test_a_commands_refusal_does_not_hide_the_failed_question(make: Make) -> None:
    model = Moody()
    served = make(model=model)
    async with served.running():
        model.mood = ProviderFailed("The key is bad.")
        await served.asks("hello", "The key is bad.")
        await served.asks("/model tiny", "I cannot use")
        model.mood = None
        await served.asks("/retry", "Well!")


# Groups.


async def test_in_a_group_the_model_is_told_who_speaks(make: Make) -> None:
    served = make()
    async with served.running():
        for user, name in (("ann", "Ann"), ("bob", "Bob")):
            await served.writes("hello", user, place=GROUP, sender_name=name)
        await served.until(lambda: served.texts("-1") == ["Well!", "Well!"])
        entries = served.model.requests[-1].entries
        said = [entry.speaker for entry in entries if isinstance(entry, UserEntry)]
        assert said == ["Ann", "Bob"]
        await served.asks("hello")
        assert served.model.requests[-1].entries == (UserEntry("hello"),)


async def test_in_a_group_an_answer_shows_what_it_answers(make: Make) -> None:
    served = make()
    async with served.running():
        asked = await served.writes("hello", place=GROUP)
        await served.reads("Well!", "-1")
        (shown,) = served.bot.messages.values()
        assert shown.reply_to == asked.message_id


async def test_r1_what_waits_is_answered_where_its_group_has_gone(make: Make) -> None:
    gate = Gate()
    model = FakeProvider([gate, *says("One.")], otherwise=lambda _: says("Two."))
    served = make(model=model)
    async with served.running():
        await served.writes("one", place=GROUP)
        await served.until(gate.reached.is_set)
        await served.writes("two", place=GROUP)
        moved = PlaceMoved(
            EventKey("moved"), served.bot.name, PlatformName("fake"), GROUP, Place("-2")
        )
        moving = asyncio.create_task(served.bot.deliver(moved))
        await served.until(moving.done)
        await served.passes(5.0)
        gate.open()
        await served.until(lambda: len(model.requests) == 2)
        await served.idle()
        assert await served.store.inbox.waiting() == 0
        said = [
            entry.content for entry in model.requests[1].entries if isinstance(entry, UserEntry)
        ]
        assert said == ["one", "two"]


@pytest.mark.promise("R9")
async def test_what_failed_in_a_group_that_moved_meanwhile_is_asked_again_by_retry(
    make: Make,
) -> None:
    gate = Gate()
    model = FakeProvider([gate, ProviderFailed("No.")], otherwise=lambda _: says("Well!"))
    served = make(model=model)
    new = Place("-2")
    async with served.running():
        await served.writes("one", place=GROUP)
        await served.until(gate.reached.is_set)
        moved = PlaceMoved(EventKey("moved"), served.bot.name, PlatformName("fake"), GROUP, new)
        moving = asyncio.create_task(served.bot.deliver(moved))
        await served.until(moving.done)
        gate.open()
        await served.reads("No.", "-1")
        await served.idle()
        await served.writes("/retry", place=new)
        await served.writes("two", place=new)
        await served.reads("Well!", "-1")
        await served.reads("Well!", "-2")


# The machine's clock.


def set_back(served: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    right = served.clock.now
    monkeypatch.setattr(served.clock, "now", lambda: right() - 3_600)


@pytest.mark.fault("clock", "host")
async def test_a_clock_that_is_set_back_delays_no_put_off_message_for_long(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Moody()
    served = make(model=model)
    async with served.running():
        model.mood = ProviderUnavailable("down")
        await served.writes("hello")
        await served.reads(OUTAGE_WORDS)
        await served.stop()
        set_back(served, monkeypatch)
        await served.start()
        model.mood = None
        await served.reads("Well!", within=330.0)


async def test_a_clock_that_is_set_back_delays_no_album(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = make()
    async with served.running():
        await served.writes("look", album="x", attachments=(PHOTO,))
        set_back(served, monkeypatch)
        await served.reads("Well!", within=60.0)
