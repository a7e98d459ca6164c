"""People who talk, link, part, and are restarted under: nobody ever sees what is another's."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Coroutine
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from typing_extensions import override

from gateway.contracts.inbox import Kept
from gateway.contracts.people import NO_LONGER_WORDS
from gateway.contracts.stores import Turn
from gateway.messages import Message
from gateway.people.access import Access, Admission, Refusal
from gateway.store.turns import SqlTurns
from tests.gateway.people.circles import Account
from tests.gateway.people.talkers import PLATFORMS, Half, Talkers

T = TypeVar("T")

ONE, TWO = ("ann", "one"), ("ann", "two")
PEOPLE = ("ann", "bob", "cem", "dee")
FEW = st.integers(0, 3)
BETWEEN_CODES = 1300.0
AT_ITS_TURN = 2
"""A message is looked at as it comes, and once more."""

people = st.sampled_from(PEOPLE)
platforms = st.sampled_from(PLATFORMS)
accounts = st.tuples(people, platforms)
choices = st.booleans()
numbers = st.integers(0, len(PEOPLE) * len(PLATFORMS) - 1)


class Linking(RuleBasedStateMachine):
    """Drives one gateway on a loop of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._patch = pytest.MonkeyPatch()
        self._runner = asyncio.Runner()
        self.talkers = Talkers(Path(self._folder.name), self._patch, PEOPLE)
        self._do(self.talkers.begin())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def _may_all(self, *them: Account) -> bool:
        return not self.talkers.strangers & set(them) and len(set(them)) == len(them)

    @initialize(pairs=st.lists(st.tuples(accounts, accounts), min_size=2, max_size=4))
    def know_one_another(self, pairs: list[tuple[Account, Account]]) -> None:
        for here, there in pairs:
            if here != there:
                self._do(self._link(here, there, 1, goes_on_there=False))

    # Talk.

    @rule(account=accounts, times=st.integers(1, 3))
    def write(self, account: Account, times: int) -> None:
        for _ in range(times):
            self._do(self.talkers.writes(account))

    @rule(who=people, at=platforms)
    def write_in_a_group(self, who: str, at: str) -> None:
        self._do(self.talkers.writes_in_team(who, at))

    @rule(before=st.sampled_from([0.2, 0.8, 6.0]), amid=st.sampled_from([0.0, 0.0, 3.0]))
    def think(self, before: float, amid: float) -> None:
        """Have the model take longer, or less long, over what it is asked from now on."""
        self.talkers.thinking, self.talkers.pausing = before, amid

    # Link.

    @rule(here=accounts, there=accounts, talking=FEW, goes_on_there=choices)
    def link(self, here: Account, there: Account, talking: int, goes_on_there: bool) -> None:
        if self._may_all(here, there):
            self._do(self._link(here, there, talking, goes_on_there=goes_on_there))

    async def _link(
        self, here: Account, there: Account, talking: int, *, goes_on_there: bool
    ) -> None:
        half = await self.talkers.begins_link(here, there)
        for number in range(talking):
            await self.talkers.writes((here, there)[number % 2])
        half = half and await self.talkers.agrees(half)
        for number in range(talking):
            await self.talkers.writes((there, here)[number % 2])
        if half and await self.talkers.accepts(half, goes_on_there=goes_on_there):
            await self.talkers.writes(there)
        await self.talkers.served.passes(BETWEEN_CODES)

    @rule(here=accounts, there=accounts, says_yes=choices)
    def link_by_half(self, here: Account, there: Account, says_yes: bool) -> None:
        if not self._may_all(here, there):
            return
        half = self._do(self.talkers.begins_link(here, there))
        if half and says_yes:
            half = self._do(self.talkers.agrees(half))
        if half:
            self.talkers.halves.append(half)

    @rule(goes_on_there=choices)
    def go_on_with_a_link(self, goes_on_there: bool) -> None:
        """Press what was left, however much has happened since."""
        if (half := self._take_half()) is None:
            return
        if half.presser == half.there:
            half = self._do(self.talkers.agrees(half))
        if half:
            self._do(self.talkers.accepts(half, goes_on_there=goes_on_there))

    @rule()
    def refuse_a_link(self) -> None:
        if (half := self._take_half()) is not None:
            self._do(self.talkers.refuses(half.presser))

    def _take_half(self) -> Half | None:
        """Take a link whose question is still the newest where it was put."""
        talkers = self.talkers
        while talkers.halves:
            half = talkers.halves.pop()
            is_asked = talkers.buttons(half.presser, half.label)
            if is_asked and self._may_all(half.here, half.there):
                return half
        return None

    @rule(here=accounts, thief=accounts)
    def attack(self, here: Account, thief: Account) -> None:
        """Use a code of somebody else's, say yes oneself, and be told no."""
        if not self._may_all(here, thief):
            return
        half = self._do(self.talkers.begins_link(here, thief))
        half = half and self._do(self.talkers.agrees(half))
        if half:
            self._do(self.talkers.refuses(half.here))

    # Part.

    def _linked(self, which: int) -> Account:
        """Return an account with others, if there is one."""
        known = [one for one in self.talkers.accounts if one not in self.talkers.strangers]
        with_others = [one for one in known if len(self.talkers.circles.of[one].accounts) > 1]
        return (with_others or known)[which % len(with_others or known)]

    def _talk(self, account: Account, times: int) -> None:
        """Have all who are one with an account write, so that much of it waits."""
        together = sorted(self.talkers.circles.of[account].accounts)
        for number in range(times * len(together)):
            self._do(self.talkers.writes(together[number % len(together)]))

    @rule(which=numbers, talking=FEW)
    def unlink(self, which: int, talking: int) -> None:
        account = self._linked(which)
        self._talk(account, talking)
        self._do(self.talkers.unlinks(account))

    @rule(which=numbers, talking=FEW)
    def undo(self, which: int, talking: int) -> None:
        account = self._linked(which)
        self._talk(account, talking)
        self._do(self.talkers.undoes(account))

    @rule(which=numbers, talking=FEW)
    def unlink_by_the_owner(self, which: int, talking: int) -> None:
        account = self._linked(which)
        self._talk(account, talking)
        self._do(self.talkers.is_unlinked(account))

    @rule(which=numbers, talking=FEW)
    def send_away_one_of_several(self, which: int, talking: int) -> None:
        account = self._linked(which)
        self._talk(account, talking)
        self._send_away(account)

    @rule(account=accounts, comes_back=choices)
    def send_away_anybody(self, account: Account, comes_back: bool) -> None:
        self._send_away(account)
        if comes_back and account in self.talkers.strangers:
            self._do(self.talkers.is_let_in(account))

    def _send_away(self, account: Account) -> None:
        if self._may_all(account) and len(self.talkers.strangers) < len(PEOPLE):
            self._do(self.talkers.is_sent_away(account))

    @rule()
    def let_in_anew(self) -> None:
        for account in sorted(self.talkers.strangers):
            self._do(self.talkers.is_let_in(account))

    # Come and go.

    @rule()
    def restart(self) -> None:
        self._do(self.talkers.served.restart())

    @rule()
    def crash(self) -> None:
        self._do(self.talkers.crash())

    @rule(seconds=st.floats(0.1, 5.0))
    def wait(self, seconds: float) -> None:
        self._do(self.talkers.served.passes(seconds))

    @rule()
    def settle(self) -> None:
        self._do(self.talkers.settle())

    @invariant()
    def nothing_leaks(self) -> None:
        self.talkers.look()

    @override
    def teardown(self) -> None:
        try:
            self._do(self.talkers.settle())
            self.talkers.look()
            self._do(self.talkers.served.stop())
        finally:
            self._do(self.talkers.served.end())
            self._runner.close()
            self._patch.undo()
            self._folder.cleanup()


