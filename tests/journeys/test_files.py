"""What people send besides words, and what the model is given of it."""

import asyncio
import base64

import pytest

from gateway.providers.demo_picture import picture_base64
from tests.fakes.faults import Answer, Effect, Hold, Reset
from tests.fakes.model import call
from tests.journeys.on_telegram import Telegram, TelegramPerson
from tests.journeys.platform import Person
from tests.journeys.world import World

PICTURE = base64.b64decode(picture_base64())
TWENTY_FIVE_MB = 25_000_000
on_telegram = pytest.mark.parametrize("platform", ["telegram", "telegram group"], indirect=True)
one_by_one = pytest.mark.parametrize("speed", [1])
"""What belongs together comes within a second, on a busy machine too."""


@pytest.fixture
def speed() -> float:
    return 5  # an album is complete once nothing has come for a second


def picture(number: int) -> bytes:
    """Return a picture that no other one equals."""
    return PICTURE + number.to_bytes(4)


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_the_model_sees_a_picture_and_the_words_to_it(world: World, ann: Person) -> None:
    await world.start()
    world.model.say("A sunrise.")
    ann.sends("sun.png", PICTURE, "What is this?")
    await ann.reads("A sunrise.")
    asked = world.model.asked[-1]
    assert in_base64(PICTURE) in asked.prompt
    assert "What is this?" in asked.user_text


async def test_the_model_reads_a_document_and_finds_it_in_its_workspace(
    world: World, ann: Person
) -> None:
    await world.start()
    world.model.say("Let me look.", call("list_files", path="assets"))
    world.model.say("It says forty-two.")
    ann.sends("answer.txt", b"The answer is forty-two.\n", "What does it say?")
    await ann.reads("It says forty-two.")
    assert "The answer is forty-two." in world.model.asked[0].prompt
    assert "answer.txt" in world.model.asked[1].messages[-1]["content"]


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_a_pdf_is_handed_to_the_model(world: World, ann: Person) -> None:
    await world.start()
    pdf = b"%PDF-1.4\n%a small one\n%%EOF\n"
    ann.sends("paper.pdf", pdf, "Summarise this")
    await ann.reads("Summarise this")
    assert in_base64(pdf) in world.model.asked[-1].prompt


async def test_a_file_without_words_is_a_question_too(world: World, ann: Person) -> None:
    await world.start()
    world.model.say("Nice picture.")
    ann.sends("sun.png", PICTURE)
    await ann.reads("Nice picture.")


@pytest.mark.parametrize("platform", ["telegram", "telegram group", "terminal"], indirect=True)
async def test_a_file_that_is_too_large_is_refused_in_words_and_the_rest_answered(
    world: World, ann: Person
) -> None:
    await world.start()
    world.model.say("It did not reach me.")
    ann.sends("film.bin", bytes(TWENTY_FIVE_MB), "What is in it?")
    answer = await ann.reads("It did not reach me.")
    assert "I could not take film.bin" in answer.text
    assert "larger than" in answer.text
    assert "film.bin could not be received" in world.model.asked[-1].prompt


@on_telegram
@one_by_one
async def test_an_album_is_one_turn_with_all_its_pictures(world: World, ann: Person) -> None:
    assert isinstance(ann, TelegramPerson)
    await world.start()
    world.model.say("Three of a kind.")
    album = [picture(number) for number in range(3)]
    ann.user.sends_album(album, caption="@parley_bot compare these", chat=ann.chat)
    await ann.reads("Three of a kind.")
    await world.stop()
    assert world.model.asked_count == 1
    asked = world.model.asked[-1]
    assert all(in_base64(one) in asked.prompt for one in album)
    assert "compare these" in asked.user_text
    assert len(ann.texts()) == 1


