"""The gateway: who is connected, what they are told, and what can go wrong with it.

    gateway.closes(4009)          gateway.asks_reconnect()      gateway.invalidates()
    gateway.goes_silent()         gateway.breaks_off()          gateway.forgets()

Heartbeats are answered, never insisted on, as the seconds of a test may be short; `acks` and
`goes_silent` make a line that is half open. Frames are plain text, whatever compression the
client asks for.
Facts: https://discord.com/developers/docs/events/gateway
"""

import asyncio
import json
import random
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from aiohttp import web

from tests.fakes.discord.connection import Connection, accept
from tests.fakes.discord.session import HIGHEST_INTENT, PRIVILEGED, Event, Session
from tests.fakes.watch import Watch

_UNKNOWN_OP, _DECODE, _NOT_AUTHENTICATED, _BAD_TOKEN, _TWICE = 4001, 4002, 4003, 4004, 4005
_BAD_SEQ, _BAD_VERSION, _BAD_INTENTS, _FORBIDDEN_INTENTS = 4007, 4012, 4013, 4014
_FINAL = frozenset({4004, 4006, 4007, 4009, 4010, 4011, 4012, 4013, 4014})
"""Codes that end the session with the connection."""
_POLITE = frozenset({1000, 1001})
"""Codes with which a client ends its session itself."""


class Op(IntEnum):
    """Kinds of frames."""

    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE = 4
    RESUME = 6
    RECONNECT = 7
    MEMBERS = 8
    INVALID = 9
    HELLO = 10
    ACK = 11


