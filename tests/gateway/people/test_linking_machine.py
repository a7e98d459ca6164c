"""People who talk, link, part, and are restarted under: nobody ever sees what is another's.

Every message carries a marker of who wrote it where. The model answers with all markers that
it was shown, so that whatever leaks is seen.
"""

import asyncio
import re
import tempfile
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from typing_extensions import override

from gateway.contracts.inbox import Kept
from gateway.contracts.provider import ModelRequest
from gateway.contracts.stores import Turn
from gateway.store.turns import SqlTurns
from gateway.transcript import UserEntry
from tests.fakes.gateway import FakeGateway
from tests.fakes.provider import FakeProvider, Gate, Step, says

T = TypeVar("T")

PLATFORMS = ("one", "two", "three")
PEOPLE = ("ann", "bob")
MARKER = re.compile(r"(ann|bob)-(one|two|three)-(\d+)-(\d+)")
CODE = re.compile(r"/link ([2-9A-HJ-NP-Z]{8})")
THINKING = 0.8
ENOUGH = 2
"""Deaths after which the next may be the last."""
BETWEEN_CODES = 1300.0

people = st.sampled_from(PEOPLE)
platforms = st.sampled_from(PLATFORMS)


@dataclass(eq=False)
class Circle:
    """Accounts that are one person, and all that they may know."""

    accounts: set[tuple[str, str]]
    known: set[str] = field(default_factory=set)


class Thinking(Gate):
    """Takes its time, so that much happens while answers are being written."""

    def __init__(self, served: FakeGateway) -> None:
        super().__init__()
        self._served = served

    @override
    async def wait(self) -> None:
        await self._served.clock.sleep(THINKING)


