"""Layer B: `kill -9` of the real process at every commit and around every call of an adapter.

One long conversation over real sockets touches everything that is ever written down. The
points are recorded first; then the conversation is held again and again, by processes that each
die at one of them and are followed by the next, until the process has died at every point.
"""

import asyncio
import random
import re
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from gateway.clock import SystemClock
from tests.fakes.model import Asked, Piece, call
from tests.journeys.on_telegram import Telegram, TelegramPerson
from tests.journeys.platform import PATIENCE
from tests.journeys.test_conversation import long_answer, markers
from tests.journeys.test_linking import code_in, press
from tests.journeys.world import World

pytestmark = pytest.mark.parametrize("platform", ["telegram"], indirect=True)

POINTS = (
    "people.admit",
    "inbox.keep",
    "message accepted",
    "turns.begin",
    "turns.session",
    "sessions.freeze_prompt",
    "transcript.append",
    "holds.hold",
    "outbox.begin",
    "before adapter.send",
    "after adapter.send",
    "outbox.sent",
    "before adapter.edit",
    "after adapter.edit",
    "turns.finish",
    "pairings.request",
    "pairings.give_code",
    "announcements.told",
    "pairings.grant",
    "tool ended",
    "approvals.ask",
    "approvals.decide",
    "turns.start_step",
    "before adapter.send_files",
    "after adapter.send_files",
    "usage.record",
    "sessions.resolve",
    "sessions.set_model",
    "transcript.fold",
    "sessions.rotate",
    "links.open",
    "links.redeem",
    "links.agree",
    "links.accept",
    "links.unlink",
    "privacy.ask",
    "privacy.is_still_asked",
    "privacy.erase_talk",
    "privacy.erase_rest",
)
"""In the order in which the conversation comes to them first."""
STRIDE = 9
"""Points between two kills of one conversation: a turn that dies three times is given up."""
QUESTIONS = ("one", "ben", "tools", "group", "new", "linked", "last")
LONG = long_answer(100)
ANSWER = "The answer is A-{}, whole."
STEPS = (
    call("write_file", path="log.txt", content="once\n"),
    call("edit_file", path="log.txt", old="once", new="once and"),
    call("send_file", path="log.txt", caption="The log"),
)


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


class Brain:
    """Answers each question by its name, `Q-name` with `A-name`."""

    def __init__(self) -> None:
        self.held = asyncio.Event()

    def __call__(self, asked: Asked) -> Sequence[Piece]:
        name = (re.findall(r"Q-(\w+)", asked.user_text) or ["nothing"])[-1]
        if "record" in asked.user_text:
            return ["A summary."]
        if name == "held":
            return ["Begun, ", self.held, "ended."]
        if name == "tools":
            done = sum(one["role"] == "tool" for one in asked.messages)
            return [*STEPS[done : done + 1]] or [ANSWER.format(name)]
        return [LONG if name == "long" else ANSWER.format(name)]


@dataclass
class Lives:
    """The process and its successors; each is to die at a point of its own."""

    world: World
    dooms: list[str]
    died_at: list[str] = field(default_factory=list)

    async def live(self) -> None:
        while True:
            doom = self.dooms[0] if self.dooms else ""
            code = await self._one_life(doom)
            assert code == -signal.SIGKILL, f"it ended by itself, with {code}"
            self.died_at.append(self.dooms.pop(0))

    async def _one_life(self, doom: str) -> int:
        environment = {"DOOM": doom, "DOOM_LOG": str(self.world.folder / "points")}
        async with self.world.process("tests.fakes.doomed", **environment) as process:
            return await process.wait()


def points(world: World) -> list[str]:
    """Return the points that were reached, in the order in which they first were."""
    path = world.folder / "points"
    return list(dict.fromkeys(path.read_text().splitlines())) if path.exists() else []


async def converse(telegram: Telegram, world: World) -> None:
    """Hold the conversation, however often the process dies meanwhile."""
    ann, ben = telegram.person("Ann"), telegram.person("Ben")
    team = telegram.server.supergroup("Team", [ann.user, ben.user])
    await asks(ann, "one")
    ben.writes("hello")
    await press(ann, "Let in")
    await ben.reads("You have been let in.")
    await asks(ben, "ben")
    ann.writes("Q-tools")
    await allowed(ann, ANSWER.format("tools"))
    await asks(TelegramPerson(telegram.server, ben.user, team), "group")
    ann.writes("Q-long")
    await ann.reads("The very end.")
    ann.writes("Q-held")
    await world.model.until(lambda it: "Q-held" in it.asked[-1].user_text, timeout=PATIENCE)
    await ann.asks("/stop", "Stopped.")
    await ann.asks("/model small", "I use small")
    await ann.asks("/compact", "summary")
    await ann.asks("/new", "new conversation")
    await asks(ann, "new")
    await linked(ann, ben)
    await asks(ben, "linked")
    await ben.asks("/unlink", "It keeps nothing of what was said")
    await press(ben, "Yes, unlink")
    await ben.reads("I no longer know here")
    await ben.asks("/forget everything yes", "Noted")
    await ben.reads("To me you are a stranger again.")
    await asks(ann, "last")