class Gateway:
    """All sessions of one bot."""

    def __init__(
        self,
        *,
        token: str,
        now: Callable[[], float],
        welcome: Callable[[Session], None],
        members: Callable[[int], list[dict[str, Any]]],
        changed: Callable[[], None],
    ) -> None:
        self.allowed = PRIVILEGED
        """Privileged intents that are switched on for the application."""
        self.heartbeat_ms = 41_250
        self.acks = True
        """Whether heartbeats are answered."""
        self.session_seconds = 300.0
        """How long a session waits for its client to come back."""
        self.identifies = 0
        self.resumes = 0
        """How often clients have asked to go on with a session, whatever came of it."""
        self.welcomes = 0
        """Sessions that were begun, or gone on with."""
        self.heartbeats = 0
        self.refused: list[int] = []
        """Codes with which clients were sent away."""
        self.sessions: dict[str, Session] = {}
        self.watch = Watch()
        self._token = token
        self._now = now
        self._welcome = welcome
        self._members_of = members
        self._changed = changed
        self._count = 0
        self._connections: set[Connection] = set()
        self._held: list[Event] | None = None

    # What a test does to it.

    @property
    def is_connected(self) -> bool:
        return any(session.connection is not None for session in self.sessions.values())

    def closes(self, code: int) -> None:
        """Close every connection with a code; sessions stay, unless the code ends them."""
        if code in _FINAL:
            self.sessions.clear()
        for connection in list(self._connections):
            connection.close(code)

    def asks_reconnect(self) -> None:
        for connection in list(self._connections):
            connection.say(Op.RECONNECT)

    def invalidates(self, *, resumable: bool = False) -> None:
        if not resumable:
            self.sessions.clear()
        for connection in list(self._connections):
            connection.say(Op.INVALID, resumable)

    def forgets(self) -> None:
        """Lose all sessions, without telling anybody."""
        self.sessions.clear()

    def resets_token(self, token: str) -> None:
        """Take another token from now on; sessions of the one before are gone with it."""
        self._token = token
        self.closes(4004)

    def goes_silent(self) -> None:
        """Let nothing through to those who are connected now, with their lines open."""
        for connection in self._connections:
            connection.is_silent = True

    def breaks_off(self) -> None:
        """Drop every line without a word."""
        for connection in list(self._connections):
            connection.break_off()

    def repeats(self, count: int) -> None:
        """Tell every session its last events once more."""
        for session in self.sessions.values():
            session.repeat(count)

    def push(self, name: str, data: Any) -> None:
        """Tell any event, of unknown kind or malformed."""
        for session in self.sessions.values():
            session.tell_raw(name, data)

    def repeats_all(self, times: int) -> None:
        """Tell of every message once more to those who are here now, whoever was told of it."""
        told = {
            frame: (name, json.loads(frame)["d"])
            for session in self.sessions.values()
            for _, name, frame in session.events
            if name.startswith("MESSAGE_")
        }
        known = {json.dumps(one) for one in told.values()}
        for name, data in map(json.loads, sorted(known) * times):
            self.push(name, data)

    def hold(self) -> None:
        """Keep back what happens from now on."""
        self._held = []

    def release(self, chance: random.Random) -> None:
        """Tell what was kept back, in an order that chance makes."""
        held, self._held = self._held or [], None
        chance.shuffle(held)
        for event in held:
            self.tell(event)

    def says(self, frame: str | bytes, *, again: bool = False) -> None:
        """Say anything at all; `again` to all who go on with a session after it, too."""
        for session in self.sessions.values():
            if again:
                session.seq += 1
                session.events.append((session.seq, "", str(frame)))
            if session.connection is not None:
                session.connection.send(frame)

    def tell(self, event: Event) -> None:
        """Tell an event to the sessions that ask for it; without one it is lost."""
        if self._held is not None:
            self._held.append(event)
            return
        now = self._now()
        for session in list(self.sessions.values()):
            if session.left_at is not None and now - session.left_at > self.session_seconds:
                del self.sessions[session.id]
            else:
                session.tell(event)

    # A connection.

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = await accept(request)
        connection = Connection(request, socket)
        self._connections.add(connection)
        try:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(connection.write())
                if request.query.get("v") != "10":
                    self._send_away(connection, _BAD_VERSION)
                elif request.query.get("encoding") != "json":
                    self._send_away(connection, _DECODE)
                else:
                    connection.say(Op.HELLO, {"heartbeat_interval": self.heartbeat_ms})
                while (text := await connection.read()) is not None:
                    self._receive(connection, text)
                if not connection.is_closing:
                    writing.cancel()
        finally:
            self._connections.discard(connection)
            self._leave(connection)
        return socket

    def _leave(self, connection: Connection) -> None:
        for session in list(self.sessions.values()):
            if session.connection is connection:
                session.connection = None
                session.left_at = self._now()
                if connection.left_with in _POLITE and not connection.is_closing:
                    del self.sessions[session.id]
        self._tell_watchers()

    def _tell_watchers(self) -> None:
        self.watch.changed()
        self._changed()

    def _send_away(self, connection: Connection, code: int) -> None:
        self.refused.append(code)
        connection.close(code)
        self._tell_watchers()

    def _receive(self, connection: Connection, text: str | int) -> None:
        frame = _frame(text)
        if frame is None:
            return self._send_away(connection, _DECODE)
        op, data = frame.get("op"), frame.get("d")
        session = next((s for s in self.sessions.values() if s.connection is connection), None)
        match op:
            case Op.HEARTBEAT:
                self.heartbeats += 1
                if self.acks:
                    connection.say(Op.ACK)
            case Op.IDENTIFY | Op.RESUME if session is not None:
                self._send_away(connection, _TWICE)
            case Op.IDENTIFY:
                self._identify(connection, data)
            case Op.RESUME:
                self._resume(connection, data)
            case Op.PRESENCE | Op.VOICE | Op.MEMBERS if session is None:
                self._send_away(connection, _NOT_AUTHENTICATED)
            case Op.PRESENCE | Op.VOICE:
                pass
            case Op.MEMBERS:
                self._members(data)
            case _:
                self._send_away(connection, _UNKNOWN_OP)
        self._tell_watchers()
        return None

    def _identify(self, connection: Connection, data: Any) -> None:
        self.identifies += 1
        if not isinstance(data, dict) or not {"token", "properties", "intents"} <= data.keys():
            return self._send_away(connection, _DECODE)
        if data["token"] != self._token:
            return self._send_away(connection, _BAD_TOKEN)
        intents = data["intents"]
        if not isinstance(intents, int) or not 0 <= intents < HIGHEST_INTENT:
            return self._send_away(connection, _BAD_INTENTS)
        if intents & PRIVILEGED & ~self.allowed:
            return self._send_away(connection, _FORBIDDEN_INTENTS)
        self._count += 1
        session = Session(f"session{self._count}", intents, connection)
        self.sessions[session.id] = session
        self.welcomes += 1
        return self._welcome(session)

    def _resume(self, connection: Connection, data: Any) -> None:
        self.resumes += 1
        if not isinstance(data, dict) or data.get("token") != self._token:
            return self._send_away(connection, _BAD_TOKEN)
        session = self.sessions.get(str(data.get("session_id")))
        if session is None:
            return connection.say(Op.INVALID, False)
        after = data.get("seq")
        if not isinstance(after, int) or not 0 < after <= session.seq:
            del self.sessions[session.id]
            return self._send_away(connection, _BAD_SEQ)
        is_late = (
            session.left_at is not None and self._now() - session.left_at > self.session_seconds
        )
        if is_late or not session.has_kept(after):
            del self.sessions[session.id]
            return connection.say(Op.INVALID, False)
        if session.connection is not None:
            session.connection.close(4000)
        session.connection, session.left_at = connection, None
        self.welcomes += 1
        return session.replay(after)

    def _members(self, data: Any) -> None:
        """Answer with all who are in a server, whoever was asked for."""
        self.push(
            "GUILD_MEMBERS_CHUNK",
            {
                "guild_id": data["guild_id"],
                "members": self._members_of(int(data["guild_id"])),
                "chunk_index": 0,
                "chunk_count": 1,
                "nonce": data.get("nonce"),
            },
        )


def _frame(text: str | int) -> dict[str, Any] | None:
    try:
        frame = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return frame if isinstance(frame, dict) else None
