"""`kill -9` in the middle of everything: of a process of its own, as `parley serve` starts it.

What it left is gone on with here, by the same code on the same file.
"""

import asyncio
import json
from collections.abc import Callable, Sequence

import pytest

from gateway.clock import SystemClock
from tests.fakes.model import Asked, Piece, call
from tests.fakes.telegram import FakeTelegram
from tests.journeys.on_telegram import Telegram, TelegramPerson
from tests.journeys.platform import PATIENCE
from tests.journeys.test_conversation import long_answer, markers
from tests.journeys.world import World

FIFTY = 50


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def answer_to(person: TelegramPerson) -> str:
    return f"This is the whole answer for {person.name}, and it ends here."


class Brain:
    """Holds each answer where its question asks for, until `gate` is set."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    def __call__(self, asked: Asked) -> Sequence[Piece]:
        words = asked.user_text.split()
        name, where = words[-1], words[-2]
        begun, rest = f"This is the whole answer for {name}, ", "and it ends here."
        if where == "tool" and asked.messages[-1]["role"] == "user":
            return ["Let me look. ", call("write_file", path="a.txt", content=name), call("now")]
        if where == "early":
            return [self.gate, begun, rest]
        return [begun, self.gate, rest]


def crowd(telegram: Telegram, count: int) -> list[TelegramPerson]:
    """Let many people ask; a third each is to be cut off early, in the middle, with a tool."""
    people = [telegram.person(f"P{number}") for number in range(count)]
    for number, person in enumerate(people):
        person.writes(f"held {('early', 'middle', 'tool')[number % 3]} {person.name}")
    return people


async def all_are_answered(people: Sequence[TelegramPerson]) -> None:
    async with asyncio.timeout(PATIENCE):
        for person in people:
            await person.reads("and it ends here.")


def each_has_one_answer(people: Sequence[TelegramPerson]) -> int:
    """Return how many stubs were left behind, at most one to a chat."""
    orphans = 0
    for person in people:
        whole = [text for text in person.texts() if "and it ends here." in text]
        rest = [text for text in person.texts() if text not in whole]
        assert len(whole) == 1, person.texts()
        assert answer_to(person) in whole[0]
        assert len(rest) <= 1, person.texts()
        assert all(text.endswith("…") and "ends here" not in text for text in rest)
        orphans += len(rest)
    return orphans


async def asked(world: World, times: int) -> None:
    await world.model.until(lambda model: model.asked_count >= times, timeout=PATIENCE)


async def until(telegram: Telegram, holds: Callable[[FakeTelegram], bool]) -> None:
    await telegram.server.until(holds, timeout=PATIENCE)


async def test_r1_r6_r7_a_kill_amid_fifty_turns_loses_nothing_and_doubles_nothing(
    world: World, telegram: Telegram
) -> None:
    brain = Brain()
    world.model.brain = brain
    async with world.process() as process:
        people = crowd(telegram, FIFTY)
        tools = len(range(2, FIFTY, 3))
        await world.model.until(lambda model: model.asked_count == FIFTY + tools, timeout=PATIENCE)
        drafts = FIFTY - len(range(0, FIFTY, 3))
        await until(telegram, lambda it: sum(bool(c.drafts) for c in it.chats.values()) >= drafts)
        process.kill()
        await process.wait()
    assert not any(person.texts() for person in people)
    brain.gate.set()
    await world.start()
    await all_are_answered(people)
    assert each_has_one_answer(people) == 0
    assert world.model.asked_count <= 2 * FIFTY + tools
    for number, person in enumerate(people):
        if number % 3 == 2:
            assert "write_file" in person.texts()[-1]


async def test_r6_two_kills_leave_a_stub_at_most_the_second_amid_the_last_sends(
    world: World, telegram: Telegram
) -> None:
    brain = Brain()
    world.model.brain = brain
    async with world.process() as process:
        people = crowd(telegram, FIFTY)
        await asked(world, FIFTY)
        process.kill()
        await process.wait()
    brain.gate.set()
    async with world.process() as process:
        await until(telegram, lambda it: len(it.calls("sendMessage")) >= FIFTY // 2)
        process.kill()
        await process.wait()
    await world.start()
    await all_are_answered(people)
    orphans = each_has_one_answer(people)
    assert orphans < FIFTY
    world.refusals.add("message is not modified")  # said again, as its receipt was lost


@pytest.mark.parametrize("platform", ["telegram without drafts"], indirect=True)
async def test_r7_a_half_grown_answer_goes_on_in_the_same_message(
    world: World, telegram: Telegram
) -> None:
    brain = Brain()
    world.model.brain = brain
    async with world.process() as process:
        ann = telegram.person("Ann")
        ann.writes("held middle Ann")
        await ann.until(lambda: any(one.edits for one in ann.chat.shown()))
        (half,) = [one.message_id for one in ann.chat.shown() if one.is_from_bot]
        process.kill()
        await process.wait()
    brain.gate.set()
    await world.start()
    await all_are_answered([ann])
    (whole,) = [one for one in ann.chat.shown() if one.is_from_bot]
    assert whole.message_id == half
    assert whole.text == answer_to(ann)
    assert whole.labels == []


async def test_r2_what_was_accepted_and_not_confirmed_is_answered_once(
    world: World, telegram: Telegram
) -> None:
    people = [telegram.person(f"P{number}") for number in range(20)]
    async with world.process() as process:
        world.model.brain = lambda _: [asyncio.Event()]
        for person in people:
            person.writes(f"held middle {person.name}")
        await until(telegram, lambda it: len(it.updates.handed_out) >= 1)
        process.kill()
        await process.wait()
    brain = Brain()
    brain.gate.set()
    world.model.brain = brain
    await world.start()
    await all_are_answered(people)
    assert each_has_one_answer(people) == 0


async def test_r5_an_effect_that_a_kill_cut_off_is_not_repeated(
    world: World, telegram: Telegram
) -> None:
    """What was done before the kill is told to the model, not done again."""
    ann = telegram.person("Ann")
    hold = asyncio.Event()
    world.model.say(call("write_file", path="log.txt", content="once\n"))
    world.model.say(call("edit_file", path="log.txt", old="once", new="once and twice"))
    world.model.say("I am ", hold, "done.")
    async with world.process() as process:
        ann.writes("Note it")
        await asked(world, 3)
        process.kill()
        await process.wait()
    world.model.say(call("read_file", path="log.txt"))
    world.model.say("All done.")
    await world.start()
    await ann.reads("All done.")
    results = [one["content"] for one in world.model.asked[-1].messages if one["role"] == "tool"]
    assert results[-1].strip() == "once and twice"
    assert len(results) == 3


async def test_r6_files_that_were_sent_before_a_kill_are_not_sent_again(
    world: World, telegram: Telegram
) -> None:
    ann = telegram.person("Ann")
    world.model.say(call("write_file", path="a.txt", content="hello"))
    world.model.say(call("send_file", path="a.txt", caption="For you"))
    world.model.say("There ", asyncio.Event(), "you are.")
    async with world.process() as process:
        ann.writes("Write it down")
        await ann.until(lambda: any(one.file == b"hello" for one in ann.sees()))
        await asked(world, 3)
        process.kill()
        await process.wait()
    world.model.say("There you are, after all.")
    await world.start()
    answer = await ann.reads("after all.")
    files = [one.file for one in ann.sees() if one.file is not None]
    assert files == [b"hello"]
    assert "send_file" in answer.text


async def test_r7_a_long_answer_cut_off_in_its_third_message_ends_without_a_double(
    world: World, telegram: Telegram
) -> None:
    ann = telegram.person("Ann")
    answer = long_answer()
    cut = len(answer) * 3 // 4
    world.model.say(answer[:cut], asyncio.Event(), answer[cut:])
    async with world.process() as process:
        ann.writes("Tell me everything")
        last = markers(answer[: cut - 10])[-1]
        await ann.until(lambda: last in ann.preview())
        process.kill()
        await process.wait()
    world.model.say(answer)
    await world.start()
    await ann.reads("The very end.")
    await world.stop()
    whole = [text for text in ann.texts() if not text.endswith("…")]
    assert markers("\n".join(whole)) == markers(answer)
    assert len(ann.texts()) - len(whole) <= 1
    world.refusals.add("message is not modified")


async def test_r9_a_message_that_kills_three_times_is_given_up_with_a_word(
    world: World, telegram: Telegram
) -> None:
    ann, bob = telegram.person("Ann"), telegram.person("Bob")
    world.model.brain = lambda question: (
        [asyncio.Event()] if question.user_text.endswith("poison") else "Fine."
    )
    ann.writes("poison")
    ann.writes("and this?")
    bob.writes("poison")
    for life in range(1, 4):
        async with world.process() as process:
            await asked(world, 2 * life)
            process.kill()
            await process.wait()
    await world.start()
    await ann.reads("/retry asks again.")
    await ann.reads("Fine.")
    await bob.reads("/retry asks again.")
    world.model.brain = lambda _: "Antidote."
    await bob.asks("/retry", "Antidote.")


@pytest.mark.promise("R9")
async def test_what_was_given_up_is_listed_retried_and_dropped_by_the_operator(
    world: World, telegram: Telegram
) -> None:
    ann, bob, cid = (telegram.person(name) for name in ("Ann", "Bob", "Cid"))
    world.model.brain = lambda _: [asyncio.Event()]
    for person in (ann, bob, cid):
        person.writes("my secret poison")
    for life in range(1, 4):
        async with world.process() as process:
            await asked(world, 3 * life)
            process.kill()
            await process.wait()
    await world.start()
    for person in (ann, bob, cid):
        await person.reads("/retry asks again.")
    listed = json.loads((await world.parley("dead", "list", "--json")).out)
    assert [letter["state"] for letter in listed] == ["dead"] * 3
    of = {letter["session_key"]: str(letter["number"]) for letter in listed}
    numbers = [of[f"main:telegram:{person.user.id}:dm"] for person in (ann, bob, cid)]
    shown = (await world.parley("dead", "list")).out
    assert "interrupted 3 times" in shown
    assert "secret" not in shown
    world.model.brain = lambda _: "Antidote."
    assert (await world.parley("dead", "retry", numbers[0])).code == 0
    await ann.reads("Antidote.")
    assert (await world.parley("dead", "drop", numbers[1])).code == 0
    await bob.asks("/retry", "There is nothing to try again.")
    await world.stop()
    # Without a gateway it waits for the next one.
    assert (await world.parley("dead", "retry", numbers[2])).code == 0
    assert (await world.parley("dead", "list")).out == "No message was given up.\n"
    await world.start()
    await cid.reads("Antidote.")
    again = await world.parley("dead", "retry", numbers[0])
    assert (again.code, "stays as it is" in again.err) == (1, True)


async def test_r12_sigterm_lets_an_answer_end(world: World, telegram: Telegram) -> None:
    brain = Brain()
    world.model.brain = brain
    ann = telegram.person("Ann")
    async with world.process() as process:
        ann.writes("held middle Ann")
        await ann.until(lambda: ann.preview() != "")
        process.terminate()
        ann.writes("held early Ann")  # comes too late for this process
        brain.gate.set()
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    assert ann.texts() == [answer_to(ann)]
    await world.start()
    await ann.until(lambda: len(ann.texts()) == 2 and answer_to(ann) == ann.texts()[1])
