"""What only Discord has: threads and forums, slash commands, stickers, edits and deletions told."""

import asyncio

import pytest

from gateway.inbound.announcing import MISSED_WORDS
from tests.fakes.discord import Channel, Interaction, Message
from tests.fakes.discord.messages import take_away
from tests.journeys.on_discord import Discord, DiscordPerson, DiscordServer
from tests.journeys.platform import PATIENCE
from tests.journeys.world import World

in_a_server = pytest.mark.parametrize("platform", ["discord server"], indirect=True)
everywhere = pytest.mark.parametrize(
    "platform", ["discord", "discord server", "discord thread"], indirect=True
)


def in_server(discord: Discord) -> DiscordServer:
    assert isinstance(discord, DiscordServer)
    return discord


def at(person: DiscordPerson, place: Channel) -> DiscordPerson:
    """Meet the same person in another place."""
    return DiscordPerson(person.server, person.user, place)


async def previewed(person: DiscordPerson, words: str) -> None:
    await person.until(lambda: person.preview().endswith(words))


async def thread_on(discord: Discord, message: Message) -> Channel:
    """Wait for the thread that was made from a message."""
    await discord.server.until(lambda it: message.id in it.channels, timeout=PATIENCE)
    return discord.server.channels[message.id]


async def menu(discord: Discord) -> None:
    """Wait until there are commands to use."""
    await discord.server.until(lambda it: bool(it.world.commands), timeout=PATIENCE)


async def answered(discord: Discord, used: Interaction) -> list[str]:
    """Return what somebody is shown for a command, once nothing shows that more is thought of."""
    await discord.server.until(lambda _: used.is_answered and not used.is_thinking)
    return used.answers


@everywhere
async def test_lesson_9_10_a_streamed_answer_is_sent_once_and_then_edited(
    world: World, discord: Discord
) -> None:
    await world.start()
    ann = discord.person("Ann")
    gates = [asyncio.Event() for _ in range(5)]
    pieces: list[str | asyncio.Event] = []
    for number, gate in enumerate(gates):
        pieces += [f"Part {number}. ", gate]
    world.model.say(*pieces, "The end.")
    ann.writes("hi")
    for number, gate in enumerate(gates):
        await previewed(ann, f"Part {number}.")
        gate.set()
    await ann.reads("The end.")
    await world.stop()
    assert ann.texts() == ["Part 0. Part 1. Part 2. Part 3. Part 4. The end."]
    assert len(discord.server.calls("send", ann.channel)) == 1
    assert len(discord.server.calls("edit", ann.channel)) <= 7
    assert not discord.server.calls("delete")


@in_a_server
async def test_each_conversation_is_a_thread_with_a_history_of_its_own(
    world: World, discord: Discord
) -> None:
    world.config["adapters"]["discord"]["threads"] = True
    await world.start()
    ann, bob = discord.person("Ann"), discord.person("Bob")
    for person, words in ((ann, "remember the milk"), (bob, "remember the eggs")):
        thread = at(person, await thread_on(discord, person.writes(words)))
        assert thread.channel.name == words
        await thread.reads(words)
        thread.user.writes("and now?", channel=thread.channel)
        await thread.reads("and now?", after=1)
        assert words in world.model.asked[-1].prompt
    assert "milk" not in world.model.asked[-1].prompt
    assert ann.texts() == []


@in_a_server
async def test_a_post_in_a_forum_is_a_conversation(world: World, discord: Discord) -> None:
    await world.start()
    ann, bob = discord.person("Ann"), discord.person("Bob")
    forum = in_server(discord).team.forum("questions")
    first = ann.user.posts(forum, "Fruit", f"{discord.server.mention} are pears green?")
    second = bob.user.posts(forum, "Sky", f"{discord.server.mention} is it blue?")
    await at(ann, first).reads("are pears green?")
    await at(bob, second).reads("is it blue?")
    await at(ann, first).asks("and apples?", "and apples?")
    assert "pears" in world.model.asked[-1].prompt
    assert "blue" not in world.model.asked[-1].prompt


@pytest.mark.parametrize("platform", ["discord", "discord server"], indirect=True)
async def test_a_slash_command_is_deferred_and_then_answered(
    world: World, discord: Discord
) -> None:
    await world.start()
    ann = discord.person("Ann")
    await menu(discord)
    used = ann.uses("whoami")
    (told,) = await answered(discord, used)
    assert "Role: owner" in told
    assert used.response == 5
    assert used.original is not None
    assert used.original.seen_by is None
    assert "/stop" in " ".join(await answered(discord, ann.uses("help")))
    assert world.model.asked_count == 0


