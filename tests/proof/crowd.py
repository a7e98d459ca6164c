"""People who do anything at any time on all platforms, and an owner and a network that do too.

Each message that is a question carries a marker of its own, from whose seat it comes. What may
become of a question is noted with it as things happen: whoever judges looks there.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.ids import EventKey
from gateway.messages import Message, MessageDeleted, Place
from tests.proof.accounts import KINDS
from tests.proof.kin import Kin
from tests.proof.life import settings_of
from tests.proof.prove import quick_folder
from tests.proof.running import Running
from tests.proof.world import (
    Event,
    Fault,
    Platform,
    Step,
    World,
    place_of,
    twin,
)

PEOPLE = ("ann", "bob", "cem")
_LETTERS = {"keyless": "a", "keyed": "b", "streamed": "c"}
_CODE = re.compile(r"/link ([2-9A-HJ-NP-Z]{8})")
_MOMENT = 0.05
FAULTS_AT_MOST = 4
DEATHS_TO_GIVE_UP = 3
CHAT_TIMEOUT = 1800.0

PLANS: dict[str, tuple[Step, ...]] = {
    "short": (Step(3, 0.0),),
    "long": (Step(40, 0.4),),
    "looks": (Step(4, tools=("look",)), Step(8)),
    "pays": (Step(4, tools=("pay",)), Step(4, 0.3)),
    "hangs": (Step(4, tools=("hang",)), Step(4)),
}


@dataclass(frozen=True, slots=True)
class Seat:
    """Where somebody writes: an account's direct messages, or a group."""

    who: str
    account: str
    place: Place

    @property
    def name(self) -> str:
        return place_of(self.account, self.place)

    @property
    def identity(self) -> str:
        return f"{self.account}:{self.who}"

    @property
    def is_direct(self) -> bool:
        return self.place.is_direct

    @property
    def word(self) -> str:
        return f"{self.who}{_LETTERS[self.account]}"


SEATS = tuple(Seat(who, account, Place(who, is_direct=True)) for account in KINDS for who in PEOPLE)
GROUPS = (
    Seat("hall", "keyed", Place("hall", space="server")),
    Seat("desk", "streamed", Place("desk", thread="topic", space="office")),
)
BY_NAME = {seat.name: seat for seat in (*SEATS, *GROUPS)}


@dataclass(eq=False)
class Question:
    """A message that is to be answered, and what may become of it instead."""

    seat: Seat
    message: str
    markers: list[str]
    plans: list[str]
    first: Event
    asked_at: float
    events: list[Event] = field(default_factory=list)
    deaths: int = 0
    """How many kills it may have had a part in."""
    is_deleted: bool = False
    may_be_stopped: bool = False
    may_be_refused: bool = False
    may_time_out: bool = False
    is_of_stranger: bool = False
    is_settled: bool = False
    """All was quiet since: what became of it does not change any more."""


@dataclass(frozen=True, slots=True)
class Order:
    """A command that is to be answered with some word."""

    seat: Seat
    event: str


