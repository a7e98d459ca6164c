"""What must hold of any history: some of it at every moment, the rest whenever all is quiet."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from gateway.messages import Message
from tests.proof.crowd import BY_NAME, DEATHS_TO_GIVE_UP, SEATS, Crowd, Question
from tests.proof.happened import Accepted, Beside, Drafted, Hasty, Shown, Told
from tests.proof.history import Breach, Story, is_stub, model, money, read, stubs, torn, words
from tests.proof.points import KEYLESS

_ENDS = re.compile(
    r"Stopped\.|so I gave up|I may no longer answer|accounts were parted|I reached the time limit"
)
_MARKERS = re.compile(r"\b([a-z]+\d+)(?:s\d+g\d+w\d+of\d+)?\b")
_MESSAGE = {"waiting", "done", "dead", "merged", "withdrawn"}
"""States of a row that stands for its message."""


class Verdict:
    """Reads on in the log where it stopped; a log only grows."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._read = 0
        self._accepted: set[str] = set()

    def at_any_moment(self) -> list[Breach]:
        found: list[Breach] = []
        log = self._crowd.world.log
        for one in log[self._read :]:
            found += self._of(one)
        self._read = len(log)
        return [*found, *self._rows()]

    def _of(self, one: object) -> Iterator[Breach]:
        match one:
            case Shown() | Drafted():
                yield from self._foreign(one.place, _MARKERS.findall(one.text), "was shown")
            case Told(marker, known):
                question = self._crowd.by_marker[marker]
                yield from self._foreign(question.seat.name, known, "was told to the model")
                if question.is_of_stranger:
                    yield Breach("T1", f"{marker} of a stranger was taken to the model")
            case Hasty(place, kind):
                yield Breach("R11", f"{kind} to {place} inside a penalty")
            case Beside(marker, other):
                yield Breach("R3", f"{marker} is worked on beside another, in {other}")
            case Accepted(event):
                self._accepted.add(event)

    def _foreign(self, place: str, markers: object, what: str) -> Iterator[Breach]:
        crowd = self._crowd
        for marker in markers:  # type: ignore[attr-defined]
            if marker in crowd.by_marker and not crowd.kin.may_know(place, marker):
                yield Breach("place", f"{marker} {what} in {place}")

    def _rows(self) -> Iterator[Breach]:
        """Each message that the platform knows to be kept has its row, and no two."""
        rows = self._crowd.running.rows("select account, message_id, edited_at, state from inbox")
        acting = Counter((account, name) for account, name, _, state in rows if state in _MESSAGE)
        for whose, count in acting.items():
            if count > 1:
                yield Breach("R2", f"{whose} stands in the inbox {count} times")
        there = {(account, name, edited) for account, name, edited, _ in rows}
        if len(there) != len(rows):
            yield Breach("R2", "a delivery stands in the inbox twice")
        delivered, accepted = set(), set()
        for platform in self._crowd.world.platforms.values():
            for event in platform.events:
                message = event.message
                if isinstance(message, Message):
                    key = (platform.name, message.message_id, message.edited_at or 0.0)
                    delivered.add(key)
                    if event.key in self._accepted:
                        accepted.add(key)
        if lost := accepted - there:
            yield Breach("R1", f"accepted, and not kept: {sorted(lost)}")
        if strange := there - delivered:
            yield Breach("R2", f"kept, and never delivered: {sorted(strange)}")

    # When all is quiet.

    def when_quiet(self) -> list[Breach]:
        crowd = self._crowd
        story = read(crowd.world.log)
        found = [*stubs(story, frozenset(KEYLESS)), *self._model(story), *money(story)]
        found += [*self._kin(), *self._order(story), *self._orders(story)]
        for question in crowd.questions:
            found += self._answer(story, question)
        if waiting := crowd.running.rows("select number from inbox where state = 'waiting'"):
            found.append(Breach("R1", f"messages still wait: {waiting}"))
        return found

    def _model(self, story: Story) -> Iterator[Breach]:
        """Leave out what may have begun anew, as its writer has left those it began among."""
        firm = [one for one in story.asked if not self._crowd.by_marker[one.marker].may_be_stopped]
        yield from model(replace(story, asked=firm))

    def _kin(self) -> Iterator[Breach]:
        """Only who said yes is one with another."""
        crowd = self._crowd
        persons: dict[str, set[str]] = {}
        known = crowd.running.rows("select platform, external_user, person from identities")
        seats = {seat.identity: seat.name for seat in SEATS}
        for platform, user, person in known:
            persons.setdefault(person, set()).add(seats[f"{platform}:{user}"])
        alone = set(seats.values()).difference(*persons.values())
        for wrong in crowd.kin.are([*persons.values(), *({one} for one in alone)]):
            yield Breach("links", f"{sorted(wrong)} are one, and never said so")

    def _order(self, story: Story) -> Iterator[Breach]:
        """Answers stand in the order of their questions, and are made in it.

        What may have been refused has no place in line of its own: an edit may be the first of
        it that is taken.
        """
        asked_of, rank = self._crowd.by_marker, self._ranks()
        for name in BY_NAME:
            full = [one.text for one in story.visible(name) if not is_stub(one.text)]
            for what, markers in (
                ("shown", [word.marker for word in words(full)]),
                ("begun", [one.marker for one in story.asked]),
            ):
                ours = [one for one in markers if asked_of[one].seat.name == name]
                firm = [one for one in ours if not asked_of[one].may_be_refused]
                ranks = [rank[asked_of[one].message] for one in firm]
                if ranks != sorted(ranks):
                    order = list(dict.fromkeys(firm))
                    yield Breach("R3", f"answers in {name} were {what} out of order: {order}")

    def _ranks(self) -> dict[str, int]:
        """Return when the platform first told of each message."""
        ranks: dict[str, int] = {}
        for platform in self._crowd.world.platforms.values():
            for at, event in enumerate(platform.events):
                if isinstance(event.message, Message):
                    ranks.setdefault(event.message.message_id, at)
        return ranks

    def _orders(self, story: Story) -> Iterator[Breach]:
        """Each command was answered with some word."""
        due = Counter(one.seat.name for one in self._crowd.orders)
        for name, count in due.items():
            texts = [one.text for one in story.visible(name) if not is_stub(one.text)]
            ours = sum(not words([text]) for text in texts)
            if ours < count:
                yield Breach("R1", f"{count} commands in {name}, and {ours} answers")

    def _answer(self, story: Story, question: Question) -> Iterator[Breach]:
        """A question has one whole answer, or there is a reason and a word why not."""
        name = question.seat.name
        texts = [one.text for one in story.visible(name) if not is_stub(one.text)]
        stand = [word for word in words(texts) if word.marker in question.markers]
        if not stand:
            yield from self._no_answer(question, texts)
            return
        shown = list(dict.fromkeys(word.marker for word in stand))
        if len(shown) > 1:
            yield Breach("R2", f"{shown} were all answered")
            return
        may_be_cut = question.may_be_stopped or question.may_be_refused or question.may_time_out
        may_be_cut = may_be_cut or question.deaths >= DEATHS_TO_GIVE_UP
        steps = len(self._crowd.world.answers[shown[0]])
        for step in range(1, steps + 1):
            of_step = [word for word in stand if word.step == step]
            if may_be_cut and not of_step:
                continue
            if (fault := torn(of_step, may_be_cut=may_be_cut)) is not None:
                yield Breach(fault[0], f"{shown[0]} in {name}, step {step}: {fault[1]}")

    def _no_answer(self, question: Question, texts: list[str]) -> Iterator[Breach]:
        if question.is_deleted or question.may_be_refused:
            return
        is_excused = question.may_be_stopped or question.may_time_out
        is_excused = is_excused or question.deaths >= DEATHS_TO_GIVE_UP
        if is_excused and any(_ENDS.search(text) for text in texts):
            return
        yield Breach("R1", f"{question.markers} in {question.seat.name} was never answered")
