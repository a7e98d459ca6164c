"""How fast messages may come: so many a minute from a person, and in a place."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from gateway.clock import Clock
from gateway.messages import Message
from gateway.people.access import Admission
from gateway.people.roles import Role
from gateway.settings import RateLimits

_WINDOW = 60.0
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Taken:
    """A message that counts; the pictures of one album are one."""

    at: float
    name: str


class Rates:
    """Counts in memory; a restart forgives. Controls are counted apart, so `/stop` gets through.

    What counts is when a message was written: what was missed and comes all at once was not.
    """

    def __init__(self, limits: RateLimits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._taken: OrderedDict[tuple[str, bool], list[_Taken]] = OrderedDict()

    def excess(
        self, message: Message, admission: Admission, *, is_control: bool
    ) -> Literal["person", "place"] | None:
        """Count a message; return whose limit it is over, and do not count it then."""
        person = admission.person.id, is_control
        place = message.address.place_name, is_control
        # Where the machine's clock is slow, all is written in its future, and would be for long.
        written = min(message.sent_at, self._clock.now())
        taken = _Taken(written, message.album or message.event_key)
        if not self._has_room(person, taken, self._limit_of(admission.role)):
            return "person"
        is_shared = not message.address.place.is_direct and admission.role < Role.OWNER
        if is_shared and not self._has_room(place, taken, self._limits.place):
            return "place"
        for key in (person, place) if is_shared else (person,):
            self._count(key, taken)
        return None

    def _limit_of(self, role: Role) -> int | None:
        if role is Role.OWNER:
            return None
        return self._limits.guest if role is Role.GUEST else self._limits.member

    def _has_room(self, key: tuple[str, bool], new: _Taken, limit: int | None) -> bool:
        """Say whether one more fits into the last minute; what is known already does."""
        taken = self._taken.get(key, ())
        since = self._clock.now() - _WINDOW
        recent = [one for one in taken if one.at > since]
        is_known = any(one.name == new.name for one in recent)
        return limit is None or is_known or len(recent) < limit

    def _count(self, key: tuple[str, bool], new: _Taken) -> None:
        since = self._clock.now() - _WINDOW
        recent = [one for one in self._taken.get(key, ()) if one.at > since]
        if all(one.name != new.name for one in recent):
            recent.append(new)
        self._taken[key] = recent
        self._taken.move_to_end(key)
        if len(self._taken) > _REMEMBERED:
            self._taken.popitem(last=False)
