"""`/places`: where the bot is, and which ids `access.groups` would need."""

from collections.abc import Callable, Sequence

from typing_extensions import override

from gateway.commands.link_words import day
from gateway.commands.registry import Answer, Call, Command
from gateway.people.places import USAGE_DAYS, KnownPlace
from gateway.people.places import Places as Known
from gateway.replies.wording import as_code

_AT_MOST = 20
_ANSWERS = {"mention": "when called", "always": "always"}
_NONE_WORDS = "No group or channel has written to me, and the settings name none."
_CURE_WORDS = "Name a place in `access.groups`, and start me anew, to have it answered there."


class Places(Command):
    """Lists what is allowed, and what called in vain."""

    name = "places"
    summary = "List the groups and channels that I am in"
    is_control = True
    is_direct_only = True

    def __init__(self, places: Known) -> None:
        self._places = places

    @override
    async def run(self, call: Call) -> Answer:
        known = await self._places.known()
        parts = [
            *_listed("I answer in", [one for one in known if one.is_allowed], _allowed),
            *_listed("I may not answer in", [one for one in known if not one.is_allowed], _refused),
        ]
        if not all(one.is_allowed for one in known):
            parts.append(_CURE_WORDS)
        return Answer("\n\n".join(parts) or _NONE_WORDS)


def _listed(
    title: str, places: Sequence[KnownPlace], line: Callable[[KnownPlace], str]
) -> list[str]:
    if not places:
        return []
    lines = [f"- {as_code(place.name)}: {line(place)}" for place in places[:_AT_MOST]]
    if len(places) > _AT_MOST:
        lines.append(f"- and {len(places) - _AT_MOST} more: `parley places list` shows them all")
    return [f"**{title}**", "\n".join(lines)]


def _allowed(place: KnownPlace) -> str:
    parts = [_ANSWERS[place.answer or "mention"]]
    parts += [f"agent {as_code(agent)}" for agent in place.agents]
    if place.last_active is not None:
        sessions = "1 session" if place.sessions == 1 else f"{place.sessions} sessions"
        parts += [sessions, f"last {day(place.last_active)}"]
    if place.used is not None:
        parts.append(f"{place.used.amount.tokens:,} tokens in {USAGE_DAYS} days")
    return ", ".join(parts)


def _refused(place: KnownPlace) -> str:
    if place.refused_at is None or place.refused_by is None:
        return "was allowed once"
    times = "once" if place.refused == 1 else f"{place.refused} times"
    return f"called {times}, last by {as_code(place.refused_by)} on {day(place.refused_at)}"
