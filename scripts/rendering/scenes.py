"""What happens between a person and the bot, on whatever platform."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.providers.demo_picture import picture_base64
from scripts.rendering.samples import SAMPLES, long_answer
from scripts.rendering.stage import Stage
from scripts.rendering.weather import Weather
from tests.fakes.faults import Answer
from tests.fakes.model import Piece, call
from tests.journeys.platform import Person

Scene = Callable[[Stage, Person], Awaitable[None]]

OTHER_MODEL = "gpt-4.1-mini"
TOOLS = ["now", "weather", "read_file", "write_file", "edit_file", "send_file", "send_image"]
NOTES = "# Notes\n\nA day in the harbour.\n"
_KEPT = "as soon as the model is back."


async def _answered(stage: Stage, ann: Person, question: str, *answer: Piece) -> None:
    """Ask, and wait until the whole answer has arrived."""
    model = stage.world.model
    asked = model.asked_count
    if answer:
        model.say(*answer)
    ann.writes(question)
    await model.until(lambda it: it.asked_count > asked)
    await stage.world.until_waiting(0)


def sample(title: str) -> Scene:
    async def play(stage: Stage, ann: Person) -> None:
        await _answered(stage, ann, title, SAMPLES[title])
        stage.take(title)

    return play


async def thinking(stage: Stage, ann: Person) -> None:
    silence = asyncio.Event()
    asked = stage.world.model.asked_count
    stage.world.model.say(silence, "It is good.")
    ann.writes("How is it?")
    await stage.world.model.until(lambda it: it.asked_count > asked)
    await stage.world.clock.sleep(3)
    stage.take("Before the first word")
    silence.set()
    await stage.world.until_waiting(0)


async def tool_run(stage: Stage, ann: Person) -> None:
    model, title = stage.world.model, "A tool run"
    Weather.is_asked, Weather.may_tell = asyncio.Event(), asyncio.Event()
    model.say("I look at the clock and at the sky.", call("now", timezone="Europe/Warsaw"))
    model.say(call("read_file", path="plans.md"), call("weather", city="Gdańsk"))
    model.say("It is **sunny**: go out. I found no plans that could keep you in.")
    ann.writes("Should I go out?")
    await Weather.is_asked.wait()
    await stage.world.clock.sleep(4)
    stage.take(title, "while it runs")
    Weather.may_tell.set()
    await stage.world.until_waiting(0)
    stage.take(title, "when it is done")


async def picture(stage: Stage, ann: Person) -> None:
    stage.world.model.say(call("write_file", path="sun.png", content_base64=picture_base64()))
    stage.world.model.say(call("send_image", path="sun.png", caption="A **sunrise**, as asked"))
    await _answered(stage, ann, "Paint me a sunrise", "There it is.")
    stage.take("A picture with a caption")


async def file(stage: Stage, ann: Person) -> None:
    stage.world.model.say(call("write_file", path="notes.md", content=NOTES))
    stage.world.model.say("Here they are.", call("send_file", path="notes.md"))
    await _answered(stage, ann, "Send me your notes", "They are short.")
    stage.take("A file")


async def album(stage: Stage, ann: Person) -> None:
    names = [f"sun{number}.png" for number in range(3)]
    model = stage.world.model
    model.say(*(call("write_file", path=one, content_base64=picture_base64()) for one in names))
    model.say(*(call("send_image", path=one) for one in names))
    await _answered(stage, ann, "Three of them", "That makes **three** sunrises.")
    await stage.world.clock.sleep(2)
    stage.take("An album")


async def failure(stage: Stage, ann: Person) -> None:
    stage.world.model.faults.add(Answer(401), times=1)
    await ann.asks("How are you?", "refused the API key")
    await stage.world.until_waiting(0)
    stage.take("The model fails")


async def outage(stage: Stage, ann: Person) -> None:
    world, title = stage.world, "The model is down"
    world.model.faults.add(Answer(529))
    await ann.asks("How are you?", _KEPT)
    stage.take(title, "at first")
    world.model.faults.clear()
    world.model.say("Well again. I am glad that you **asked**.")
    await world.until_waiting(0)
    stage.take(title, "once it is back")


async def stopped(stage: Stage, ann: Person) -> None:
    world, title = stage.world, "An answer that is stopped"
    never = asyncio.Event()
    world.model.say("Once upon a time ", "there was a **king**, and he had ", never, "a horse.")
    ann.writes("Tell me a story")
    await ann.until(lambda: "and he had" in ann.preview())
    stage.take(title, "while it is written")
    ann.writes("/stop")
    await world.until_waiting(0)
    stage.take(title, "afterwards")


async def long(stage: Stage, ann: Person) -> None:
    stage.world.model.pieces = 40
    await _answered(stage, ann, "Tell me of the harbour", long_answer())
    stage.world.model.pieces = 4
    stage.take("A long answer")


async def approval(stage: Stage, ann: Person) -> None:
    world, title = stage.world, "A tool that must be allowed"
    world.model.say(
        "I correct the notes.",
        call("edit_file", path="notes.md", old="A day", new="A `long` day"),
    )
    world.model.say("They are corrected.")
    ann.writes("Correct the notes, please")
    await ann.reads("with this?", after=stage.begun)
    stage.take(title, "asked")
    ann.presses("Allow")
    await world.until_waiting(0)
    stage.take(title, "allowed")


async def choice(stage: Stage, ann: Person) -> None:
    title = "Choices"
    await ann.asks("/model", OTHER_MODEL)
    stage.take(title, "asked")
    ann.presses(OTHER_MODEL)
    await ann.reads(f"I use {OTHER_MODEL}", after=stage.begun)
    await stage.world.until_waiting(0)
    stage.take(title, "chosen")


def command(line: str, words: str) -> Scene:
    async def play(stage: Stage, ann: Person) -> None:
        await ann.asks(line, words)
        await stage.world.until_waiting(0)
        stage.take(line)

    return play


async def stranger(stage: Stage, _: Person) -> None:
    mallory = stage.enter(stage.world.person("Mallory"))
    await mallory.asks("Hello, who are you?", "good for an hour.")
    stage.take("A stranger")


async def signs(stage: Stage, ann: Person) -> None:
    title = "Signs on the question (a setting)"
    never = asyncio.Event()
    stage.world.model.say("Let me ", never, "think.")
    ann.writes("How are you?")
    await stage.world.model.until(lambda it: it.asked_count > 0)
    await ann.until(lambda: bool(ann.signs()))
    stage.take(title, "seen")
    never.set()
    await stage.world.until_waiting(0)
    stage.take(title, "answered")
    stage.world.model.faults.add(Answer(401), times=1)
    stage.enter(ann)
    await ann.asks("And now?", "refused the API key")
    await stage.world.until_waiting(0)
    stage.take(title, "failed")


ACTS: dict[str, tuple[Scene, ...]] = {
    "What the model writes": (*map(sample, SAMPLES), long),
    "What it does": (thinking, tool_run, picture, file, album, approval),
    "What goes otherwise": (failure, outage, stopped),
    "What people ask of the gateway": (
        command("/start", "Hello!"),
        command("/help", "/compact"),
        command("/status", "Queue"),
        command("/usage", "test-model"),
        command("/whoami", "owner"),
        choice,
        command("/model nonsense", "I cannot use"),
        command("/new", "no longer have the old one in mind"),
    ),
}
"""Scenes with a person who may speak, by what they are about."""

APART: dict[str, tuple[Scene, ...]] = {"Who speaks, and what is seen of it": (stranger, signs)}
"""Scenes with settings of their own."""
