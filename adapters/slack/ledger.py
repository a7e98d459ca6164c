"""What has to outlive the process: up to when messages are surely seen, and where to look."""

import json
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from gateway.contracts.adapter import AdapterKit
from gateway.errors import RetryLater

_CONVERSATIONS_REMEMBERED = 500
_THREADS_REMEMBERED = 500
_TICK = Decimal("0.000001")

Name = TypeVar("Name")


class Ledger:
    """One account's memory of where it has got to. Slack's `ts` are its time."""

    def __init__(self, kit: AdapterKit) -> None:
        self._cursor = kit.cursor
        self._conversations: dict[str, None] = {}
        self._threads: dict[tuple[str, str], None] = {}
        self._newest: str | None = None
        self._under_way: set[str] = set()
        """Messages that have come and are not kept; they hold back what is surely seen."""
        self._gap: str | None = None
        """From when on messages may have been missed."""
        self._is_changed = False

    async def load(self) -> None:
        """Read what an earlier run has left; without any, nothing has been missed."""
        told = _read(await self._cursor.load())
        seen = told.get("seen")
        self._newest = seen if isinstance(seen, str) and _moment(seen) else None
        for channel in _list(told.get("conversations")):
            self._meet(str(channel))
        for thread in _list(told.get("threads")):
            if isinstance(thread, list) and len(thread) == 2:  # noqa: PLR2004 - channel and ts
                self.follow(str(thread[0]), str(thread[1]))
        self._under_way.clear()
        self.note_gap()

    def note_gap(self, since: str | None = None) -> None:
        """Note that messages may have been missed, from a moment or what is surely seen on."""
        bounds = [ts for ts in (self._gap, since or self.surely_seen()) if ts is not None]
        self._gap = min(bounds, key=lambda ts: _moment(ts) or Decimal(0), default=None)
        self._is_changed = True

    @property
    def gap(self) -> str | None:
        return self._gap

    def close_gap(self, gap: str) -> None:
        """Note that what was missed since is found, unless a later search has begun."""
        if self._gap == gap:
            self._gap = None
            self._is_changed = True

    def arrived(self, channel: str, ts: str) -> None:
        self._meet(channel)
        self._under_way.add(ts)

    def kept(self, ts: str) -> None:
        self._under_way.discard(ts)
        if self._newest is None or (_moment(ts) or 0) > (_moment(self._newest) or 0):
            self._newest = ts
        self._is_changed = True

    def follow(self, channel: str, thread: str) -> None:
        """Note a thread in which the bot takes part."""
        _touch(self._threads, (channel, thread), _THREADS_REMEMBERED)
        self._is_changed = True

    def is_followed(self, channel: str, thread: str) -> bool:
        return (channel, thread) in self._threads

    @property
    def conversations(self) -> tuple[str, ...]:
        """Those known, the latest first."""
        return tuple(reversed(self._conversations))

    def threads_of(self, channel: str) -> list[str]:
        return [thread for where, thread in self._threads if where == channel]

    def surely_seen(self) -> str | None:
        """Return a moment up to which nothing is missing."""
        held = [ts for ts in self._under_way if _moment(ts)]
        bounds = [str((_moment(ts) or Decimal(0)) - _TICK) for ts in held]
        bounds += [ts for ts in (self._gap, self._newest) if ts is not None]
        return min(bounds, key=lambda ts: _moment(ts) or Decimal(0), default=None)

    def _meet(self, channel: str) -> None:
        _touch(self._conversations, channel, _CONVERSATIONS_REMEMBERED)

    async def save(self) -> None:
        """Write it down if it has changed; what cannot be written now is written later."""
        if not self._is_changed:
            return
        told = {
            "seen": self.surely_seen(),
            "conversations": list(self._conversations),
            "threads": [list(thread) for thread in self._threads],
        }
        try:
            await self._cursor.save(json.dumps(told))
        except RetryLater:
            return
        self._is_changed = False


def _touch(names: dict[Name, None], name: Name, most: int) -> None:
    names.pop(name, None)
    names[name] = None
    if len(names) > most:
        del names[next(iter(names))]


def _moment(ts: str) -> Decimal | None:
    try:
        return Decimal(ts)
    except InvalidOperation:
        return None


def _read(text: str | None) -> dict[str, object]:
    try:
        told = json.loads(text or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
