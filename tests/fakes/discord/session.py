"""A session of the gateway, which outlives its connection for a while.

Facts: https://discord.com/developers/docs/events/gateway#connection-lifecycle
"""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any

from tests.fakes.discord.connection import Connection

_EVENTS_KEPT = 20_000


class Intent(IntFlag):
    """Kinds of events that a session asks for."""

    GUILDS = 1 << 0
    MEMBERS = 1 << 1
    PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_REACTIONS = 1 << 10
    GUILD_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_REACTIONS = 1 << 13
    DIRECT_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15


PRIVILEGED = Intent.MEMBERS | Intent.PRESENCES | Intent.MESSAGE_CONTENT
HIGHEST_INTENT = 1 << 26


@dataclass(frozen=True, slots=True)
class Event:
    """Something to tell every session that asks for its kind."""

    name: str
    needs: int
    """The intent; 0 for what every session is told."""
    write: Callable[[bool], Any]
    """Called with whether the session may read contents."""


@dataclass(slots=True)
class Session:
    """What one IDENTIFY began."""

    id: str
    intents: int
    connection: Connection | None = None
    left_at: float | None = None
    """When its connection was lost."""
    seq: int = 0
    events: deque[tuple[int, str, str]] = field(default_factory=lambda: deque(maxlen=_EVENTS_KEPT))
    """Number, name and frame of what was told, oldest first."""

    def tell(self, event: Event) -> None:
        """Number an event, keep it for RESUME, and send it if somebody listens."""
        if event.needs and not self.intents & event.needs:
            return
        data = event.write(bool(self.intents & Intent.MESSAGE_CONTENT))
        self.tell_raw(event.name, data)

    def tell_raw(self, name: str, data: Any) -> None:
        self.seq += 1
        frame = json.dumps({"op": 0, "s": self.seq, "t": name, "d": data})
        self.events.append((self.seq, name, frame))
        if self.connection is not None:
            self.connection.send(frame)

    def has_kept(self, after: int) -> bool:
        """Say whether nothing that was told after a number has been forgotten."""
        return not self.events or self.events[0][0] <= after + 1

    def replay(self, after: int) -> None:
        """Send again what was told after a number, then say that it is all."""
        assert self.connection is not None
        for seq, name, frame in list(self.events):
            if seq > after and name != "RESUMED":
                self.connection.send(frame)
        self.tell_raw("RESUMED", {"_trace": ["fake"]})

    def repeat(self, count: int) -> None:
        """Tell the last so many events once more, under new numbers."""
        for _, name, frame in list(self.events)[-count:]:
            self.tell_raw(name, json.loads(frame)["d"])