async def asks(person: TelegramPerson, name: str) -> None:
    await person.asks(f"Q-{name}", ANSWER.format(name))


async def allowed(person: TelegramPerson, answer: str) -> None:
    """Allow what is asked, as often as it is asked, until the answer is there."""
    pressed = 0

    def is_answered() -> bool:
        nonlocal pressed
        questions = [one for one in person.sees() if "May I run" in one.text]
        if len(questions) > pressed and "Allow" in questions[-1].buttons:
            pressed = len(questions)
            person.presses("Allow")
        return any(answer in text for text in person.texts())

    await person.until(is_answered)


async def linked(here: TelegramPerson, there: TelegramPerson) -> None:
    code, told = "", await here.asks("/link", "good for ten minutes")
    while "say no." not in told.text:
        # A command that was cut off is done again, and makes a new code.
        await here.until(partial(has_new_code, here, code))
        code = newest_code(here)
        told = await there.asks(f"/link {code}", "ode")
    await press(there, "Yes, link")
    await here.reads("somebody has learnt your code.")
    await press(here, "Yes, link")
    await here.reads("from your next message on")


def newest_code(person: TelegramPerson) -> str:
    return code_in([one for one in person.sees() if "good for ten minutes" in one.text][-1])


def has_new_code(person: TelegramPerson, known: str) -> bool:
    return newest_code(person) != known


def check(telegram: Telegram, world: World, kills: int) -> None:
    """Look at what people see in the end, and at what the tools have done."""
    texts = [text for chat in telegram.server.chats.values() for text in chat.bot_texts()]
    for name in QUESTIONS:
        answers = [text for text in texts if ANSWER.format(name) in text]
        assert len(answers) == 1, (name, answers)
    ann = telegram.server.chats[42].bot_texts()
    whole = [text for text in ann if not is_stub(text)]
    shown = [name for text in whole for name in re.findall(r"A-(\w+), whole", text)]
    assert shown == [name for name in QUESTIONS if name in shown]
    long = Counter(markers("\n".join(whole)))
    assert long == Counter(markers(LONG))
    assert sum(is_stub(text) for text in texts) <= kills
    (log,) = world.data.glob("workspaces/main/users/*/log.txt")
    assert log.read_text() in {"once\n", "once and\n"}
    files = [one for one in telegram.server.chats[42].shown() if one.media]
    is_told = any("may be missing" in text for text in ann)
    assert len(files) == 1 or (not files and is_told)


def is_stub(text: str) -> bool:
    return text.endswith("…")


async def held(telegram: Telegram, world: World, dooms: list[str]) -> list[str]:
    """Hold the conversation with processes that die at these points; return where they did."""
    world.model.brain = Brain()
    lives = Lives(world, dooms)
    living = asyncio.create_task(lives.live())
    talking = asyncio.create_task(converse(telegram, world))
    await asyncio.wait({living, talking}, return_when=asyncio.FIRST_COMPLETED)
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)
    if not talking.done():
        talking.cancel()
        living.result()
    talking.result()
    check(telegram, world, len(lives.died_at))
    return lives.died_at


@pytest.fixture
def talk(world: World, telegram: Telegram) -> World:
    """Set up all that the conversation is about."""
    world.config["access"] = {
        "direct_messages": "pairing",
        "groups": "open",
        "owners": [telegram.owner],
    }
    world.config["retention"] = {"forget_after": 0.5}
    world.config["budgets"] = {"total_month": {"tokens": 10_000_000}}
    world.agent |= {
        "models": ["small"],
        "approvals": ["edit_file"],
        "compaction": {"keep_tail": 2},
        "prices": {"test-model": {"input": 1.0, "output": 1.0}},
    }
    return world


async def test_every_point_is_known(talk: World, telegram: Telegram) -> None:
    await held(telegram, talk, [])
    assert sorted(points(talk)) == sorted(POINTS)


@pytest.mark.promise("R1")
@pytest.mark.promise("R2")
@pytest.mark.promise("R3")
@pytest.mark.promise("R4")
@pytest.mark.promise("R5")
@pytest.mark.promise("R6")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("first", range(STRIDE))
async def test_a_kill_at_every_point(talk: World, telegram: Telegram, first: int) -> None:
    dooms = list(POINTS[first::STRIDE])
    died_at = await held(telegram, talk, [*dooms])
    assert died_at == dooms
    talk.refusals.add("message is not modified")


@pytest.mark.slow
@pytest.mark.promise("R6")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(120))
async def test_kills_at_random_points(talk: World, telegram: Telegram, seed: int) -> None:
    """Eight to ten kills in each conversation: a thousand in all.

    Not more often, or one turn would die three times and be given up, as it should.
    """
    talk.refusals.add("message is not modified")
    chance = random.Random(seed)
    died_at = await held(telegram, talk, [str(chance.randint(25, 60)) for _ in range(60)])
    assert len(died_at) >= 5
