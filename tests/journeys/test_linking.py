"""One person on two platforms: linked by a yes of both, and parted again."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.clock import Clock
from tests.journeys.conftest import PLATFORMS
from tests.journeys.on_slack import SlackPerson
from tests.journeys.on_telegram import Telegram, TelegramPerson
from tests.journeys.platform import PATIENCE, Person, Platform, Shown
from tests.journeys.world import World

PAIRS = [("telegram", "discord"), ("discord", "slack"), ("slack plain", "telegram")]
WITH_TERMINAL = [*PAIRS, ("telegram", "terminal")]
STRANGERS = {"direct_messages": "pairing"}


on_pairs = pytest.mark.parametrize("pair", PAIRS, ids=" to ".join, indirect=True)
on_all_pairs = pytest.mark.parametrize("pair", WITH_TERMINAL, ids=" to ".join, indirect=True)


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


@pytest.fixture
async def other(
    pair: tuple[str, str], world: World, clock: Clock, tmp_path: Path
) -> AsyncIterator[Platform]:
    """Return the second platform, which the gateway serves, too."""
    async with PLATFORMS[pair[1]](clock, tmp_path) as met:
        world.add(met)
        yield met


def code_in(shown: Shown) -> str:
    found = re.search(r"/link ([2-9A-HJ-NP-Z]{8})", shown.text)
    assert found is not None
    return found[1]


async def press(person: Person, label: str) -> None:
    """Press a button once it is there; in a terminal it is a numbered line."""
    listed = re.compile(rf"^\d+\. {re.escape(label)}$", re.MULTILINE)
    await person.until(
        lambda: any(label in one.buttons or listed.search(one.text) for one in person.sees())
    )
    person.presses(label)


async def link(here: Person, there: Person) -> None:
    """Link two accounts, as their owner would."""
    code = code_in(await here.asks("/link", "good for ten minutes"))
    await there.asks(f"/link {code}", "say no.")
    seen = len(here.sees())
    await press(there, "Yes, link")
    await there.reads("Now say yes on")
    await here.reads("wants to be linked with this account", after=seen)
    await press(here, "Yes, link")
    await here.reads("from your next message on")


@on_all_pairs
async def test_a_question_on_one_platform_is_remembered_on_the_other(
    world: World, other: Platform
) -> None:
    await world.start()
    here, there = world.person("Ann"), other.person("Ann")
    await here.asks("My cat is called Mitzi.", "Mitzi")
    await there.asks("I live in Graz.", "Graz")
    await link(here, there)
    await there.reads("was linked with")
    await there.asks("What is my cat called?", "What is my cat called?")
    assert "Mitzi" in world.model.asked[-1].prompt
    assert "Graz" not in world.model.asked[-1].prompt
    await here.asks("And where do I live?", "And where do I live?")
    assert "What is my cat called?" in world.model.asked[-1].prompt
    listed = await there.asks("/linked", "/unlink 2 another.")
    assert here.identity in listed.text
    listed = await there.asks("/sessions", "goes on with the second.")
    assert "I live in Graz." in listed.text
    await there.asks("/resume 2", "We go on with: I live in Graz.")
    await here.asks("Where, please?", "Where, please?")
    assert "Graz" in world.model.asked[-1].prompt
    assert "Mitzi" not in world.model.asked[-1].prompt


@on_pairs
async def test_t8_t12_from_a_stranger_to_one_person_and_back(world: World, other: Platform) -> None:
    world.config["access"] = {**STRANGERS, "owners": [world.platform.owner]}
    await world.start()
    here, there = world.person("Ann"), other.person("Ann")
    await here.asks("My cat is called Mitzi.", "Mitzi")
    there.writes("hello")
    await there.reads("good for an hour")
    asks = await here.reads("asks to be let in.")
    assert there.identity in asks.text
    assert world.model.asked_count == 1
    await press(here, "Let in")
    await there.reads("You have been let in.")
    await there.asks("hello again", "hello again")
    assert "Mitzi" not in world.model.asked[-1].prompt
    await link(here, there)
    await there.asks("What is my cat called?", "What is my cat called?")
    assert "Mitzi" in world.model.asked[-1].prompt
    await there.asks("/unlink", "It keeps nothing of what was said")
    await press(there, "Yes, unlink")
    await there.reads("I no longer know here")
    await here.reads("was unlinked from your accounts")
    await there.asks("And what is it called?", "And what is it called?")
    assert world.model.asked[-1].prompt.count("called") == 1
    await here.asks("Do you still know?", "Do you still know?")
    assert "Mitzi" in world.model.asked[-1].prompt
    whole = await world.parley("people", "audit", "--check")
    assert whole.out.startswith("The trail is whole.\n"), whole


@on_pairs
async def test_t8_a_link_goes_on_after_a_restart_between_the_two_yeses(
    world: World, other: Platform
) -> None:
    await world.start()
    here, there = world.person("Ann"), other.person("Ann")
    await here.asks("My cat is called Mitzi.", "Mitzi")
    code = code_in(await here.asks("/link", "good for ten minutes"))
    await there.asks(f"/link {code}", "You are about to link this account")
    await world.restart()
    await press(there, "Yes, link")
    await here.reads("wants to be linked with this account")
    await world.restart()
    await press(here, "Yes, link")
    await here.reads("from your next message on")
    await there.asks("What is my cat called?", "What is my cat called?")
    assert "Mitzi" in world.model.asked[-1].prompt


@on_pairs
async def test_t8_a_no_on_either_side_links_nothing_and_is_told(
    world: World, other: Platform
) -> None:
    await world.start()
    here, there = world.person("Ann"), other.person("Mallory")
    await here.asks("My cat is called Mitzi.", "Mitzi")
    code = code_in(await here.asks("/link", "good for ten minutes"))
    asked = await there.asks(f"/link {code}", "If anybody gave it to you, say no.")
    assert here.identity in asked.text
    await press(there, "Yes, link")
    asked = await here.reads("somebody has learnt your code.")
    assert there.identity in asked.text
    assert "Mallory" in asked.text
    await press(here, "No")
    await there.reads("said no, so nothing was linked")
    await there.asks("What is the cat called?", "What is the cat called?")
    assert "Mitzi" not in world.model.asked[-1].prompt


@on_pairs
async def test_an_undo_gives_each_side_its_conversation_back(world: World, other: Platform) -> None:
    await world.start()
    here, there = world.person("Ann"), other.person("Bob")
    await here.asks("My cat is called Mitzi.", "Mitzi")
    await there.asks("My dog is called Rex.", "Rex")
    await link(here, there)
    await there.reads("If that was not you, undo it now")
    await press(there, "Undo")
    await there.reads("Undone: the accounts are apart again.")
    await there.asks("What is my dog called?", "What is my dog called?")
    prompt = world.model.asked[-1].prompt
    assert "Rex" in prompt
    assert "Mitzi" not in prompt
    await here.asks("What is my cat called?", "What is my cat called?")
    assert "Mitzi" in world.model.asked[-1].prompt


@on_pairs
async def test_linking_while_both_sides_talk_loses_doubles_and_mixes_nothing(
    world: World, other: Platform
) -> None:
    await world.start()
    here, there = world.person("Ann"), other.person("Ann")
    code = code_in(await here.asks("/link", "good for ten minutes"))
    await there.asks(f"/link {code}", "You are about to link this account")
    gate = asyncio.Event()
    world.model.brain = lambda asked: (
        [f"Begun {asked.user_text.split()[-1]}, ", gate, "ended."]
        if "held" in asked.user_text
        else f"Answer {asked.user_text.split()[-1]}."
    )
    there.writes("held t0")
    here.writes("held h0")
    await world.model.until(lambda model: model.asked_count == 2, timeout=PATIENCE)
    for number in range(1, 4):
        here.writes(f"h{number}")
        there.writes(f"t{number}")
    await world.until_logged("message.accepted", 10)
    await press(there, "Yes, link")
    await here.reads("wants to be linked with this account")
    await press(here, "Yes, link")
    await here.reads("from your next message on")
    assert world.model.asked_count == 2  # nothing runs beside what runs
    gate.set()
    for number in range(1, 4):
        await here.reads(f"Answer h{number}.")
        await there.reads(f"Answer t{number}.")
    await here.reads("Begun h0, ended.")
    await there.reads("Begun t0, ended.")
    assert world.model.asked_count == 8
    for person in (here, there):
        answers = [text for text in person.texts() if text.startswith(("Begun", "Answer"))]
        assert len(answers) == 4, answers
    order = [asked.user_text.split()[-1] for asked in list(world.model.asked)[2:]]
    for letter in "ht":
        ours = [word for word in order if word.startswith(letter)]
        assert ours == sorted(ours)
    await there.asks("last", "Answer last.")
    prompt = world.model.asked[-1].prompt
    assert all(f"h{number}" in prompt for number in range(4))
    assert all(f"t{number}" in prompt for number in range(1, 4))


@pytest.mark.parametrize("pair", [("telegram", "discord")], indirect=True)
async def test_t8_three_platforms_are_one_person(
    world: World, other: Platform, clock: Clock, tmp_path: Path
) -> None:
    async with PLATFORMS["slack"](clock, tmp_path) as third:
        world.add(third)
        await world.start()
        here, there, yonder = (one.person("Ann") for one in (world.platform, other, third))
        await here.asks("My cat is called Mitzi.", "Mitzi")
        await link(here, there)
        await there.asks("My dog is called Rex.", "My dog is called Rex.")
        await link(there, yonder)
        await yonder.asks("My fish is called Bubble.", "My fish is called Bubble.")
        for person in (here, there, yonder):
            await person.asks(f"Who is there, {person.identity}?", person.identity)
            prompt = world.model.asked[-1].prompt
            assert all(name in prompt for name in ("Mitzi", "Rex", "Bubble"))
        await here.asks("/unlink", "The other accounts keep all of it.")
        await press(here, "Yes, unlink")
        await here.reads("I no longer know here")
        await here.asks("Who am I?", "Who am I?")
        assert "Mitzi" not in world.model.asked[-1].prompt
        await yonder.asks("Who is left?", "Who is left?")
        assert "Mitzi" in world.model.asked[-1].prompt
        await world.stop()


@pytest.mark.parametrize("pair", [("telegram", "slack")], indirect=True)
async def test_a_platform_with_one_command_links_by_that(world: World, other: Platform) -> None:
    await world.start()
    here, there = world.person("Ann"), other.person("Ann")
    assert isinstance(there, SlackPerson)
    await here.asks("My cat is called Mitzi.", "Mitzi")
    code = code_in(await here.asks("/link", "what we say here."))
    there.user.commands("/parley", f"link {code}", place=there.place)
    await there.reads("say no.")
    await press(there, "Yes, link")
    await here.reads("somebody has learnt your code.")
    await press(here, "Yes, link")
    await here.reads("from your next message on")
    there.writes("What is my cat called?")
    await there.reads("What is my cat called?")
    assert "Mitzi" in world.model.asked[-1].prompt


# Alone on one platform.


@pytest.mark.parametrize("platform", ["telegram"], indirect=True)
async def test_t4_guessing_codes_locks_whoever_guesses(world: World) -> None:
    await world.start()
    ann, mallory = world.person("Ann"), world.person("Mallory")
    code = code_in(await ann.asks("/link", "good for ten minutes"))
    for number in range(5):
        seen = len(mallory.sees())
        mallory.writes(f"/link AAAAAAA{number + 2}")
        await mallory.reads("wrong, used or expired", after=seen)
    await mallory.asks(f"/link {code}", "Too many wrong codes")
    assert world.model.asked_count == 0


@pytest.mark.parametrize("platform", ["telegram"], indirect=True)
async def test_t8_a_code_that_another_has_used_is_worth_nothing(world: World) -> None:
    await world.start()
    ann, thief, third = (world.person(name) for name in ("Ann", "Thief", "Third"))
    code = code_in(await ann.asks("/link", "good for ten minutes"))
    await thief.asks(f"/link {code}", "You are about to link this account")
    await third.asks(f"/link {code}", "wrong, used or expired")
    await press(thief, "Yes, link")
    asked = await ann.reads("somebody has learnt your code.")
    assert thief.identity in asked.text
    assert "somebody has learnt your code" in asked.text


@pytest.mark.parametrize("platform", ["telegram group"], indirect=True)
async def test_t9_a_code_in_a_group_is_burnt_and_refused(world: World, telegram: Telegram) -> None:
    await world.start()
    ann, bob = telegram.person("Ann"), telegram.person("Bob")
    assert isinstance(ann, TelegramPerson)
    alone = TelegramPerson(telegram.server, ann.user, ann.user.chat)
    bob_alone = TelegramPerson(telegram.server, bob.user, bob.user.chat)
    code = code_in(await alone.asks("/link", "good for ten minutes"))
    refused = await ann.asks(f"/link {code}", "Codes are for direct messages only.")
    await alone.reads("A code of yours was shown in a group")
    assert (await ann.asks("/link AAAAAAAA", "Codes are")).text == refused.text
    await bob_alone.asks(f"/link {code}", "wrong, used or expired")
    await ann.asks("/link", "/link is for direct messages.")
    for command in ("/linked", "/unlink", "/sessions", "/resume 1"):
        told = await ann.asks(command, "is for direct messages. Write to me there.")
        assert "telegram:" not in told.text


@pytest.mark.parametrize("platform", ["telegram"], indirect=True)
async def test_the_owner_parts_accounts_from_the_command_line(world: World) -> None:
    await world.start()
    ann, bob = world.person("Ann"), world.person("Bob")
    await ann.asks("My cat is called Mitzi.", "Mitzi")
    await link(ann, bob)
    listed = json.loads((await world.parley("people", "list", "--json")).out)
    (person,) = listed
    assert [account["identity"] for account in person["accounts"]] == ["telegram:42", "telegram:43"]
    shown = await world.parley("people", "show", "telegram:43")
    assert "link.made" in shown.out
    done = await world.parley("people", "unlink", "telegram:43")
    assert done.out.startswith("telegram:43 is unlinked")
    await bob.reads("I no longer know here")
    await bob.asks("What is my cat called?", "What is my cat called?")
    assert "Mitzi" not in world.model.asked[-1].prompt
    again = await world.parley("people", "unlink", "telegram:43")
    assert (again.code, again.err) == (
        1, "parley: telegram:43 is linked with no other account.\n",
    )  # fmt: skip
