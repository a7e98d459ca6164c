"""Every place that there is to know of: named in the settings, talked in, or calling in vain."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from gateway.clock import Clock
from gateway.contracts.money import UsageLedger, UsageShare
from gateway.contracts.overview import Overview, PlaceRefused, PlaceTalk
from gateway.contracts.stores import Cursors, Store
from gateway.ids import AccountName, AgentId
from gateway.messages import Address
from gateway.people.access import Reason
from gateway.people.place_names import former_name, settings_of_place
from gateway.session_key import SessionKey
from gateway.settings import AccessSettings, PlaceSettings

USAGE_DAYS = 30
AgentOf = Callable[[AccountName | None], AgentId]
"""Tells which agent answers on an account, where a place names none."""


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A group or channel, as an operator sees it."""

    name: str
    """`platform:conversation`, as `access.groups` names it."""
    accounts: tuple[AccountName, ...]
    answer: Literal["mention", "always"] | None
    """None where it is not allowed."""
    agents: tuple[AgentId, ...]
    sessions: int
    last_active: float | None
    used: UsageShare | None
    """In the last thirty days."""
    refused: int
    """How often it called in vain, as far back as that is kept."""
    refused_at: float | None
    refused_by: str | None
    """Who called last in vain."""

    @property
    def is_allowed(self) -> bool:
        return self.answer is not None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What there is of one place."""

    talks: list[PlaceTalk]
    refused: list[PlaceRefused]


class Places:
    """Joins the settings with what the store has seen."""

    def __init__(
        self, settings: AccessSettings, store: Store, agent_of: AgentOf, clock: Clock
    ) -> None:
        self._settings = settings
        self._overview: Overview = store.overview
        self._usage: UsageLedger = store.usage
        self._cursors: Cursors = store.cursors
        self._agent_of = agent_of
        self._clock = clock

    async def known(self) -> Sequence[KnownPlace]:
        """Return them all: first those that are allowed, each kind by its last sign of life."""
        since = self._clock.now() - USAGE_DAYS * 86_400.0
        used = {share.name: share for share in await self._usage.shares("place", since)}
        seen = {name: _Seen([], []) for name in self._named()}
        for talk in await self._overview.talks():
            seen.setdefault(place_of(talk), _Seen([], [])).talks.append(talk)
        for refused in await self._overview.refused(Reason.PLACE_NOT_ALLOWED.value):
            seen.setdefault(refused.address.place_name, _Seen([], [])).refused.append(refused)
        found = [await self._place(name, its, used.get(name)) for name, its in seen.items()]
        return sorted(found, key=_order)

    async def names_by_key(self) -> Mapping[str, str]:
        """Return how settings name the place of each session that is a place's."""
        return {talk.key: place_of(talk) for talk in await self._overview.talks()}

    def _named(self) -> Iterable[str]:
        return () if isinstance(self._settings.groups, str) else self._settings.groups

    async def _place(self, name: str, seen: _Seen, used: UsageShare | None) -> KnownPlace:
        settings = await self._settings_of(name, seen)
        newest = seen.refused[0] if seen.refused else None
        accounts = tuple(sorted({one.account for one in _addresses(seen)}))
        return KnownPlace(
            name=name,
            accounts=accounts,
            answer=None if settings is None else settings.answer,
            agents=self._agents(settings, accounts),
            sessions=sum(talk.sessions for talk in seen.talks),
            last_active=max((talk.last_active for talk in seen.talks), default=None),
            used=used,
            refused=sum(one.times for one in seen.refused),
            refused_at=None if newest is None else newest.last,
            refused_by=None if newest is None else newest.address.identity,
        )

    async def _settings_of(self, name: str, seen: _Seen) -> PlaceSettings | None:
        spaces = [f"{one.platform}:{one.place.space}" for one in _addresses(seen)]
        former = await former_name(self._cursors, name)
        names = [name, *spaces, *([] if former is None else [former])]
        return settings_of_place(self._settings.groups, names)

    def _agents(
        self, settings: PlaceSettings | None, accounts: Sequence[AccountName]
    ) -> tuple[AgentId, ...]:
        if settings is None:
            return ()
        if settings.agent is not None:
            return (AgentId(settings.agent),)
        if not accounts:
            return (self._agent_of(None),)
        return tuple(dict.fromkeys(self._agent_of(account) for account in accounts))


def place_of(talk: PlaceTalk) -> str:
    """Return how settings name the place of a session key.

    A key does not say which of its parts is the conversation: a message there does, or a call
    that was made there.
    """
    if talk.address is not None:
        return talk.address.place_name
    platform, *parts = map(unquote, SessionKey.decode(talk.key).channel_context.split("/"))
    names = [f"{platform}:{part}" for part in parts]
    return next((name for name in names if name in talk.places), names[0])


def _addresses(seen: _Seen) -> list[Address]:
    talked = [talk.address for talk in seen.talks if talk.address is not None]
    return talked + [refused.address for refused in seen.refused]


def _order(place: KnownPlace) -> tuple[bool, float, str]:
    last = place.last_active if place.is_allowed else place.refused_at
    return not place.is_allowed, -(last or 0.0), place.name
