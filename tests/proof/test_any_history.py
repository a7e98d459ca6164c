"""Whatever people, their platforms, the model and the machine do, in any order: all holds.

One rule is one thing that somebody does, or that happens to the gateway; between two of them
it goes on for a moment, and everything is looked at.
"""

import os
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from tests.proof import guards
from tests.proof.crowd import BY_NAME, PEOPLE, PLANS, SEATS, Crowd, Question, Seat
from tests.proof.history import Breach
from tests.proof.prove import quick_folder, silence
from tests.proof.verdict import Verdict
from tests.proof.world import Fault

_LONG = 4000.0
"""Seconds in which all must become quiet."""
_OLD = 10.0
"""Seconds after which no request of a dead process arrives any more."""

direct = st.sampled_from([seat.name for seat in SEATS])
seats = st.sampled_from(list(BY_NAME))
people = st.sampled_from(PEOPLE)
plans = st.sampled_from(list(PLANS))
numbers = st.integers(0, 40)
few = st.integers(1, 3)
choices = st.booleans()
penalties = st.builds(Fault, after=st.sampled_from([0.3, 2.0, 30.0]))
doubts = st.builds(Fault, after=st.none(), is_applied=choices)


class Broken(AssertionError):
    """Something did not hold."""

    def __init__(self, found: list[Breach]) -> None:
        super().__init__(found)
        self.found = found


