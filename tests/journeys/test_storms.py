"""Everything at once, by chance: whatever fails and whenever it restarts, the sums are right."""

import random
import re
from collections.abc import Sequence
from zlib import crc32

import pytest

from tests.fakes.faults import Answer, Drop, Effect, EndEarly, RateLimit, Reset, StreamError
from tests.fakes.model import Asked, Piece, call
from tests.journeys.on_discord import Discord
from tests.journeys.on_slack import Slack
from tests.journeys.on_telegram import Telegram
from tests.journeys.platform import Person, Platform
from tests.journeys.world import World

pytestmark = pytest.mark.slow

PEOPLE, QUESTIONS = 12, 5
PLATFORM_FAULTS: Sequence[Effect] = (
    Answer(502), Drop(), Reset("before"), Reset("middle"), RateLimit(2),
)  # fmt: skip
CALLS = {
    "telegram": ("sendMessage", "editMessageText", "sendMessageDraft", "getUpdates"),
    "discord": ("/messages", "/messages/", "/typing", "/gateway"),
    "slack": ("chat.postMessage", "chat.update", "Stream", "setStatus"),
}
MODEL_FAULTS: Sequence[Effect] = (
    Answer(503), Answer(429), StreamError(3), EndEarly(3), Reset("middle", 3), Reset("before"),
)  # fmt: skip


@pytest.fixture
def speed(request: pytest.FixtureRequest) -> float:
    """Return a pace at which what Slack gives three seconds for can be done in that time."""
    return 4 if "slack" in request.node.callspec.params["platform"] else 20


def answer(asked: Asked) -> Sequence[Piece]:
    """Answer the newest question by its name, some with a tool before."""
    name = re.findall(r"\bQ\d+-\d+\b", asked.user_text)[-1]
    if crc32(name.encode()) % 3 == 0 and asked.messages[-1]["role"] == "user":
        return ["I look. ", call("now")]
    return ["This ", f"answers {name} ", "and no ", "other ", "one."]


def break_things(world: World, platform: Platform, chance: random.Random) -> None:
    assert isinstance(platform, Telegram | Discord | Slack)
    for path in CALLS[platform.name]:
        platform.server.faults.add(
            chance.choice(PLATFORM_FAULTS), path=path, every=chance.randint(3, 9), times=20
        )
    for effect in chance.sample(MODEL_FAULTS, 3):
        world.model.faults.add(effect, every=chance.randint(4, 12), times=20)


def mend(world: World, platform: Platform) -> None:
    assert isinstance(platform, Telegram | Discord | Slack)
    platform.server.faults.clear()
    world.model.faults.clear()


def tell_again(platform: Platform) -> None:
    """Have the platform tell what it has told already."""
    match platform:
        case Telegram():
            platform.server.updates.redeliver(30)
        case Discord():
            platform.server.gateway.repeats(30)
        case Slack():
            for told in platform.server.deliveries[-30:]:
                platform.server.world.deliveries.again(told)


def sums_are_right(person: Person) -> None:
    name = person.name.removeprefix("P")
    found = (re.findall(r"answers (Q\d+-\d+) and no other one\.", text) for text in person.texts())
    answered = [names for names in found if names]
    assert answered == [[f"Q{name}-{number}"] for number in range(QUESTIONS)], person.texts()
    for text in person.texts():
        assert set(re.findall(r"Q(\d+)-", text)) <= {name}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    "platform",
    ["telegram", "telegram without drafts", "discord", "slack", "slack plain"],
    indirect=True,
)
async def test_r1_r2_r3_r6_the_sums_are_right_after_a_storm(
    world: World, platform: Platform, seed: int
) -> None:
    chance = random.Random(seed)
    world.model.brain = answer
    world.config["drain_timeout"] = 2
    people = [world.person(f"P{number}") for number in range(PEOPLE)]
    await world.start()
    break_things(world, platform, chance)
    for number in range(QUESTIONS):
        for person in chance.sample(people, PEOPLE):
            person.writes(f"Q{person.name.removeprefix('P')}-{number}")
        await world.clock.sleep(chance.uniform(0.5, 4))
        if number in {1, 3}:
            await world.restart()
        if number == 2:
            tell_again(platform)
    mend(world, platform)
    for person in people:
        await person.reads(f"Q{person.name.removeprefix('P')}-{QUESTIONS - 1}")
    await world.until_waiting(0)
    await world.stop()
    for person in people:
        sums_are_right(person)
    # Restarts forget both, and Slack alone knows what still streams.
    world.refusals |= {"message is not modified", "a call in a penalty"}
    world.refusals |= {"streaming_state_conflict", "message_not_in_streaming_state"}