class DeepLinking(Linking):
    """Goes on for longer, and elsewhere."""


TestT13Linking = Linking.TestCase
TestT13DeepLinking = DeepLinking.TestCase
TestT13Linking.settings = settings(
    max_examples=18,
    stateful_step_count=25,
    deadline=None,
    # What fails is told as it is: to make it smaller takes longer than any test may.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TestT13DeepLinking.settings = settings(
    TestT13Linking.settings, max_examples=200, stateful_step_count=50
)


def _prove(case: type) -> None:
    """Mark it; a class that a loop left in a name of its own would be tested a second time."""
    for mark in (pytest.mark.promise("R3"), pytest.mark.threat("T12"), pytest.mark.threat("T13")):
        mark(case)


_prove(TestT13Linking)
_prove(TestT13DeepLinking)
pytest.mark.timeout(180)(TestT13Linking)
for mark in (pytest.mark.slow, pytest.mark.timeout(1800)):
    mark(TestT13DeepLinking)


@pytest.fixture
async def ann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Talkers]:
    """Let Ann alone write, from three accounts."""
    talkers = Talkers(tmp_path, monkeypatch, ["ann"])
    await talkers.begin()
    try:
        yield talkers
        await talkers.settle()
        talkers.look()
        await talkers.served.stop()
    finally:
        await talkers.served.end()