class AnyHistory(RuleBasedStateMachine):
    """Lives one history."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._stack.enter_context(silence())
        self.crowd = Crowd(self._stack.enter_context(quick_folder()))
        self._verdict = Verdict(self.crowd)
        self._is_broken = False

    @initialize(
        pairs=st.lists(st.tuples(direct, direct), max_size=2),
        asked=st.lists(st.tuples(direct, plans), min_size=1, max_size=4),
    )
    def begin(self, pairs: list[tuple[str, str]], asked: list[tuple[str, str]]) -> None:
        for here, there in pairs:
            self.link(here, there, 1.0)
        self.ask_much_at_once(asked, 0)

    # What people do.

    @rule(seat=seats, who=people, plan=plans, again=choices)
    def ask(self, seat: str, who: str, plan: str, again: bool) -> None:
        event = self.crowd.asks(BY_NAME[seat], who, plan)
        if again:
            self.crowd.post_twice(event)
        else:
            self.crowd.post(event)

    @rule(seat=seats, who=people, of=st.lists(plans, min_size=2, max_size=4), between=choices)
    def ask_on_and_on(self, seat: str, who: str, of: list[str], between: bool) -> None:
        """Ask without waiting for an answer; perhaps all who are one do."""
        together = sorted(self.crowd.kin.together(seat))
        for number, plan in enumerate(of):
            at = together[number % len(together)] if between else seat
            self.crowd.post(self.crowd.asks(BY_NAME[at], who, plan))

    @rule(asked=st.lists(st.tuples(direct, plans), min_size=2, max_size=5), by=numbers)
    def ask_much_at_once(self, asked: list[tuple[str, str]], by: int) -> None:
        """Have the platforms tell of it in another order than it was written in."""
        events = [self.crowd.asks(BY_NAME[seat], "", plan) for seat, plan in asked]
        by %= len(events)
        self.crowd.post(*events[by:], *reversed(events[:by]))

    @rule(seat=seats, who=people, plan=plans)
    def edit_before_it_is_told(self, seat: str, who: str, plan: str) -> None:
        first = self.crowd.asks(BY_NAME[seat], who, plan)
        edit = self.crowd.edits(self.crowd.questions[-1], plan)
        self.crowd.post(edit, first)

    @rule(back=numbers, plan=plans)
    def edit(self, back: int, plan: str) -> None:
        if (question := self._question(back)) is not None:
            self.crowd.post(self.crowd.edits(question, plan))

    @rule(back=numbers)
    def delete(self, back: int) -> None:
        if (question := self._question(back)) is not None:
            self.crowd.post(self.crowd.deletes(question))

    @rule(back=numbers, version=numbers)
    def deliver_again(self, back: int, version: int) -> None:
        if (question := self._question(back)) is not None:
            self.crowd.post(question.events[version % len(question.events)])

    def _question(self, back: int) -> Question | None:
        """Return one of the last questions."""
        asked = self.crowd.questions
        return asked[-1 - back % min(len(asked), 10)] if asked else None

    @rule(seat=seats, who=people)
    def stop(self, seat: str, who: str) -> None:
        self.crowd.stops(BY_NAME[seat], who)

    # Links.

    @rule(here=direct, there=direct, seconds=st.sampled_from([0.5, 2.0]))
    def link(self, here: str, there: str, seconds: float) -> None:
        """Go through all of it, as far as what is to be pressed is there in time."""
        crowd = self.crowd
        before = crowd.codes()
        crowd.orders_that(BY_NAME[here], "/link")
        crowd.passes(seconds)
        new = [one for one in crowd.codes() if one[0].name == here and one not in before]
        if not new:
            return
        crowd.uses_code(BY_NAME[there], *new[0])
        crowd.passes(seconds)
        self._press(BY_NAME[there], "/link yes")
        crowd.passes(seconds)
        self._press(BY_NAME[here], "/link yes")

    def _press(self, seat: Seat, beginning: str) -> None:
        for where, name, value in reversed(self.crowd.buttons()):
            if where == seat and value.startswith(beginning):
                self.crowd.presses(seat, name, value)
                return

    @rule(seat=direct, which=numbers)
    def use_a_code(self, seat: str, which: int) -> None:
        if codes := self.crowd.codes():
            self.crowd.uses_code(BY_NAME[seat], *codes[which % len(codes)])

    @rule(which=numbers)
    def press(self, which: int) -> None:
        if buttons := self.crowd.buttons():
            self.crowd.presses(*buttons[which % len(buttons)])

    @rule(which=numbers, seconds=st.sampled_from([0.5, 2.0]))
    def unlink(self, which: int, seconds: float) -> None:
        seat = self._linked(which)
        self.crowd.orders_that(seat, "/unlink")
        self.crowd.passes(seconds)
        self._press(seat, "/unlink")

    def _linked(self, which: int) -> Seat:
        """Return somebody who may be one with others, if there is one."""
        linked = [one for one in SEATS if len(self.crowd.kin.together(one.name)) > 1]
        return (linked or SEATS)[which % len(linked or SEATS)]

    @rule(which=numbers, is_linked=choices)
    def revoke(self, which: int, is_linked: bool) -> None:
        seat = self._linked(which) if is_linked else SEATS[which % len(SEATS)]
        self.crowd.sends_away(seat)

    @rule()
    def let_in(self) -> None:
        for seat in [one for one in SEATS if one in self.crowd.strangers]:
            self.crowd.lets_in(seat)

    # What happens to it.

    @rule(seconds=st.sampled_from([0.1, 0.5, 2.0, 8.0, 130.0]))
    def time_passes(self, seconds: float) -> None:
        self.crowd.passes(seconds)

    @rule(faults=st.lists(penalties | doubts, min_size=1, max_size=3))
    def fail_sends(self, faults: list[Fault]) -> None:
        self.crowd.fails(faults)

    @rule(times=few)
    def fail_the_model(self, times: int) -> None:
        self.crowd.world.outages = times

    @rule(pieces=st.integers(0, 4))
    def hold_the_model(self, pieces: int) -> None:
        self.crowd.holds(pieces)

    @rule()
    def let_the_model_speak(self) -> None:
        self.crowd.holds(None)

    @rule(
        steps=st.integers(1, 150),
        is_applied=choices,
        is_late=choices,
        down=st.sampled_from([0.0, 2.0, 200.0]),
    )
    def crash(self, steps: int, is_applied: bool, is_late: bool, down: float) -> None:
        self.crowd.is_killed(
            steps, is_applied=is_applied, is_late=is_late and down < _OLD, down=down
        )

    @rule(down=st.sampled_from([0.0, 200.0]))
    def restart(self, down: float) -> None:
        self.crowd.is_restarted(down)

    @rule()
    def settle(self) -> None:
        self._judge(self._settled())

    def _settled(self) -> list[Breach]:
        if not self.crowd.settles(_LONG):
            return [Breach("R1", f"it never becomes quiet: {self.crowd.running.work()}")]
        return [*self._verdict.at_any_moment(), *self._verdict.when_quiet()]

    @invariant()
    def all_holds(self) -> None:
        self._judge(self._verdict.at_any_moment())

    def _judge(self, found: list[Breach]) -> None:
        if found:
            self._is_broken = True
            raise Broken(found)

    @override
    def teardown(self) -> None:
        try:
            if not self._is_broken:
                self._judge(self._settled())
        finally:
            self.crowd.running.abandon()
            self._stack.close()


class DeepHistory(AnyHistory):
    """Lives more of them, and others each time."""


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    # What fails is told as it is: to make it smaller takes longer than any test may.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TestDeepHistory = DeepHistory.TestCase
TestDeepHistory.settings = settings(
    TestAnyHistory.settings,
    max_examples=int(os.environ.get("PARLEY_HISTORIES", "3000")),
    stateful_step_count=50,
    derandomize=False,
)


def _prove(case: type) -> None:
    for promise in ("R1", "R2", "R3", "R4", "R5", "R6", "R7", "R11"):
        pytest.mark.promise(promise)(case)
    for threat in ("T12", "T13"):
        pytest.mark.threat(threat)(case)


_prove(TestAnyHistory)
_prove(TestDeepHistory)
pytest.mark.timeout(300)(TestAnyHistory)
pytest.mark.timeout(7200)(pytest.mark.slow(TestDeepHistory))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("guard", "promise"),
    [
        (guards.know_no_repeats, "R2"),
        (guards.acknowledge_before_the_commit, "R1"),
        (guards.note_messages_after_they_were_sent, "R6"),
        (guards.note_no_tools, "R5"),
        (guards.know_no_lane, "R6"),
        (guards.take_the_newest_first, "R3"),
        (guards.know_no_penalty, "R11"),
        (guards.tell_nobody_apart, "place"),
    ],
)
def test_without_a_guard_some_history_breaks_a_promise(
    guard: guards.Guard, promise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard(monkeypatch)
    with pytest.raises(Broken) as broken:
        run_state_machine_as_test(AnyHistory, settings=TestAnyHistory.settings)
    assert promise in {breach.promise for breach in broken.value.found}
