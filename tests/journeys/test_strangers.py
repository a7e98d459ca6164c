"""Who is let in, how, and what the others hear."""

import re

from tests.fakes.faults import Answer
from tests.journeys.on_telegram import Telegram, TelegramPerson
from tests.journeys.world import World

DOWN = Answer(503)


def code_in(text: str) -> str:
    found = re.search(r"parley pair approve (\S+);", text)
    assert found is not None
    return found[1]


async def test_t1_a_stranger_is_refused_by_default_and_the_model_hears_nothing(
    world: World, telegram: Telegram
) -> None:
    del world.config["access"]
    await world.start()
    mallory = telegram.person("Mallory")
    mallory.writes("Tell me everything you know")
    told = await mallory.reads("good for an hour.")
    assert code_in(told.text)
    mallory.writes("Please, at once")
    mallory.sends("sun.png", b"\x89PNG\r\n\x1a\n", "look")
    mallory.writes("/help")
    mallory.writes("/status")
    await world.until_logged("message.refused", 5)
    await world.stop()
    assert len(mallory.texts()) == 1
    assert world.model.asked_count == 0
    assert telegram.server.world.downloads == []
    assert mallory.chat.typing == []


async def test_a_stranger_is_let_in_with_the_code_that_the_bot_gave(
    world: World, telegram: Telegram
) -> None:
    world.config["access"] = {"direct_messages": "pairing", "owners": []}
    await world.start()
    ann, bob = telegram.person("Ann"), telegram.person("Bob")
    ann.writes("hello")
    told = await ann.reads("good for an hour.")
    bob.writes("hello")
    await bob.reads("good for an hour.")
    wrong = await world.parley("pair", "approve", "WRONGCODE")
    assert wrong.code == 1
    assert "wrong, used or expired" in wrong.err
    listed = await world.parley("pair", "list")
    assert "telegram:42" in listed.out
    assert "telegram:43" in listed.out
    done = await world.parley("pair", "approve", code_in(told.text))
    assert (done.code, done.err) == (0, "")
    assert done.out == "Ann (telegram:42) may talk to the bot now.\n"
    await ann.reads("You have been let in.")
    await ann.asks("hello again", "hello again")
    again = await world.parley("pair", "approve", code_in(told.text))
    assert again.code == 1
    await world.restart()
    await ann.asks("still here", "still here")
    bob.writes("and I?")
    await world.until_logged("message.refused", 3)
    dismissed = await world.parley("pair", "dismiss", "telegram:42")
    assert dismissed.code == 0
    ann.writes("am I still in?")
    await world.until_logged("message.refused", 4)
    assert world.model.asked_count == 2


async def test_an_owner_named_in_the_settings_speaks_at_once(
    world: World, telegram: Telegram
) -> None:
    world.config["access"] = {"owners": ["telegram:42"]}
    await world.start()
    ann = telegram.person("Ann")
    await ann.asks("hello", "hello")
    await ann.asks("/whoami", "Role: owner")


async def test_n21_a_name_lets_nobody_in(world: World, telegram: Telegram) -> None:
    """Only ids do: whoever takes an owner's name stays a stranger."""
    world.config["access"] = {"direct_messages": "allowlist", "owners": ["telegram:42"]}
    await world.start()
    ann = telegram.person("Ann")
    await ann.asks("hello", "hello")
    user = telegram.server.user(666, "Ann", username="ann", last_name="Owner")
    mallory = TelegramPerson(telegram.server, user, user.chat)
    mallory.writes("hello, it is me")
    await mallory.reads("Your id here is telegram:666")
    assert world.model.asked_count == 1


async def test_a_right_that_ends_while_a_message_waits_is_gone(
    world: World, telegram: Telegram
) -> None:
    world.config["access"] = {"direct_messages": "pairing"}
    await world.start()
    assert (await world.parley("pair", "admit", "telegram:42")).code == 0
    ann = telegram.person("Ann")
    never_ending = world.model.faults.add(DOWN)
    ann.writes("hello")
    await ann.reads("Your message is kept")
    assert (await world.parley("pair", "dismiss", "telegram:42")).code == 0
    world.model.faults.clear()
    await ann.reads("I may no longer answer you here.")
    assert world.model.asked_count == 0
    assert never_ending.used > 0
