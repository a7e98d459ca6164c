"""People on three platforms of one gateway: they talk, link, part, and are sent away.

Every message carries a marker of who wrote it. The model answers with all markers that it
was shown, so that whatever leaks is seen.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from gateway.contracts.provider import EndPart, ModelRequest, TextPart
from gateway.ids import MessageId
from gateway.messages import Origin, Place
from gateway.transcript import UserEntry
from tests.fakes.gateway import FakeGateway
from tests.fakes.provider import USAGE, FakeProvider, Gate, Step
from tests.gateway.people.circles import Account, Circle, Circles, account_of, markers_in

PLATFORMS = ("one", "two", "three")
TEAM = "team"
"""Who speaks in a group is whoever comes along."""
_CODE = re.compile(r"/link ([2-9A-HJ-NP-Z]{8})")
_ANSWER = re.compile(r"re (\S+);")
_ENOUGH = 2
"""Deaths after which the next may be the last."""
_LONG = 1800.0


class Thinking(Gate):
    """Takes its time, so that much happens while answers are being written."""

    def __init__(self, talkers: "Talkers", marker: str, seconds: float) -> None:
        super().__init__()
        self._talkers = talkers
        self._marker = marker
        self._seconds = seconds

    @override
    async def wait(self) -> None:
        working = self._talkers.circles.working
        working.add(self._marker)
        try:
            await self._talkers.served.clock.sleep(self._seconds)
        finally:
            self._talkers.circles.working.discard(self._marker)


class Half:
    """A link that was left half done: who asked, who is asked, and the button to press next."""

    def __init__(self, here: Account, there: Account, presser: Account, label: str) -> None:
        self.here, self.there = here, there
        self.presser = presser
        self.label = label


class Talkers:
    """A gateway on three platforms, and all who write to it."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, people: Sequence[str]
    ) -> None:
        self.served = FakeGateway(
            folder,
            monkeypatch,
            *PLATFORMS,
            model=FakeProvider(otherwise=self._answer),
            access={"direct_messages": "pairing", "groups": "open"},
            queues={"per_session": 1_000, "per_person": 1_000},
        )
        self.accounts: list[Account] = [(who, at) for who in people for at in PLATFORMS]
        self.teams: list[Account] = [(TEAM, at) for at in PLATFORMS]
        self.circles = Circles([*self.accounts, *self.teams])
        self.strangers: set[Account] = set()
        self.halves: list[Half] = []
        self.thinking = 0.8
        self.pausing = 0.0
        """How long the model falls silent once its first words are shown."""
        self._deaths: Counter[str] = Counter()

    async def begin(self) -> None:
        await self.served.start()
        for account in self.accounts:
            await self.verb("pair.admit", account)

    async def verb(self, name: str, account: Account) -> None:
        """Have the owner do something, as the command line would: it asks by name, too."""
        who, at = account
        await self.served.gateway._verbs()[name]({"identity": f"{at}:{who}"})

    def _answer(self, request: ModelRequest) -> Step:
        told = [str(one.content) for one in request.entries if isinstance(one, UserEntry)]
        markers = [marker for text in told for marker in markers_in(text)]
        last = self.circles.asked(markers)
        known = " ".join(dict.fromkeys(markers[-40:]))
        return [
            Thinking(self, last, self.thinking),
            TextPart(f"re {last}; "),
            Thinking(self, last, self.pausing),
            TextPart(known),
            EndPart("finished", USAGE),
        ]

    # What people see and do.

    def texts(self, account: Account) -> list[str]:
        who, at = account
        return self.served.accounts[at].texts(who)

    async def until(self, holds: Callable[[], bool]) -> None:
        await self.served.until(holds, within=_LONG)

    async def says(self, account: Account, text: str, **more: Any) -> None:
        who, at = account
        await self.served.writes(text, who, account=at, platform=at, **more)

    async def writes(self, account: Account) -> None:
        marker = self.circles.says(account, is_stranger=account in self.strangers)
        await self.says(account, f"remember {marker}")

    async def writes_in_team(self, who: str, at: str) -> None:
        marker = self.circles.says((TEAM, at))
        await self.says((who, at), f"remember {marker}", place=Place(TEAM))

    async def hears(self, account: Account, *endings: str, after: int) -> str:
        def told() -> list[str]:
            since = self.texts(account)[after:]
            return [one for one in since if any(end in one for end in endings)]

        await self.until(lambda: bool(told()))
        return told()[0]

    async def asks(self, account: Account, text: str, *endings: str) -> str:
        """Write a command, and return what it says once it says any of these."""
        before = len(self.texts(account))
        await self.says(account, text)
        return await self.hears(account, *endings, after=before)

    def buttons(self, account: Account, label: str) -> list[tuple[MessageId, str]]:
        who, at = account
        return [
            (name, choice.value)
            for name, one in self.served.accounts[at].messages.items()
            for choice in one.choices
            if one.where[0] == who and choice.label == label
        ]

    async def presses(self, account: Account, label: str, *endings: str) -> str:
        """Press the newest button of that name; return what it says."""
        message, value = self.buttons(account, label)[-1]
        self.served.accounts[account[1]].messages[message].choices = ()
        before = len(self.texts(account))
        await self.says(account, value, origin=Origin.PRESSED, pressed_on=message)
        return await self.hears(account, *endings, after=before)

    # Linking, step by step.

    async def begins_link(self, here: Account, there: Account) -> Half | None:
        """Have a code made and used; None when either is refused."""
        code = _CODE.search(await self.asks(here, "/link", "once.", "try again", "later."))
        if code is None:
            return None
        question = "If anybody gave it to you"
        refusals = ("already", "on your *other*", "wrong, used", "Too many", "is settled")
        told = await self.asks(there, f"/link {code[1]}", question, *refusals)
        return Half(here, there, there, "Yes, link") if question in told else None

    async def agrees(self, half: Half) -> Half | None:
        """Have the account that used the code say yes; None when it comes too late."""
        before = len(self.buttons(half.here, "Yes, link"))
        told = await self.presses(half.presser, half.label, "Now say yes", "is settled")
        if "is settled" in told:
            return None
        await self.until(lambda: len(self.buttons(half.here, "Yes, link")) > before)
        return Half(half.here, half.there, half.here, "Yes, link")

    async def accepts(self, half: Half, *, goes_on_there: bool) -> bool:
        """Have the account that made the code say yes, too."""
        here, there = half.here, half.there
        label = f"Yes, go on with {there[1].capitalize()}" if goes_on_there else "Yes, link"
        self.circles.begin_joining(here, there)
        refusals = ("is settled", "linked with others already")
        told = await self.presses(here, label, "from your next message on", *refusals)
        if "from your next message on" in told:
            self.circles.join(here, there, goes_on_there=goes_on_there)
            return True
        self.circles.perhaps = set()
        return False

    async def refuses(self, account: Account) -> None:
        await self.presses(account, "No", "Nothing was linked", "is settled")

    # Parting.

    async def unlinks(self, account: Account) -> None:
        if len(self.circles.of[account].accounts) == 1:
            await self.asks(account, "/unlink", "no other account")
            return
        await self.asks(account, "/unlink", "It keeps nothing")
        left = self.circles.unlink(account)
        before = len(self.texts(account))
        await self.presses(account, "Yes, unlink", "is unlinked")
        await self.hears(account, "no longer know here", after=before)
        self._has_left(left)

    async def undoes(self, account: Account) -> None:
        left = self.circles.undo(account)
        told = await self.asks(account, "/link undo", "Undone", "no other account", "older than")
        assert ("Undone" in told) == (left is not None), told
        if left is not None:
            self._has_left(left)

    async def is_unlinked(self, account: Account) -> None:
        """Have the owner part an account from the others."""
        if len(self.circles.of[account].accounts) > 1:
            left = self.circles.unlink(account)
            await self.verb("people.unlink", account)
            self._has_left(left)

    async def is_sent_away(self, account: Account) -> None:
        """Have the owner make an account a stranger again."""
        left = self.circles.unlink(account)
        self.strangers.add(account)
        await self.verb("pair.dismiss", account)
        await self.served.passes(0.5)
        self._has_left(left)
        waiting = self._unfinished() - self.circles.seen
        self.circles.turned_away |= {one for one in waiting if account_of(one) == account}

    async def is_let_in(self, account: Account) -> None:
        await self.verb("pair.admit", account)
        self.strangers.discard(account)

    def _has_left(self, circle: Circle) -> None:
        self.circles.has_left(circle, self._unfinished())

    # What becomes of it.

    async def crash(self) -> None:
        """Die; what was in work at three deaths is given up, as it may be to blame."""
        await self.served.kill()
        unfinished = self._unfinished()
        self._deaths.update(unfinished)
        self.circles.uncertain |= {one for one in unfinished if self._deaths[one] > _ENOUGH}
        await self.served.start()

    def _unanswered(self) -> set[str]:
        shown = {
            at: " ".join(one.text for one in account.messages.values())
            for at, account in self.served.accounts.items()
        }
        return {one for one in self.circles.sent if f"re {one};" not in shown[account_of(one)[1]]}

    def _unfinished(self) -> set[str]:
        """Return what is not done, too, though words of its answer are shown: these may go."""
        rows = self.served.rows("select message from inbox where state = 'waiting'")
        waiting = {marker for (message,) in rows for marker in markers_in(message or "")}
        return self._unanswered() | (waiting & self.circles.sent.keys())

    async def settle(self) -> None:
        """Let everything be answered, and see that each was, once, and in order."""
        excused = self.circles.uncertain | self.circles.turned_away
        try:
            await self.served.until(lambda: self._unanswered() <= excused, within=_LONG)
        except AssertionError:
            left = self._unanswered() - excused
            told = {account_of(one): self.texts(account_of(one))[-4:] for one in left}
            raise AssertionError(f"not answered: {left}; last words: {told}") from None
        await self.served.idle()
        for account in self.circles.of:
            texts = self.texts(account)
            answers = [found[1] for text in texts if (found := _ANSWER.match(text)) is not None]
            ours = {one for one in self.circles.sent if account_of(one) == account}
            assert len(answers) == len(set(answers)), answers
            assert set(answers) <= ours, answers
            assert ours - set(answers) <= excused, (ours, answers)
            numbers = [self.circles.sent[one] for one in answers if one not in excused]
            assert numbers == sorted(numbers), numbers

    def look(self) -> None:
        """Look at what everybody is shown, and at what is kept of them."""
        assert not self.circles.wrong, self.circles.wrong
        for account in self.circles.of:
            for text in self.texts(account):
                foreign = set(markers_in(text)) - self.circles.may_see(account)
                assert not foreign, (account, foreign)
        self._look_at_store()

    def _look_at_store(self) -> None:
        rows = self.served.rows("select external_user, platform, person from identities")
        persons = {(who, at): person for who, at, person in rows}
        for account in set(self.accounts) & persons.keys():
            together = {one for one in persons if persons[one] == persons[account]}
            assert together == self.circles.of[account].accounts, (account, together)
        active: dict[str, list[str]] = {}
        for key, person in self.served.rows(
            "select key, person from sessions where not is_archived"
        ):
            active.setdefault(key, []).append(person)
        assert all(len(one) == 1 for one in active.values()), active
        for account, person in persons.items():
            who, at = account
            is_linked = len(self.circles.of[account].accounts) > 1
            key = f"main:user:{person}:dm" if is_linked else f"main:{at}:{who}:dm"
            assert active.get(key, [person]) == [person], (account, key)
