"""What people write: without our name at its ends, and with names where ids stood."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.discord.places import Places
from gateway.chat_text import clean

Json = Mapping[str, Any]

_NAMED = re.compile(r"<(@!?|@&|#)(\d{1,20})>")
_EMOJI = re.compile(r"<a?:(\w{2,32}):\d{1,20}>")
_AFTER_A_NAME = " \t\n,:"


@dataclass(frozen=True, slots=True)
class Calling:
    """Our names in a message, and those of others."""

    us: str
    """Our user id."""
    our_roles: frozenset[str]
    names: Mapping[str, str]
    """Of people, by their ids."""
    places: Places

    def is_ours(self, sign: str, number: str) -> bool:
        return number in self.our_roles if sign == "@&" else sign != "#" and number == self.us

    def read(self, content: str) -> str:
        """Return the words for the model."""
        bare = self._without_us_at_the_ends(content)
        named = _NAMED.sub(lambda found: self._name(found[1], found[2], found[0]), bare)
        return clean(_EMOJI.sub(r":\1:", named))

    def calls_us(self, content: str) -> bool:
        """Say whether we are named: what Discord takes for a name, and any role of ours.

        A name within code is none; a role may be named by people who cannot call it.
        """
        return self.us in self.names or any(
            sign == "@&" and number in self.our_roles for sign, number in _NAMED.findall(content)
        )

    def _name(self, sign: str, number: str, written: str) -> str:
        if sign == "#":
            spot = self.places.find(number)
            return f"#{spot.name}" if spot is not None else written
        name = self.places.role_name(number) if sign == "@&" else self.names.get(number)
        return f"@{name}" if name else written

    def _without_us_at_the_ends(self, content: str) -> str:
        for found in reversed(list(_NAMED.finditer(content))):
            if not self.is_ours(found[1], found[2]):
                continue
            before, after = content[: found.start()], content[found.end() :]
            if not after.strip():
                content = before.rstrip()
            elif not before.strip():
                content = after.lstrip(_AFTER_A_NAME)
        return content
