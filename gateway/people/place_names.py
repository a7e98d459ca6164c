"""What places are called in the settings, and what these say of them."""

from collections.abc import Iterable

from gateway.contracts.stores import Cursors
from gateway.settings import Groups, PlaceSettings


def settings_of_place(groups: Groups, names: Iterable[str]) -> PlaceSettings | None:
    """Return what holds in a place that has these names; None where it is not allowed."""
    if groups == "off":
        return None
    if groups == "open":
        return PlaceSettings()
    for name in names:
        if name in groups:
            return groups[name] if isinstance(groups, dict) else PlaceSettings()
    return None


async def former_name(cursors: Cursors, place: str) -> str | None:
    """Return what a place was called before its platform gave it a new id."""
    return await cursors.load(_moved(place))


async def note_former_name(cursors: Cursors, place: str, former: str) -> None:
    await cursors.save(_moved(place), former)


def _moved(place: str) -> str:
    return f"moved {place}"
