"""Saying what was kept to be told, on whatever account it is meant for."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

import structlog

from gateway.clock import Clock
from gateway.commands import forget_words
from gateway.commands import link_words as words
from gateway.commands.pair import PAIRING_WORDS, WELCOME_WORDS, asking
from gateway.contracts.linking import Announcement, Announcements
from gateway.errors import AccountRejected, RetryLater, SendRefused
from gateway.ids import ExternalUser, PlatformName
from gateway.messages import Address, Choice
from gateway.replies.wording import as_code

log = structlog.get_logger()

Said = tuple[str, tuple[Choice, ...]]
MISSED_WORDS = (
    "I was away. Some of what was written to me here is too old by now for me to answer by "
    "myself: please write again what still matters."
)
UNDO = Choice("Undo", "/link undo", is_danger=True)


class Notices(Protocol):
    """The least that is needed of replies."""

    async def notice(
        self,
        address: Address,
        text: str,
        *,
        choices: Sequence[Choice] = (),
        announcement: int | None = None,
    ) -> bool: ...


class Announcing:
    """Each is said once; what a crash cuts off is said at the next start.

    What could not be noted or sent now is tried again until it is: it goes on in its messages.
    """

    def __init__(
        self,
        announcements: Announcements,
        notices: Notices,
        new_code: Callable[[PlatformName, ExternalUser], Awaitable[str | None]],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        clock: Clock,
    ) -> None:
        self._announcements = announcements
        self._notices = notices
        self._new_code = new_code
        self._spawn = spawn
        self._clock = clock
        self._looking = asyncio.Lock()
        self._begun: set[int] = set()

    def stir(self) -> None:
        """Have said what waits to be."""
        self._spawn(self.say_all())

    async def say_all(self) -> None:
        """Begin to say all that waits; no account waits for another."""
        async with self._looking:
            for waiting in await self._announcements.waiting():
                if waiting.number not in self._begun:
                    self._begun.add(waiting.number)
                    self._spawn(self._say(waiting))

    async def _say(self, announcement: Announcement) -> None:
        while True:
            try:
                await self._say_once(announcement)
            except RetryLater as pause:
                log.warning("announcement.put_off", kind=announcement.kind, reason=str(pause))
                await self._clock.sleep(pause.after)
            else:
                return

    async def _say_once(self, announcement: Announcement) -> None:
        is_over = True
        try:
            is_over = await self._put(announcement)
        except (SendRefused, AccountRejected) as refusal:
            log.warning("announcement.refused", kind=announcement.kind, reason=str(refusal))
        # Under the lock, or a look that began before would have it said again.
        async with self._looking:
            if is_over:
                await self._announcements.told(announcement.number)
            self._begun.discard(announcement.number)

    async def _put(self, announcement: Announcement) -> bool:
        """Say it; False if the gateway closes before."""
        choices: tuple[Choice, ...] = ()
        if announcement.kind == "stranger":
            who = announcement.address
            # Made when it is told: what is kept of a code is its hash.
            code = await self._new_code(who.platform, who.external_user)
            if code is None:
                return True  # the request is settled
            text = PAIRING_WORDS.format(code=code)
        else:
            text, choices = put_into_words(announcement.kind, announcement.facts)
        return await self._notices.notice(
            announcement.address, text, choices=choices, announcement=announcement.number
        )


def put_into_words(kind: str, facts: Mapping[str, str]) -> Said:
    return _KINDS[kind](facts)


def _other(facts: Mapping[str, str]) -> str:
    return words.shown(facts["name"], f"{facts['platform']}:{facts['user']}")


def _confirm(facts: Mapping[str, str]) -> Said:
    return words.confirm(facts["link"], facts["platform"], facts["user"], facts["name"])


def _linked(facts: Mapping[str, str]) -> Said:
    own = as_code(f"{facts['own_platform']}:{facts['own_user']}")
    at = words.day(float(facts["at"]))
    return words.LINKED_WORDS.format(own=own, other=_other(facts), at=at), (UNDO,)


def _unlinked(facts: Mapping[str, str]) -> Said:
    text = words.LEFT_WORDS if facts["is_you"] else words.UNLINKED_WORDS
    return text.format(other=_other(facts), at=words.day(float(facts["at"]))), ()


_KINDS: Mapping[str, Callable[[Mapping[str, str]], Said]] = {
    "welcome": lambda _: (WELCOME_WORDS, ()),
    "asks": lambda facts: asking(facts["platform"], facts["user"], facts["name"]),
    "confirm": _confirm,
    "linked": _linked,
    "unlinked": _unlinked,
    "refused": lambda facts: (words.OTHER_REFUSED_WORDS.format(other=_other(facts)), ()),
    "burnt": lambda _: (words.BURNT_WORDS, ()),
    "missed": lambda _: (MISSED_WORDS, ()),
    "forgetting": lambda facts: forget_words.forgetting(facts["by"], float(facts["at"])),
    "kept": lambda facts: (forget_words.KEPT_WORDS.format(by=as_code(facts["by"])), ()),
    "not_forgotten": lambda _: (forget_words.CHANGED_WORDS, ()),
}
