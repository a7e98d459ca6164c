"""Telegram in trouble: nothing is lost, nothing shown twice, nobody waits for another's penalty."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from gateway.errors import AccountRejected
from tests.fakes.faults import Answer, Drop, Effect, Fault, RateLimit, Reset, Truncate
from tests.fakes.model import Pause, call
from tests.journeys.on_telegram import Telegram, TelegramPerson
from tests.journeys.platform import PATIENCE
from tests.journeys.test_conversation import long_answer, markers
from tests.journeys.world import World

in_both_kinds_of_chat = pytest.mark.parametrize(
    "platform", ["telegram", "telegram group"], indirect=True
)
SENT_ALL_THE_SAME = (Drop(), Reset("after"), Truncate())


@pytest.fixture
def speed() -> float:
    return 20  # seconds are counted here


def of(person: TelegramPerson, method: str) -> Any:
    """Say which calls of a method are for a person's chat."""

    def is_meant(facts: Mapping[str, Any]) -> bool:
        is_draft = method == "sendMessageDraft"  # whose path names sendMessage too
        return facts.get("chat_id") == person.chat.id and ("draft_id" in facts) == is_draft

    return is_meant


async def used(telegram: Telegram, fault: Fault) -> None:
    await telegram.server.until(lambda _: fault.used > 0, timeout=PATIENCE)


@pytest.mark.parametrize(
    ("platform", "method", "comes_last"),
    [
        ("telegram", "sendMessageDraft", False),
        ("telegram", "sendMessage", True),
        ("telegram", "editMessageText", True),
        ("telegram", "sendChatAction", False),
        ("telegram without drafts", "editMessageText", False),
        ("telegram group", "sendMessage", False),
        ("telegram group", "editMessageText", False),
    ],
    indirect=["platform"],
)
@pytest.mark.fault("penalty", "telegram")
async def test_r11_lesson_16_no_call_is_made_in_a_penalty_and_no_other_chat_waits(
    world: World, telegram: Telegram, method: str, *, comes_last: bool
) -> None:
    """N8, L8, 17 and 19 too. That no call was inside is looked at after every journey."""
    await world.start()
    ann = telegram.person("Ann")
    bob_user = telegram.new_user("Bob")
    bob = TelegramPerson(telegram.server, bob_user, bob_user.chat)
    telegram.server.rates.doubles = True
    penalty = telegram.server.faults.add(RateLimit(10), path=method, when=of(ann, method), nth=1)
    asked = world.clock.now()
    gate = asyncio.Event()
    world.model.say(Pause(1), "Slowly it ", gate, "grows.", when="story")
    ann.writes("Tell me a story")
    if comes_last:
        gate.set()
    await used(telegram, penalty)
    gate.set()
    await bob.asks("Are you free?", "Are you free?")
    assert world.clock.now() - asked < 10
    await ann.reads("grows.")
    await world.stop()
    assert ann.texts() == ["Slowly it grows."]
    calls = [one for one in telegram.server.log if one.chat_id == ann.chat.id]
    (refused,) = [one for one in calls if one.method == method and not one.applied]
    after = calls[calls.index(refused) + 1]
    assert 10 <= after.at - refused.at <= 15


@in_both_kinds_of_chat
async def test_lesson_18_a_penalty_of_a_quarter_of_an_hour_keeps_nobody_busy(
    world: World, telegram: Telegram
) -> None:
    world.config["drain_timeout"] = 3
    await world.start()
    ann = telegram.person("Ann")
    bob_user = telegram.new_user("Bob")
    bob = TelegramPerson(telegram.server, bob_user, bob_user.chat)
    penalty = telegram.server.faults.add(
        RateLimit(900), path="sendMessage", when=of(ann, "sendMessage"), nth=1
    )
    ann.writes("hello")
    await used(telegram, penalty)
    await bob.asks("Are you free?", "Are you free?")
    await world.until_waiting(1)
    assert (await world.status())["adapters"][0]["state"] == "running"
    began = world.clock.now()
    await world.stop()
    assert world.clock.now() - began < 15
    assert ann.texts() == []


