"""What the owner may ask about places: which there are, and which of them may be answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.contracts.money import MICROS
from gateway.control.server import Verb
from gateway.people.places import KnownPlace, Places


@dataclass(frozen=True, slots=True)
class PlaceControl:
    """Answers the verb `places.list`."""

    places: Places
    currency: str

    def verbs(self) -> dict[str, Verb]:
        return {"places.list": self.list_places}

    async def list_places(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "currency": self.currency,
            "places": [_described(place) for place in await self.places.known()],
        }


def _described(place: KnownPlace) -> dict[str, Any]:
    used = place.used
    return {
        "place": place.name,
        "accounts": list(place.accounts),
        "is_allowed": place.is_allowed,
        "answer": place.answer,
        "agents": list(place.agents),
        "sessions": place.sessions,
        "last_active": place.last_active,
        "calls": 0 if used is None else used.calls,
        "total_tokens": 0 if used is None else used.amount.tokens,
        "cost": 0.0 if used is None else used.micros / MICROS,
        "refused": place.refused,
        "refused_at": place.refused_at,
        "refused_by": place.refused_by,
    }