@in_a_server
@pytest.mark.parametrize("speed", [1])  # what is decided within a second and a half is told alone
async def test_a_stranger_is_told_alone_that_a_command_is_not_for_them(
    world: World, discord: Discord
) -> None:
    world.config["access"]["groups"] = "off"
    await world.start()
    discord.person("Ann")
    mallory = discord.person("Mallory")
    await menu(discord)
    used = mallory.uses("status")
    (told,) = await answered(discord, used)
    assert told
    assert used.original is not None
    assert used.original.seen_by == mallory.user.id
    await world.stop()
    assert mallory.channel.bot_texts() == []
    assert world.model.asked_count == 0


async def test_the_slash_command_stop_ends_the_answer_and_thinks_no_longer(
    world: World, discord: Discord
) -> None:
    await world.start()
    ann = discord.person("Ann")
    await menu(discord)
    world.model.say("Once upon ", asyncio.Event(), "a time.")
    ann.writes("Tell me a story")
    await previewed(ann, "Once upon")
    used = ann.uses("stop")
    stopped = await ann.reads("Stopped.")
    assert stopped.text.startswith("Once upon")
    await answered(discord, used)
    await ann.asks("still there?", "still there?")


@in_a_server
async def test_buttons_are_for_who_was_asked(world: World, discord: Discord) -> None:
    await world.start()
    ann, bob = discord.person("Ann"), discord.person("Bob")
    gate = asyncio.Event()
    world.model.say("Once upon ", gate, "a time.")
    ann.writes("Tell me a story")
    await previewed(ann, "Once upon")
    # By the time of this answer it is written down whose the button is.
    await bob.asks("/status", "Queue: ")
    bob.presses("Stop")
    await bob.until(lambda: bob.asides() == ["This was asked of somebody else."])
    assert ann.asides() == []
    gate.set()
    await ann.reads("Once upon a time.")


@pytest.mark.parametrize("platform", ["discord", "discord server"], indirect=True)
async def test_the_edit_of_a_waiting_message_is_what_is_answered(
    world: World, discord: Discord
) -> None:
    await world.start()
    ann = discord.person("Ann")
    gate = asyncio.Event()
    world.model.say("One ", gate, "moment.")
    ann.writes("first")
    await world.model.until(lambda model: model.asked_count == 1)
    ann.writes("secnd")
    await world.until_waiting(2)
    ann.edits("second, well written")
    await world.until_logged("message.accepted", 3)
    gate.set()
    await ann.reads("second, well written")
    ann.edits("changed when it was too late")
    await world.until_logged("message.accepted", 4)
    await ann.asks("third", "third")
    await world.stop()
    assert world.model.asked_count == 3
    assert "secnd" not in world.model.asked[-1].prompt


@pytest.mark.parametrize("platform", ["discord", "discord server"], indirect=True)
async def test_a_waiting_message_that_is_taken_back_is_not_answered(
    world: World, discord: Discord
) -> None:
    await world.start()
    ann = discord.person("Ann")
    gate = asyncio.Event()
    world.model.say("One ", gate, "moment.")
    ann.writes("first")
    await world.model.until(lambda model: model.asked_count == 1)
    ann.writes("I regret this")
    await world.until_waiting(2)
    ann.takes_back()
    await world.until_waiting(1)
    gate.set()
    await ann.reads("moment.")
    await ann.asks("third", "third")
    await world.stop()
    assert "regret" not in "".join(asked.prompt for asked in world.model.asked)


@everywhere
async def test_a_reply_tells_the_model_what_it_answers(world: World, discord: Discord) -> None:
    await world.start()
    ann = discord.person("Ann")
    world.model.say("Apples are red.")
    await ann.asks("Tell me of fruit", "red.")
    (answer,) = [one for one in ann.channel.shown() if one.is_from_bot]
    ann.writes("Why?", reply_to=answer)
    await ann.reads("Why?")
    asked = world.model.asked[-1].user_text
    assert "In answer to your message" in asked
    assert "> Apples are red." in asked


