"""Commands from a platform's own menu, and the signs on messages: over a whole gateway."""

from collections.abc import AsyncIterator
from itertools import chain, repeat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.errors import NotSupported, ProviderFailed, ProviderUnavailable
from gateway.inbound.dispatch import DONE_WORDS, OUTAGE_WORDS
from gateway.messages import Mark, Origin, Place
from tests.fakes.adapter import MarkingAdapter, StreamingAdapter
from tests.fakes.gateway import FakeAccount, FakeGateway, Make, gateways
from tests.fakes.provider import FakeProvider, Gate, says

GROUP = Place("-1")


class MarkingAccount(FakeAccount, MarkingAdapter):
    """An account that marks people's messages."""


class StreamingAccount(FakeAccount, StreamingAdapter):
    """An account whose sign of work stays."""


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    async with gateways(tmp_path, monkeypatch) as made:
        yield made


def marking(served: FakeGateway) -> MarkingAccount:
    account = MarkingAccount(served.clock, "bot")
    served.accounts["bot"] = account
    return account


# Commands from a menu


async def test_an_invoked_command_is_answered_at_its_call_in_direct_messages_too(
    make: Make,
) -> None:
    served = make()
    async with served.running():
        for place in (Place("ann", is_direct=True), GROUP):
            called = await served.writes("/whoami", place=place, origin=Origin.INVOKED)
            await served.reads("fake:ann", place.conversation)
            (shown,) = (
                one for one in served.bot.messages.values() if one.where[0] == place.conversation
            )
            assert shown.reply_to == called.message_id
            await served.idle()
        await served.asks("/whoami", "fake:ann")
        assert list(served.bot.messages.values())[-1].reply_to is None


async def test_what_the_model_says_to_an_invoked_question_answers_its_call(make: Make) -> None:
    served = make()
    async with served.running():
        called = await served.writes("/riddle me this", origin=Origin.INVOKED)
        await served.reads("Well!")
        (shown,) = served.bot.messages.values()
        assert shown.reply_to == called.message_id


async def test_a_command_without_words_says_that_it_is_done_to_whom_waits_for_a_word(
    make: Make,
) -> None:
    gate = Gate()
    served = make(model=FakeProvider([*says("Once upon")[:1], gate]))
    async with served.running():
        await served.writes("a story")
        await served.until(gate.reached.is_set)
        called = await served.writes("/stop", origin=Origin.INVOKED)
        await served.reads("Stopped.")
        await served.reads(DONE_WORDS)
        await served.idle()
        told = {one.text: one.reply_to for one in served.bot.messages.values()}
        assert told == {"Once upon\n\n_Stopped._": None, DONE_WORDS: called.message_id}


async def test_a_typed_or_pressed_command_without_words_says_nothing(make: Make) -> None:
    gates = [Gate(), Gate()]
    served = make(model=FakeProvider(*([*says("Once upon")[:1], gate] for gate in gates)))
    async with served.running():
        for gate, origin in zip(gates, (Origin.TYPED, Origin.PRESSED), strict=True):
            before = len(served.texts())
            await served.writes("a story")
            await served.until(gate.reached.is_set)
            await served.writes("/stop", origin=origin)
            await served.until(lambda before=before: "Stopped" in "".join(served.texts()[before:]))  # type: ignore[misc]
            await served.idle()
        assert len(served.texts()) == 2


# Marks


async def test_a_question_is_marked_as_seen_and_as_answered(make: Make) -> None:
    served = make()
    account = marking(served)
    async with served.running():
        asked = await served.writes("hello")
        await served.reads("Well!")
        await served.idle()
        command = await served.writes("/whoami")
        await served.idle()
        marks = [Mark.SEEN, Mark.DONE]
        assert account.marked == {asked.message_id: marks, command.message_id: marks}


async def test_a_failure_is_marked_and_an_outage_stays_seen(make: Make) -> None:
    answers = chain([ProviderFailed("The key is bad.")], repeat(ProviderUnavailable("down")))
    served = make(model=FakeProvider(otherwise=lambda _: [next(answers)]))
    account = marking(served)
    async with served.running():
        failed = await served.writes("hello")
        await served.reads("The key is bad.")
        await served.idle()
        waits = await served.writes("hello again")
        await served.reads(OUTAGE_WORDS)
        assert account.marked == {
            failed.message_id: [Mark.SEEN, Mark.FAILED],
            waits.message_id: [Mark.SEEN],
        }


async def test_a_stopped_answer_is_marked_as_done_and_so_is_the_word_that_stopped_it(
    make: Make,
) -> None:
    gate = Gate()
    served = make(model=FakeProvider([gate]))
    account = marking(served)
    async with served.running():
        asked = await served.writes("a story")
        await served.until(gate.reached.is_set)
        stop = await served.writes("/stop")
        await served.reads("Stopped.")
        await served.idle()
        marks = [Mark.SEEN, Mark.DONE]
        assert account.marked == {asked.message_id: marks, stop.message_id: marks}


async def test_neither_a_press_nor_a_call_from_the_menu_is_marked(make: Make) -> None:
    served = make()
    account = marking(served)
    async with served.running():
        for origin in (Origin.PRESSED, Origin.INVOKED):
            await served.writes("/whoami", origin=origin)
            await served.idle()
        assert len(served.texts()) == 2
        assert account.made("mark") == []


@pytest.mark.parametrize("trouble", [NotSupported("no such sign"), ZeroDivisionError()])
async def test_r5_a_mark_that_fails_repeats_no_turn(make: Make, trouble: Exception) -> None:
    served = make()
    account = marking(served)
    account.script["mark"].extend([trouble] * 4)
    with capture_logs():
        async with served.running():
            await served.asks("hello")
            await served.asks("hello again")
            assert served.turns() == [("done", 1), ("done", 1)]
    assert len(served.model.requests) == 2


# The sign of work


async def test_lesson_27_a_shutdown_takes_the_sign_of_work_away(make: Make) -> None:
    gate = Gate()
    served = make(model=FakeProvider([gate], otherwise=lambda _: says("Well!")))
    account = StreamingAccount(served.clock, "bot")
    served.accounts["bot"] = account
    await served.start()
    await served.writes("hello")
    await served.until(lambda: bool(account.at_work))
    await served.stop()
    assert account.at_work == set()
    await served.start()
    await served.reads("Well!")
    await served.idle()
    assert account.at_work == set()
    await served.stop()


async def test_lesson_27_an_outage_takes_the_sign_of_work_away(make: Make) -> None:
    served = make(model=FakeProvider(otherwise=lambda _: [ProviderUnavailable("down")]))
    account = StreamingAccount(served.clock, "bot")
    served.accounts["bot"] = account
    async with served.running():
        await served.writes("hello")
        await served.reads(OUTAGE_WORDS)
        await served.passes(1.0)
        tries = len(served.model.requests)
        await served.until(lambda: len(served.model.requests) > tries + 3, within=3_000.0)
        await served.passes(5.0)
        assert account.at_work == set()