@in_both_kinds_of_chat
@pytest.mark.parametrize(
    "effect",
    [Answer(502), Reset("before"), *SENT_ALL_THE_SAME, RateLimit("soon")],
    ids=repr,
)
@pytest.mark.fault("lost answer", "telegram")
async def test_n2_n3_a2_a_first_send_that_fails_shows_one_answer(
    world: World, telegram: Telegram, effect: Effect
) -> None:
    """Lesson 13, L8 and A8 too. What was sent all the same is a stub, and stays one."""
    await world.start()
    ann = telegram.person("Ann")
    telegram.server.faults.add(effect, path="sendMessage", when=of(ann, "sendMessage"), nth=1)
    world.model.brain = lambda _: ["Hello ", "there, ", "this is ", "it."]
    await ann.asks("hi", "this is it.")
    await world.stop()
    texts = ann.texts()
    assert texts[-1] == "Hello there, this is it."
    orphans = texts[:-1]
    assert len(orphans) <= (effect in SENT_ALL_THE_SAME)
    assert all(orphan.endswith("…") and len(orphan) < 24 for orphan in orphans)


@pytest.mark.parametrize("platform", ["telegram", "telegram without drafts"], indirect=True)
@pytest.mark.parametrize("effect", [Answer(502), Drop(), RateLimit(3)], ids=repr)
async def test_lesson_20_the_final_text_comes_though_every_second_edit_fails(
    world: World, telegram: Telegram, effect: Effect
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    telegram.server.faults.add(effect, path="editMessageText", every=2)
    telegram.server.faults.add(effect, path="sendMessageDraft", every=2)
    world.model.pace.between = 1.0
    pieces = [f"Sentence {number}. " for number in range(8)]
    world.model.say(*pieces, "The end.")
    await ann.asks("hi", "The end.")
    await world.stop()
    assert ann.texts() == ["".join(pieces) + "The end."]
    world.refusals.add("message is not modified")


async def test_lesson_20_drafts_that_all_fail_cost_only_the_looks(
    world: World, telegram: Telegram
) -> None:
    """A5 too: what cannot be shown on its way is shown at its end."""
    await world.start()
    ann = telegram.person("Ann")
    telegram.server.faults.add(Answer(500), path="sendMessageDraft")
    world.model.pace.between = 1.0
    world.model.say("One. ", "Two. ", "Three.")
    await ann.asks("hi", "Three.")
    await world.stop()
    assert ann.texts() == ["One. Two. Three."]


@pytest.mark.parametrize("page", [2, 3])
@pytest.mark.parametrize("effect", [Answer(502), Drop(), RateLimit(2)], ids=repr)
async def test_n4_n5_a_late_part_that_fails_repeats_no_other(
    world: World, telegram: Telegram, effect: Effect, page: int
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    telegram.server.faults.add(effect, path="sendMessage", when=of(ann, "sendMessage"), nth=page)
    answer = long_answer()
    world.model.say(answer)
    await ann.asks("Tell me everything", "The very end.")
    await world.stop()
    texts = ann.texts()
    whole = [text for text in texts if not text.endswith("…")]
    assert markers("\n".join(whole)) == markers(answer)
    assert len(texts) - len(whole) <= isinstance(effect, Drop)


@pytest.mark.parametrize("effect", [Answer(502), Reset("before"), RateLimit(3)], ids=repr)
async def test_a_file_that_fails_to_go_goes_later_or_is_told(
    world: World, telegram: Telegram, effect: Effect
) -> None:
    """Lesson 8: never reported as sent when it was not."""
    await world.start()
    ann = telegram.person("Ann")
    telegram.server.faults.add(effect, path="sendDocument", nth=1)
    world.model.say(call("write_file", path="a.txt", content="hello"))
    world.model.say(call("send_file", path="a.txt"))
    world.model.say("There you are.")
    answer = await ann.asks("Write it down", "There you are.")
    await world.stop()
    files = [one.file for one in ann.sees() if one.file is not None]
    assert len(files) <= 1
    assert bool(files) != ("A file may be missing: a.txt" in answer.text)


async def test_lesson_13_a_file_that_may_have_arrived_is_not_sent_twice(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    telegram.server.faults.add(Drop(), path="sendDocument", nth=1)
    world.model.say(call("write_file", path="a.txt", content="hello"))
    world.model.say(call("send_file", path="a.txt"))
    world.model.say("There you are.")
    answer = await ann.asks("Write it down", "There you are.")
    await world.stop()
    assert [one.file for one in ann.sees() if one.file is not None] == [b"hello"]
    assert "A file may be missing: a.txt" in answer.text


@pytest.mark.fault("second reader", "telegram polling")
async def test_lesson_36_another_poller_makes_it_unhealthy_until_it_is_gone(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    await ann.asks("one", "one")
    other = telegram.server.faults.add(Answer(409), path="getUpdates")
    ann.writes("two")  # what is asked for already
    await telegram.server.until(lambda _: other.used >= 3, timeout=PATIENCE)
    ann.writes("three")
    (account,) = (await world.status())["adapters"]
    assert account["state"] == "troubled"
    assert "another program asks for this bot's updates" in account["reason"]
    shown = await world.parley("status")
    assert "troubled" in shown.out
    telegram.server.faults.clear()
    await ann.reads("three")
    (account,) = (await world.status())["adapters"]
    assert account["state"] == "running"
    assert ann.texts() == ["one", "two", "three"]


@pytest.mark.fault("revoked token", "telegram polling")
async def test_a_token_that_is_revoked_amid_an_answer_loses_no_message(
    world: World, telegram: Telegram
) -> None:
    world.config["drain_timeout"] = 3
    world.config["adapters"]["telegram"]["poll_timeout"] = 5
    await world.start()
    ann = telegram.person("Ann")
    gate = asyncio.Event()
    world.model.say("Half ", gate, "a word.")
    ann.writes("one")
    await ann.until(lambda: ann.preview() == "Half")
    telegram.server.token, good = "123456:ANOTHER", telegram.server.token
    gate.set()
    with pytest.raises(AccountRejected, match="refuses the bot's token"):
        await world.ended()
    telegram.server.token = good
    await world.start()
    await ann.reads("Half a word.")
    await world.stop()
    assert ann.texts() == ["Half a word."]
    world.pardoned.add("adapter.stopped")


async def test_l9_a_server_that_is_away_at_the_start_is_waited_for(
    world: World, telegram: Telegram
) -> None:
    ann = telegram.person("Ann")
    ann.writes("one")
    telegram.server.faults.add(Answer(502), path="getMe", times=2)
    telegram.server.faults.add(Reset("before"), path="getUpdates", times=2)
    telegram.server.faults.add(Truncate(), path="getUpdates", times=1)
    await world.start()
    await ann.reads("one")
    await world.stop()
    assert ann.texts() == ["one"]


async def test_a_server_that_goes_away_and_comes_back_finds_the_bot_there(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    gate = asyncio.Event()
    world.model.say("Before ", gate, "and after.")
    ann.writes("one")
    await ann.until(lambda: ann.preview() == "Before")
    away = telegram.server.faults.add(Reset("before"))
    gate.set()
    await telegram.server.until(lambda _: away.used >= 5, timeout=PATIENCE)
    telegram.server.faults.clear()
    await ann.reads("and after.")
    await ann.asks("two", "two")
    await world.stop()
    assert ann.texts() == ["Before and after.", "two"]


async def test_a_webhook_that_was_left_is_removed(world: World, telegram: Telegram) -> None:
    telegram.server.updates.has_webhook = True
    ann = telegram.person("Ann")
    ann.writes("one")
    await world.start()
    await ann.reads("one")


@pytest.mark.fault("second reader", "telegram polling")
async def test_a_webhook_set_by_another_is_removed(world: World, telegram: Telegram) -> None:
    await world.start()
    ann = telegram.person("Ann")
    async with aiohttp.ClientSession() as another:
        url = f"{telegram.server.url}/bot{telegram.server.token}/setWebhook"
        await another.post(url, json={"url": "https://example.org/"})
    ann.writes("one")
    await ann.reads("one")
    world.refusals |= {"terminated by setWebhook", "webhook is active"}


async def test_a_burst_within_telegrams_own_limits_meets_no_refusal(
    world: World, telegram: Telegram
) -> None:
    """Lesson 17: sends, edits and drafts of a chat share one budget, and keep to it."""
    await world.start()
    ann = telegram.person("Ann")
    telegram.server.rates.enabled = True
    telegram.server.rates.private_burst = 4
    world.model.pace.between = 0.1
    pieces = [f"Word{number} " for number in range(100)]
    world.model.say(*pieces, "the end.")
    await ann.asks("hi", "the end.")
    await world.stop()
    assert not any(one.refused for one in telegram.server.log)


@pytest.mark.parametrize("platform", ["telegram group"], indirect=True)
async def test_a1_a_long_answer_in_a_group_keeps_to_twenty_calls_a_minute(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    telegram.server.rates.enabled = True
    world.model.pace.between = 0.1
    pieces = [f"Word{number} and more words to it. " for number in range(300)]
    world.model.say(*pieces, "The end.")
    await ann.asks("hi", "The end.")
    await world.stop()
    assert not any(one.refused for one in telegram.server.log)
    shown = " ".join(ann.texts())
    assert [word for word in shown.split() if word.startswith("Word")] == [
        piece.split()[0] for piece in pieces
    ]