async def test_a_forward_a_sticker_and_a_voice_message_are_told_to_the_model(
    world: World, discord: Discord
) -> None:
    await world.start()
    ann = discord.person("Ann")
    dinner = ann.writes("Dinner at eight")
    await ann.reads("Dinner at eight")
    ann.user.forwards(dinner)
    await world.model.until(lambda model: model.asked_count == 2)
    ann.user.sends_sticker("Wave")
    await world.model.until(lambda model: model.asked_count == 3)
    ann.user.sends_voice()
    await world.model.until(lambda model: model.asked_count == 4)
    forwarded, sticker, voice = (asked.user_text for asked in list(world.model.asked)[1:])
    assert "[Forwarded" in forwarded
    assert "Dinner at eight" in forwarded
    assert "Wave" in sticker
    assert "voice-message.ogg" in voice


async def test_files_sent_together_are_one_turn(world: World, discord: Discord) -> None:
    await world.start()
    ann = discord.person("Ann")
    files = [(f"note{number}.txt", f"note number {number}".encode()) for number in range(4)]
    ann.user.sends_all(files, words="What is in these?")
    await ann.reads("What is in these?")
    await world.stop()
    (asked,) = world.model.asked
    assert all(f"note number {number}" in asked.prompt for number in range(4))


@everywhere
async def test_nobody_is_called_by_what_the_model_writes(world: World, discord: Discord) -> None:
    await world.start()
    ann = discord.person("Ann")
    world.model.say("Hello @everyone, @here and ", f"<@{ann.user.id}>, ", "<@&1>. Done.")
    await ann.asks("call them all", "Done.")
    await world.stop()
    assert discord.pings() == []


@everywhere
async def test_typing_ends_with_the_answer(world: World, discord: Discord) -> None:
    await world.start()
    ann = discord.person("Ann")
    gate = asyncio.Event()
    world.model.say(gate, "Done thinking.")
    ann.writes("hi")
    await ann.until(lambda: len(ann.channel.typing) >= 2)
    gate.set()
    await ann.reads("Done thinking.")
    signs = len(ann.channel.typing)
    await world.clock.sleep(20)
    assert len(ann.channel.typing) == signs
    assert not ann.channel.is_typing()


async def test_events_that_are_told_again_and_again_are_answered_once(
    world: World, discord: Discord
) -> None:
    await world.start()
    ann = discord.person("Ann")
    await ann.asks("one", "one")
    await ann.asks("two", "two")
    for _ in range(3):
        discord.server.gateway.repeats(20)
    await ann.asks("three", "three")
    await world.stop()
    assert ann.texts() == ["one", "two", "three"]
    assert world.model.asked_count == 3


async def test_an_answer_deleted_while_it_grows_comes_in_a_new_message(
    world: World, discord: Discord
) -> None:
    await world.start()
    ann = discord.person("Ann")
    gate = asyncio.Event()
    world.model.say("Half ", gate, "a word.")
    ann.writes("hi")
    await previewed(ann, "Half")
    (half,) = [one for one in ann.channel.shown() if one.is_from_bot]
    take_away(discord.server.world, ann.channel, half)
    gate.set()
    await ann.reads("Half a word.")
    await world.stop()
    assert ann.texts() == ["Half a word."]
    world.refusals.add("Unknown Message")


async def test_a_person_who_takes_no_messages_stops_nobody(world: World, discord: Discord) -> None:
    await world.start()
    ann, bob = discord.person("Ann"), discord.person("Bob")
    ann.user.blocks()
    ann.writes("hi")
    await bob.asks("and I?", "and I?")
    await world.until_waiting(0)
    ann.user.unblocks()
    await ann.asks("back again", "back again")
    world.refusals.add("Cannot send messages to this user")


async def test_r8_what_was_written_while_it_was_down_is_answered_once_and_in_order(
    world: World, discord: Discord
) -> None:
    """What is older than `catch_up` is told of, once."""
    world.config["adapters"]["discord"]["catch_up"] = 60
    await world.start()
    ann, bob = discord.person("Ann"), discord.person("Bob")
    await ann.asks("first", "first")
    await bob.asks("first", "first")
    await world.stop()
    bob.writes("hours ago")
    await world.clock.sleep(90)
    discord.server.gateway.forgets()  # a session lasts minutes
    for number in range(4):
        ann.writes(f"meanwhile {number}")
    await world.start()
    ann.writes("and now")
    await ann.reads("and now")
    await bob.reads(MISSED_WORDS)
    await bob.asks("anything?", "anything?")
    await world.restart()
    await ann.asks("last", "last")
    await world.stop()
    assert ann.texts() == [
        "first",
        *(f"meanwhile {number}" for number in range(4)),
        "and now",
        "last",
    ]
    assert bob.texts() == ["first", MISSED_WORDS, "anything?"]