@on_telegram
@one_by_one
async def test_an_album_whose_pictures_come_late_is_still_one_turn(
    world: World, ann: Person
) -> None:
    assert isinstance(ann, TelegramPerson)
    await world.start()
    for number in range(4):
        ann.user.sends(
            "photo",
            picture(number),
            caption="@parley_bot look" if number == 0 else "",
            chat=ann.chat,
            album="slow",
        )
        await world.until_logged("message.accepted", number + 1)
        await world.clock.sleep(0.4)
    await ann.reads("look")
    await world.stop()
    assert world.model.asked_count == 1
    prompt = world.model.asked[-1].prompt
    assert all(in_base64(picture(number)) in prompt for number in range(4))


@on_telegram
async def test_voice_location_contact_and_sticker_are_told_to_the_model(
    world: World, ann: Person
) -> None:
    assert isinstance(ann, TelegramPerson)
    world.config["access"]["groups"] = {f"telegram:{ann.chat.id}": {"answer": "always"}}
    await world.start()
    world.model.brain = lambda _: f"Got it {world.model.asked_count}."
    ann.user.sends_voice(chat=ann.chat)
    await ann.reads("Got it 1.")
    assert ".ogg, audio/ogg" in world.model.asked[-1].prompt
    ann.user.shares("location", {"latitude": 52.5, "longitude": 13.4}, chat=ann.chat)
    await ann.reads("Got it 2.")
    assert "Location: 52.5, 13.4" in world.model.asked[-1].prompt
    contact = {"phone_number": "+49123", "first_name": "Bob"}
    ann.user.shares("contact", contact, chat=ann.chat)
    await ann.reads("Got it 3.")
    assert "Contact: Bob, +49123" in world.model.asked[-1].prompt
    ann.user.sends("sticker", PICTURE, chat=ann.chat)
    await ann.reads("Got it 4.")
    assert "\U0001f44d" in world.model.asked[-1].user_text


async def test_l14_a_slow_file_in_one_chat_delays_no_other(
    world: World, telegram: Telegram
) -> None:
    """N13 too: `/stop` does not wait behind the download."""
    await world.start()
    ann, bob = telegram.person("Ann"), telegram.person("Bob")
    gate = asyncio.Event()
    telegram.server.faults.add(Hold(gate), path="/file/")
    ann.sends("sun.png", PICTURE, "What is this?")
    await telegram.server.until(lambda it: len(it.world.downloads) == 1)
    await bob.asks("Are you there?", "Are you there?")
    ann.writes("/stop")
    await world.until_logged("turn.finished", 2)
    gate.set()
    await ann.reads("Stopped.")
    assert world.model.asked_count == 1


@one_by_one
async def test_eight_made_pictures_come_as_one_album(world: World, telegram: Telegram) -> None:
    await world.start()
    ann = telegram.person("Ann")
    names = [f"p{number}.png" for number in range(8)]
    world.model.say(*(call("write_file", path=n, content_base64=picture_base64()) for n in names))
    world.model.say(*(call("send_image", path=name, caption=name) for name in names))
    world.model.say("All eight.")
    await ann.asks("Paint eight pictures", "All eight.")
    await world.stop()
    sent = [message for message in ann.chat.shown() if message.media is not None]
    assert [message.text for message in sent] == names
    assert len({message.album for message in sent}) == 1
    assert len(telegram.server.calls("sendMediaGroup")) == 1
    assert not telegram.server.calls("sendPhoto")


@pytest.mark.parametrize("effect", [Answer(502), Reset("before"), Reset("middle")], ids=repr)
async def test_a_file_that_is_out_of_reach_for_a_while_reaches_the_model(
    world: World, telegram: Telegram, effect: Effect
) -> None:
    await world.start()
    ann = telegram.person("Ann")
    telegram.server.faults.add(effect, path="getFile", times=1)
    telegram.server.faults.add(effect, path="/file/", times=2)
    ann.sends("sun.png", PICTURE, "What is this?")
    await ann.reads("What is this?")
    await world.stop()
    assert in_base64(PICTURE) in world.model.asked[-1].prompt
    assert len(ann.texts()) == 1