class Crowd:
    """Does what it is told to, and lets a moment pass after each deed."""

    def __init__(self, folder: Path) -> None:
        platforms = [Platform(name, has_nonces=name == "keyed") for name in KINDS]
        world = World({one.name: one for one in platforms}, recalls=True, time=10.0)
        self.running = Running(folder, settings_of(folder, **_SETTINGS), world)
        self.running.folder.mkdir()
        for name, content in _seed().items():
            (self.running.folder / name).write_bytes(content)
        self.running.start()
        self.kin = Kin(BY_NAME)
        self.questions: list[Question] = []
        self.orders: list[Order] = []
        self.by_marker: dict[str, Question] = {}
        self.strangers: set[Seat] = set()
        self._stopping: set[str] = set()
        """Seats where a stop may still be on its way."""

    @property
    def world(self) -> World:
        return self.running.world

    # What people write.

    def asks(self, seat: Seat, who: str, plan: str) -> Event:
        """Have a question written that the platform does not tell of yet."""
        number = len(self.by_marker) + 1
        marker = f"{seat.word}{number}"
        writer = seat.who if seat.is_direct else who
        event = self.world.written(seat.account, writer, marker, seat.place, marker=marker)
        message = event.message
        assert isinstance(message, Message)
        question = Question(
            seat, message.message_id, [marker], [plan], event, self.world.time, [event]
        )
        question.is_of_stranger = question.may_be_refused = seat in self.strangers
        question.may_be_stopped = seat.name in self._stopping
        self.questions.append(question)
        self._know(question, marker, plan)
        return event

    def _know(self, question: Question, marker: str, plan: str) -> None:
        self.world.answers[marker] = PLANS[plan]
        self.by_marker[marker] = question
        self.kin.says(question.seat.name, marker)

    def edits(self, question: Question, plan: str) -> Event:
        marker = f"{question.seat.word}{len(self.by_marker) + 1}"
        before = question.events[-1].message
        assert isinstance(before, Message)
        event = self.world.edited(before, marker)
        if question.may_be_refused:
            # Nothing of it was kept, perhaps: then it is as good as new.
            question.is_of_stranger = question.seat in self.strangers
            question.is_settled = False
        question.events.append(event)
        question.markers.append(marker)
        question.plans.append(plan)
        self._know(question, marker, plan)
        return event

    def deletes(self, question: Question) -> Event:
        question.is_deleted = True
        message = question.first.message
        assert isinstance(message, Message)
        key = EventKey(f"end of {question.message}")
        return Event(key, MessageDeleted(key, message.address.account, message.message_id))

    def post(self, *events: Event) -> None:
        for event in events:
            self.world.post(event)
        self.passes(_MOMENT)

    def post_twice(self, event: Event) -> None:
        self.post(event, twin(event))

    def passes(self, seconds: float) -> None:
        self.running.passes(seconds)

    def orders_that(self, seat: Seat, text: str, pressed_on: str | None = None) -> None:
        event = self.world.written(seat.account, seat.who, text, seat.place, pressed_on=pressed_on)
        self._note_order(seat, text)
        if not text.startswith("/stop") and seat not in self.strangers:
            self.orders.append(Order(seat, event.key))
        self.post(event)

    def _note_order(self, seat: Seat, text: str) -> None:
        words = text.split()
        if words[:2] == ["/link", "yes"]:
            self.kin.says_yes(seat.name)
        if words[0] == "/stop" or words == ["/link", "undo"] or words[-1] == "yes":
            self._may_stop(self.kin.together(seat.name))
        if words[:2] == ["/link", "yes"]:
            # What is at work for one of them may be what the other stops.
            together = self.kin.together(seat.name)
            if together & self._stopping:
                self._may_stop(together)

    def _may_stop(self, seats: set[str]) -> None:
        self._stopping |= seats
        for question in self._open(seats):
            question.may_be_stopped = True

    def _open(self, seats: set[str] | None = None) -> list[Question]:
        return [
            one
            for one in self.questions
            if not one.is_settled and (seats is None or one.seat.name in seats)
        ]

    def stops(self, seat: Seat, who: str) -> None:
        if seat.is_direct:
            self.orders_that(seat, "/stop")
            return
        self._may_stop({seat.name})
        self.post(self.world.written(seat.account, who, "/stop", seat.place))

    # Links.

    def codes(self) -> list[tuple[Seat, str]]:
        """Return the codes that can be read, newest last."""
        found = []
        for seat in SEATS:
            for text in self.world.texts(seat.account, seat.place):
                found += [(seat, code) for code in _CODE.findall(text)]
        return found

    def uses_code(self, there: Seat, here: Seat, code: str) -> None:
        self.kin.asks(here.name, there.name)
        self.orders_that(there, f"/link {code}")

    def buttons(self) -> list[tuple[Seat, str, str]]:
        """Return all buttons that can be pressed in direct messages, but those that stop."""
        found = []
        for seat in SEATS:
            for label, (name, choice) in self.world.buttons(seat.account, seat.place).items():
                if label != "Stop":
                    found.append((seat, name, choice.value))
        return found

    def presses(self, seat: Seat, name: str, value: str) -> None:
        self.world.platforms[seat.account].posts[name].choices = ()
        self.orders_that(seat, value, pressed_on=name)

    # The owner.

    def sends_away(self, seat: Seat) -> None:
        for question in self._open({seat.name}):
            question.may_be_refused = True
        self._may_stop(self.kin.together(seat.name))
        self.running.verb("pair.dismiss", identity=seat.identity)
        self.strangers.add(seat)
        self.orders = [one for one in self.orders if one.seat != seat]

    def lets_in(self, seat: Seat) -> None:
        for question in self._open({seat.name}):
            question.is_of_stranger = False
        self.running.verb("pair.admit", identity=seat.identity)
        self.strangers.discard(seat)

    # What happens to it all.

    def fails(self, faults: Sequence[Fault]) -> None:
        self.world.faults = [*self.world.faults, *faults][:FAULTS_AT_MOST]

    def holds(self, words: int | None) -> None:
        """Let the model say so many pieces more and then nothing, or all it has to say."""
        self.running.process.outside.loosen(words)

    def is_killed(self, steps: int, *, is_applied: bool, is_late: bool, down: float) -> None:
        self.running.kill(steps, patience=2.0)
        for question in self._open():
            question.deaths += 1
        self.running.revive(is_applied=is_applied, is_late=is_late, down=down)

    def is_restarted(self, down: float) -> None:
        self.running.end()
        self.world.time += down
        self.running.start()

    def settles(self, within: float) -> bool:
        """Undo all faults and let time pass; False if it never becomes quiet."""
        self.world.faults, self.world.outages = [], 0
        self.holds(None)
        if not self.running.becomes_quiet(3.0, within):
            return False
        for question in self._open():
            question.is_settled = True
            question.may_time_out = self.world.time - question.asked_at > CHAT_TIMEOUT
        self._stopping.clear()
        return True


_SETTINGS = {
    "access": {"direct_messages": "pairing", "groups": "open"},
    "rate_limits": {"guest": None, "member": None, "place": None},
    "queues": {"per_session": 10_000, "per_person": 10_000},
}


@functools.cache
def _seed() -> dict[str, bytes]:
    """Return the files of a gateway that has been set up, with everybody let in."""
    with quick_folder() as folder:
        world = World({name: Platform(name) for name in KINDS})
        running = Running(folder, settings_of(folder, **_SETTINGS), world)
        running.start()
        for seat in SEATS:
            running.verb("pair.admit", identity=seat.identity)
        running.end()
        files = [one for one in running.folder.iterdir() if one.is_file()]
        return {one.name: one.read_bytes() for one in files}
