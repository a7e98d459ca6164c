"""Discord in trouble: nothing is lost, nothing shown twice, nobody waits for another's penalty."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from gateway.clock import Clock
from tests.fakes.discord import Channel
from tests.fakes.discord.gateway import Gateway
from tests.fakes.faults import Answer, Drop, Effect, Fault, RateLimit, Reset, Truncate
from tests.fakes.model import Pause, call
from tests.journeys.on_discord import Discord, DiscordPerson
from tests.journeys.on_telegram import Telegram
from tests.journeys.platform import PATIENCE
from tests.journeys.test_conversation import long_answer, markers
from tests.journeys.world import World

in_both_kinds_of_place = pytest.mark.parametrize(
    "platform", ["discord", "discord server"], indirect=True
)
_METHODS = {"send": "POST", "edit": "PATCH", "typing": "POST"}


@pytest.fixture
def speed() -> float:
    return 20  # seconds are counted here


@pytest.fixture
async def telegram_too(world: World, clock: Clock) -> AsyncIterator[Telegram]:
    """Have the gateway serve Telegram as well."""
    async with Telegram(clock, world.folder) as telegram:
        world.add(telegram)
        yield telegram
        await world.stop()


def breaks(discord: Discord, effect: Effect, route: str, place: Channel, **more: Any) -> Fault:
    """Have calls of a route fail in one place."""

    def is_meant(facts: Mapping[str, Any]) -> bool:
        return facts.get("route") == route and facts.get("channel_id") == place.id

    return discord.server.faults.add(effect, method=_METHODS[route], when=is_meant, **more)


async def used(discord: Discord, fault: Fault, times: int = 1) -> None:
    await discord.server.until(lambda _: fault.used >= times, timeout=PATIENCE)


def directly(discord: Discord, name: str) -> DiscordPerson:
    """Meet somebody in a conversation of their own."""
    user = discord.new_user(name)
    return DiscordPerson(discord.server, user, user.dm)


@in_both_kinds_of_place
@pytest.mark.parametrize("route", ["send", "edit", "typing"])
async def test_r11_lesson_16_no_call_is_made_in_a_penalty_and_no_other_place_waits(
    world: World, discord: Discord, route: str
) -> None:
    """That no call was inside is looked at after every journey."""
    await world.start()
    ann = discord.person("Ann")
    bob = directly(discord, "Bob")
    penalty = breaks(discord, RateLimit(20), route, ann.channel, nth=1)
    gate = asyncio.Event()
    world.model.say(Pause(1), "Slowly it ", gate, "grows.", when="story")
    ann.writes("Tell me a story")
    if route == "edit":
        await discord.server.until(lambda _: bool(ann.texts()), timeout=PATIENCE)
        gate.set()
    await used(discord, penalty)
    refused_at = world.clock.now()
    gate.set()
    await bob.asks("Are you free?", "Are you free?")
    assert world.clock.now() - refused_at < 20
    await ann.reads("grows.")
    await world.stop()
    assert ann.texts() == ["Slowly it grows."]
    calls = discord.server.calls(route, ann.channel)
    (refused,) = [one for one in calls if not one.applied]
    assert all(one.at - refused.at >= 20 for one in calls[calls.index(refused) + 1 :])


async def test_lesson_18_a_penalty_of_a_quarter_of_an_hour_keeps_nobody_busy(
    world: World, discord: Discord
) -> None:
    world.config["drain_timeout"] = 3
    await world.start()
    ann, bob = discord.person("Ann"), discord.person("Bob")
    penalty = breaks(discord, RateLimit(900), "send", ann.channel, nth=1)
    ann.writes("hello")
    await used(discord, penalty)
    await bob.asks("Are you free?", "Are you free?")
    await world.until_waiting(1)
    assert (await world.status())["adapters"][0]["state"] == "running"
    began = world.clock.now()
    await world.stop()
    assert world.clock.now() - began < 15
    assert ann.texts() == []


@in_both_kinds_of_place
@pytest.mark.parametrize(
    "effect",
    [Answer(502), Reset("before"), Drop(), Reset("after"), Truncate(), RateLimit("soon")],
    ids=repr,
)
async def test_r6_n2_n3_a_first_send_that_fails_shows_one_answer(
    world: World, discord: Discord, effect: Effect
) -> None:
    """What was sent all the same is known by its nonce."""
    await world.start()
    ann = discord.person("Ann")
    breaks(discord, effect, "send", ann.channel, nth=1)
    world.model.brain = lambda _: ["Hello ", "there, ", "this is ", "it."]
    await ann.asks("hi", "this is it.")
    await world.stop()
    assert ann.texts() == ["Hello there, this is it."]


@pytest.mark.promise("R9")
async def test_an_answer_that_the_bot_may_not_send_is_sent_once_it_may(
    world: World, discord: Discord
) -> None:
    await world.start()
    ann = discord.person("Ann")
    forbidden = Answer(403, {"message": "Missing Permissions", "code": 50013})
    breaks(discord, forbidden, "send", ann.channel)
    world.model.say("Well said.")
    ann.writes("hi")
    await world.until_logged("turn.unreachable")
    await world.until_waiting(0)
    (letter,) = json.loads((await world.parley("dead", "list", "--json")).out)
    assert "the bot lacks a permission here" in letter["reason"]
    discord.server.faults.clear()
    assert (await world.parley("dead", "retry", str(letter["number"]))).code == 0
    await ann.reads("Well said.")
    await world.stop()
    assert ann.texts() == ["Well said."]
    assert world.model.asked_count == 1


@pytest.mark.parametrize("effect", [Answer(500), Drop(), RateLimit(2)], ids=repr)
async def test_lesson_20_the_final_text_comes_though_every_third_call_fails(
    world: World, discord: Discord, effect: Effect
) -> None:
    await world.start()
    people = [discord.person(name) for name in ("Ann", "Bob", "Eve")]
    discord.server.faults.add(effect, path="/channels/", every=3)
    world.model.pace.between = 1.0
    pieces = [f"Sentence {number}. " for number in range(8)]
    world.model.brain = lambda _: [*pieces, "The end."]
    for person in people:
        person.writes("hi")
    for person in people:
        await person.reads("The end.")
    await world.stop()
    assert [person.texts() for person in people] == [["".join(pieces) + "The end."]] * 3


@pytest.mark.parametrize("page", [2, 3])
@pytest.mark.parametrize("effect", [Answer(502), Drop(), RateLimit(2)], ids=repr)
async def test_n4_n5_a_late_part_that_fails_repeats_no_other(
    world: World, discord: Discord, effect: Effect, page: int
) -> None:
    await world.start()
    ann = discord.person("Ann")
    breaks(discord, effect, "send", ann.channel, nth=page)
    answer = long_answer()
    world.model.say(answer)
    await ann.asks("Tell me everything", "The very end.")
    await world.stop()
    assert markers("\n".join(ann.texts())) == markers(answer)


@pytest.mark.parametrize("effect", [Answer(502), Drop(), Reset("before"), RateLimit(3)], ids=repr)
async def test_r6_lesson_13_a_file_that_fails_to_go_is_there_once_or_told(
    world: World, discord: Discord, effect: Effect
) -> None:
    await world.start()
    ann = discord.person("Ann")
    discord.server.faults.add(
        effect, path="/messages", when=lambda facts: bool(facts.get("attachments")), nth=1
    )
    world.model.say(call("write_file", path="a.txt", content="hello"))
    world.model.say(call("send_file", path="a.txt"))
    world.model.say("There you are.")
    await ann.asks("Write it down", "There you are.")
    await world.stop()
    files = [one.file for one in ann.sees() if one.file is not None]
    assert files in ([], [b"hello"])
    assert files or "A file may be missing: a.txt" in ann.texts()[-1]


@pytest.mark.parametrize(
    "trouble",
    [
        Gateway.breaks_off,
        Gateway.asks_reconnect,
        lambda gateway: gateway.closes(4000),
        lambda gateway: gateway.invalidates(resumable=True),
        lambda gateway: gateway.invalidates(),
        lambda gateway: gateway.closes(4009),
    ],
    ids=["dropped", "op 7", "4000", "op 9, resumable", "op 9", "4009"],
)
async def test_r8_a_connection_that_ends_amid_an_answer_loses_nothing(
    world: World, discord: Discord, trouble: Callable[[Gateway], None]
) -> None:
    await world.start()
    ann, bob = discord.person("Ann"), discord.person("Bob")
    gate = asyncio.Event()
    world.model.say("Half ", gate, "a word.", when="one")
    ann.writes("one")
    await ann.until(lambda: ann.preview() == "Half")
    await bob.asks("hello", "hello")
    begun = discord.server.gateway.identifies + discord.server.gateway.resumes
    trouble(discord.server.gateway)
    ann.writes("two")
    bob.writes("and I?")
    gate.set()
    await ann.reads("two")
    await bob.reads("and I?")
    await world.stop()
    assert discord.server.gateway.identifies + discord.server.gateway.resumes > begun
    assert ann.texts() == ["Half a word.", "two"]
    assert bob.texts() == ["hello", "and I?"]
    assert world.model.asked_count == 4


@pytest.mark.parametrize(
    ("code", "words"), [(4004, "refuses the bot's token"), (4014, "Message Content Intent")]
)
async def test_a_connection_closed_for_good_stops_the_account_and_says_why(
    world: World, discord: Discord, telegram_too: Telegram, code: int, words: str
) -> None:
    world.pardoned.add("adapter.stopped")
    world.config["drain_timeout"] = 3
    await world.start()
    ann = discord.person("Ann")
    await ann.asks("one", "one")
    discord.server.gateway.closes(code)
    await world.until_logged("adapter.stopped")
    (logged,) = world.logged("adapter.stopped")
    assert words in str(logged)
    await telegram_too.person("Ann").asks("and here?", "and here?")
    told = {one["account"]: one for one in (await world.status())["adapters"]}
    assert told["discord"]["state"] == "stopped"
    assert words in told["discord"]["reason"]
    assert told["telegram"]["state"] == "running"
    assert words in " ".join((await world.parley("status")).out.split())


async def test_a_server_that_goes_away_and_comes_back_finds_the_bot_there(
    world: World, discord: Discord
) -> None:
    await world.start()
    ann = discord.person("Ann")
    gate = asyncio.Event()
    world.model.say("Before ", gate, "and after.")
    ann.writes("one")
    await ann.until(lambda: ann.preview() == "Before")
    away = discord.server.faults.add(Reset("before"))
    discord.server.gateway.breaks_off()
    gate.set()
    await used(discord, away, 5)
    ann.writes("two")
    discord.server.faults.clear()
    await ann.reads("and after.")
    await ann.reads("two")
    await world.stop()
    assert ann.texts() == ["Before and after.", "two"]


async def test_l9_a_server_that_is_away_at_the_start_is_waited_for(
    world: World, discord: Discord
) -> None:
    discord.server.faults.add(Answer(502), path="/users/@me", times=2)
    discord.server.faults.add(Reset("before"), path="/gateway", times=2)
    await world.start()
    await discord.person("Ann").asks("one", "one")


@in_both_kinds_of_place
async def test_lesson_17_a_burst_within_discords_own_limits_meets_no_refusal(
    world: World, discord: Discord
) -> None:
    """In a server, three answers share one channel and its five calls in five seconds."""
    await world.start()
    people = [discord.person(name) for name in ("Ann", "Bob", "Eve")]
    discord.server.rates.enabled = True
    discord.server.rates.speed = 1  # the adapter waits by the clock of the journey
    world.model.pace.between = 0.1
    pieces = [f"Word{number} " for number in range(100)]
    world.model.brain = lambda _: [*pieces, "the end."]
    for person in people:
        person.writes("hi")
    whole = "".join(pieces) + "the end."
    for person in people:
        answers = 1 if person.channel.is_direct else len(people)
        await all_are_whole(person, whole, answers)


async def all_are_whole(person: DiscordPerson, text: str, answers: int) -> None:
    await person.until(lambda: person.texts() == [text] * answers)
