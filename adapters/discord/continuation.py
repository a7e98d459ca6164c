"""Going on with a session of the gateway after the process has ended.

Where it has got to is in the cursor; its places are in a file, as a resumed session describes no
server again. Why a file: docs/decisions/0011-places-are-kept-with-the-session.md
"""

import asyncio
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from adapters.discord.bookmark import Bookmark
from adapters.discord.places import Known, Places, Spot
from gateway.clock import Clock
from gateway.errors import MALFORMED

log = structlog.get_logger()

_PLACES_SAVED_EVERY = 30.0
"""Large bots know megabytes of places. What they tell of meanwhile is told again after a kill."""
_UNREADABLE = (OSError, *MALFORMED)


class Continuation:
    """Saves a session so that it can be resumed, and takes it up again if it is still ours."""

    def __init__(
        self, file: Path, places: Places, us: str, belongs_to: Sequence[object], clock: Clock
    ) -> None:
        """Have a session belong to what it was begun with: a token, intents, a version."""
        self._file = file
        self._places = places
        self._us = us
        self._owner = hashlib.sha256(json.dumps(belongs_to).encode()).hexdigest()
        self._clock = clock
        self._written_for = ""
        """The session whose places are in the file."""
        self._written_at = 0.0
        self._writing = threading.Lock()

    async def take_up(self, told: Any, bookmark: Bookmark) -> None:
        """Turn the bookmark to a saved session, or leave it as it is."""
        try:
            session, address = str(told["id"]), str(told["address"])
            number, is_ours = int(told["number"]), told["of"] == self._owner
            parts = urlsplit(address)
            if not is_ours or number < 1 or parts.scheme not in {"ws", "wss"} or not parts.hostname:
                return
            unread = {str(int(one)): of and str(int(of)) for one, of in told["unread"].items()}
            known = await asyncio.to_thread(_read, self._file, session)
        except _UNREADABLE:
            return
        self._places.recall(known)
        self._written_for = session
        bookmark.begin(session, address, number, unread)

    async def save(self, bookmark: Bookmark, *, is_last: bool) -> dict[str, Any] | None:
        """Write down the places, if need be, and return what the cursor is to hold."""
        if bookmark.kept_up_to is None and not bookmark.has_new_places:
            return None
        if is_last or self._is_due(bookmark):
            await self._write_places(bookmark)
        told = bookmark.told
        if told is None or self._written_for != bookmark.session:
            return None
        return {**told, "of": self._owner}

    def _is_due(self, bookmark: Bookmark) -> bool:
        if self._written_for != bookmark.session:
            return True
        is_long_ago = self._clock.monotonic() - self._written_at >= _PLACES_SAVED_EVERY
        return bookmark.has_new_places and is_long_ago

    async def _write_places(self, bookmark: Bookmark) -> None:
        if self._written_for == bookmark.session and not bookmark.has_new_places:
            return
        session, known, since = bookmark.session, self._places.known, bookmark.write_places()
        try:
            await asyncio.to_thread(self._write, session, known)
        except OSError as error:
            log.warning("places.not_saved", reason=error.strerror or type(error).__name__)
            bookmark.places_not_written(session, since)
        except asyncio.CancelledError:
            bookmark.places_not_written(session, since)
            raise
        else:
            self._written_for, self._written_at = session, self._clock.monotonic()

    def _write(self, session: str, known: Known) -> None:
        with self._writing:  # a thread goes on though who waits for it is cancelled
            _write(self._file, session, known, self._us)


def _write(file: Path, session: str, known: Known, us: str) -> None:
    """Put the file in the place of the one before, whole or not at all."""
    draft = file.with_name(file.name + ".new")
    with suppress(FileNotFoundError):
        draft.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(draft, flags, 0o600), "w", encoding="utf-8") as written:
        # Line by line, so that nothing else in the process waits for one long step.
        for told in _lines(session, known, us):
            written.write(json.dumps(told, separators=(",", ":")) + "\n")
        written.flush()
        os.fsync(written.fileno())
    draft.replace(file)


def _lines(session: str, known: Known, us: str) -> Iterator[Any]:
    """Say what is known, server by server; of who began a thread only whether it was the bot."""
    spots: dict[str, list[Any]] = {guild: [] for guild in known.roles}
    for one in known.spots:
        told = [one.id, one.kind, one.name, one.parent, one.owner == us]
        spots.setdefault(one.guild, []).append(told)
    yield [session, us, known.role_names]
    for guild, told in spots.items():
        roles = known.roles.get(guild)
        yield [guild, None if roles is None else sorted(roles), told]


def _read(file: Path, session: str) -> Known:
    """Raise one of `_UNREADABLE` where the file is not of this session."""
    with file.open(encoding="utf-8") as written:
        of, us, role_names = json.loads(next(written, ""))
        if of != session:
            raise ValueError
        spots: list[Spot] = []
        roles: dict[str, frozenset[str]] = {}
        for line in written:
            guild, ours, told = json.loads(line)
            if ours is not None:
                roles[guild] = frozenset(ours)
            spots += [
                Spot(number, guild, kind, name, parent, us if is_ours else None, None)
                for number, kind, name, parent, is_ours in told
            ]
    return Known(spots, roles, dict(role_names))