class World:
    """A gateway on three platforms, and what is to be expected of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.model = FakeProvider(otherwise=self._answer)
        self.served = FakeGateway(
            folder, monkeypatch, *PLATFORMS, model=self.model, access={"direct_messages": "open"}
        )
        self.circles = {(who, at): Circle({(who, at)}) for who in PEOPLE for at in PLATFORMS}
        self.epochs = dict.fromkeys(self.circles, 0)
        self.of_epoch = {(*account, 0): circle for account, circle in self.circles.items()}
        self.sent: dict[str, int] = {}
        self.lines: dict[str, object] = {}
        """Whose line each was written to: an account's, or that of a whole circle."""
        self.asked: Counter[object] = Counter()
        """The newest message of each line that the model has seen."""
        self.seen: set[str] = set()
        self.uncertain: set[str] = set()
        """Sent by who was parted before the answer came: it may have been stopped."""
        self.deaths: Counter[str] = Counter()
        self.leaks: list[str] = []

    def _answer(self, request: ModelRequest) -> Step:
        told = [str(one.content) for one in request.entries if isinstance(one, UserEntry)]
        markers = [found[0] for text in told for found in MARKER.finditer(text)]
        self._judge(markers)
        known = " ".join(dict.fromkeys(markers[-40:]))
        return [Thinking(self.served), *says(f"re {markers[-1]}; {known}")]

    def _judge(self, markers: list[str]) -> None:
        last = markers[-1]
        who, at, epoch, _ = _parts(last)
        circle = self.of_epoch[who, at, epoch]
        if foreign := set(markers) - circle.known:
            self.leaks.append(f"{last} was answered from {sorted(foreign)}")
        for line in ((who, at), self.lines[last]):
            if last not in self.seen and self.sent[last] < self.asked[line]:
                self.leaks.append(f"{last} came after one that was written later")
            self.asked[line] = max(self.asked[line], self.sent[last])
        self.seen.add(last)

    async def says(self, who: str, at: str, text: str) -> None:
        await self.served.writes(text, who, account=at, platform=at)

    async def presses(self, who: str, at: str, label: str) -> None:
        await self.served.presses(label, who, account=at, platform=at)

    def texts(self, who: str, at: str) -> list[str]:
        return self.served.accounts[at].texts(who)

    async def hears(self, who: str, at: str, words: str, after: int) -> str:
        await self.served.until(
            lambda: any(words in text for text in self.texts(who, at)[after:]), within=3600.0
        )
        return next(text for text in self.texts(who, at)[after:] if words in text)

    async def asks(self, who: str, at: str, text: str, *endings: str) -> str:
        """Write a command, and return what it says once it says any of these."""
        before = len(self.texts(who, at))
        await self.says(who, at, text)

        def told() -> list[str]:
            since = self.texts(who, at)[before:]
            return [one for one in since if any(end in one for end in endings)]

        await self.served.until(lambda: bool(told()), within=3600.0)
        return told()[0]

    async def writes(self, who: str, at: str) -> None:
        number = len(self.sent)
        marker = f"{who}-{at}-{self.epochs[who, at]}-{number}"
        self.sent[marker] = number
        self.lines[marker] = self.circles[who, at]
        self.circles[who, at].known.add(marker)
        await self.says(who, at, f"remember {marker}")

    async def links(self, who: str, here: str, there: str, talking: int) -> None:
        code = CODE.search(await self.asks(who, here, "/link", "once.", "try again", "later."))
        question = "If anybody gave it to you"
        if code is None:
            return
        told = await self.asks(
            who, there, f"/link {code[1]}", question, "already", "on your *other*"
        )
        if question not in told:
            return
        for number in range(talking):
            await self.writes(who, (here, there)[number % 2])
        await self.presses(who, there, "Yes, link")
        await self.served.until(lambda: self._is_shown(who, here, "No"))
        # Whatever is said from now on may be told to both.
        ours, theirs = self.circles[who, here], self.circles[who, there]
        joint = Circle(ours.accounts | theirs.accounts, ours.known | theirs.known)
        for account in joint.accounts:
            for epoch in range(self.epochs[account] + 1):
                if self.of_epoch[*account, epoch] is self.circles[account]:
                    self.of_epoch[*account, epoch] = joint
        for account in joint.accounts:
            self.circles[account] = joint
        await self.presses(who, here, "Yes, link")
        await self.hears(who, here, "from your next message on", after=0)

    def _is_shown(self, who: str, at: str, label: str) -> bool:
        shown = self.served.accounts[at].messages.values()
        return any(
            choice.label == label for one in shown if one.where[0] == who for choice in one.choices
        )

    async def parts(self, who: str, at: str) -> None:
        if len(self.circles[who, at].accounts) == 1:
            return
        await self.asks(who, at, "/unlink", "It keeps nothing")
        before = len(self.texts(who, at))
        # From here on the account is on its own: what waits of it may be answered either way.
        old = self.circles[who, at]
        old.accounts.remove((who, at))
        self.epochs[who, at] += 1
        self.circles[who, at] = self.of_epoch[who, at, self.epochs[who, at]] = Circle({(who, at)})
        self.uncertain |= {one for one in self.sent if _parts(one)[:2] == (who, at)}
        waiting = {one for one in self.uncertain if _parts(one)[:2] == (who, at)} - self.seen
        self.circles[who, at].known |= waiting
        await self.presses(who, at, "Yes, unlink")
        await self.hears(who, at, "no longer know here", after=before)

    async def attacks(self, who: str, at: str, victim: str) -> None:
        """Use a code of somebody else's, say yes oneself, and be told no."""
        code = CODE.search(await self.asks(victim, at, "/link", "once.", "later."))
        if code is None:
            return
        told = await self.asks(who, at, f"/link {code[1]}", "If anybody gave", "already")
        if "If anybody gave" not in told:
            return
        await self.presses(who, at, "Yes, link")
        await self.served.until(lambda: self._is_shown(victim, at, "No"))
        await self.presses(victim, at, "No")
        await self.hears(victim, at, "Nothing was linked.", after=0)

    async def crash(self) -> None:
        """Die; what was in work at three deaths is given up, as it may be to blame."""
        await self.served.kill()
        unanswered = set(self._unanswered())
        self.deaths.update(unanswered)
        self.uncertain |= {one for one in unanswered if self.deaths[one] > ENOUGH}
        await self.served.start()

    def _unanswered(self) -> list[str]:
        shown = {
            at: " ".join(one.text for one in account.messages.values())
            for at, account in self.served.accounts.items()
        }
        return [one for one in self.sent if f"re {one};" not in shown[_parts(one)[1]]]

    async def settle(self) -> None:
        """Let everything be answered, and see that each was, once, and in order."""
        try:
            await self.served.until(lambda: set(self._unanswered()) <= self.uncertain, within=600.0)
        except AssertionError:
            left = set(self._unanswered()) - self.uncertain
            told = {f"{who} {at}": self.texts(who, at)[-4:] for who, at in self.circles}
            raise AssertionError(f"not answered: {left}; last words: {told}") from None
        await self.served.idle()
        for who, at in self.circles:
            answers = [
                found[1]
                for text in self.texts(who, at)
                if (found := re.match(r"re (\S+);", text)) is not None
            ]
            ours = [one for one in self.sent if _parts(one)[:2] == (who, at)]
            assert len(answers) == len(set(answers)), answers
            assert set(answers) <= set(ours)
            assert set(ours) - set(answers) <= self.uncertain, (ours, answers)
            numbers = [self.sent[one] for one in answers if one not in self.uncertain]
            assert numbers == sorted(numbers)


