"""How fast messages may come: so many a minute from a person, and in a place."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from gateway.clock import Clock
from gateway.messages import Message
from gateway.people.access import Admission
from gateway.people.roles import Role
from gateway.settings import RateLimits

Excess = Literal["person", "place"]
"""Whose limit a message is over."""

_Key = tuple[str, bool]
"""A person or a place, and whether controls are counted."""

_WINDOW = 60.0
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Taken:
    """A message that counts; the pictures of one album are one."""

    at: float
    name: str


class Rates:
    """Counts in memory; a restart forgives. Controls are counted apart, so `/stop` gets through.

    What counts is when a message was written, or was last made another: what was missed and
    comes all at once was not written at once.
    """

    def __init__(self, limits: RateLimits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._taken: OrderedDict[_Key, list[_Taken]] = OrderedDict()

    def excess(self, message: Message, admission: Admission, *, is_control: bool) -> Excess | None:
        """Count a message; return whose limit it is over, and do not count it then."""
        person = (admission.person.id, is_control), self._limit_of(admission.role)
        place = (message.address.place_name, is_control), self._limits.place
        # Where the machine's clock is slow, all is written in its future, and would be for long.
        written_at = min(max(message.sent_at, message.edited_at or 0.0), self._clock.now())
        taken = _Taken(written_at, message.album or message.event_key)
        if not self._has_room(*person, taken):
            return "person"
        is_shared = not message.address.place.is_direct and admission.role < Role.OWNER
        if is_shared and not self._has_room(*place, taken):
            return "place"
        for key, limit in (person, place) if is_shared else (person,):
            if limit is not None:
                self._count(key, taken)
        return None

    def _limit_of(self, role: Role) -> int | None:
        if role is Role.OWNER:
            return None
        return self._limits.guest if role is Role.GUEST else self._limits.member

    def _has_room(self, key: _Key, limit: int | None, new: _Taken) -> bool:
        """Say whether one more fits into the last minute; what is known already does."""
        if limit is None:
            return True
        taken = self._taken.get(key, ())
        since = self._clock.now() - _WINDOW
        recent = [one for one in taken if one.at > since]
        is_known = any(one.name == new.name for one in recent)
        return is_known or len(recent) < limit

    def _count(self, key: _Key, new: _Taken) -> None:
        since = self._clock.now() - _WINDOW
        recent = [one for one in self._taken.get(key, ()) if one.at > since]
        if all(one.name != new.name for one in recent):
            recent.append(new)
        self._taken[key] = recent
        self._taken.move_to_end(key)
        if len(self._taken) > _REMEMBERED:
            self._taken.popitem(last=False)
