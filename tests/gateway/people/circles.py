"""Who is one person with whom, and what they may know of it: reckoned from what people did."""

import re
from collections import Counter
from dataclasses import dataclass, field

Account = tuple[str, str]
"""Who, and on which platform; a group is an account of its own here."""

MARKER = re.compile(r"\b([a-z]+)-(one|two|three)-(\d+)\b")


@dataclass(frozen=True, eq=False)
class Joining:
    """Accounts that came to others, and what they knew before."""

    accounts: frozenset[Account]
    known: frozenset[str]
    at: int


@dataclass(eq=False)
class Circle:
    """Accounts that are one person, and all that they may know."""

    accounts: set[Account]
    known: set[str] = field(default_factory=set)
    history: list[str] = field(default_factory=list)
    """What has to stand in their next prompt."""
    joinings: list[Joining] = field(default_factory=list)


class Circles:
    """Told of each step before it is made, it says afterwards what was wrong."""

    def __init__(self, accounts: list[Account]) -> None:
        self.of = {account: Circle({account}) for account in accounts}
        self.sent: dict[str, int] = {}
        """Every marker, in the order in which they were written."""
        self.whose: dict[str, Circle] = {}
        """From what each may be answered."""
        self.lines: dict[str, Circle] = {}
        """In whose line each was written."""
        self.seen: set[str] = set()
        self.working: set[str] = set()
        """What the model is at work on."""
        self.uncertain: set[str] = set()
        """Sent by who was parted before the answer came: it may have been stopped."""
        self.turned_away: set[str] = set()
        self.learnt: dict[Account, set[str]] = {account: set() for account in accounts}
        """What they knew in circles that they have left."""
        self.leaving: set[Account] = set()
        """Who is on the way out at this moment: answered from there, or from nothing."""
        self.perhaps: set[Circle] = set()
        """Circles that are being joined at this moment."""
        self.wrong: list[str] = []
        self._newest: Counter[object] = Counter()
        self._joined = 0

    def says(self, account: Account, *, is_stranger: bool = False) -> str:
        number = len(self.sent) + 1
        marker = f"{account[0]}-{account[1]}-{number}"
        self.sent[marker] = number
        if is_stranger:
            self.turned_away.add(marker)
        circle = self.of[account]
        self.whose[marker] = self.lines[marker] = circle
        circle.known.add(marker)
        return marker

    def asked(self, markers: list[str]) -> str:
        """Judge a prompt with these markers; return which message it is to answer."""
        last = markers[-1]
        circle = self.whose[last]
        if last in self.turned_away:
            self.wrong.append(f"a stranger is answered: {last}")
        if foreign := set(markers) - self._allowed(circle):
            self.wrong.append(f"{last} was answered from {sorted(foreign)}")
        if account_of(last) in self.leaving:
            self.lines[last] = self.of[account_of(last)]
        elif self.lines[last] is circle and circle not in self.perhaps:
            self._goes_on(last, circle, set(markers))
        for line in (account_of(last), self.lines[last]):
            if last not in self.seen and self.sent[last] < self._newest[line]:
                self.wrong.append(f"{last} came after one that was written later")
            self._newest[line] = max(self._newest[line], self.sent[last])
        self.seen.add(last)
        return last

    def _goes_on(self, last: str, circle: Circle, markers: set[str]) -> None:
        """Judge a prompt of a circle that is neither being joined nor left."""
        if lost := set(circle.history) - markers - self.uncertain:
            self.wrong.append(f"{last} was answered without {sorted(lost)}")
        if last not in circle.history:
            circle.history.append(last)
        if others := {one for one in self.working if self.lines[one] is circle} - {last}:
            self.wrong.append(f"{last} is worked on beside {others}")

    def _allowed(self, circle: Circle) -> set[str]:
        many = self.perhaps if circle in self.perhaps else {circle}
        return {marker for one in many for marker in one.known}

    def may_see(self, account: Account) -> set[str]:
        return self.learnt[account] | self._allowed(self.of[account])

    def begin_joining(self, *accounts: Account) -> None:
        """Expect that two become one at any moment: what is said may be told to both."""
        self.perhaps = {self.of[account] for account in accounts}

    def join(self, here: Account, there: Account, *, goes_on_there: bool) -> None:
        ours, theirs = self.of[here], self.of[there]
        here_stays = len(ours.accounts) > 1 or (len(theirs.accounts) == 1 and not goes_on_there)
        comes = theirs if here_stays else ours
        self._joined += 1
        joining = Joining(frozenset(comes.accounts), frozenset(comes.known), self._joined)
        joint = Circle(
            ours.accounts | theirs.accounts,
            ours.known | theirs.known,
            list((theirs if goes_on_there else ours).history),
            sorted([*ours.joinings, *theirs.joinings, joining], key=lambda one: one.at),
        )
        for account in joint.accounts:
            self.of[account] = joint
        for marker, circle in self.whose.items():
            if circle in {ours, theirs}:
                self.whose[marker] = joint
        self.perhaps = set()

    def leave(self, accounts: set[Account], known: frozenset[str] = frozenset()) -> Circle:
        """Let accounts be apart from now on; what they wrote last may be answered either way."""
        old = self.of[next(iter(accounts))]
        new = Circle(set(accounts), set(known))
        old.accounts -= accounts
        for account in accounts:
            self.learnt[account] |= old.known
            self.of[account] = new
        self.leaving = set(accounts)
        self.working = {one for one in self.working if account_of(one) not in accounts}
        return new

    def has_left(self, circle: Circle, unanswered: set[str]) -> None:
        """From here on nothing of theirs is answered from what they have left."""
        self.leaving = set()
        waiting = [
            marker
            for marker in sorted(unanswered, key=lambda one: self.sent[one])
            if account_of(marker) in circle.accounts and self.whose[marker] is not circle
        ]
        circle.known.update(waiting)
        unseen = [marker for marker in waiting if marker not in self.seen]
        # What was being answered is stopped; the next one may have been begun, too.
        self.uncertain |= (set(waiting) & self.seen) | set(unseen[:1])
        for marker in waiting:
            self.lines[marker] = circle
        for marker in unseen:
            self.whose[marker] = circle

    def unlink(self, account: Account) -> Circle:
        old = self.of[account]
        old.joinings = [one for one in old.joinings if one.accounts != {account}]
        return self.leave({account})

    def undo(self, account: Account) -> Circle | None:
        """Take back the newest joining; None when nobody can leave by that."""
        old = self.of[account]
        if not old.joinings:
            return None
        newest = old.joinings[-1]
        leaving = set(newest.accounts & old.accounts)
        if not leaving or leaving == old.accounts:
            return None
        old.joinings.pop()
        old.history.clear()
        return self.leave(leaving, newest.known)


def account_of(marker: str) -> Account:
    who, at, _ = marker.split("-")
    return who, at


def markers_in(text: str) -> list[str]:
    return [found[0] for found in MARKER.finditer(text)]