def _parts(marker: str) -> tuple[str, str, int, int]:
    who, at, epoch, number = marker.split("-")
    return who, at, int(epoch), int(number)


class Linking(RuleBasedStateMachine):
    """Drives one world on a loop of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._patch = pytest.MonkeyPatch()
        self._runner = asyncio.Runner()
        self.world = self._do(self._begin())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def _begin(self) -> World:
        world = World(Path(self._folder.name), self._patch)
        await world.served.start()
        return world

    @rule(who=people, at=platforms, times=st.integers(1, 3))
    def write(self, who: str, at: str, times: int) -> None:
        for _ in range(times):
            self._do(self.world.writes(who, at))

    @rule(who=people, here=platforms, there=platforms, talking=st.integers(0, 4))
    def link(self, who: str, here: str, there: str, talking: int) -> None:
        if here != there:
            self._do(self.world.links(who, here, there, talking))
            self._do(self.world.served.passes(BETWEEN_CODES))

    @rule(who=people, at=platforms)
    def unlink(self, who: str, at: str) -> None:
        self._do(self.world.parts(who, at))

    @rule(at=platforms)
    def attack(self, at: str) -> None:
        self._do(self.world.attacks("bob", at, "ann"))
        self._do(self.world.served.passes(BETWEEN_CODES))

    @rule()
    def restart(self) -> None:
        self._do(self.world.served.restart())

    @rule()
    def crash(self) -> None:
        self._do(self.world.crash())

    @rule(seconds=st.floats(0.1, 5.0))
    def wait(self, seconds: float) -> None:
        self._do(self.world.served.passes(seconds))

    @rule()
    def settle(self) -> None:
        self._do(self.world.settle())

    @invariant()
    def nothing_leaks(self) -> None:
        assert self.world.leaks == []
        for who, at in self.world.circles:
            for text in self.world.texts(who, at):
                assert {found[1] for found in MARKER.finditer(text)} <= {who}

    @override
    def teardown(self) -> None:
        try:
            self._do(self.world.settle())
            self._do(self.world.served.stop())
        finally:
            self._do(self.world.served.end())
            self._runner.close()
            self._patch.undo()
            self._folder.cleanup()


TestT13Linking = Linking.TestCase
TestT13Linking.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


async def test_r1_who_is_linked_as_their_turn_begins_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, has_begun, is_linked = SqlTurns.begin, asyncio.Event(), asyncio.Event()

    async def begin_slowly(turns: SqlTurns, kept: Kept) -> Turn:
        turn = await begin(turns, kept)
        if kept.message.text.startswith("remember") and not has_begun.is_set():
            has_begun.set()
            await is_linked.wait()
        return turn

    monkeypatch.setattr(SqlTurns, "begin", begin_slowly)
    world = World(tmp_path, monkeypatch)
    await world.served.start()
    try:
        await world.writes("ann", "one")
        await world.served.until(has_begun.is_set)
        await world.links("ann", "two", "one", 0)
        is_linked.set()
        await world.settle()
        await world.served.stop()
    finally:
        await world.served.end()
