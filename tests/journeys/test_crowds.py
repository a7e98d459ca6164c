"""Many at once: nobody sees what is not theirs, and who shares a place shares its history."""

import asyncio

import pytest

from tests.fakes.faults import Answer
from tests.fakes.model import Asked
from tests.journeys.on_telegram import Telegram, TelegramGroup, TelegramPerson
from tests.journeys.test_conversation import long_answer, markers
from tests.journeys.world import World

in_group = pytest.mark.parametrize("platform", ["telegram group"], indirect=True)


def echo(asked: Asked) -> list[str]:
    """Say the last word again and again, in pieces."""
    marker = asked.user_text.split()[-1]
    return [*(f"{marker} " for _ in range(4)), f"{marker}!"]


@pytest.mark.parametrize("platform", ["telegram", "telegram without drafts"], indirect=True)
async def test_n1_lesson_29_a_hundred_chats_at_once_see_only_their_own(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    world.model.brain = echo
    world.model.pace.between = 0.5
    crowd = [telegram.person(f"P{number}") for number in range(100)]
    for number, person in enumerate(crowd):
        person.writes(f"My word is canary{number:03}")
    for number, person in enumerate(crowd):
        await person.reads(f"canary{number:03}!")
    await world.stop()
    for number, person in enumerate(crowd):
        own = f"canary{number:03}"
        assert person.texts() == [f"{own} {own} {own} {own} {own}!"]
        drafts = [text for draft in person.chat.drafts for _, text in draft.texts]
        earlier = [text for message in person.chat.shown() for text in message.earlier]
        assert {word.strip("!…") for text in [*drafts, *earlier] for word in text.split()} <= {
            own,
            *(["My", "word", "is"] if earlier else []),
            "",
        }
    assert world.model.asked_count == 100
    for asked in world.model.asked:
        assert asked.prompt.count("canary") == 1


async def two_streams(world: World, one: TelegramPerson, two: TelegramPerson) -> None:
    """Let two answers grow beside one another, word by word."""
    gates = [asyncio.Event() for _ in range(4)]
    world.model.say("Red ", gates[0], "roses ", gates[2], "grow.", when="red")
    world.model.say("Blue ", gates[1], "whales ", gates[3], "swim.", when="blue")
    one.writes("red")
    two.writes("blue")
    await one.until(lambda: one.preview() == "Red")
    await two.until(lambda: two.preview() == "Blue")
    gates[0].set()
    gates[1].set()
    await one.until(lambda: one.preview() == "Red roses")
    await two.until(lambda: two.preview() == "Blue whales")
    gates[2].set()
    gates[3].set()
    await one.reads("grow.")
    await two.reads("swim.")


async def two_places_are_apart(world: World, one: TelegramPerson, two: TelegramPerson) -> None:
    await world.start()
    await two_streams(world, one, two)
    assert one.texts() == ["Red roses grow."]
    assert two.texts() == ["Blue whales swim."]
    await one.asks("again", "again")
    assert "roses" in world.model.asked[-1].prompt
    assert "whales" not in world.model.asked[-1].prompt
    assert all(message.thread == one.thread for message in one.chat.shown(one.thread))


async def test_n1_topics_of_a_forum_keep_apart(world: World, telegram: Telegram) -> None:
    user = telegram.new_user("Ann")
    forum = telegram.server.supergroup("Forum", [user], is_forum=True)
    one, two = (
        TelegramPerson(telegram.server, user, forum, forum.topic(name)) for name in ("One", "Two")
    )
    await two_places_are_apart(world, one, two)
    general = [typing for typing in forum.typing if typing.thread not in {one.thread, two.thread}]
    assert general == []


@pytest.mark.promise("R10")
async def test_who_asks_in_many_places_does_not_keep_others_waiting(
    world: World, telegram: Telegram
) -> None:
    world.config["queues"] = {"at_once": 1}
    await world.start()
    user, bob = telegram.new_user("Ann"), telegram.person("Bob")
    forum = telegram.server.supergroup("Forum", [user], is_forum=True)
    ann = [TelegramPerson(telegram.server, user, forum, forum.topic(name)) for name in "abcd"]
    gate = asyncio.Event()
    world.model.say(gate, "first", when="one")
    for place, words in zip(ann, ("one", "two", "three", "four"), strict=True):
        place.writes(words)
        await world.until_waiting(1 + ann.index(place))
    bob.writes("mine")
    await world.until_waiting(5)
    assert world.model.asked_count <= 1  # only the first, and it is not answered
    gate.set()
    await ann[3].reads("four")
    await world.stop()
    said = [asked.user_text.split()[-1] for asked in world.model.asked]
    assert said == ["one", "two", "mine", "three", "four"]


@pytest.mark.promise("R10")
async def test_stop_waits_behind_nobody(world: World, telegram: Telegram) -> None:
    world.config["queues"] = {"at_once": 1}
    await world.start()
    ann, bob = telegram.person("Ann"), telegram.person("Bob")
    world.model.say("Once ", asyncio.Event(), when="endless")
    ann.writes("endless")
    await ann.until(lambda: ann.preview() == "Once")
    bob.writes("and me?")
    await world.until_waiting(2)
    ann.writes("/stop")
    await ann.reads("Stopped.")
    await bob.reads("and me?")


async def test_n1_topics_of_a_direct_chat_keep_apart(world: World, telegram: Telegram) -> None:
    user = telegram.new_user("Ann")
    user.writes("/start")  # number 1: in forums that is the General topic
    one, two = (
        TelegramPerson(telegram.server, user, user.chat, user.opens_topic(name))
        for name in ("One", "Two")
    )
    await two_places_are_apart(world, one, two)


async def test_n9_a_long_answer_whose_looks_are_refused_stays_whole_and_in_its_topic(
    world: World, telegram: Telegram
) -> None:
    user = telegram.new_user("Ann")
    forum = telegram.server.supergroup("Forum", [user], is_forum=True)
    ann = TelegramPerson(telegram.server, user, forum, forum.topic("One"))
    telegram.server.faults.add(
        Answer(400, message="Bad Request: ENTITY_BOUNDS_INVALID"),
        path="editMessageText",
        when=lambda facts: "entities" in facts,
    )
    await world.start()
    answer = long_answer()
    world.model.say(answer)
    await ann.asks("Tell me everything", "The very end.")
    await world.stop()
    assert markers("\n".join(ann.texts())) == markers(answer)
    assert all(one.thread == ann.thread for one in forum.shown() if one.is_from_bot)
    assert not any("&lt;" in text for text in ann.texts())


async def test_lesson_32_two_conversations_are_folded_at_once_and_apart(
    world: World, telegram: Telegram
) -> None:
    world.agent["compaction"] = {"keep_tail": 1}
    await world.start()
    ann, bob = telegram.person("Ann"), telegram.person("Bob")
    for person, canary in ((ann, "heliotrope"), (bob, "magenta")):
        await person.asks(f"My word is {canary}", canary)
        await person.asks("And so on", "And so on")
    gate = asyncio.Event()
    world.model.brain = lambda asked: (
        asked.user_text
        if asked.body.get("tools")
        else ["Their word: ", gate, "heliotrope" if "heliotrope" in asked.prompt else "magenta"]
    )
    ann.writes("/compact")
    bob.writes("/compact")
    await world.model.until(lambda model: model.asked_count == 6)
    gate.set()
    await ann.reads("into a summary")
    await bob.reads("into a summary")
    await ann.asks("Go on", "Go on")
    assert "heliotrope" in world.model.asked[-1].prompt
    assert "magenta" not in world.model.asked[-1].prompt
    await bob.asks("Go on", "Go on")
    assert "magenta" in world.model.asked[-1].prompt
    assert "heliotrope" not in world.model.asked[-1].prompt


@in_group
async def test_two_people_share_a_groups_history_and_are_told_apart(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    ann, bob = telegram.person("Ann"), telegram.person("Bob")
    ann.writes("I bring the cake")
    await ann.reads("Ann: I bring the cake")
    bob.writes("Who brings what?")
    await bob.reads("Bob: Who brings what?")
    prompt = world.model.asked[-1].prompt
    assert "Ann: I bring the cake" in prompt
    assert "Bob: Who brings what?" in prompt
    questions = [one for one in ann.chat.shown() if not one.is_from_bot]
    answers = [one for one in ann.chat.shown() if one.is_from_bot]
    assert [one.reply_to for one in answers] == questions


@in_group
async def test_n11_n12_the_bot_is_silent_unless_it_is_meant(
    world: World, telegram: Telegram
) -> None:
    assert isinstance(telegram, TelegramGroup)
    await world.start()
    ann = telegram.person("Ann")
    for words in ("hello all", "@parley_bot2 hello", "/new@other_bot", "email@parley_bot.org"):
        ann.user.writes(words, chat=ann.chat)
    await ann.asks("now you", "now you")
    await world.stop()
    assert world.model.asked_count == 1
    assert len(ann.texts()) == 1


@in_group
async def test_a_group_that_becomes_a_supergroup_keeps_its_history(
    world: World, telegram: Telegram
) -> None:
    await world.start()
    user = telegram.new_user("Ann")
    old = telegram.server.group("Small", [user])
    before = TelegramPerson(telegram.server, user, old)
    await before.asks("Remember the milk", "Remember the milk")
    gate = asyncio.Event()
    world.model.say("I am ", gate, "moving too.")
    before.writes("Are you coming?")
    await before.until(lambda: before.preview() != "")
    new = old.migrates(user)
    after = TelegramPerson(telegram.server, user, new)
    gate.set()
    await after.asks("And now?", "And now?")
    await world.stop()
    assert "Remember the milk" in world.model.asked[-1].prompt
    assert any("moving too." in text for text in after.texts())
    world.refusals.add("upgraded to a supergroup")