async def link(talkers: Talkers, here: Account, there: Account) -> None:
    half = await talkers.begins_link(here, there)
    half = half and await talkers.agrees(half)
    assert half is not None
    assert await talkers.accepts(half, goes_on_there=False)


async def test_r1_what_waits_is_answered_when_the_other_account_is_sent_away(ann: Talkers) -> None:
    await link(ann, ONE, TWO)
    ann.thinking = 6.0
    for account in (ONE, ONE, TWO, ONE):
        await ann.writes(account)
    await ann.is_sent_away(TWO)
    await ann.settle()
    assert len([text for text in ann.texts(ONE) if text.startswith("re ")]) == 3


async def test_t12_who_is_sent_away_while_they_are_answered_hears_no_more(ann: Talkers) -> None:
    await link(ann, ONE, TWO)
    await ann.writes(ONE)
    await ann.settle()
    ann.thinking = 6.0
    await ann.writes(TWO)
    await ann.served.until(lambda: bool(ann.circles.working))
    await ann.is_sent_away(TWO)
    await ann.served.idle()
    assert not [text for text in ann.texts(TWO) if text.startswith("re ")]


async def test_t12_who_is_linked_with_nobody_hears_no_more_either(ann: Talkers) -> None:
    ann.thinking = 6.0
    await ann.writes(ONE)
    await ann.served.until(lambda: bool(ann.circles.working))
    await ann.is_sent_away(ONE)
    await ann.served.idle()
    assert not [text for text in ann.texts(ONE) if text.startswith("re ")]


async def test_t12_who_is_sent_away_as_their_turn_begins_leaves_no_session_behind(
    ann: Talkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorise, times = Access.authorise, count(1)
    is_asked, is_sent_away = asyncio.Event(), asyncio.Event()

    async def authorise_slowly(access: Access, message: Message) -> Admission | Refusal:
        admission = await authorise(access, message)
        if next(times) == AT_ITS_TURN:
            is_asked.set()
            await is_sent_away.wait()
        return admission

    monkeypatch.setattr(Access, "authorise", authorise_slowly)
    await ann.writes(ONE)
    await ann.served.until(is_asked.is_set)
    await ann.is_sent_away(ONE)
    is_sent_away.set()
    await ann.hears(ONE, NO_LONGER_WORDS, after=0)
    await ann.is_let_in(ONE)
    await ann.writes(ONE)


async def test_r1_who_is_linked_as_their_turn_begins_is_answered(
    ann: Talkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, has_begun, is_linked = SqlTurns.begin, asyncio.Event(), asyncio.Event()

    async def begin_slowly(turns: SqlTurns, kept: Kept) -> Turn:
        turn = await begin(turns, kept)
        if kept.message.text.startswith("remember") and not has_begun.is_set():
            has_begun.set()
            await is_linked.wait()
        return turn

    monkeypatch.setattr(SqlTurns, "begin", begin_slowly)
    await ann.writes(ONE)
    await ann.served.until(has_begun.is_set)
    await link(ann, TWO, ONE)
    is_linked.set()


async def is_half_shown(talkers: Talkers, account: Account) -> None:
    """Wait until the first words of an answer are there, of which the last are yet to come."""
    await talkers.until(lambda: any(text.startswith("re ") for text in talkers.texts(account)))
    await talkers.until(lambda: bool(talkers.circles.working))


@pytest.mark.parametrize("crashes", [0, 1, 2])
async def test_r1_what_is_half_shown_when_an_account_is_parted_ends_in_words(
    ann: Talkers, crashes: int
) -> None:
    await link(ann, ONE, TWO)
    ann.thinking = ann.pausing = 6.0
    await ann.writes(TWO)
    await is_half_shown(ann, TWO)
    for _ in range(crashes):
        await is_half_shown(ann, TWO)
        await ann.crash()
    await ann.is_unlinked(TWO)
    await ann.settle()
    assert any(text.endswith("_Stopped._") for text in ann.texts(TWO))


async def test_r9_what_is_half_shown_at_three_deaths_ends_in_words(ann: Talkers) -> None:
    ann.pausing = 6.0
    await ann.writes(ONE)
    for _ in range(3):
        await is_half_shown(ann, ONE)
        await ann.crash()
    await ann.hears(ONE, "so I gave up.", after=0)
