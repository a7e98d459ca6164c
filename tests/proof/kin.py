"""Who may be one with whom, and so know what: reckoned from what people did, never too little.

Seats are where somebody writes: an account's direct messages, or a group. A link may be made
from the press of its button on; a parting is believed once all is quiet, when the accounts that
the gateway has as one person must be among those that may be.
"""

from collections.abc import Iterable


class Circle:
    """Seats that may be one, and the markers that they may know."""

    def __init__(self, seats: Iterable[str], known: Iterable[str] = ()) -> None:
        self.seats = set(seats)
        self.known = set(known)


class Kin:
    """The circles of all seats."""

    def __init__(self, seats: Iterable[str]) -> None:
        self.of = {seat: Circle([seat]) for seat in seats}
        self._asked: set[frozenset[str]] = set()
        """Pairs whose link waits for a yes."""

    def asks(self, here: str, there: str) -> None:
        self._asked.add(frozenset({here, there}))

    def says_yes(self, seat: str) -> None:
        """A yes was pressed here: any link of this seat may be made from now on."""
        for pair in [one for one in self._asked if seat in one]:
            circles = {self.of[one] for one in pair}
            joint = Circle(
                set().union(*(one.seats for one in circles)),
                set().union(*(one.known for one in circles)),
            )
            for one in joint.seats:
                self.of[one] = joint

    def together(self, seat: str) -> set[str]:
        return self.of[seat].seats

    def may_know(self, seat: str, marker: str) -> bool:
        return marker in self.of[seat].known

    def says(self, seat: str, marker: str) -> None:
        self.of[seat].known.add(marker)

    def are(self, groups: Iterable[set[str]]) -> list[set[str]]:
        """Take over who is one with whom; return those who may not be."""
        wrong = []
        for seats in groups:
            circle = self.of[next(iter(seats))]
            if not seats <= circle.seats:
                wrong.append(seats)
            elif seats != circle.seats:
                apart = Circle(seats, circle.known)
                circle.seats -= seats
                for seat in seats:
                    self.of[seat] = apart
        return wrong

    def forget_links(self) -> None:
        """No link that was asked for can be made any more."""
        self._asked.clear()
