"""How fast messages may come: so many a minute from a person, and in a place."""

from collections import OrderedDict, deque
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
    album: str | None


class Rates:
    """Counts in memory; a restart forgives. Controls are counted apart, so `/stop` gets through."""

    def __init__(self, limits: RateLimits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._taken: OrderedDict[tuple[str, bool], deque[_Taken]] = OrderedDict()

    def excess(
        self, message: Message, admission: Admission, *, is_control: bool
    ) -> Literal["person", "place"] | None:
        """Count a message; return whose limit it is over, and do not count it then."""
        person = admission.person.id, is_control
        place = message.address.place_name, is_control
        if not self._has_room(person, message.album, self._limit_of(admission.role)):
            return "person"
        is_shared = not message.address.place.is_direct and admission.role < Role.OWNER
        if is_shared and not self._has_room(place, message.album, self._limits.place):
            return "place"
        for key in (person, place) if is_shared else (person,):
            self._count(key, message.album)
        return None

    def _limit_of(self, role: Role) -> int | None:
        if role is Role.OWNER:
            return None
        return self._limits.guest if role is Role.GUEST else self._limits.member

    def _has_room(self, key: tuple[str, bool], album: str | None, limit: int | None) -> bool:
        taken = self._taken.get(key, deque())
        while taken and taken[0].at <= self._clock.monotonic() - _WINDOW:
            taken.popleft()
        is_of_album = album is not None and any(one.album == album for one in taken)
        return limit is None or is_of_album or len(taken) < limit

    def _count(self, key: tuple[str, bool], album: str | None) -> None:
        taken = self._taken.setdefault(key, deque())
        self._taken.move_to_end(key)
        if album is None or all(one.album != album for one in taken):
            taken.append(_Taken(self._clock.monotonic(), album))
        if len(self._taken) > _REMEMBERED:
            self._taken.popitem(last=False)
